//! The servers that are measured, each in a process of its own.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Context as _;
use app::mail::Mail;
use app::{App, Catalog, Clock, Entropy, MailError, Mailer, ReqwestHttp};
use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::{get, post};
use domain::Email;
use store::{Engine, Store, Vault};
use tokio::net::TcpListener;
use tokio::sync::watch;
use web::{Limits, Web};

/// The master key of every database that is measured.
const MASTER_KEY: [u8; 32] = [7; 32];

/// A mail server that takes everything at once.
struct TakesAll;

impl Mailer for TakesAll {
    fn send(&self, _mail: Mail) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn name(&self) -> &str {
        "takes all"
    }
}

/// The store at a place: a PostgreSQL URL, or a SQLite file.
pub(crate) async fn open(place: &str) -> anyhow::Result<Store> {
    let engine: Arc<dyn Engine> = if place.starts_with("postgres://") || place.contains("host=") {
        Arc::new(store::postgres::Postgres::open(place, store::postgres::PostgresOptions::default()).await?)
    } else {
        Arc::new(store::sqlite::Sqlite::open(Path::new(place), store::sqlite::SqliteOptions::default())?)
    };
    store::migrate(engine.as_ref()).await?;
    Ok(Store::new(engine, Arc::new(Vault::from_master_key(MASTER_KEY)?)))
}

/// The app over a store, as the product wires it, but for the mail server.
pub(crate) async fn app(store: Store) -> anyhow::Result<Arc<App>> {
    let settings =
        app::Settings { public_url: "http://127.0.0.1".to_owned(), mail_from: Email::parse("shop@latchkey.example")? };
    let http = Arc::new(ReqwestHttp::new()?);
    Ok(App::start(store, http, Arc::new(TakesAll), Clock::System, Entropy::System, Catalog::new(None)?, settings)
        .await?)
}

/// Serves the product, on the threads that the product has: some for validations, some for the rest. Workers stand
/// still: what is measured ends with the commit.
pub(crate) fn serve(place: &str, port: &str) -> anyhow::Result<()> {
    let work = tokio::runtime::Builder::new_multi_thread().thread_name("work").enable_all().build()?;
    run(async {
        let app = app(open(place).await?).await?;
        let site = web::site_within(Web { app, mailbox: None }, &Limits::default(), Some(work.handle()));
        listen(site, port).await
    })
}

/// Serves the ceiling: the same HTTP stack, the same POST, the bytes of a file as a constant.
pub(crate) fn constant(answer: &str, port: &str) -> anyhow::Result<()> {
    let answer: &'static [u8] = std::fs::read(answer)?.leak();
    run(async move {
        let json = [(header::CONTENT_TYPE, "application/json")];
        let take = move |_body: Bytes| async move { (json, answer) };
        listen(Router::new().route("/v1/licenses/validate", post(take)).route("/livez", get("")), port).await
    })
}

fn run(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

async fn listen(answers: impl web::Answers, port: &str) -> anyhow::Result<()> {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.context("the port of a measured server")?;
    let (_keep, shutdown) = watch::channel(false);
    Ok(web::serve(listener, answers, Limits::default(), shutdown).await?)
}

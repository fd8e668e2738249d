//! The servers that are measured, each in a process of its own.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Context as _;
use app::mail::Mail;
use app::{App, Catalog, Clock, Entropy, MailError, Mailer, ReqwestHttp};
use axum::Router;
use axum::http::header;
use axum::routing::{get, post};
use domain::Email;
use store::{Engine, Store, Vault};
use tokio::net::TcpListener;
use tokio::sync::watch;
use web::{Limits, Web};

/// The master key of every database that is measured.
const MASTER_KEY: [u8; 32] = [7; 32];

/// What the ceiling answers: as many bytes as a validation without a certificate.
const CONSTANT: &str = r#"{"valid":true,"code":"valid","detail":"The license is valid.","license":{"id":"lic_01ka0000000000000000000000","status":"active","product":"prod_01ka0000000000000000000000","plan":"plan_01ka0000000000000000000000","features":["edit","batch","color"],"seats":5,"seats_used":1,"expires_at":null,"created_at":"2026-11-24T00:00:00Z","key_tail":"7Q2M"},"activation":null,"certificate":null}"#;

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
    let settings = app::Settings { public_url: "http://127.0.0.1".to_owned(), mail_from: Email::parse("shop@latchkey.example")? };
    let http = Arc::new(ReqwestHttp::new()?);
    Ok(App::start(store, http, Arc::new(TakesAll), Clock::System, Entropy::System, Catalog::new(None)?, settings).await?)
}

/// Serves the product. Workers stand still: what is measured ends with the commit.
pub(crate) fn serve(place: &str, port: &str) -> anyhow::Result<()> {
    run(async {
        let app = app(open(place).await?).await?;
        listen(web::router(Web { app, mailbox: None }), port).await
    })
}

/// Serves the ceiling: the same HTTP stack, the same POST, a constant.
pub(crate) fn constant(port: &str) -> anyhow::Result<()> {
    run(async {
        let answer = || async { ([(header::CONTENT_TYPE, "application/json")], CONSTANT) };
        let take = |_body: axum::body::Bytes| async { ([(header::CONTENT_TYPE, "application/json")], CONSTANT) };
        listen(Router::new().route("/v1/licenses/validate", post(take)).route("/livez", get(answer)), port).await
    })
}

fn run(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

async fn listen(router: Router, port: &str) -> anyhow::Result<()> {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.context("the port of a measured server")?;
    let (_keep, shutdown) = watch::channel(false);
    Ok(web::serve(listener, router, Limits::default(), shutdown).await?)
}

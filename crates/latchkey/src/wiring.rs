//! Putting the doors into the app.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use app::{App, Catalog, Clock, Entropy, Files, Mailbox, Mailer, ReqwestHttp, SmtpMailer};
use domain::{Email, Shop};
use store::place::Place;
use store::{Access, Store, Vault};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use web::{Limits, Web};

use crate::config::Settings;
use crate::master_key;
use crate::otlp::Exporter;
use crate::output::Output;

/// The file of SQLite in the data folder.
const DATABASE_FILE: &str = "latchkey.sqlite";

/// An app with what stands beside it.
pub(crate) struct Wired {
    pub(crate) app: Arc<App>,
    /// Where mails are kept when there is no mail server.
    pub(crate) mailbox: Option<Arc<Mailbox>>,
    /// Where Prometheus comes to read.
    pub(crate) metrics: Option<TcpListener>,
}

/// The shop that a command is about.
///
/// # Errors
/// When there is none at that host, or several and none was named.
pub(crate) async fn shop(app: &App, host: Option<&str>) -> anyhow::Result<Shop> {
    let shops = app.shops().await;
    let found = match host {
        Some(host) => shops
            .iter()
            .find(|shop| shop.host.as_deref() == Some(host))
            .with_context(|| format!("there is no shop at {host}"))?,
        None if shops.len() > 1 => bail!("there are several shops: name one with --shop"),
        None => shops.first().context("there is no shop yet: start the server once")?,
    };
    Ok(found.as_ref().clone())
}

/// Opens storage and mail, and starts the app.
///
/// # Errors
/// When the folder, the database, the mail settings or the message files cannot be used.
pub(crate) async fn wire(settings: &Settings, listening_on: SocketAddr, keep_mails: bool) -> anyhow::Result<Wired> {
    std::fs::create_dir_all(&settings.data).with_context(|| format!("{} cannot be made", settings.data.display()))?;
    let entropy = Entropy::System;
    let place = place(settings);
    let engine = place.open(Access::Shared).await?;
    store::migrate(engine.as_ref()).await?;
    if let Some(fence) = store::copy::fence(engine.as_ref()).await? {
        anyhow::bail!("{place} must not be used: {fence}");
    }
    let has_key = store::has_master_key(engine.as_ref()).await?;
    let key = master_key::load(&settings.data, || (!has_key).then(|| entropy.rng().bytes()))?;
    let vault = Arc::new(Vault::from_master_key(key)?);
    let store = Store::new(engine, vault);
    store.confirm_master_key().await?;
    let mails = open_mail(settings, keep_mails)?;
    let public_url = settings.public_url(listening_on);
    let mail_from = match &settings.mail_from {
        Some(address) => Email::parse(address).with_context(|| format!("mail_from {address}"))?,
        None => Email::parse("shop@latchkey.example")?,
    };
    let catalog = Catalog::new(settings.messages.as_deref())?;
    let app = App::start(
        store,
        Arc::new(ReqwestHttp::new()?),
        mails.mailer,
        Clock::System,
        entropy,
        catalog,
        app::Settings { public_url, mail_from },
    )
    .await?;
    app.keep_files(files(settings));
    Ok(Wired { app, mailbox: mails.shown, metrics: None })
}

/// Where the settings say that the contents of published files are.
pub(crate) fn files(settings: &Settings) -> Files {
    match &settings.files {
        Some(folder) => Files::at(folder),
        None => Files::by_default_at(&settings.files()),
    }
}

/// Where the settings say that the rows are.
pub(crate) fn place(settings: &Settings) -> Place {
    match &settings.database {
        Some(url) => Place::Postgres(url.clone()),
        None => file_in(&settings.data),
    }
}

/// The file of SQLite in a data folder.
pub(crate) fn file_in(data: &Path) -> Place {
    Place::Sqlite(data.join(DATABASE_FILE))
}

/// The way out for mails, and the mailbox that a page shows.
struct Mails {
    mailer: Arc<dyn Mailer>,
    shown: Option<Arc<Mailbox>>,
}

fn open_mail(settings: &Settings, keep_mails: bool) -> anyhow::Result<Mails> {
    match &settings.smtp_url {
        Some(url) if !keep_mails => Ok(Mails { mailer: Arc::new(SmtpMailer::from_url(url)?), shown: None }),
        Some(_) | None => {
            let mailbox = Arc::new(Mailbox::open(&settings.data)?);
            Ok(Mails { mailer: Arc::clone(&mailbox) as Arc<dyn Mailer>, shown: keep_mails.then_some(mailbox) })
        }
    }
}

/// Before anybody is answered: after a restore, what happened since the backup is asked for at every gateway. A gateway
/// that does not answer is asked again by the workers, and mails are held until it has.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn recover(app: &App, output: &Output) -> anyhow::Result<()> {
    if app.is_recovering() {
        output.talk("This shop was restored from a backup: asking the gateways what happened since …");
        if !app.recover().await? {
            output.talk(
                "Not every gateway answers; they are asked again until they do. See the log, and latchkey doctor.",
            );
        }
    }
    Ok(())
}

/// How many connections may wait to be taken. One more is left in silence by the system: its peer believes that the
/// line stands, and we never hear of it. The system may allow less (`net.core.somaxconn`).
const BACKLOG: u32 = 8_192;

/// Listens before anything else is done, so that a taken port is told at once.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A port that was ours a moment ago is ours again at once.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().with_context(|| format!("cannot listen on {address}: is something else running there?"))
}

/// Serves pages and runs workers until the process is told to stop, and then
/// goes down in order: whoever asks hears that we are not ready; listening
/// ends; what was accepted is answered; what was claimed is given back.
///
/// # Errors
/// When listening fails for good.
pub(crate) async fn run(
    settings: &Settings,
    wired: Wired,
    listener: TcpListener,
    shutdown: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let Wired { app, mailbox, metrics } = wired;
    let limits = settings.limits.clone();
    // Threads of its own for everything but license validation, which the operating system lets in between.
    let work = tokio::runtime::Builder::new_multi_thread().thread_name("work").enable_all().build()?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(go_down(Arc::clone(&app), limits.drain_notice, limits.drain, shutdown, stop));
    let exporter = settings.otlp_endpoint.as_deref().map(|endpoint| Exporter::start(&app, endpoint));
    let web = Web { app: Arc::clone(&app), mailbox };
    let site = web::site_within(web.clone(), &limits, Some(work.handle()));
    let watching = metrics
        .map(|listener| tokio::spawn(web::serve(listener, web::watch_router(web), Limits::default(), stopped.clone())));
    let workers = work.spawn(app::run_workers(Arc::clone(&app), stopped.clone()));
    let patience = limits.drain + Duration::from_secs(1);
    web::serve_counted(listener, site, limits, Some(Arc::clone(&app)), stopped).await?;
    // Time may be up for requests; workers hear of it at the same moment and have a little to give back what they hold.
    let given_back = async {
        let ended = workers.await;
        app.holds_nothing().await;
        ended
    };
    if tokio::time::timeout(patience, given_back).await.is_err() {
        tracing::warn!("a worker did not end in time; what it holds is free again when its lease ends");
    }
    if let Some(watching) = watching {
        watching.abort();
    }
    if let Some(exporter) = exporter {
        exporter.end().await;
    }
    work.shutdown_background();
    Ok(())
}

/// Says that the server goes down, stops it after a notice where somebody heeds it, and ends what takes too long.
async fn go_down(
    app: Arc<App>,
    notice: Duration,
    drain: Duration,
    mut shutdown: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
) {
    if shutdown.wait_for(|stop| *stop).await.is_err() {
        return;
    }
    app.begin_drain();
    if app.is_probed() {
        tokio::time::sleep(notice).await;
    }
    stop.send_replace(true);
    tokio::time::sleep(drain).await;
    app.end_drain();
}

/// Turns true at the first Ctrl-C or SIGTERM.
///
/// # Errors
/// When the system does not let us listen for signals.
pub(crate) fn shutdown_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        let _ = sender.send(true);
    });
    Ok(receiver)
}

/// Whether the folder holds a database already.
pub(crate) fn has_data(data: &Path) -> bool {
    data.join(DATABASE_FILE).exists()
}

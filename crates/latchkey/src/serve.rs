//! `serve`: the real thing.

use std::process::ExitCode;

use anyhow::Context as _;
use app::NewShop;
use domain::{Mode, Seller};
use tokio::net::TcpListener;

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// Serves until told to stop. The first start opens a shop and prints a link
/// that makes the first owner.
pub(crate) async fn run(settings: &Settings, output: &Output) -> anyhow::Result<ExitCode> {
    let listener = wiring::listen(settings.listen)?;
    let address = listener.local_addr()?;
    let mut wired = wiring::wire(settings, address, false).await?;
    if let Some(address) = settings.metrics_listen {
        wired.metrics = Some(wiring::listen(address)?);
    }
    let app = &wired.app;
    wiring::recover(app, output).await?;
    let public_url = app.settings.public_url.clone();
    let mut lines = vec![format!("Latchkey serves {public_url}")];
    if app.shops().await.is_empty() {
        let shop = app
            .create_shop(NewShop {
                name: "New shop".to_owned(),
                mode: Mode::Live,
                seller: Seller::default(),
                terms: String::new(),
                refund_policy: String::new(),
            })
            .await?;
        let entry = app.console_entry(&shop).await?;
        lines.push(format!("\nFirst start. This link signs the owner in, once, within 30 minutes:\n  {}", entry.url));
        lines.push("Next: describe the shop in a file and run `latchkey apply shop.toml`;\n      connect a gateway with `latchkey gateways connect stripe`.".to_owned());
    }
    if settings.smtp_url.is_none() {
        lines.push(format!(
            "No mail server is set (--smtp-url): mails are kept in {}",
            settings.data.join("mailbox").display()
        ));
    }
    // Whoever reads what is printed may tell the process to stop at once.
    let shutdown = wiring::shutdown_signal()?;
    if let Some(address) = wired.metrics.as_ref().map(TcpListener::local_addr).transpose()? {
        lines.push(format!("Metrics on http://{address}/metrics"));
    }
    let metrics = wired.metrics.as_ref().map(TcpListener::local_addr).transpose()?;
    output
        .result(&serde_json::json!({ "url": public_url, "listen": address, "metrics": metrics }), &lines.join("\n"))?;
    wiring::run(settings, wired, listener, shutdown).await.context("the server stopped")?;
    Ok(ExitCode::SUCCESS)
}

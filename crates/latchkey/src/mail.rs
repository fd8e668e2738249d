//! `mails`: those that wait for a person since a restore.

use std::process::ExitCode;

use clap::Subcommand;
use domain::{Delivery, DeliveryId};
use serde_json::json;

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// Mails that are held.
#[derive(Subcommand)]
pub(crate) enum MailCommand {
    /// Every mail that is held, with its reason.
    List,
    /// Sends one, by its id, or every mail that is held.
    Send {
        /// The mail's id, as `dlv_…`.
        #[arg(required_unless_present = "all")]
        mail: Option<String>,
        /// All of them.
        #[arg(long, conflicts_with = "mail")]
        all: bool,
    },
}

pub(crate) async fn run(settings: &Settings, output: &Output, command: MailCommand) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let mut held: Vec<Delivery> = Vec::new();
    for shop in wired.app.shops().await {
        held.extend(wired.app.held_mails(shop.id).await?);
    }
    match command {
        MailCommand::List => {
            let lines: Vec<String> = held
                .iter()
                .map(|mail| {
                    let reason = mail.last_error.as_deref().unwrap_or_default();
                    format!("{} {} to {}: {reason}", mail.id, mail.mail.as_str(), mail.to)
                })
                .collect();
            let data: Vec<_> = held
                .iter()
                .map(|mail| json!({ "id": mail.id, "mail": mail.mail.as_str(), "to": mail.to.as_str(), "order": mail.order, "reason": mail.last_error }))
                .collect();
            let lines = if lines.is_empty() { "No mail is held.".to_owned() } else { lines.join("\n") };
            output.result(&json!({ "held": data }), &lines)?;
        }
        MailCommand::Send { mail, .. } => {
            if let Some(mail) = mail {
                let id = DeliveryId::parse(&mail)?;
                held.retain(|delivery| delivery.id == id);
                anyhow::ensure!(!held.is_empty(), "no mail {id} is held");
            }
            for mail in &held {
                wired.app.send_held_mail(mail.shop, mail.id).await?;
            }
            let data = json!({ "released": held.iter().map(|mail| mail.id).collect::<Vec<_>>() });
            output.result(&data, &format!("{} mails are let go; the server sends them.", held.len()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

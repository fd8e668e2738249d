//! `endpoints`: programs of the seller's that are asked for what buyers are owed.

use std::process::ExitCode;

use anyhow::Context as _;
use app::App;
use clap::{Args, Subcommand};
use domain::{Endpoint, Shop};
use serde_json::json;

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// What to do with the seller's programs.
#[derive(Subcommand)]
pub(crate) enum EndpointCommand {
    /// Every program, and where it is.
    List(ShopArgument),
    /// Prints the secret that signs what a program is sent.
    Secret(EndpointArguments),
    /// Gives a program a new secret, and prints it. What is sent from now on is signed with it.
    Rotate(EndpointArguments),
    /// Sends a program a signed message that asks for nothing, and says what it answered.
    Test(EndpointArguments),
}

#[derive(Args)]
pub(crate) struct ShopArgument {
    /// The host name of the shop, where there are several.
    #[arg(long)]
    shop: Option<String>,
}

#[derive(Args)]
pub(crate) struct EndpointArguments {
    /// The program, by its slug in the shop file.
    slug: String,
    #[command(flatten)]
    shop: ShopArgument,
}

/// Does it; exit 1 when a program that was tried does not answer well.
pub(crate) async fn run(settings: &Settings, output: &Output, command: EndpointCommand) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let app = &wired.app;
    match command {
        EndpointCommand::List(argument) => {
            let shop = wiring::shop(app, argument.shop.as_deref()).await?;
            let endpoints = app.store.endpoints(shop.id).await?;
            let lines: Vec<String> = endpoints.iter().map(|known| format!("{}: {}", known.slug, known.url)).collect();
            let text = match lines.is_empty() {
                true => "There is none: an [[endpoint]] in the shop file makes one.".to_owned(),
                false => lines.join("\n"),
            };
            let rows: Vec<_> = endpoints
                .iter()
                .map(|known| json!({ "endpoint": known.id, "slug": known.slug, "url": known.url }))
                .collect();
            output.result(&json!(rows), &text)?;
            Ok(ExitCode::SUCCESS)
        }
        EndpointCommand::Secret(arguments) => {
            let endpoint = find(app, &arguments).await?;
            show_secret(app, output, &endpoint)
        }
        EndpointCommand::Rotate(arguments) => {
            let endpoint = find(app, &arguments).await?;
            let endpoint = app.rotate_endpoint_secret(&endpoint).await?;
            show_secret(app, output, &endpoint)
        }
        EndpointCommand::Test(arguments) => {
            let endpoint = find(app, &arguments).await?;
            let (found, is_good) = match app.try_endpoint(&endpoint).await {
                Ok(status @ 200..300) => (format!("{} answered {status}: good.", endpoint.url), true),
                Ok(status) => (
                    format!(
                        "{} answered {status}, and should answer 200. Next: see its log; where it refused the \
                         signature, give it the secret that latchkey endpoints secret {} prints.",
                        endpoint.url, endpoint.slug
                    ),
                    false,
                ),
                Err(failure) => (
                    format!(
                        "{} gave {failure}. Next: see whether it runs, and can be reached from here.",
                        endpoint.url
                    ),
                    false,
                ),
            };
            output.result(&json!({ "endpoint": endpoint.id, "good": is_good, "found": found }), &found)?;
            Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn show_secret(app: &App, output: &Output, endpoint: &Endpoint) -> anyhow::Result<ExitCode> {
    let secret = app.store.endpoint_secret(endpoint);
    output.result(&json!({ "endpoint": endpoint.id, "secret": secret }), &secret)?;
    Ok(ExitCode::SUCCESS)
}

async fn find(app: &App, arguments: &EndpointArguments) -> anyhow::Result<Endpoint> {
    let shop: Shop = wiring::shop(app, arguments.shop.shop.as_deref()).await?;
    let slug = &arguments.slug;
    let known = app.store.endpoint_by_slug(shop.id, slug).await?;
    known.with_context(|| format!("there is no endpoint {slug}; latchkey endpoints list names those there are"))
}

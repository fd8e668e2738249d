//! A program with a license, on the command line: `sample <shop> <product> <file> <command> [key]`. Prints the
//! outcome as one line of JSON; ends with 0 when the license works, or the seat was given back.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::process::ExitCode;

use latchkey_client::license::KeySet;
use latchkey_client::{Client, FileStorage, Http, Settings, State};
use serde_json::json;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let texts: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [shop, product, file, command, rest @ ..] = texts.as_slice() else {
        eprintln!(
            "sample <shop> <product> <file> activate|validate|heartbeat|status|refresh|deactivate|request_activation|\
             request_release|install|check_revocations [key|file]"
        );
        return ExitCode::from(2);
    };
    // A program that is sold has these keys built in; this one is told where they are.
    let keys = std::env::var("LATCHKEY_KEYS").ok().and_then(|name| text(&name).ok());
    let keys = keys.and_then(|jwks| KeySet::parse(&jwks).ok());
    let settings = Settings { keys, ..Settings::new(shop, product, "sample-device-rust") };
    let outcome = Client::open(settings, Http::new(), FileStorage::new(*file)).and_then(|mut license| match *command {
        "activate" => license.activate(rest.first().copied().unwrap_or_default(), Some("The Rust sample")),
        "validate" => license.validate(),
        "heartbeat" => license.heartbeat(),
        "refresh" => license.refresh(),
        "deactivate" => license.deactivate(),
        "request_activation" => {
            license.request_activation(rest.first().copied().unwrap_or_default(), Some("The Rust sample"))
        }
        "request_release" => license.request_release(),
        "install" => license.install(&text(rest.first().copied().unwrap_or_default())?),
        "check_revocations" => license.check_revocations(&text(rest.first().copied().unwrap_or_default())?),
        _ => license.status(),
    });
    match outcome {
        Ok(outcome) => {
            let told = json!({
                "state": outcome.state.as_str(),
                "code": outcome.code,
                "message": outcome.message,
                "portal_url": outcome.portal_url,
                "features": outcome.license.as_ref().map(|license| &license.features),
                "carries_until": outcome.carries_until,
                "refresh_at": outcome.refresh_at,
                "request": outcome.request,
            });
            println!("{told}");
            let well = outcome.is_usable() || outcome.state == State::Released;
            if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::from(2)
        }
    }
}

/// What stands in a file, or comes in for `-`.
fn text(name: &str) -> std::io::Result<String> {
    if name == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(name) }
}

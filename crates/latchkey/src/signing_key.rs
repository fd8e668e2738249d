//! `signing-keys`: the keys that sign certificates change places without a certificate that cannot be verified.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use app::{SigningKeyTurn, SigningKeyView};
use clap::Subcommand;
use serde_json::{Value, json};
use store::SigningKeyState;
use zeroize::Zeroizing;

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// What is done to signing keys.
#[derive(Subcommand)]
pub(crate) enum SigningKeyCommand {
    /// Every key, with what it is still good for.
    List,
    /// Makes a new key. It is published at once and signs ten minutes later, when whoever verifies has it.
    Add {
        /// Let it sign now: where the old key is in the wrong hands.
        #[arg(long)]
        at_once: bool,
    },
    /// Takes in a key pair that you have, an Ed25519 private key as PKCS#8 PEM or as 64 hexadecimal digits.
    Import {
        /// The file.
        file: PathBuf,
        /// Let it sign now.
        #[arg(long, conflicts_with = "verify_only")]
        at_once: bool,
        /// Let it never sign here: it only verifies what it signed elsewhere.
        #[arg(long)]
        verify_only: bool,
    },
    /// Lets a key sign no more; what it signed stays good.
    Retire {
        /// Its name, as `list` shows it.
        // One in sixty-four begins with a hyphen (RFC 7638: base64url).
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Takes a key out of the published set: nothing that it signed is good any more.
    Revoke {
        /// Its name, as `list` shows it.
        // One in sixty-four begins with a hyphen (RFC 7638: base64url).
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

pub(crate) async fn run(settings: &Settings, output: &Output, command: SigningKeyCommand) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let app = &wired.app;
    match command {
        SigningKeyCommand::List => {
            let keys = app.signing_keys().await?;
            let lines: Vec<String> = keys.iter().map(line).collect();
            let data: Vec<Value> = keys.iter().map(data).collect();
            output.result(&json!({ "signing_keys": data }), &lines.join("\n"))?;
        }
        SigningKeyCommand::Add { at_once } => {
            let turn = if at_once { SigningKeyTurn::AtOnce } else { SigningKeyTurn::Announced };
            let key = app.add_signing_key(None, turn).await?;
            output.result(&data(&key), &added(&key, turn))?;
        }
        SigningKeyCommand::Import { file, at_once, verify_only } => {
            let pem = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let turn = match (at_once, verify_only) {
                (true, _) => SigningKeyTurn::AtOnce,
                (false, true) => SigningKeyTurn::Never,
                (false, false) => SigningKeyTurn::Announced,
            };
            let key = app.add_signing_key(Some(&Zeroizing::new(pem)), turn).await?;
            output.result(&data(&key), &added(&key, turn))?;
        }
        SigningKeyCommand::Retire { kid } => {
            app.set_signing_key_state(&kid, SigningKeyState::Retired).await?;
            let told = format!("{kid} signs no more; what it signed stays good.");
            output.result(&json!({ "kid": kid, "state": "retired" }), &told)?;
        }
        SigningKeyCommand::Revoke { kid } => {
            app.set_signing_key_state(&kid, SigningKeyState::Revoked).await?;
            let told = format!(
                "{kid} leaves the key set. Apps that hold a certificate of it must ask again; those that cannot stop."
            );
            output.result(&json!({ "kid": kid, "state": "revoked" }), &told)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(key: &SigningKeyView) -> String {
    let signs = if key.signs { "signs" } else { key.state.as_str() };
    format!("{}  {signs}, from {}", key.kid, key.signs_from)
}

fn data(key: &SigningKeyView) -> Value {
    json!({
        "kid": key.kid, "state": key.state.as_str(), "signs": key.signs,
        "created_at": key.created_at, "signs_from": key.signs_from,
    })
}

fn added(key: &SigningKeyView, turn: SigningKeyTurn) -> String {
    match turn {
        SigningKeyTurn::Announced => format!(
            "{} is published, and signs from {}. When the last certificate of the old key is over, retire that one.",
            key.kid, key.signs_from
        ),
        SigningKeyTurn::AtOnce => {
            format!("{} signs. Apps with a key set that was read before must read it again.", key.kid)
        }
        SigningKeyTurn::Never => format!("{} verifies what it signed, and signs nothing here.", key.kid),
    }
}

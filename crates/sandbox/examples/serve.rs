//! The simulated gateway alone: `cargo run -p sandbox --example serve -- --listen 127.0.0.1:4343`.
//!
//! Prints its address as JSON once it listens; ends on Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use sandbox::{Config, ConfiguredAccount, ConfiguredWebhook};

#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4343")]
    listen: SocketAddr,
    /// Where to keep the state; in memory without it.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Decides ids and secrets.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The account to configure.
    #[arg(long, default_value = "sk_test_sandbox")]
    secret_key: String,
    /// The seller's name on the hosted page.
    #[arg(long)]
    seller: Option<String>,
    /// Where that account's events go.
    #[arg(long, requires = "webhook_secret")]
    webhook: Option<String>,
    /// What they are signed with.
    #[arg(long)]
    webhook_secret: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    let webhooks = match (arguments.webhook, arguments.webhook_secret) {
        (Some(url), Some(secret)) => vec![ConfiguredWebhook { url, secret }],
        (None, _) | (Some(_), None) => Vec::new(),
    };
    let account = ConfiguredAccount { secret_key: arguments.secret_key, name: arguments.seller, webhooks };
    let config = Config { seed: arguments.seed, data_dir: arguments.data, base_url: None, accounts: vec![account] };
    #[expect(clippy::print_stdout, reason = "the address is what a script waits for")]
    {
        println!("{}", serde_json::json!({ "sandbox": format!("http://{address}") }));
    }
    sandbox::serve(listener, config, async {
        // Without the signal it runs until it is killed, which it survives.
        let _ = tokio::signal::ctrl_c().await;
    })
    .await
}

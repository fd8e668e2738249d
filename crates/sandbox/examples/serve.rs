//! The simulated gateway alone: `cargo run -p sandbox --example serve -- --listen 127.0.0.1:4343`.
//!
//! Prints its address as JSON once it listens; ends on Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use sandbox::{Config, Endpoint};

#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4343")]
    listen: SocketAddr,
    /// Where to keep the state; in memory without it.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Decides ids and secrets; without it they differ from start to start.
    #[arg(long)]
    seed: Option<u64>,
    /// The seller's name on the hosted page.
    #[arg(long)]
    seller: Option<String>,
    /// Where the events of `--secret-key` go.
    #[arg(long, requires = "webhook_secret")]
    webhook: Option<String>,
    /// What they are signed with.
    #[arg(long)]
    webhook_secret: Option<String>,
    /// The account that has the webhook.
    #[arg(long, default_value = "sk_test_sandbox")]
    secret_key: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    let endpoints = match (arguments.webhook, arguments.webhook_secret) {
        (Some(url), Some(secret)) => vec![Endpoint { secret_key: arguments.secret_key, url, secrets: vec![secret] }],
        (None, _) | (Some(_), None) => Vec::new(),
    };
    let config = Config {
        seed: arguments.seed,
        data_dir: arguments.data,
        base_url: None,
        seller_name: arguments.seller,
        endpoints,
    };
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

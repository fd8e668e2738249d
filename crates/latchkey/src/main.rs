//! The one binary: configuration, wiring, commands.
//!
//! Data goes to stdout, talk to stderr. Exit codes: 0 done, 1 something is
//! broken or failed, 2 the command line or the configuration cannot be read.

mod apply;
mod config;
mod demo;
mod doctor;
mod endpoint;
mod gateway;
mod import;
mod license;
mod log;
mod mail;
mod master_key;
mod moving;
mod otlp;
mod output;
mod pool;
mod release;
mod report;
mod sandbox_server;
mod serve;
mod shadow;
mod signing_key;
mod wiring;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Flags, Settings};
use crate::output::Output;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sells digital licenses, from the checkout page to the working activation.
#[derive(Parser)]
#[command(name = "latchkey", version, propagate_version = true, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A complete shop to try: sample catalog, simulated gateway, mailbox.
    Demo,
    /// The real thing: checkout, portal, console, API, webhooks.
    Serve,
    /// The simulated gateway alone, as a process of its own.
    Sandbox,
    /// Checks configuration, storage, gateways and every law on the stored data.
    Doctor,
    /// Writes shop, products and plans from a file; what is there already is brought up to date.
    Apply(apply::ApplyArguments),
    /// Takes over the licenses of another system, with the keys that their buyers hold.
    Import(import::ImportArguments),
    /// Licenses that nobody pays for.
    #[command(subcommand)]
    Licenses(license::LicenseCommand),
    /// Copies the whole shop into a folder, beside a running server, and reads it back.
    Backup(moving::FolderArguments),
    /// Brings a backup into an empty data folder or database.
    Restore(moving::FolderArguments),
    /// Moves the whole shop to another database: SQLite to PostgreSQL, or back.
    Move(moving::MoveArguments),
    /// Mails that wait for a person since a restore: shows them, or sends them.
    #[command(subcommand)]
    Mails(mail::MailCommand),
    /// Signed reports: what was paid, and what was issued for it, exactly once.
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// Stocks of codes made elsewhere: shows them, brings codes in, takes codes out.
    #[command(subcommand)]
    Pools(pool::PoolCommand),
    /// Programs of yours that are asked for what buyers are owed: shows them, their secrets, and whether they answer.
    #[command(subcommand)]
    Endpoints(endpoint::EndpointCommand),
    /// Where answers to apps of another system differ from those of the old one, which still answers.
    #[command(subcommand)]
    Shadow(shadow::ShadowCommand),
    /// Versions of products with their files, which buyers download.
    #[command(subcommand)]
    Releases(release::ReleaseCommand),
    /// Accounts at payment gateways.
    #[command(subcommand)]
    Gateways(gateway::GatewayCommand),
    /// Prints a link that signs in to the console once.
    ConsoleLink,
    /// Makes a key for the management API and prints it, once.
    ApiKey(gateway::ApiKeyArguments),
    /// Lists keys for the management API, and withdraws them.
    #[command(subcommand)]
    ApiKeys(gateway::ApiKeyCommand),
    /// The keys that sign certificates: adds, imports, retires and revokes them.
    #[command(subcommand)]
    SigningKeys(signing_key::SigningKeyCommand),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output { json: arguments.flags.json };
    let defaults = match arguments.command {
        Command::Demo => config::DEMO,
        Command::Sandbox => config::SANDBOX,
        Command::Serve
        | Command::Doctor
        | Command::Apply(_)
        | Command::Import(_)
        | Command::Licenses(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Move(_)
        | Command::Mails(_)
        | Command::Report(_)
        | Command::Pools(_)
        | Command::Endpoints(_)
        | Command::Shadow(_)
        | Command::Releases(_)
        | Command::Gateways(_)
        | Command::ConsoleLink
        | Command::ApiKey(_)
        | Command::ApiKeys(_)
        | Command::SigningKeys(_) => config::SERVE,
    };
    let settings = match Settings::read(&arguments.flags, &defaults) {
        Ok(settings) => settings,
        Err(error) => {
            output.talk(&format!("latchkey: {error:#}"));
            return ExitCode::from(2);
        }
    };
    log::start(&settings);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.talk(&format!("latchkey: the runtime cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        match arguments.command {
            Command::Demo => demo::run(&settings, &output).await,
            Command::Serve => serve::run(&settings, &output).await,
            Command::Sandbox => sandbox_server::run(&settings, &output).await,
            Command::Doctor => doctor::run(&settings, &output).await,
            Command::Apply(arguments) => apply::run(&settings, &output, &arguments).await,
            Command::Import(arguments) => import::run(&settings, &output, &arguments).await,
            Command::Licenses(command) => license::run(&settings, &output, command).await,
            Command::Backup(arguments) => moving::back_up(&settings, &output, &arguments).await,
            Command::Restore(arguments) => moving::restore(&settings, &output, &arguments).await,
            Command::Move(arguments) => moving::run(&settings, &output, &arguments).await,
            Command::Mails(command) => mail::run(&settings, &output, command).await,
            Command::Report(command) => report::run(&settings, &output, command).await,
            Command::Pools(command) => pool::run(&settings, &output, command).await,
            Command::Endpoints(command) => endpoint::run(&settings, &output, command).await,
            Command::Shadow(command) => shadow::run(&settings, &output, command).await,
            Command::Releases(command) => release::run(&settings, &output, command).await,
            Command::Gateways(command) => gateway::run(&settings, &output, command).await,
            Command::ConsoleLink => gateway::console_link(&settings, &output).await,
            Command::ApiKey(arguments) => gateway::api_key(&settings, &output, &arguments).await,
            Command::ApiKeys(command) => gateway::api_keys(&settings, &output, command).await,
            Command::SigningKeys(command) => signing_key::run(&settings, &output, command).await,
        }
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            output.talk(&format!("latchkey: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

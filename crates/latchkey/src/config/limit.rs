//! How much the server takes on, as flags, environment and file say it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use web::{Budget, Class, Limits, Network};

/// Limits on the command line, each also as `LATCHKEY_…`.
#[derive(Args, Default)]
pub(crate) struct LimitFlags {
    /// Connections at once.
    #[arg(long, global = true, env = "LATCHKEY_MAX_CONNECTIONS", value_name = "NUMBER", hide_short_help = true)]
    max_connections: Option<u64>,
    /// Connections at once from one address that is no proxy.
    #[arg(
        long,
        global = true,
        env = "LATCHKEY_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "NUMBER",
        hide_short_help = true
    )]
    max_connections_per_address: Option<u64>,
    /// Addresses of the proxies in front, as 10.0.0.0/8,::1; none: an empty text.
    #[arg(long, global = true, env = "LATCHKEY_PROXIES", value_name = "NETWORKS", hide_short_help = true)]
    proxies: Option<String>,
    /// Seconds that request line and headers may take.
    #[arg(long, global = true, env = "LATCHKEY_HEADER_SECONDS", value_name = "SECONDS", hide_short_help = true)]
    header_seconds: Option<u64>,
    /// Seconds that a body may take to arrive.
    #[arg(long, global = true, env = "LATCHKEY_BODY_SECONDS", value_name = "SECONDS", hide_short_help = true)]
    body_seconds: Option<u64>,
    /// Seconds that a connection may stand still.
    #[arg(long, global = true, env = "LATCHKEY_IDLE_SECONDS", value_name = "SECONDS", hide_short_help = true)]
    idle_seconds: Option<u64>,
    /// Seconds that a request may take in all.
    #[arg(long, global = true, env = "LATCHKEY_REQUEST_SECONDS", value_name = "SECONDS", hide_short_help = true)]
    request_seconds: Option<u64>,
    /// Seconds that a request waits for a place before it is turned away.
    #[arg(long, global = true, env = "LATCHKEY_PLACE_SECONDS", value_name = "SECONDS", hide_short_help = true)]
    place_seconds: Option<u64>,
    /// Seconds that an old system may take whose answers ours are held against.
    #[arg(long, global = true, env = "LATCHKEY_SHADOW_SECONDS", value_name = "SECONDS", hide_short_help = true)]
    shadow_seconds: Option<u64>,
    /// Places and waiting room by class of work, as hooks=128/2048,pages=64/512.
    #[arg(long, global = true, env = "LATCHKEY_BUDGETS", value_name = "BUDGETS", hide_short_help = true)]
    budgets: Option<String>,
    /// Calls that one API key may make in a minute.
    #[arg(long, global = true, env = "LATCHKEY_API_CALLS_PER_MINUTE", value_name = "NUMBER", hide_short_help = true)]
    api_calls_per_minute: Option<u64>,
    /// Seconds of saying that we are not ready before listening ends, where somebody asks.
    #[arg(long, global = true, env = "LATCHKEY_DRAIN_NOTICE_SECONDS", value_name = "SECONDS", hide_short_help = true)]
    drain_notice_seconds: Option<u64>,
    /// Seconds that what is under way may take when the server goes down.
    #[arg(long, global = true, env = "LATCHKEY_DRAIN_SECONDS", value_name = "SECONDS", hide_short_help = true)]
    drain_seconds: Option<u64>,
}

/// The keys of the file.
pub(super) const KEYS: [&str; 13] = [
    "max_connections",
    "max_connections_per_address",
    "proxies",
    "header_seconds",
    "body_seconds",
    "idle_seconds",
    "request_seconds",
    "place_seconds",
    "shadow_seconds",
    "budgets",
    "api_calls_per_minute",
    "drain_notice_seconds",
    "drain_seconds",
];

impl LimitFlags {
    /// Puts flags and file together over what holds when nothing is said.
    ///
    /// # Errors
    /// When a value is not of its kind, or would let nobody in.
    pub(super) fn merge(&self, file: &toml::Table) -> anyhow::Result<Limits> {
        let number = |flag: Option<u64>, key: &str| -> anyhow::Result<Option<u64>> {
            let value = match (flag, file.get(key)) {
                (Some(value), _) => value,
                (None, None) => return Ok(None),
                (None, Some(toml::Value::Integer(value))) => {
                    u64::try_from(*value).with_context(|| format!("{key} must not be below zero"))?
                }
                (None, Some(other)) => bail!("{key} must be a whole number, not {}", other.type_str()),
            };
            Ok(Some(value))
        };
        let text = |flag: &Option<String>, key: &str| -> anyhow::Result<Option<String>> {
            match (flag, file.get(key)) {
                (Some(value), _) => Ok(Some(value.clone())),
                (None, None) => Ok(None),
                (None, Some(toml::Value::String(value))) => Ok(Some(value.clone())),
                (None, Some(other)) => bail!("{key} must be a text, not {}", other.type_str()),
            }
        };
        let count = |flag: Option<u64>, key: &str, otherwise: usize| -> anyhow::Result<usize> {
            let Some(value) = number(flag, key)? else { return Ok(otherwise) };
            // More than a semaphore has, and more than any system lets in.
            let value = usize::try_from(value).ok().filter(|value| (1..=1 << 24).contains(value));
            value.with_context(|| format!("{key} must be from 1 to {}", 1 << 24))
        };
        let seconds = |flag: Option<u64>, key: &str, otherwise: Duration, least: u64| -> anyhow::Result<Duration> {
            match number(flag, key)? {
                None => Ok(otherwise),
                Some(value) if (least..=3_600).contains(&value) => Ok(Duration::from_secs(value)),
                Some(value) => bail!("{key} must be from {least} to 3600 seconds, not {value}"),
            }
        };
        let mut limits = Limits::default();
        limits.connections = count(self.max_connections, "max_connections", limits.connections)?;
        limits.connections_per_address =
            count(self.max_connections_per_address, "max_connections_per_address", limits.connections_per_address)?;
        limits.header_deadline = seconds(self.header_seconds, "header_seconds", limits.header_deadline, 1)?;
        limits.body_deadline = seconds(self.body_seconds, "body_seconds", limits.body_deadline, 1)?;
        limits.idle_deadline = seconds(self.idle_seconds, "idle_seconds", limits.idle_deadline, 1)?;
        limits.request_deadline = seconds(self.request_seconds, "request_seconds", limits.request_deadline, 1)?;
        limits.place_deadline = seconds(self.place_seconds, "place_seconds", limits.place_deadline, 1)?;
        limits.shadow_deadline = seconds(self.shadow_seconds, "shadow_seconds", limits.shadow_deadline, 1)?;
        limits.drain_notice = seconds(self.drain_notice_seconds, "drain_notice_seconds", limits.drain_notice, 0)?;
        limits.drain = seconds(self.drain_seconds, "drain_seconds", limits.drain, 0)?;
        if let Some(calls) = number(self.api_calls_per_minute, "api_calls_per_minute")? {
            let calls = u32::try_from(calls).ok().filter(|calls| (1..=60_000_000).contains(calls));
            limits.api_rate = calls.context("api_calls_per_minute must be from 1 to 60000000")?;
        }
        if let Some(networks) = text(&self.proxies, "proxies")? {
            limits.proxies = listed(&networks)
                .map(|network| {
                    Network::parse(network)
                        .with_context(|| format!("proxies: {network} is not an address or a network, as 10.0.0.0/8"))
                })
                .collect::<anyhow::Result<_>>()?;
        }
        if let Some(budgets) = text(&self.budgets, "budgets")? {
            for told in listed(&budgets) {
                let (class, budget) = budget(told)?;
                limits.budgets.set(class, budget);
            }
        }
        Ok(limits)
    }
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn budget(told: &str) -> anyhow::Result<(Class, Budget)> {
    let form = || format!("budgets: {told} must be as hooks=128/2048: a class, its places, its waiting room");
    let (name, numbers) = told.split_once('=').with_context(form)?;
    let Some(class) = Class::parse(name.trim()) else {
        let known: Vec<&str> = Class::ALL.into_iter().map(Class::as_str).collect();
        bail!("budgets: there is no class {name}; there are {}", known.join(", "));
    };
    let (places, waiting) = numbers.split_once('/').with_context(form)?;
    let places = places.trim().parse().ok().filter(|places| *places > 0).with_context(form)?;
    Ok((class, Budget { places, waiting: waiting.trim().parse().with_context(form)? }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn merged(file: &str) -> anyhow::Result<Limits> {
        LimitFlags::default().merge(&file.parse().unwrap())
    }

    #[test]
    fn what_is_said_holds_and_the_rest_stays() {
        let limits = merged("budgets = \"hooks=1/2, pages=3/0\"\nbody_seconds = 3\nproxies = \"\"").unwrap();
        assert_eq!(limits.budgets.of(Class::Hooks), Budget { places: 1, waiting: 2 });
        assert_eq!(limits.budgets.of(Class::Pages), Budget { places: 3, waiting: 0 });
        assert_eq!(limits.budgets.of(Class::Api), Limits::default().budgets.of(Class::Api));
        assert_eq!((limits.body_deadline, limits.proxies.len()), (Duration::from_secs(3), 0));
        let flagged = LimitFlags { body_seconds: Some(9), ..LimitFlags::default() };
        assert_eq!(flagged.merge(&"body_seconds = 3".parse().unwrap()).unwrap().body_deadline, Duration::from_secs(9));
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_name() {
        for (file, named) in [
            ("budgets = \"hook=1/2\"", "hooks"),
            ("budgets = \"hooks=0/2\"", "hooks=0/2"),
            ("budgets = \"hooks=1\"", "hooks=1"),
            ("proxies = \"10.0.0.0/99\"", "10.0.0.0/99"),
            ("max_connections = 0", "max_connections"),
            ("body_seconds = -1", "body_seconds"),
            ("idle_seconds = \"long\"", "idle_seconds"),
            ("header_seconds = 0", "header_seconds"),
        ] {
            let error = merged(file).unwrap_err().to_string();
            assert!(error.contains(named), "{file}: {error}");
        }
    }
}

//! What a server takes on, and what it answers to the rest.

use std::net::IpAddr;
use std::time::Duration;

/// Kinds of work that must not take each other's places: a storm of one leaves the others what they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Whether a license works: what every installed app asks.
    Validate,
    /// Seats taken, freed and kept.
    Activate,
    /// What gateways call.
    Hooks,
    /// What buyers see.
    Pages,
    /// What the seller's programs call.
    Api,
    /// What the seller sees.
    Console,
    /// Files that are on their way to whoever bought them: a place is held until the last byte is sent.
    Downloads,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 7] =
        [Self::Validate, Self::Activate, Self::Hooks, Self::Pages, Self::Api, Self::Console, Self::Downloads];

    /// The word in settings and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Activate => "activate",
            Self::Hooks => "hooks",
            Self::Pages => "pages",
            Self::Api => "api",
            Self::Console => "console",
            Self::Downloads => "downloads",
        }
    }

    /// Reads the word in settings.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

/// How much of one class is taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Requests that are answered at once.
    pub places: usize,
    /// Requests that may wait for a place. One more is turned away.
    pub waiting: usize,
}

/// A budget for each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budgets([Budget; Class::ALL.len()]);

impl Default for Budgets {
    fn default() -> Self {
        let mut budgets = Self([Budget { places: 32, waiting: 256 }; Class::ALL.len()]);
        budgets.set(Class::Validate, Budget { places: 256, waiting: 1_024 });
        budgets.set(Class::Activate, Budget { places: 64, waiting: 1_024 });
        // Many that wait for the disk together share one fsync.
        budgets.set(Class::Hooks, Budget { places: 128, waiting: 2_048 });
        budgets.set(Class::Pages, Budget { places: 64, waiting: 512 });
        budgets.set(Class::Api, Budget { places: 64, waiting: 1_024 });
        // Each holds a file open and some chunks of it in memory.
        budgets.set(Class::Downloads, Budget { places: 256, waiting: 256 });
        budgets
    }
}

impl Budgets {
    /// The budget of a class.
    #[must_use]
    pub fn of(&self, class: Class) -> Budget {
        let [validate, activate, hooks, pages, api, console, downloads] = self.0;
        match class {
            Class::Validate => validate,
            Class::Activate => activate,
            Class::Hooks => hooks,
            Class::Pages => pages,
            Class::Api => api,
            Class::Console => console,
            Class::Downloads => downloads,
        }
    }

    /// Gives a class another budget.
    pub fn set(&mut self, class: Class, budget: Budget) {
        for (known, place) in Class::ALL.into_iter().zip(&mut self.0) {
            if known == class {
                *place = budget;
            }
        }
    }
}

/// A part of the address space, as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `address` or `address/prefix`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address.trim().parse().ok()?;
        let longest = if first.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().ok().filter(|prefix| *prefix <= longest)?,
            None => longest,
        };
        Some(Self { first, prefix })
    }

    /// Whether an address is in it.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        let differing = match (self.first, address.to_canonical()) {
            (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        differing >= u32::from(self.prefix)
    }
}

/// What a server takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; further ones wait in the system's queue.
    pub connections: usize,
    /// Connections at once from one address (IPv6: from one /64); further ones are closed at once.
    pub connections_per_address: usize,
    /// Proxies in front of the server, whose connections are those of many.
    pub proxies: Vec<Network>,
    /// How long a connection may take over its request line and headers.
    pub header_deadline: Duration,
    /// How long a body may take to arrive.
    pub body_deadline: Duration,
    /// How long a connection may stand without a byte moving and without a request being answered.
    pub idle_deadline: Duration,
    /// How long a request may take, from its headers to its answer.
    pub request_deadline: Duration,
    /// How long a request waits for a place before it is turned away.
    pub place_deadline: Duration,
    /// How long an old system may take whose answers ours are held against.
    pub shadow_deadline: Duration,
    /// Places and waiting room for each class of work.
    pub budgets: Budgets,
    /// Calls that one API key may make in a minute.
    pub api_rate: u32,
    /// For how long the server says that it is not ready before it stops to listen, where somebody asks.
    pub drain_notice: Duration,
    /// How long requests that are being answered may take when the server goes down.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let loopback = ["127.0.0.0/8", "::1"].into_iter().filter_map(Network::parse).collect();
        Self {
            connections: 10_000,
            connections_per_address: 256,
            proxies: loopback,
            header_deadline: Duration::from_secs(10),
            body_deadline: Duration::from_secs(15),
            idle_deadline: Duration::from_secs(60),
            request_deadline: Duration::from_secs(60),
            place_deadline: Duration::from_secs(5),
            shadow_deadline: Duration::from_secs(10),
            budgets: Budgets::default(),
            api_rate: 12_000,
            drain_notice: Duration::from_secs(2),
            drain: Duration::from_secs(7),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_network_holds_what_begins_as_it_does() {
        let rows = [
            ("127.0.0.0/8", "127.9.9.9", true),
            ("127.0.0.0/8", "128.0.0.1", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
            ("127.0.0.0/8", "::1", false),
        ];
        for (network, address, is_in) in rows {
            assert_eq!(Network::parse(network).unwrap().holds(address.parse().unwrap()), is_in, "{network} {address}");
        }
        for wrong in ["", "x", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0.0/"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_budget_that_is_set_is_that_of_its_class_alone() {
        let mut budgets = Budgets::default();
        let (given, before) = (Budget { places: 1, waiting: 2 }, Budgets::default());
        budgets.set(Class::Hooks, given);
        for class in Class::ALL {
            let expected = if class == Class::Hooks { given } else { before.of(class) };
            assert_eq!(budgets.of(class), expected, "{class:?}");
            assert_eq!(Class::parse(class.as_str()), Some(class));
        }
    }
}

//! The tenant.

use std::collections::BTreeMap;

use money::Currency;
use serde::{Deserialize, Serialize};

use crate::{Country, ForeignSystem, Locale, Seller, ShopId, Timestamp, Version};

/// Whether a shop, an account or a report is about real money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real money.
    Live,
    /// Simulated money: an ordinary shop whose gateway is simulated.
    Sandbox,
}

impl Mode {
    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sandbox => "sandbox",
        }
    }

    /// Reads the word in rows and on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "live" => Some(Self::Live),
            "sandbox" => Some(Self::Sandbox),
            _ => None,
        }
    }
}

/// A tenant. Every row of every table belongs to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// Its id, the first column of every key.
    pub id: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The name over the door.
    pub name: String,
    /// Real or simulated money.
    pub mode: Mode,
    /// The host name it answers to; `None` answers to any that no other shop has.
    pub host: Option<String>,
    /// Who sells: shown beside the pay button and on every receipt.
    pub seller: Seller,
    /// The language when the buyer gives no hint.
    pub default_locale: Locale,
    /// The currency when the buyer's country has no price of its own.
    pub default_currency: Currency,
    /// The country that is preselected when nothing is known of the buyer.
    pub default_country: Country,
    /// The terms of sale in Markdown.
    pub terms: String,
    /// Names this text of the terms; an order keeps it.
    pub terms_version: String,
    /// What a buyer may expect of refunds, in Markdown, shown before the button.
    pub refund_policy: String,
    /// How apps of other systems are answered.
    pub compat: Compat,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// How a shop answers apps that were built for other systems.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compat {
    /// Host names that such apps ask and that are pointed here, each with the system that it was.
    pub hosts: BTreeMap<String, ForeignSystem>,
    /// Whether a site on a developer's machine takes no seat, for EDD Software Licensing.
    pub local_sites_are_free: bool,
    /// Old systems that still answer, each with its base address: what an app asks is asked there too, the app gets
    /// that answer, and ours is held against it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub shadow: BTreeMap<ForeignSystem, String>,
}

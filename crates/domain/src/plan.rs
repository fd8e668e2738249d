//! A tier of a product: what it costs and what it grants.

use money::Currency;

use crate::{Country, Fulfilment, PlanId, Policy, Price, ProductId, Question, ShopId, Timestamp, Version};

/// A tier of a product, bought once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// The shop that sells it.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The product it is a tier of.
    pub product: ProductId,
    /// Its name in URLs, unique in the shop.
    pub slug: String,
    /// Its name, as the seller writes it.
    pub name: String,
    /// What it holds, one line each.
    pub highlights: Vec<String>,
    /// One price per currency.
    pub prices: Vec<Price>,
    /// What a license of this plan allows; frozen into the license when it is issued.
    pub policy: Policy,
    /// Where what the buyer gets comes from.
    pub fulfilment: Fulfilment,
    /// The plans that are sold together under its name and price, each as a line of its own; empty: itself.
    pub bundle: Vec<PlanId>,
    /// What buyers are asked at the till.
    pub questions: Vec<Question>,
    /// How many may be bought at once.
    pub max_quantity: u32,
    /// Its place among the tiers of the product, from cheap to dear.
    pub position: u32,
    /// Whether it is on sale.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Plan {
    /// The most plans that are sold as one.
    pub const MOST_PARTS: usize = 20;

    /// The price in this currency.
    #[must_use]
    pub fn price_in(&self, currency: Currency) -> Option<&Price> {
        self.prices.iter().find(|price| price.currency == currency)
    }

    /// The price for a buyer from this country: in the country's currency if
    /// there is one, else in the shop's, else the first there is.
    #[must_use]
    pub fn price_for(&self, country: Country, shop_currency: Currency) -> Option<&Price> {
        currency_of(country)
            .and_then(|currency| self.price_in(currency))
            .or_else(|| self.price_in(shop_currency))
            .or_else(|| self.prices.first())
    }
}

/// The currency that people in the country count in, for the countries whose
/// currency a price list is likely to carry (ISO 4217, list one).
fn currency_of(country: Country) -> Option<Currency> {
    let code = match country.code() {
        "AD" | "AT" | "AX" | "BE" | "BG" | "CY" | "DE" | "EE" | "ES" | "FI" | "FR" | "GR" | "HR" | "IE" | "IT"
        | "LT" | "LU" | "LV" | "MC" | "ME" | "MT" | "NL" | "PT" | "SI" | "SK" | "SM" | "VA" => "EUR",
        "US" | "PR" | "EC" | "SV" => "USD",
        "GB" | "GG" | "IM" | "JE" => "GBP",
        "CH" | "LI" => "CHF",
        "KR" => "KRW",
        "JP" => "JPY",
        "IR" => "IRR",
        "KW" => "KWD",
        "IN" => "INR",
        "CA" => "CAD",
        "AU" => "AUD",
        "NZ" => "NZD",
        "BR" => "BRL",
        "MX" => "MXN",
        "PL" => "PLN",
        "CZ" => "CZK",
        "HU" => "HUF",
        "SE" => "SEK",
        "NO" => "NOK",
        "DK" => "DKK",
        "TR" => "TRY",
        "CN" => "CNY",
        "HK" => "HKD",
        "SG" => "SGD",
        "AE" => "AED",
        "SA" => "SAR",
        "EG" => "EGP",
        "IL" => "ILS",
        "ZA" => "ZAR",
        _ => return None,
    };
    Currency::parse(code).ok()
}

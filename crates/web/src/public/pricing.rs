//! Which price a visitor sees: by country, unless the address names a currency.
//! A price is only ever read from the catalog.

use domain::{Country, Plan, Price, Shop};
use money::{Currency, Money};

use crate::cookie;
use crate::public::fields::Fields;
use crate::public::words::Words;
use crate::visit::Visit;

/// The cookie that keeps the chosen country.
pub(crate) const COUNTRY_COOKIE: &str = "country";

/// Where the visitor buys, and in what.
#[derive(Clone, Copy)]
pub(crate) struct Market {
    pub(crate) country: Country,
    /// Only where the address or the form names one.
    pub(crate) currency: Option<Currency>,
}

impl Market {
    /// The country by `country`, then the cookie, then the region of the languages the browser asks for, then the shop's.
    pub(crate) fn of(visit: &Visit, fields: &Fields) -> Self {
        let kept = || cookie::get(&visit.headers, COUNTRY_COOKIE).and_then(Country::parse);
        let accepted = || {
            let header = visit.headers.get(axum::http::header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            app::messages::accept_language(header).iter().find_map(|locale| Country::parse(locale.region()?))
        };
        let country =
            Country::parse(fields.get("country")).or_else(kept).or_else(accepted).unwrap_or(visit.shop.default_country);
        Self { country, currency: Currency::parse(fields.get("currency")).ok() }
    }

    /// The price of the plan here; `None`: it cannot be bought here.
    pub(crate) fn price<'plan>(self, plan: &'plan Plan, shop: &Shop) -> Option<&'plan Price> {
        self.currency
            .and_then(|currency| plan.price_in(currency))
            .or_else(|| plan.price_for(self.country, shop.default_currency))
            .filter(|price| price.unit_amount(1).is_some_and(Money::is_positive))
    }

    /// The currency for links: empty unless it was asked for.
    pub(crate) fn currency_code(self) -> &'static str {
        self.currency.map_or("", Currency::code)
    }
}

/// What buying several saves: „from 5: €44.10 each“, one line a step.
pub(crate) fn quantity_hints(words: &Words, plan: &Plan, price: &Price) -> Vec<String> {
    price
        .tiers
        .iter()
        .filter(|tier| tier.from_quantity > 1 && tier.from_quantity <= plan.max_quantity)
        .map(|tier| {
            let each = words.amount(Money::new(tier.unit_minor, price.currency));
            words.fill("price-from-quantity", &[("quantity", tier.from_quantity.into()), ("price", (&each).into())])
        })
        .collect()
}

/// The lowest price of several plans that share a currency with the first.
pub(crate) fn lowest<'plan>(prices: impl IntoIterator<Item = &'plan Price>) -> Option<Money> {
    let mut amounts = prices.into_iter().filter_map(|price| price.unit_amount(1));
    let first = amounts.next()?;
    Some(
        amounts
            .filter(|amount| amount.currency() == first.currency())
            .fold(first, |lowest, amount| if amount.minor() < lowest.minor() { amount } else { lowest }),
    )
}

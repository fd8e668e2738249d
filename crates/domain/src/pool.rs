//! A stock of codes made elsewhere, each handed out at most once.
//!
//! Codes are taken by the commit that makes an order paid, as many as there
//! are; whoever comes to an empty stock has a claim that waits. A code that
//! was taken is never free again, whatever becomes of its order.

use std::fmt;

use serde_json::json;

use crate::{
    Actor, Changes, Delivery, Duration, Email, Event, EventId, EventKind, MailKind, OrderId, PoolId, Refusal, Rng,
    Shop, ShopId, TextError, Timestamp, Version, plain_text,
};

/// For how long codes are kept for somebody who pressed pay. Who pays later gets one that is free then.
pub const RESERVED_FOR: Duration = Duration::minutes(30);

/// What a shop does when a stock is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhenOut {
    /// It sells on, and says that the code comes later.
    BackOrder,
    /// It sells no more until there is stock.
    Stop,
}

impl WhenOut {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::BackOrder, Self::Stop];

    /// The word in rows, in the shop file and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BackOrder => "back_order",
            Self::Stop => "stop",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == text)
    }
}

/// A stock of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its id.
    pub id: PoolId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// Its name in files and on the command line, unique in the shop.
    pub slug: String,
    /// Its name, as the seller writes it.
    pub name: String,
    /// What the shop does when it is empty.
    pub when_out: WhenOut,
    /// The seller is told when so many codes, or fewer, are left.
    pub low_at: u32,
    /// When the seller was told that it is low; `None`: it was not low since.
    pub alerted_at: Option<Timestamp>,
    /// Since when nothing is handed out, because the shop was restored from a backup and codes that are free here may
    /// have been handed out since it was taken. A person lets it go.
    pub held_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Pool {
    /// The highest threshold that a seller can be told at.
    pub const MOST_LOW_AT: u32 = 1_000;
}

/// A code as it was made elsewhere: 1 to 255 visible characters. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PoolCode(Box<str>);

impl PoolCode {
    /// Reads a code as it stands in a list, or as an app sends it.
    ///
    /// # Errors
    /// When it is empty, too long, or looks like a card number.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        plain_text(text, 255).map(|text| Self(text.into_boxed_str()))
    }

    /// A code to try things with; it opens nothing anywhere.
    #[must_use]
    pub fn sample(place: u32) -> Self {
        Self(format!("FILM-PACK-SAMPLE-{place:04}").into_boxed_str())
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PoolCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PoolCode")
    }
}

/// A code that comes into stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCode {
    /// The shop.
    pub shop: ShopId,
    /// The stock.
    pub pool: PoolId,
    /// The code, which the store seals.
    pub code: PoolCode,
    /// When it came in: codes go out in this order.
    pub at: Timestamp,
}

/// What there is in a stock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stock {
    /// Codes that were never handed out, those that are kept for somebody among them.
    pub free: u64,
    /// Those of them that are kept for somebody who is paying.
    pub reserved: u64,
    /// Codes that were handed out.
    pub taken: u64,
    /// Codes that a person took out.
    pub withdrawn: u64,
    /// Paid units that wait for a code.
    pub waiting: u64,
}

/// What a buyer who presses pay finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supply {
    /// The stock.
    pub pool: PoolId,
    /// What the shop does when it is empty.
    pub when_out: WhenOut,
    /// Codes that are kept for this order.
    pub kept: u32,
    /// Codes that anybody can have: at least so many, counted no further than is of use.
    pub free: u32,
}

impl Supply {
    /// Whether so many codes can be had at once.
    #[must_use]
    pub fn covers(&self, units: u32) -> bool {
        self.kept.saturating_add(self.free) >= units
    }
}

/// Codes that are kept for an order while its buyer pays. The commit fails when fewer are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// The shop.
    pub shop: ShopId,
    /// The stock.
    pub pool: PoolId,
    /// For whom.
    pub order: OrderId,
    /// How many besides those that are kept already.
    pub more: u32,
    /// From when.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// Keeps codes for a buyer who presses pay. `accepts_later`: the buyer was told that the code comes later.
///
/// # Errors
/// When there are too few: [`Refusal::OutOfStock`] where nothing is sold then, [`Refusal::OnBackOrder`] where the buyer
/// must be told first.
pub fn reserve(
    shop: ShopId,
    order: OrderId,
    supply: &Supply,
    units: u32,
    accepts_later: bool,
    now: Timestamp,
) -> Result<Option<Reservation>, Refusal> {
    if supply.covers(units) {
        let more = units.saturating_sub(supply.kept);
        let until = now.after(RESERVED_FOR);
        return Ok(Some(Reservation { shop, pool: supply.pool, order, more, at: now, until }));
    }
    match supply.when_out {
        WhenOut::Stop => Err(Refusal::OutOfStock),
        WhenOut::BackOrder if !accepts_later => Err(Refusal::OnBackOrder),
        WhenOut::BackOrder => Ok(None),
    }
}

/// Tells the seller once when a stock gets low, and notes when it is not low any more. `None`: nothing has changed.
#[must_use]
pub fn watch_stock(shop: &Shop, pool: &Pool, free: u64, now: Timestamp, rng: &mut Rng) -> Option<Changes> {
    let is_low = free <= u64::from(pool.low_at);
    let event = |kind: EventKind, rng: &mut Rng| Event {
        id: EventId::mint(now, rng),
        shop: shop.id,
        kind,
        actor: Actor::System,
        order: None,
        license: None,
        customer: None,
        data: json!({ "pool": pool.id, "free": free, "low_at": pool.low_at }),
        at: now,
    };
    match (is_low, pool.alerted_at) {
        (true, Some(_)) | (false, None) => None,
        (false, Some(_)) => Some(Changes {
            pools: vec![Pool { alerted_at: None, ..pool.clone() }],
            events: vec![event(EventKind::PoolStocked, rng)],
            ..Changes::default()
        }),
        (true, None) => {
            let mut changes = Changes {
                pools: vec![Pool { alerted_at: Some(now), ..pool.clone() }],
                events: vec![event(EventKind::PoolLow, rng)],
                ..Changes::default()
            };
            // A seller who gave no address sees it in the console, in `doctor` and in the metrics.
            if let Ok(to) = Email::parse(&shop.seller.email) {
                let mail = MailKind::PoolLow { pool: pool.id };
                let (delivery, job) = Delivery::queued(shop.id, mail, &to, &shop.default_locale, now, rng);
                changes.jobs.push(job);
                changes.deliveries.push(delivery);
            }
            Some(changes)
        }
    }
}

/// Lets a stock go that was held after a restore: a person says that what is free here was handed out nowhere.
#[must_use]
pub fn release_pool(pool: &Pool, actor: Actor, now: Timestamp, rng: &mut Rng) -> Changes {
    let event = Event {
        id: EventId::mint(now, rng),
        shop: pool.shop,
        kind: EventKind::PoolReleased,
        actor,
        order: None,
        license: None,
        customer: None,
        data: json!({ "pool": pool.id, "held_at": pool.held_at }),
        at: now,
    };
    Changes { pools: vec![Pool { held_at: None, ..pool.clone() }], events: vec![event], ..Changes::default() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixture::{START, catalog, rng};

    fn pool(low_at: u32, alerted: bool) -> Pool {
        Pool {
            id: PoolId::mint(START, &mut rng(9)),
            shop: catalog().shop.id,
            version: 1,
            slug: "codes".to_owned(),
            name: "Codes".to_owned(),
            when_out: WhenOut::BackOrder,
            low_at,
            alerted_at: alerted.then_some(START),
            held_at: None,
            created_at: START,
        }
    }

    #[test]
    fn who_presses_pay_is_told_the_truth_about_the_stock() {
        use WhenOut::{BackOrder, Stop};
        #[rustfmt::skip]
        let table = [
            // kept, free, when out, units, told,  outcome
            (0, 5, BackOrder, 2, false, Ok(Some(2)),              "there is enough"),
            (2, 0, BackOrder, 2, false, Ok(Some(0)),              "kept already: only for longer"),
            (1, 1, Stop,      2, false, Ok(Some(1)),              "one is kept, one more is free"),
            (0, 0, Stop,      1, true,  Err(Refusal::OutOfStock), "sold no more, whatever the buyer accepts"),
            (1, 0, Stop,      2, false, Err(Refusal::OutOfStock), "one of two is not enough"),
            (0, 0, BackOrder, 1, false, Err(Refusal::OnBackOrder),"the buyer does not know yet"),
            (0, 0, BackOrder, 1, true,  Ok(None),                 "the buyer knows that it comes later"),
        ];
        let order = OrderId::mint(START, &mut rng(1));
        let id = PoolId::mint(START, &mut rng(2));
        for (kept, free, when_out, units, told, expected, why) in table {
            let supply = Supply { pool: id, when_out, kept, free };
            let found = reserve(catalog().shop.id, order, &supply, units, told, START);
            assert_eq!(found.map(|found| found.map(|kept| kept.more)), expected, "{why}");
        }
    }

    #[test]
    fn a_seller_is_told_once_that_a_stock_gets_low() {
        let named = {
            let mut shop = catalog().shop;
            shop.seller.email = "seller@northlight.example".to_owned();
            shop
        };
        #[rustfmt::skip]
        let table = [
            (11, false, None,           "more than the threshold"),
            (10, false, Some((true, 1)), "at the threshold: a mail"),
            (3,  true,  None,           "told already"),
            (0,  true,  None,           "told already, and empty"),
            (11, true,  Some((false, 0)), "there is stock again: the next time counts anew"),
        ];
        for (free, alerted, expected, why) in table {
            let found = watch_stock(&named, &pool(10, alerted), free, START, &mut rng(4));
            let found = found.map(|changes| (changes.pools[0].alerted_at.is_some(), changes.deliveries.len()));
            assert_eq!(found, expected, "{why}");
        }
        let silent = watch_stock(&catalog().shop, &pool(10, false), 1, START, &mut rng(4)).unwrap();
        assert!(silent.deliveries.is_empty() && silent.pools[0].alerted_at.is_some(), "no address, no mail");
    }

    #[test]
    fn a_code_is_taken_as_it_was_made_and_never_shown_by_debug() {
        for (text, kept) in [
            ("  ABCD-EFGH \r", Some("ABCD-EFGH")),
            ("http://redeem.example/?c=1", Some("http://redeem.example/?c=1")),
            ("", None),
            ("4242 4242 4242 4242", None),
        ] {
            let code = PoolCode::parse(text).ok();
            assert_eq!(code.as_ref().map(PoolCode::as_str), kept, "{text}");
        }
        assert_eq!(format!("{:?}", PoolCode::parse("secret").unwrap()), "PoolCode");
    }
}

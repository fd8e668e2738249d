//! A sale whose rows are lost and whose money came: after a restore, the note that the gateway carried for us makes the
//! rows again.
//!
//! The note names what was bought and who bought it, never what it costs: the
//! catalog says that, and a capture of another amount is refused as ever. What
//! was drawn by chance, the keys, is drawn anew.

use money::Currency;
use serde_json::json;

use crate::{
    Actor, BuyerDetails, Changes, CheckoutId, CheckoutRequest, Country, Customer, Email, GatewayAccount, Locale, Offer,
    Order, OrderId, OrderNumber, PaymentId, PlanId, Refusal, Rng, Sale, Timestamp, open_checkout, submit_checkout,
};

/// The form of a note that this program writes.
const FORM: &str = "1";

/// What a gateway carries for us beside the ids of order and payment: enough to make the rows of a sale again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleNote {
    /// The visit.
    pub checkout: CheckoutId,
    /// The number that the buyer knows.
    pub number: OrderNumber,
    /// The tier.
    pub plan: PlanId,
    /// How many.
    pub quantity: u32,
    /// In which currency.
    pub currency: Currency,
    /// The buyer's country.
    pub country: Country,
    /// The buyer's language.
    pub locale: Locale,
    /// Where the keys go.
    pub email: Email,
    /// When immediate supply was asked for.
    pub immediate_supply_at: Option<Timestamp>,
}

impl SaleNote {
    /// The note of an order that somebody pays for; none where lines were chosen one by one.
    #[must_use]
    pub fn of(order: &Order) -> Option<Self> {
        let (Some((plan, quantity)), Some(email)) = (order.choice(), &order.email) else { return None };
        Some(Self {
            checkout: order.checkout,
            number: order.number.clone(),
            plan,
            quantity,
            currency: order.total.currency(),
            country: order.country,
            locale: order.locale.clone(),
            email: email.clone(),
            immediate_supply_at: order.consent.immediate_supply_at,
        })
    }

    /// One line of at most 500 characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        let supply = self.immediate_supply_at.map_or_else(|| "-".to_owned(), |at| at.as_microseconds().to_string());
        format!(
            "{FORM} {} {} {} {} {} {} {} {supply} {}",
            self.checkout,
            self.number.as_str(),
            self.plan,
            self.quantity,
            self.currency.code(),
            self.country.code(),
            self.locale.as_str(),
            self.email.as_str()
        )
    }

    /// Reads a note; `None` when it is none, or of another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next() != Some(FORM) {
            return None;
        }
        let note = Self {
            checkout: CheckoutId::parse(words.next()?).ok()?,
            number: OrderNumber::parse(words.next()?)?,
            plan: PlanId::parse(words.next()?).ok()?,
            quantity: words.next()?.parse().ok()?,
            currency: words.next()?.parse().ok()?,
            country: Country::parse(words.next()?)?,
            locale: Locale::parse(words.next()?)?,
            immediate_supply_at: match words.next()? {
                "-" => None,
                at => Some(Timestamp::from_microseconds(at.parse().ok()?)),
            },
            email: Email::parse(words.next()?).ok()?,
        };
        words.next().is_none().then_some(note)
    }
}

/// Which rows of ours a gateway speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostSale {
    /// The order.
    pub order: OrderId,
    /// The payment.
    pub payment: PaymentId,
}

/// What is known of it all the same.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The tier that the note names.
    pub offer: Offer<'a>,
    /// The account whose gateway speaks of it.
    pub account: &'a GatewayAccount,
    /// Who buys with the note's address, where that is known.
    pub customer: Option<&'a Customer>,
}

/// Makes the rows of a sale again as they stood when its payment was written down, by the names that they had. What the
/// gateway says of the payment is then decided as ever.
///
/// # Errors
/// When the tier cannot be bought like that (any more): a person must see to it.
pub fn rebuild_sale(lost: LostSale, note: &SaleNote, from: &Known<'_>, rng: &mut Rng) -> Result<Changes, Refusal> {
    let Known { offer, account, customer } = *from;
    // What the ids tell of the time is when it happened.
    let (ordered_at, paying_at) = (lost.order.minted_at(), lost.payment.minted_at());
    let request = CheckoutRequest {
        id: note.checkout,
        quantity: note.quantity,
        currency: Some(note.currency),
        coupon: None,
        email: Some(note.email.clone()),
        country: note.country,
        locale: note.locale.clone(),
        success_url: None,
        cancel_url: None,
        metadata: std::collections::BTreeMap::new(),
        answers: std::collections::BTreeMap::new(),
    };
    let mut opened = open_checkout(&offer, &request, Actor::System, ordered_at, rng)?;
    let (Some(mut order), Some(mut checkout)) = (opened.orders.pop(), opened.checkouts.pop()) else {
        return Err(Refusal::PaymentUnknown);
    };
    order.id = lost.order;
    order.number = note.number.clone();
    order.consent.immediate_supply_at = note.immediate_supply_at;
    checkout.order = lost.order;
    // What was asked was answered in another life, and nobody is there to ask before it is paid.
    let asked: Vec<_> = order.lines.iter_mut().map(|line| std::mem::take(&mut line.questions)).collect();
    let sale = Sale {
        order,
        checkout,
        payments: Vec::new(),
        refunds: Vec::new(),
        disputes: Vec::new(),
        licenses: Vec::new(),
        keys_mailed: false,
    };
    let buyer = BuyerDetails {
        email: note.email.clone(),
        name: None,
        country: note.country,
        locale: note.locale.clone(),
        immediate_supply: note.immediate_supply_at.is_some(),
        accepts_later: true,
        answers: std::collections::BTreeMap::new(),
    };
    let (mut changes, _) = submit_checkout(&sale, offer.shop, customer, &buyer, account, paying_at, rng)?;
    for payment in &mut changes.payments {
        payment.id = lost.payment;
    }
    // It stays with the line, for whoever fulfils it to see that it was never answered.
    for (line, asked) in changes.orders.iter_mut().flat_map(|order| order.lines.iter_mut().zip(&asked)) {
        line.questions.clone_from(asked);
    }
    // Its page was opened in another life; nobody needs one.
    changes.jobs.clear();
    changes.events.extend(opened.events);
    for event in &mut changes.events {
        event.order = Some(lost.order);
        event.actor = Actor::System;
        event.data = json!({ "rebuilt": true, "payment": lost.payment });
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixture::{World, catalog};

    #[test]
    fn a_note_reads_back_and_is_short() {
        let order = World::submitted().sale.order;
        let note = SaleNote::of(&order).unwrap();
        assert_eq!(SaleNote::parse(&note.to_text()), Some(note.clone()));
        let longest = SaleNote {
            email: Email::parse(&format!("{}@{}.example", "a".repeat(64), "b".repeat(60))).unwrap(),
            locale: Locale::parse("zh-Hant-TW").unwrap(),
            ..note
        };
        assert!(longest.to_text().len() <= 500);
        for text in ["", "1", "2 a b", &format!("{} more", longest.to_text())] {
            assert_eq!(SaleNote::parse(text), None, "{text}");
        }
    }

    #[test]
    fn rows_that_were_lost_are_made_again_by_the_same_names() {
        let mut world = World::submitted();
        let (order, payment) = (world.sale.order.clone(), world.sale.payments[0].clone());
        let note = SaleNote::of(&order).unwrap();
        let lost = LostSale { order: order.id, payment: payment.id };
        let mut catalog = catalog();
        // What is asked was answered in another life; the note carries no answers.
        catalog.plan.questions = vec![crate::Question {
            name: "host".to_owned(),
            label: crate::Wording::default(),
            is_required: true,
            choices: Vec::new(),
            help: None,
        }];
        let from = Known { offer: catalog.offer(), account: &catalog.account, customer: None };
        let changes = rebuild_sale(lost, &note, &from, &mut world.rng).unwrap();
        assert_eq!((changes.orders.len(), changes.checkouts.len(), changes.payments.len()), (1, 1, 1));
        let made = &changes.orders[0];
        assert_eq!(
            (made.id, &made.number, made.total, &made.email),
            (order.id, &order.number, order.total, &order.email)
        );
        assert_eq!(made.consent.immediate_supply_at, order.consent.immediate_supply_at);
        assert_eq!((changes.payments[0].id, changes.payments[0].amount), (payment.id, payment.amount));
        assert!(changes.jobs.is_empty(), "no page is opened for it");
        assert!(made.answers().is_empty());
        let asked: Vec<_> = made.questions().into_iter().map(|question| question.name).collect();
        assert_eq!(asked, ["host"], "whoever fulfils it sees what was never answered");
    }
}

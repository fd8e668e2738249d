//! A person or company that buys. There is no password.

use serde_json::json;

use crate::{
    Actor, Changes, Country, CustomerId, Delivery, DeliveryState, Email, Event, EventId, EventKind, Locale, Order, Rng,
    ShopId, Timestamp, Version,
};

/// A buyer, one per address and shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// The shop it buys at.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// Where mail goes.
    pub email: Email,
    /// As on the invoice; asked for only where it is needed.
    pub name: Option<String>,
    /// Where it is at home for tax.
    pub country: Country,
    /// The language of its mails.
    pub locale: Locale,
    /// When it first came.
    pub created_at: Timestamp,
}

/// Gives a customer another address: what is told of their orders from now on goes there, and so do mails that have not
/// left. What was sent stays as it was, and so do keys and receipt links in the wrong mailbox. Every order that is
/// changed has a line in the journal, or the customer where none is; without a difference there is nothing to write.
#[must_use]
pub fn correct_email(
    customer: &Customer,
    orders: &[Order],
    deliveries: &[Delivery],
    correction: &EmailCorrection<'_>,
    now: Timestamp,
    rng: &mut Rng,
) -> Changes {
    let EmailCorrection { email, reason, actor } = *correction;
    let orders: Vec<Order> = orders
        .iter()
        .filter(|order| order.customer == Some(customer.id) && order.email.as_ref() != Some(email))
        .map(|order| Order { email: Some(email.clone()), ..order.clone() })
        .collect();
    let waits = |row: &&Delivery| row.customer == Some(customer.id) && row.state == DeliveryState::Queued;
    let deliveries: Vec<Delivery> = deliveries
        .iter()
        .filter(|row| waits(row) && row.to != *email)
        .map(|row| Delivery { to: email.clone(), ..row.clone() })
        .collect();
    let is_new = customer.email != *email;
    let about = match orders.as_slice() {
        [] if is_new => vec![None],
        orders => orders.iter().map(|order| Some(order.id)).collect(),
    };
    let events = about.into_iter().map(|order| Event {
        id: EventId::mint(now, rng),
        shop: customer.shop,
        kind: EventKind::CustomerChanged,
        actor,
        order,
        license: None,
        customer: Some(customer.id),
        data: json!({ "reason": reason, "before": customer.email.masked(), "to": email.masked() }),
        at: now,
    });
    Changes {
        events: events.collect(),
        customers: is_new.then(|| Customer { email: email.clone(), ..customer.clone() }).into_iter().collect(),
        orders,
        deliveries,
        ..Changes::default()
    }
}

/// Another address, why, and who says so.
#[derive(Debug, Clone, Copy)]
pub struct EmailCorrection<'a> {
    /// The address.
    pub email: &'a Email,
    /// Why, for the journal.
    pub reason: &'a str,
    /// Who.
    pub actor: Actor,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::fixture::{START, World, rng};

    #[test]
    fn an_address_is_corrected_wherever_something_is_still_to_be_told() {
        let sale = World::submitted().sale;
        let typed = sale.order.email.clone().unwrap();
        let customer = Customer {
            id: sale.order.customer.unwrap(),
            shop: sale.order.shop,
            version: 1,
            email: typed.clone(),
            name: None,
            country: sale.order.country,
            locale: sale.order.locale.clone(),
            created_at: START,
        };
        let mut foreign = sale.order.clone();
        foreign.customer = None;
        let orders = [sale.order.clone(), foreign];
        let right = Email::parse("right@shop.test").unwrap();
        let told = |customer: &Customer, orders: &[Order], email: &Email| {
            let correction = EmailCorrection { email, reason: "a typo", actor: Actor::Api };
            let changes = correct_email(customer, orders, &[], &correction, START, &mut rng(3));
            let events = changes.events.iter().map(|event| event.order).collect::<Vec<_>>();
            (changes.customers.len(), changes.orders.len(), events)
        };
        let corrected = Customer { email: right.clone(), ..customer.clone() };
        let order = Some(sale.order.id);
        assert_eq!(told(&customer, &orders, &right), (1, 1, vec![order]), "the order of this customer, and no other");
        assert_eq!(told(&customer, &[], &right), (1, 0, vec![None]), "nothing was bought");
        assert_eq!(told(&customer, &orders, &typed), (0, 0, vec![]), "it is so already");
        assert_eq!(told(&corrected, &orders, &right), (0, 1, vec![order]), "an order that was left over");
    }
}

//! Licenses that are issued together and that nobody pays for: giveaways, schools, resellers who settle elsewhere.
//!
//! They are orders that ask nothing, so they are paid without a payment, and
//! their licenses are issued as those of any order are. Why they were given is
//! said in the journal, where a payment would stand.

use std::collections::BTreeMap;

use money::Money;
use serde_json::json;

use crate::claim::open_claims;
use crate::issue::issue;
use crate::signed_key::sign_keys;
use crate::{
    Actor, BatchId, Changes, Checkout, CheckoutId, CheckoutState, Consent, Customer, CustomerId, Delivery, Email,
    Event, EventId, EventKind, MailKind, Order, OrderId, OrderLine, OrderNumber, OrderState, Plan, PlanId, Product,
    Rng, Shop, ShopId, Timestamp, Units, Version,
};

/// How many licenses one of its orders has at most: as many as one commit carries well.
const MOST_IN_ORDER: u32 = 100;

/// Licenses that are issued together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The plan that they are of.
    pub plan: PlanId,
    /// Why nobody pays.
    pub reason: String,
    /// Who wants them.
    pub actor: Actor,
    /// How many there are to be.
    pub licenses: u32,
    /// When it was begun.
    pub created_at: Timestamp,
}

/// One order of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id, the same whenever the batch is gone on with: the second time it conflicts with itself.
    pub order: OrderId,
    /// How many licenses it has.
    pub licenses: u32,
    /// To whom they go; `None`: to whoever is handed the key.
    pub to: Option<Email>,
}

/// How many licenses each order of a batch without addresses has.
#[must_use]
pub fn shares(plan: &Plan, licenses: u32) -> Vec<u32> {
    let most = match plan.policy.seating.units {
        Units::Licenses => MOST_IN_ORDER,
        // Several units would be the seats of one license.
        Units::Seats => 1,
    };
    let (full, rest) = (licenses / most, licenses % most);
    let mut shares: Vec<u32> = (0..full).map(|_| most).collect();
    shares.extend((rest > 0).then_some(rest));
    shares
}

/// What the orders of a batch are of.
#[derive(Debug, Clone, Copy)]
pub struct BatchTarget<'a> {
    /// The shop.
    pub shop: &'a Shop,
    /// The product.
    pub product: &'a Product,
    /// The plan.
    pub plan: &'a Plan,
    /// The batch.
    pub batch: &'a Batch,
    /// Whether each receiver is mailed the key.
    pub is_mailed: bool,
}

/// Issues one order of a batch, beside what is to be written already. A receiver who is known keeps the row.
pub fn grant(
    target: BatchTarget<'_>,
    grant: &Grant,
    known: Option<&Customer>,
    now: Timestamp,
    rng: &mut Rng,
    changes: &mut Changes,
) {
    let BatchTarget { shop, product, plan, batch, is_mailed } = target;
    let receiver = grant.to.as_ref().map(|email| {
        known.cloned().unwrap_or_else(|| Customer {
            id: CustomerId::mint(now, rng),
            shop: shop.id,
            version: 0,
            email: email.clone(),
            name: None,
            country: shop.default_country,
            locale: shop.default_locale.clone(),
            created_at: now,
        })
    });
    changes.customers.extend(receiver.iter().filter(|customer| customer.version == 0).cloned());
    let nothing = Money::zero(shop.default_currency);
    let order = Order {
        id: grant.order,
        shop: shop.id,
        version: 0,
        number: OrderNumber::mint(rng),
        checkout: CheckoutId::mint(now, rng),
        customer: receiver.as_ref().map(|customer| customer.id),
        email: receiver.as_ref().map(|customer| customer.email.clone()),
        country: receiver.as_ref().map_or(shop.default_country, |customer| customer.country),
        locale: receiver.as_ref().map_or_else(|| shop.default_locale.clone(), |customer| customer.locale.clone()),
        lines: vec![OrderLine {
            product: product.id,
            plan: plan.id,
            product_name: product.name.clone(),
            plan_name: plan.name.clone(),
            quantity: grant.licenses,
            unit_amount: nothing,
            amount: nothing,
            policy: plan.policy.clone(),
            fulfilment: plan.fulfilment,
            bundle: None,
            questions: Vec::new(),
            answers: Vec::new(),
        }],
        total: nothing,
        refunded: nothing,
        state: OrderState::Paid,
        seller: shop.seller.clone(),
        consent: Consent::default(),
        metadata: BTreeMap::from([("batch".to_owned(), batch.id.to_string())]),
        created_at: now,
        paid_at: Some(now),
        unanswered_since: None,
    };
    changes.checkouts.push(Checkout {
        id: order.checkout,
        shop: shop.id,
        version: 0,
        order: order.id,
        state: CheckoutState::Completed,
        success_url: None,
        cancel_url: None,
        expires_at: now,
        created_at: now,
    });
    let mut issued = issue(&order, now, rng);
    for (license, _) in &mut issued {
        license.batch = Some(batch.id);
    }
    let mut tell = |kind: EventKind, license, data: serde_json::Value| {
        changes.events.push(Event {
            id: EventId::mint(now, rng),
            shop: shop.id,
            kind,
            actor: batch.actor,
            order: Some(order.id),
            license,
            customer: order.customer,
            data,
            at: now,
        });
    };
    // What the exactly-once report gives as the cause.
    let cause = json!({
        "number": order.number.as_str(), "total": order.total, "batch": batch.id, "reason": batch.reason,
    });
    tell(EventKind::OrderPaid, None, cause);
    for (license, _) in &issued {
        let data = json!({ "license": license.id, "key_tail": license.key_tail, "batch": batch.id });
        tell(EventKind::LicenseIssued, Some(license.id), data);
    }
    for (customer, (license, _)) in receiver.iter().filter(|_| is_mailed).zip(&issued) {
        let mail = MailKind::LicenseReceived { license: license.id };
        let (mut delivery, job) = Delivery::queued(shop.id, mail, &customer.email, &customer.locale, now, rng);
        delivery.order = Some(order.id);
        delivery.customer = Some(customer.id);
        changes.deliveries.push(delivery);
        changes.jobs.push(job);
    }
    let licenses: Vec<_> = issued.iter().map(|(license, _)| license.clone()).collect();
    open_claims(&order, &licenses, batch.actor, now, rng, changes);
    changes.issued.extend(issued);
    sign_keys(&order, now, changes);
    changes.orders.push(order);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::fixture::{START, catalog, rng};
    use crate::{Fulfilment, Sale, invariant};

    fn batch(shop: &Shop, plan: &Plan) -> Batch {
        Batch {
            id: BatchId::mint(START, &mut rng(5)),
            shop: shop.id,
            version: 0,
            plan: plan.id,
            reason: "spring giveaway".to_owned(),
            actor: Actor::Api,
            licenses: 3,
            created_at: START,
        }
    }

    #[test]
    fn a_batch_is_shared_out_over_orders() {
        let mut plan = catalog().plan;
        assert_eq!(shares(&plan, 250), [100, 100, 50]);
        assert_eq!(shares(&plan, 100), [100]);
        assert_eq!(shares(&plan, 1), [1]);
        plan.policy.seating.units = Units::Seats;
        assert_eq!(shares(&plan, 3), [1, 1, 1]);
    }

    #[test]
    fn what_is_given_keeps_the_laws_and_says_why() {
        let catalog = catalog();
        let batch = batch(&catalog.shop, &catalog.plan);
        for (to, is_mailed, mails) in [(None, true, 0), (Some("ada@shop.test"), true, 1), (Some("b@c.test"), false, 0)]
        {
            let target = BatchTarget {
                shop: &catalog.shop,
                product: &catalog.product,
                plan: &catalog.plan,
                batch: &batch,
                is_mailed,
            };
            let order = OrderId::mint(START, &mut rng(6));
            let wanted = Grant { order, licenses: 1, to: to.map(|to| Email::parse(to).unwrap()) };
            let mut changes = Changes::default();
            grant(target, &wanted, None, START, &mut rng(7), &mut changes);
            assert_eq!((changes.issued.len(), changes.deliveries.len()), (1, mails), "{to:?}");
            assert_eq!(changes.customers.len(), usize::from(to.is_some()));
            let (license, key) = &changes.issued[0];
            assert_eq!((license.batch, license.order), (Some(batch.id), order));
            assert_eq!(license.expires_at, catalog.plan.policy.ends_at(START));
            assert_eq!(changes.events[0].data["reason"], "spring giveaway");
            assert!(!serde_json::to_string(&changes.events[1].data).unwrap().contains(&key.to_string()));
            let sale = Sale {
                order: changes.orders[0].clone(),
                checkout: changes.checkouts[0].clone(),
                payments: vec![],
                refunds: vec![],
                disputes: vec![],
                licenses: vec![license.clone()],
                keys_mailed: false,
            };
            assert_eq!(invariant::broken(&sale, &[]), []);
        }
    }

    #[test]
    fn orders_that_are_granted_in_one_commit_have_each_their_own_keys_signed() {
        let catalog = catalog();
        let plan = Plan { fulfilment: Fulfilment::SignedKey, ..catalog.plan };
        let batch = batch(&catalog.shop, &plan);
        let target = BatchTarget {
            shop: &catalog.shop,
            product: &catalog.product,
            plan: &plan,
            batch: &batch,
            is_mailed: false,
        };
        let (mut random, mut changes) = (rng(7), Changes::default());
        for licenses in [2, 1] {
            let wanted = Grant { order: OrderId::mint(START, &mut random), licenses, to: None };
            grant(target, &wanted, None, START, &mut random, &mut changes);
        }
        let issued: Vec<_> = changes.issued.iter().map(|(license, key)| (license.id, key)).collect();
        let signed: Vec<_> = changes.signed_keys.iter().map(|signed| (signed.license, &signed.says.key)).collect();
        assert_eq!((issued.len(), signed), (3, issued));
    }
}

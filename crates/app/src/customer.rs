//! Correcting the address of a customer who mistyped it at the till.

use domain::{Actor, Customer, CustomerId, Email, EmailCorrection, Order, Refusal, ShopId, correct_email};
use store::{DeliveryFilter, OrderFilter, Page};

use crate::fulfil::TRIES;
use crate::{App, Error};

/// How many orders are corrected in one commit.
const AT_ONCE: u32 = 100;

impl App {
    /// Gives a customer another address, and with it every order of theirs and every mail that has not left. Asked for
    /// again, it goes on where it was broken off.
    ///
    /// # Errors
    /// When there is no such customer, another one has the address, or the store does not answer.
    pub async fn correct_email(
        &self,
        shop: ShopId,
        customer: CustomerId,
        email: &Email,
        reason: &str,
        actor: Actor,
    ) -> Result<Customer, Error> {
        let correction = EmailCorrection { email, reason, actor };
        let mut page = Page { starting_after: None, ending_before: None, limit: AT_ONCE };
        loop {
            let (last, has_more) = self.correct_orders(shop, customer, &correction, page).await?;
            page.starting_after = last;
            if !has_more {
                return self.store.customer(shop, customer).await?.ok_or(Error::NotFound { what: "customer" });
            }
        }
    }

    /// Corrects the customer and one page of their orders; the last of them, and whether there are more.
    async fn correct_orders(
        &self,
        shop: ShopId,
        id: CustomerId,
        correction: &EmailCorrection<'_>,
        page: Page<domain::OrderId>,
    ) -> Result<(Option<domain::OrderId>, bool), Error> {
        let of_customer = OrderFilter { customer: Some(id), ..OrderFilter::default() };
        let waiting = DeliveryFilter {
            customer: Some(id),
            state: Some(domain::DeliveryState::Queued),
            ..DeliveryFilter::default()
        };
        let newest = Page { starting_after: None, ending_before: None, limit: AT_ONCE };
        for _ in 0..TRIES {
            let customer = self.store.customer(shop, id).await?.ok_or(Error::NotFound { what: "customer" })?;
            let holder = self.store.customer_by_email(shop, correction.email).await?;
            if holder.is_some_and(|holder| holder.id != id) {
                return Err(Refusal::EmailTaken.into());
            }
            let orders = self.store.orders(shop, &of_customer, page).await?;
            let deliveries = self.store.deliveries(shop, &waiting, newest).await?.data;
            let (now, mut rng) = (self.clock.now(), self.entropy.rng());
            let changes = correct_email(&customer, &orders.data, &deliveries, correction, now, &mut rng);
            if self.commits(&changes, None).await? {
                return Ok((orders.data.last().map(|order| order.id), orders.has_more));
            }
        }
        Err(Error::Conflict { what: "customer" })
    }

    /// Sends receipts and keys of a customer's newest paid orders to where the customer's mails go now. Gives how many.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn resend_to_customer(&self, shop: ShopId, customer: CustomerId, actor: Actor) -> Result<usize, Error> {
        let of_customer = OrderFilter { customer: Some(customer), ..OrderFilter::default() };
        let newest = Page { starting_after: None, ending_before: None, limit: 10 };
        let orders = self.store.orders(shop, &of_customer, newest).await?.data;
        let paid: Vec<&Order> = orders.iter().filter(|order| order.state.was_paid()).collect();
        for order in &paid {
            self.resend_order_mail(shop, order.id, actor).await?;
        }
        Ok(paid.len())
    }
}

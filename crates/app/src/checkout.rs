//! From the tier to the gateway's page and back.

use std::collections::BTreeMap;

use domain::{
    Actor, BuyerDetails, Changes, Checkout, CheckoutId, CheckoutRequest, CheckoutState, Country, Email, JobKind,
    Locale, Offer, Order, OrderId, Payment, PaymentId, PaymentState, PlanId, Refusal, Sale, SaleNote, Shop, ShopId,
    open_checkout, retry_payment, submit_checkout,
};
use gateways::HostedPaymentRequest;
use money::Currency;
use store::CommitError;

use crate::fulfil::TRIES;
use crate::{App, Error};

/// What somebody wants to buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutInput {
    /// The tier.
    pub plan: PlanId,
    /// The id of the visit, when a page has minted it already.
    pub id: Option<CheckoutId>,
    /// How many.
    pub quantity: u32,
    /// In which currency; `None`: as the country suggests.
    pub currency: Option<Currency>,
    /// A coupon code.
    pub coupon: Option<String>,
    /// Where the keys go, when known.
    pub email: Option<Email>,
    /// The buyer's country.
    pub country: Country,
    /// The buyer's language.
    pub locale: Locale,
    /// Where to send the buyer after paying.
    pub success_url: Option<String>,
    /// Where to send a buyer who turns back.
    pub cancel_url: Option<String>,
    /// The seller's own notes.
    pub metadata: BTreeMap<String, String>,
    /// What is known already of what the plan asks, by the name of the question.
    pub answers: BTreeMap<String, String>,
}

/// Where pressing pay led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The order.
    pub order: OrderId,
    /// The payment, as it stands.
    pub payment: Payment,
}

/// When it is told that nothing is in stock.
#[derive(Debug, Clone, Copy)]
enum Stock {
    /// On the page where the buyer presses pay.
    AtTheTill,
    /// Before a checkout is opened.
    Now,
}

/// How long a gateway's page is open at least, from when its payment was begun.
const SHORTEST_PAGE: domain::Duration = domain::Duration::hours(1);

impl App {
    /// Opens a checkout, or finds the one that the same visit opened before. What is out of stock is told at the till.
    ///
    /// # Errors
    /// When the plan cannot be bought like that.
    pub async fn open_checkout(&self, shop: &Shop, input: CheckoutInput, actor: Actor) -> Result<Sale, Error> {
        self.open(shop, input, actor, Stock::AtTheTill).await
    }

    /// The same, for whoever does not see the till: what is sold no more until there is something in stock is refused.
    ///
    /// # Errors
    /// When the plan cannot be bought like that, and [`Refusal::OutOfStock`].
    pub async fn open_checkout_in_stock(&self, shop: &Shop, input: CheckoutInput, actor: Actor) -> Result<Sale, Error> {
        self.open(shop, input, actor, Stock::Now).await
    }

    async fn open(&self, shop: &Shop, input: CheckoutInput, actor: Actor, stock: Stock) -> Result<Sale, Error> {
        let plan = self.store.plan(shop.id, input.plan).await?.ok_or(Error::NotFound { what: "plan" })?;
        let product = self.store.product(shop.id, plan.product).await?.ok_or(Error::NotFound { what: "product" })?;
        let parts = self.store.parts(shop.id, &plan.bundle).await?;
        let offer = Offer { shop, product: &product, plan: &plan, parts: &parts };
        let now = self.clock.now();
        let mut rng = self.entropy.rng();
        let id = input.id.unwrap_or_else(|| CheckoutId::mint(now, &mut rng));
        let request = CheckoutRequest {
            id,
            quantity: input.quantity,
            currency: input.currency,
            coupon: input.coupon,
            email: input.email,
            country: input.country,
            locale: input.locale,
            success_url: input.success_url,
            cancel_url: input.cancel_url,
            metadata: input.metadata,
            answers: input.answers,
        };
        for _ in 0..3 {
            let changes = open_checkout(&offer, &request, actor, now, &mut rng)?;
            match stock {
                Stock::AtTheTill => {}
                Stock::Now => match self.has_in_stock(&changes.orders).await {
                    Ok(()) => {}
                    // It was there when the checkout was opened; whoever did not hear of that comes back.
                    Err(Error::Refused(_)) if self.store.checkout(shop.id, id).await?.is_some() => {
                        return self.sale_of_checkout(shop.id, id).await;
                    }
                    Err(error) => return Err(error),
                },
            }
            match self.commit(&changes, None).await {
                Ok(()) | Err(CommitError::Conflict { what: "checkout" }) => {
                    return self.sale_of_checkout(shop.id, id).await;
                }
                // An order number that is taken: draw another.
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { what: "order" })
    }

    async fn has_in_stock(&self, orders: &[Order]) -> Result<(), Error> {
        for order in orders {
            // Who buys what comes later agrees to it at the till.
            self.codes_for(order, true).await?;
        }
        Ok(())
    }

    /// The sale that a checkout prepares.
    ///
    /// # Errors
    /// When there is none.
    pub async fn sale_of_checkout(&self, shop: ShopId, id: CheckoutId) -> Result<Sale, Error> {
        let checkout = self.store.checkout(shop, id).await?.ok_or(Error::NotFound { what: "checkout" })?;
        self.sale(shop, checkout.order).await
    }

    /// Presses pay: writes the payment down, then opens its page at the
    /// gateway. When the gateway does not answer in time the payment is
    /// `unknown`, and the outbox finds out.
    ///
    /// # Errors
    /// When the checkout can no longer be paid, consent or an answer is missing, or the stock does not give what is bought.
    pub async fn submit_checkout(&self, shop: &Shop, id: CheckoutId, buyer: &BuyerDetails) -> Result<Submitted, Error> {
        let account = self.account_for_payment(shop).await?;
        let order = self.store.checkout(shop.id, id).await?.ok_or(Error::NotFound { what: "checkout" })?.order;
        for _ in 0..TRIES {
            let customer = self.store.customer_by_email(shop.id, &buyer.email).await?;
            let sale = self.sale(shop.id, order).await?;
            let (now, rng) = (self.clock.now(), &mut self.entropy.rng());
            let (mut changes, payment) = submit_checkout(&sale, shop, customer.as_ref(), buyer, &account, now, rng)?;
            changes.reservations = self.codes_for(&sale.order, buyer.accepts_later).await?;
            match self.commit(&self.with_openings(&sale, changes), None).await {
                Ok(()) => return self.opened(shop.id, order, payment).await,
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { what: "order" })
    }

    /// Another attempt for an order whose last one ended without money.
    ///
    /// # Errors
    /// When the order can no longer be paid.
    pub async fn retry_payment(&self, shop: &Shop, order: OrderId) -> Result<Submitted, Error> {
        let account = self.account_for_payment(shop).await?;
        for _ in 0..TRIES {
            let sale = self.sale(shop.id, order).await?;
            let (mut changes, payment) = retry_payment(&sale, &account, self.clock.now(), &mut self.entropy.rng())?;
            if !changes.payments.is_empty() {
                // The buyer knows what to expect: it was said when pay was pressed for the first time, or is said now.
                changes.reservations = self.codes_for(&sale.order, true).await?;
            }
            match self.commit(&self.with_openings(&sale, changes), None).await {
                Ok(()) => return self.opened(shop.id, order, payment).await,
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { what: "order" })
    }

    async fn opened(&self, shop: ShopId, order: OrderId, payment: PaymentId) -> Result<Submitted, Error> {
        self.run_now(shop, JobKind::OpenPayment { payment }).await;
        Ok(Submitted { order, payment: self.payment(shop, payment).await? })
    }

    /// What happens when the buyer comes back from the gateway: every payment
    /// that is still open is asked about, so that the page can tell the truth
    /// before the webhook comes; and a captured one whose webhook did not say
    /// what paid, so that the receipt can. Anybody may open that address, so
    /// the gateway hears of one payment only every few seconds.
    ///
    /// # Errors
    /// When there is no such order. A gateway that does not answer is no error here: the page says "waiting".
    pub async fn return_from_gateway(&self, shop: ShopId, order: OrderId) -> Result<Sale, Error> {
        let sale = self.sale(shop, order).await?;
        let lacks_method = |payment: &Payment| payment.state == PaymentState::Succeeded && payment.method.is_none();
        for payment in sale.payments.iter().filter(|payment| payment.state.is_open() || lacks_method(payment)) {
            if !self.visitors.may_ask(payment.id, self.clock.now()) {
                continue;
            }
            if let Err(error) = self.ask_payment(shop, payment.id, Actor::Buyer).await {
                tracing::warn!(payment = %payment.id, %error, "the gateway could not be asked when the buyer returned");
            }
        }
        self.sale(shop, order).await
    }

    /// Ends checkouts whose time is over. Returns how many were looked at.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn expire_checkouts(&self) -> Result<usize, Error> {
        let due = self.store.expired_checkouts(self.clock.now(), 100).await?;
        for (shop, order) in &due {
            self.change_sale(*shop, *order, None, |sale, now, rng| Ok((domain::expire_checkout(sale, now, rng), ())))
                .await?;
        }
        Ok(due.len())
    }

    /// Notes with each new payment what the gateway is to be asked for its page.
    fn with_openings(&self, sale: &Sale, mut changes: Changes) -> Changes {
        let order = changes.orders.first().unwrap_or(&sale.order);
        let checkout = changes.checkouts.first().unwrap_or(&sale.checkout);
        for payment in changes.payments.iter_mut().filter(|payment| payment.version == 0) {
            // A request is texts and numbers, which JSON holds; without it the call is put together from the rows.
            payment.opening = serde_json::to_string(&self.hosted_payment(order, checkout, payment)).ok();
        }
        changes
    }

    /// What the gateway is asked for the page of a payment: as it was noted with it.
    pub(crate) fn opening(&self, sale: &Sale, payment: &Payment) -> HostedPaymentRequest {
        let noted = payment.opening.as_deref().and_then(|text| serde_json::from_str(text).ok());
        noted.unwrap_or_else(|| self.hosted_payment(&sale.order, &sale.checkout, payment))
    }

    fn hosted_payment(&self, order: &Order, checkout: &Checkout, payment: &Payment) -> HostedPaymentRequest {
        let description = order
            .lines
            .iter()
            .map(|line| match line.quantity {
                1 => format!("{} {}", line.product_name, line.plan_name),
                many => format!("{many} × {} {}", line.product_name, line.plan_name),
            })
            .collect::<Vec<_>>()
            .join(", ");
        HostedPaymentRequest {
            shop: order.shop,
            order: order.id,
            payment: payment.id,
            note: SaleNote::of(order).map(|note| note.to_text()),
            amount: payment.amount,
            description,
            email: order.email.as_ref().map(ToString::to_string),
            locale: order.locale.clone(),
            return_url: format!("{}/orders/{}/return", self.settings.public_url, order.id),
            cancel_url: format!("{}/checkout/{}", self.settings.public_url, checkout.id),
            // Gateways ask for half an hour at least. It follows from the payment alone, so that a repeated call says the same.
            expires_at: checkout.expires_at.max(payment.created_at.after(SHORTEST_PAGE)),
            save_method: false,
        }
    }

    /// Whether a checkout still takes a payment.
    #[must_use]
    pub fn is_payable(sale: &Sale) -> bool {
        match sale.checkout.state {
            CheckoutState::Open | CheckoutState::Submitted | CheckoutState::Abandoned => true,
            CheckoutState::Completed | CheckoutState::Expired => false,
        }
    }

    /// Writes catalog rows, settings of a shop and the like: whatever needs no decision.
    ///
    /// # Errors
    /// When a row was changed by somebody else, or the store does not answer.
    pub async fn write(&self, changes: &Changes) -> Result<(), Error> {
        self.commit(changes, None).await.map_err(Error::from)
    }
}

/// Whether a checkout was not taken because of what the buyer answered, or did not.
#[must_use]
pub fn is_about_answers(error: &Error) -> bool {
    matches!(error, Error::Refused(Refusal::AnswerMissing { .. } | Refusal::AnswerInvalid { .. }))
}

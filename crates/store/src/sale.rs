//! An order with all its parts, read in one snapshot by one query.

use domain::{GatewayAccountId, NoticeState, OrderId, PaymentLocator, Sale, ShopId};

use crate::column::Columns;
use crate::page::all;
use crate::{ReadError, Rows, Statement, Store, checkout, delivery, dispute, license, notice, order, payment, refund};

/// What a sale is read with, in the order in which [`assemble`] takes the answers.
fn statements(shop: ShopId, id: OrderId) -> [Statement; 7] {
    [
        order::by_id(shop, id),
        checkout::of_order(shop, id),
        payment::of_order(shop, id),
        refund::of_order(shop, id),
        dispute::of_order(shop, id),
        license::of_order(shop, id),
        delivery::keys_mailed(shop, id),
    ]
}

fn assemble(id: OrderId, answers: impl IntoIterator<Item = Rows>) -> Result<Option<Sale>, ReadError> {
    let mut answers = answers.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    let Some(order) = all("order", next(), order::row)?.pop() else { return Ok(None) };
    let checkout = all("checkout", next(), checkout::row)?.pop();
    Ok(Some(Sale {
        order,
        checkout: checkout.ok_or_else(|| ReadError::Corrupt(format!("order: {id} has no checkout")))?,
        payments: all("payment", next(), payment::row)?,
        refunds: all("refund", next(), refund::row)?,
        disputes: all("dispute", next(), dispute::row)?,
        licenses: all("license", next(), license::row)?,
        keys_mailed: !next().is_empty(),
    }))
}

impl Store {
    /// The sale of an order: every part in one snapshot.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn sale(&self, shop: ShopId, order: OrderId) -> Result<Option<Sale>, ReadError> {
        let answers = self.engine.look_up(statements(shop, order).into()).await?;
        assemble(order, answers)
    }

    /// What became of the notice of this event, and the sale that the event is about.
    ///
    /// The sale is looked for by our order where the event names it, else by our payment, else by the gateway's names.
    /// Whether those agree with each other is for the decision to check.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn sale_for_notice(
        &self,
        shop: ShopId,
        account: GatewayAccountId,
        locator: &PaymentLocator,
        event_id: &str,
    ) -> Result<(Option<NoticeState>, Option<Sale>), ReadError> {
        let mut asked = Vec::with_capacity(8);
        asked.push(notice::state_by_event(shop, account, event_id));
        match (locator.order, locator.payment) {
            (Some(order), _) => asked.extend(statements(shop, order)),
            (None, Some(payment)) => asked.push(payment::order_by_id(shop, payment)),
            (None, None) => {
                let reference = locator.reference.as_deref();
                let page = locator.page_reference.as_deref();
                asked.extend(reference.map(|reference| payment::order_by_reference(shop, account, reference)));
                asked.extend(page.map(|reference| payment::order_by_page_reference(shop, account, reference)));
            }
        }
        let mut answers = self.engine.look_up(asked).await?.into_iter();
        let state = all("notice", answers.next().unwrap_or_default(), notice::state_row)?.pop();
        if let Some(order) = locator.order {
            return Ok((state, assemble(order, answers)?));
        }
        let found = all("payment", answers.flatten().take(1).collect(), |row| Columns::of(row).id())?.pop();
        match found {
            Some(order) => Ok((state, self.sale(shop, order).await?)),
            None => Ok((state, None)),
        }
    }
}

//! What buyer and shop write to each other about an order.

use domain::{Author, Conversation, Delivery, MailKind, MessageBody, Order, OrderId, Shop, ShopId, write_message};
use store::{DeliveryFilter, Page};

use crate::fulfil::TRIES;
use crate::{App, Error};

/// What came of writing a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is written, and a mail about it is on its way.
    Mailed,
    /// It is written, and a mail about it waits for somebody to let it go, since a restore.
    Held,
    /// It is written, and no mail is sent for it: the seller was told a moment ago, or has no address that can be read.
    Untold,
    /// It was written before, and nothing was changed.
    Before,
}

/// How many mails about an order are looked through for the last one to the seller.
const MAILS: u32 = 100;

impl App {
    /// Writes a message about an order, and mails the other side. The same words again change nothing.
    ///
    /// # Errors
    /// When there is no such order, its buyer can read no message, a buyer has written much without an answer, or the
    /// store does not answer.
    pub async fn write_message(
        &self,
        shop: &Shop,
        order: OrderId,
        author: Author,
        body: &MessageBody,
    ) -> Result<Written, Error> {
        for _ in 0..TRIES {
            let row = self.store.order(shop.id, order).await?.ok_or(Error::NotFound { what: "order" })?;
            let messages = self.store.messages(shop.id, order).await?;
            let told = match author {
                Author::Buyer => self.seller_told(shop.id, &row).await?,
                Author::User(_) => None,
            };
            let conversation = Conversation { order: &row, messages: &messages, told: told.as_ref() };
            let now = self.clock.now();
            let mut changes = write_message(shop, conversation, author, body, now, &mut self.entropy.rng())?;
            self.recovery.hold_mails(&mut changes);
            let written = match (changes.messages.is_empty(), changes.jobs.first()) {
                (true, _) => Written::Before,
                (false, None) => Written::Untold,
                (false, Some(job)) if job.run_at > now => Written::Held,
                (false, Some(_)) => Written::Mailed,
            };
            if self.commits(&changes, None).await? {
                return Ok(written);
            }
        }
        Err(Error::Conflict { what: "message" })
    }

    /// The last mail to the seller about what the buyer wrote.
    async fn seller_told(&self, shop: ShopId, order: &Order) -> Result<Option<Delivery>, Error> {
        let filter = DeliveryFilter { order: Some(order.id), ..DeliveryFilter::default() };
        let page = Page { starting_after: None, ending_before: None, limit: MAILS };
        let mails = self.store.deliveries(shop, &filter, page).await?.data;
        Ok(mails.into_iter().find(|delivery| matches!(delivery.mail, MailKind::MessageFromBuyer { .. })))
    }
}

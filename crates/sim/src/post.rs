//! The third door: a mail server that takes mails, refuses them, puts them off, or takes them and is not heard.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use app::mail::Mail;
use app::{MailError, Mailer};
use domain::{DeliveryId, DeliveryState, ShopId};
use store::Store;

use crate::universe::{Universe, at_once, hold};

/// What lies in the mailboxes of all buyers.
#[derive(Default)]
pub(crate) struct PostOffice {
    arrived: Mutex<Vec<Mail>>,
}

impl PostOffice {
    /// The text of a delivery that arrived, once or more often.
    pub(crate) fn text_of(&self, delivery: DeliveryId) -> Option<String> {
        let arrived = hold(&self.arrived);
        arrived.iter().find(|mail| mail.delivery == delivery).map(|mail| mail.text.clone())
    }

    /// The text of a mail in which this stands.
    pub(crate) fn find(&self, part: &str) -> Option<String> {
        hold(&self.arrived).iter().find(|mail| mail.text.contains(part)).map(|mail| mail.text.clone())
    }

    /// How many mails arrived.
    pub(crate) fn count(&self) -> usize {
        hold(&self.arrived).len()
    }
}

/// The way from one node to the mail server.
pub(crate) struct Postbox {
    pub(crate) office: Arc<PostOffice>,
    pub(crate) universe: Arc<Universe>,
    pub(crate) node: usize,
    /// The rows as they are, past every fault.
    pub(crate) rows: Store,
    pub(crate) shop: ShopId,
}

impl Postbox {
    async fn hand_over(&self, mail: Mail) -> Result<(), MailError> {
        let (universe, node) = (&self.universe, self.node);
        universe.gate().await;
        let id = mail.delivery;
        let told = |what: &str| universe.log(|| format!("node {node} mails {id}: {what}"));
        if universe.fault(|mix| mix.crash_before_commit) {
            universe.crash(node, &format!("before it mails {id}")).await;
        }
        if universe.fault(|mix| mix.mail_refused) {
            told("refused");
            return Err(MailError::Refused {
                code: "550".to_owned(),
                message: "simulated: no such mailbox".to_owned(),
            });
        }
        if universe.fault(|mix| mix.mail_later) {
            told("later");
            return Err(MailError::Later { message: "simulated: greylisted".to_owned() });
        }
        match at_once(self.rows.delivery(self.shop, id)) {
            Ok(Some(delivery)) => match delivery.state {
                DeliveryState::Queued | DeliveryState::Sent => {}
                DeliveryState::Refused | DeliveryState::Bounced => told("although it was given up"),
            },
            Ok(None) => universe.fail(format!("mail {id} leaves, and no commit asked for it")),
            Err(error) => universe.fail(format!("the row of mail {id} cannot be read: {error}")),
        }
        told("taken");
        universe.count(|counts| counts.mails += 1);
        hold(&self.office.arrived).push(mail);
        if universe.fault(|mix| mix.crash_after_commit) {
            universe.crash(node, &format!("after it mails {id}")).await;
        }
        if universe.fault(|mix| mix.mail_answer_lost) {
            told("nobody hears that");
            return Err(MailError::Later { message: "simulated: timed out after DATA".to_owned() });
        }
        universe.gate().await;
        Ok(())
    }
}

impl Mailer for Postbox {
    fn send(&self, mail: Mail) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        Box::pin(self.hand_over(mail))
    }

    fn name(&self) -> &'static str {
        "post office"
    }
}

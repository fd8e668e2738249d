//! What people of the shop do to one license by hand: switch it off and on, take it back, move it, and undo what was
//! done.

use domain::{Actor, Changes, Email, EventId, License, LicenseId, ManualAct, Sale, ShopId, act_by_hand, undo};
use store::CommitError;

use crate::{App, Error};

/// How often it is decided again when devices take seats of the license at the same time.
const TRIES: u32 = 100;

/// What a person wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandAct {
    /// Switch it off for now.
    Suspend,
    /// Let it work again.
    Reinstate,
    /// Take it back.
    Revoke,
    /// Give it to the customer with this address.
    Move(Email),
    /// Undo what this event tells of.
    Undo(EventId),
}

impl App {
    /// Does it to a license, with a reason for the journal. `name` is the name of the act: asked again with the same one
    /// it is done once, and whoever comes back because the first answer was lost is not told that it is done already.
    ///
    /// # Errors
    /// When there is no such license, customer or event, or the rules do not allow it.
    pub async fn act_by_hand(
        &self,
        shop: ShopId,
        license: LicenseId,
        act: &HandAct,
        reason: &str,
        actor: Actor,
        name: EventId,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            let changes = match self.decide_by_hand(&row, act, reason, actor, name).await {
                Ok(changes) => changes,
                // What stands in the way may be what this very act did.
                Err(Error::Refused(_)) if self.store.event(shop, name).await?.is_some() => return Ok(()),
                Err(error) => return Err(error),
            };
            match self.commit(&changes, None).await {
                Ok(()) | Err(CommitError::Conflict { what: "event" }) => return Ok(()),
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { what: "license" })
    }

    async fn decide_by_hand(
        &self,
        license: &License,
        act: &HandAct,
        reason: &str,
        actor: Actor,
        name: EventId,
    ) -> Result<Changes, Error> {
        let sale = self.sale(license.shop, license.order).await?;
        let money = sale.license_state().map_err(domain::Refusal::from)?;
        let receiver = match act {
            HandAct::Move(email) => Some(self.known_customer(license.shop, email).await?),
            HandAct::Suspend | HandAct::Reinstate | HandAct::Revoke | HandAct::Undo(_) => None,
        };
        let now = self.clock.now();
        let act = match (act, &receiver) {
            (HandAct::Undo(event), _) => {
                let event = self.store.event(license.shop, *event).await?.ok_or(Error::NotFound { what: "event" })?;
                let undone = undo(license, &event, money, reason, actor, now, name)?;
                return Ok(while_money_stands(&sale, undone));
            }
            (HandAct::Move(_), Some(customer)) => ManualAct::Move(customer),
            (HandAct::Move(_), None) => return Err(Error::NotFound { what: "customer" }),
            (HandAct::Suspend, _) => ManualAct::Suspend,
            (HandAct::Reinstate, _) => ManualAct::Reinstate,
            (HandAct::Revoke, _) => ManualAct::Revoke,
        };
        Ok(while_money_stands(&sale, act_by_hand(license, act, money, reason, actor, now, name)?))
    }

    async fn known_customer(&self, shop: ShopId, email: &Email) -> Result<domain::Customer, Error> {
        self.store.customer_by_email(shop, email).await?.ok_or(Error::NotFound { what: "customer" })
    }
}

/// Money that moves at the same time is a conflict: of a license that a person switched off it writes nothing but the
/// order.
fn while_money_stands(sale: &Sale, changes: Changes) -> Changes {
    Changes { checks: [changes.checks, vec![sale.check()]].concat(), ..changes }
}

//! What the seller's program does to one license, as support does it in the console: it is switched off and on, taken
//! back, moved to another customer; and each of these acts is undone.

use app::HandAct;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::{Actor, CustomerId, Email, EventId, LicenseId, Refusal, ShopId};
use serde::Deserialize;

use super::license::{shown, text};
use super::{Id, Json, Manager, Names, Once};
use crate::Web;
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveInput {
    reason: String,
    email: Option<String>,
    customer: Option<CustomerId>,
}

/// Switches it off for now.
pub(crate) async fn suspend(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    act(web, manager, license, HandAct::Suspend, once, sent).await
}

/// Lets it work again.
pub(crate) async fn reinstate(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    act(web, manager, license, HandAct::Reinstate, once, sent).await
}

/// Takes it back.
pub(crate) async fn revoke(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    act(web, manager, license, HandAct::Revoke, once, sent).await
}

/// Undoes what an event of the license tells of.
pub(crate) async fn undo(
    State(web): State<Web>,
    manager: Manager,
    Path((license, event)): Path<(String, String)>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    let license = LicenseId::parse(&license).map_err(|_| Problem::not_found("license"))?;
    let event = EventId::parse(&event).map_err(|_| Problem::not_found("event"))?;
    act(web, manager, license, HandAct::Undo(event), once, sent).await
}

/// Gives it to another customer, who is named by address or by id.
pub(crate) async fn transfer(
    State(web): State<Web>,
    manager: Manager,
    Id(license): Id<LicenseId>,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: MoveInput = sent.read()?;
    let reason = text("reason", &input.reason, 500)?;
    let receiver = match (input.email, input.customer) {
        (Some(email), None) => Receiver::Address(
            Email::parse(&email)
                .map_err(|error| Problem::invalid("email", "email_invalid", format!("`email` {error}.")))?,
        ),
        (None, Some(customer)) => Receiver::Customer(customer),
        (None, None) | (Some(_), Some(_)) => {
            let detail = "Name the customer who gets the license: by `email` or by `customer`, not by both.";
            return Err(Problem::invalid("email", "parameter_invalid", detail));
        }
    };
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |mut names: Names| {
        let param = receiver.param();
        let act = HandAct::Move(receiver.address(&task, shop).await?);
        match task.app.act_by_hand(shop, license, &act, &reason, Actor::Api, names.mint(EventId::mint)).await {
            Ok(()) => shown(&task, shop, license, true).await,
            Err(app::Error::NotFound { what: "customer" }) => Err(unknown(param)),
            Err(error @ app::Error::Refused(Refusal::TransferToOwner)) => {
                Err(Problem { param: Some(param.to_owned()), ..Problem::from(error) })
            }
            Err(error) => Err(error.into()),
        }
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}

/// Who gets a license.
enum Receiver {
    Address(Email),
    Customer(CustomerId),
}

impl Receiver {
    fn param(&self) -> &'static str {
        match self {
            Self::Address(_) => "email",
            Self::Customer(_) => "customer",
        }
    }

    async fn address(self, web: &Web, shop: ShopId) -> Result<Email, Problem> {
        match self {
            Self::Address(email) => Ok(email),
            Self::Customer(id) => {
                let known = web.app.store.customer(shop, id).await.map_err(app::Error::from)?;
                known.map(|customer| customer.email).ok_or_else(|| unknown("customer"))
            }
        }
    }
}

fn unknown(param: &str) -> Problem {
    let detail = "The shop knows no such customer. Whoever bought, or was given a license, is one.";
    Problem::invalid(param, "customer_unknown", detail)
}

/// An act of which nothing is to be said but why.
async fn act(
    web: Web,
    manager: Manager,
    license: LicenseId,
    act: HandAct,
    once: Once,
    sent: Json,
) -> Result<Response, Problem> {
    manager.may_manage()?;
    let input: Input = sent.read()?;
    let reason = text("reason", &input.reason, 500)?;
    let (task, shop) = (web.clone(), manager.shop.id);
    let work = async move |mut names: Names| {
        task.app.act_by_hand(shop, license, &act, &reason, Actor::Api, names.mint(EventId::mint)).await?;
        shown(&task, shop, license, true).await
    };
    Ok(once.answer(&web, &manager, &sent.0, work).await)
}

//! What was written about an order, and the form that answers.

use app::Written;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Author, LicenseId, Message, MessageBody, Order, Refusal, TextError, User};
use serde::Deserialize;

use super::{Chrome, Staff, actor_text, claim, done, order, who};
use crate::Web;
use crate::problem::Problem;

/// What was typed and cannot be taken, and why.
pub(crate) struct MessageForm {
    pub(crate) text: String,
    pub(crate) error: String,
}

pub(crate) struct MessageRow {
    pub(crate) who: String,
    pub(crate) at: String,
    pub(crate) body: String,
    pub(crate) is_ours: bool,
}

/// Everything that was written about an order, and the form below it.
pub(crate) struct Thread {
    pub(crate) order: String,
    /// The page of which claim it stands on, to come back to.
    pub(crate) claim: Option<String>,
    pub(crate) messages: Vec<MessageRow>,
    pub(crate) can_write: bool,
    pub(crate) typed: String,
    pub(crate) error: Option<String>,
    /// Since when the buyer waits for an answer.
    pub(crate) waits: Option<String>,
}

impl Thread {
    pub(super) async fn read(
        web: &Web,
        chrome: &Chrome<'_>,
        order: &Order,
        people: &[User],
        form: Option<MessageForm>,
        claim: Option<LicenseId>,
    ) -> Result<Self, Problem> {
        let messages = web.app.store.messages(order.shop, order.id).await.map_err(app::Error::from)?;
        let row = |message: &Message| MessageRow {
            who: match message.author {
                Author::Buyer => actor_text(chrome, domain::Actor::Buyer),
                Author::User(user) => who(chrome, domain::Actor::User(user), people),
            },
            at: chrome.date(&message.at),
            body: message.body.as_str().to_owned(),
            is_ours: message.author != Author::Buyer,
        };
        Ok(Self {
            order: order.id.to_string(),
            claim: claim.map(|claim| claim.to_string()),
            messages: messages.iter().map(row).collect(),
            can_write: order.takes_messages(),
            waits: order.unanswered_since.map(|at| chrome.with("console-messages-waits", "date", &chrome.date(&at))),
            error: form.as_ref().map(|form| form.error.clone()),
            typed: form.map(|form| form.text).unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    message: String,
    #[serde(default)]
    claim: String,
}

/// Writes to the buyer, and goes back to where the form stood.
pub(crate) async fn write(
    State(web): State<Web>,
    staff: Staff,
    Path(order): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let order = order::parse(&order)?;
    let claim = LicenseId::parse(&typed.claim).ok();
    let chrome = staff.chrome(&web, "orders");
    let refused = async |status: StatusCode, text: String, error: &str| {
        let form = MessageForm { text, error: chrome.t(error) };
        match claim {
            Some(claim) => claim::draw(&web, &staff, claim, status, claim::Typed::Message(form)).await,
            None => {
                let sale = web.app.sale(staff.shop(), order).await?;
                order::draw(&web, &staff, &sale, status, order::Typed::Message(form)).await
            }
        }
    };
    let body = match MessageBody::parse(&typed.message) {
        Ok(body) => body,
        Err(error) => {
            let error = match error {
                TextError::Empty => "console-message-empty",
                TextError::TooLong(_) => "console-message-long",
                TextError::CardNumber => "console-message-card",
            };
            return refused(StatusCode::UNPROCESSABLE_ENTITY, typed.message, error).await;
        }
    };
    let told = match web.app.write_message(&staff.visit.shop, order, Author::User(staff.user), &body).await {
        Ok(Written::Mailed) => "message-written",
        // The buyer is mailed each message; a mail that is not sent is held.
        Ok(Written::Held | Written::Untold) => "message-held",
        Ok(Written::Before) => "message-before",
        Err(app::Error::Refused(Refusal::MessageUnreadable)) => {
            return refused(StatusCode::CONFLICT, typed.message, "console-message-unreadable").await;
        }
        Err(error) => return Err(error.into()),
    };
    let back = match claim {
        Some(claim) => format!("/console/claims/{claim}"),
        None => format!("/console/orders/{order}"),
    };
    Ok(done(&back, told))
}

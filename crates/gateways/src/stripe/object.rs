//! Stripe's objects, as far as they are read here. Unknown fields are passed
//! over, and words that Stripe may add to (statuses, codes, kinds) stay text.
//! Never leaves this folder.

use std::collections::BTreeMap;

use serde::Deserialize;

pub(super) type Metadata = BTreeMap<String, String>;

/// A reference to an object, or the object itself where it was expanded.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Expandable<T> {
    Id(String),
    Object(Box<T>),
}

impl<T> Expandable<T> {
    pub(super) fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

impl Expandable<PaymentIntent> {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Object(intent) => &intent.id,
        }
    }
}

/// What every event begins with.
#[derive(Debug, Deserialize)]
pub(super) struct EventHead {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) account: Option<String>,
}

/// An event about an object.
#[derive(Debug, Deserialize)]
pub(super) struct Event<T> {
    /// When it happened, in seconds.
    pub(super) created: Option<i64>,
    pub(super) livemode: bool,
    pub(super) data: EventData<T>,
}

#[derive(Debug, Deserialize)]
pub(super) struct EventData<T> {
    pub(super) object: T,
}

#[derive(Debug, Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) mode: String,
    pub(super) status: Option<String>,
    pub(super) payment_status: String,
    pub(super) amount_total: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) payment_intent: Option<Expandable<PaymentIntent>>,
    pub(super) payment_method_types: Option<Vec<String>>,
    pub(super) metadata: Option<Metadata>,
    pub(super) url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) amount_received: Option<i64>,
    pub(super) currency: String,
    pub(super) latest_charge: Option<Expandable<Charge>>,
    pub(super) last_payment_error: Option<PaymentError>,
    pub(super) payment_method_types: Option<Vec<String>>,
    pub(super) metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Charge {
    pub(super) payment_intent: Option<Expandable<PaymentIntent>>,
    pub(super) payment_method_details: Option<MethodDetails>,
    pub(super) refunds: Option<List<Refund>>,
    /// Inline only in API versions before 2022; today a dispute is told of by its events and its list.
    pub(super) dispute: Option<Expandable<Dispute>>,
    pub(super) metadata: Option<Metadata>,
}

/// What paid: `{"type": "card", "card": {…}}`. Also the shape of a payment method.
#[derive(Debug, Deserialize)]
pub(super) struct MethodDetails {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(flatten)]
    pub(super) details: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: Option<String>,
    pub(super) payment_intent: Option<Expandable<PaymentIntent>>,
    pub(super) metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) livemode: bool,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) reason: String,
    pub(super) status: String,
    pub(super) payment_intent: Option<Expandable<PaymentIntent>>,
    pub(super) evidence_details: Option<EvidenceDetails>,
}

#[derive(Debug, Deserialize)]
pub(super) struct EvidenceDetails {
    /// Seconds since 1970; `0` when the bank takes no evidence.
    pub(super) due_by: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Balance {
    pub(super) livemode: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// The body of every answer that is not a success.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: PaymentError,
}

/// Why something did not work: in the body of an answer, and as `last_payment_error` of an intent.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PaymentError {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) decline_code: Option<String>,
    pub(super) advice_code: Option<String>,
    pub(super) network_advice_code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) payment_intent: Option<Expandable<PaymentIntent>>,
    pub(super) payment_method: Option<Expandable<MethodDetails>>,
}

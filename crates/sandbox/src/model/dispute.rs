//! Disputes, from an inquiry or a chargeback to its outcome, and early fraud warnings.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::balance::{self, Movement};
use super::card::DisputeReason;
use super::charge::{self, ChargeStatus};
use super::error::ApiError;
use super::event::emit;
use super::input::{Input, Metadata, merge_metadata};
use super::list::{self, Page};
use super::moment::Moment;
use super::{Context, Object, World, owned, owned_mut};

/// How long the merchant has to answer.
const ANSWER_SECONDS: i64 = 7 * 24 * 60 * 60;
/// What a chargeback costs the merchant, in minor units.
const CHARGEBACK_FEE: i64 = 2_000;

/// The parts of evidence that the API takes.
const EVIDENCE: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

/// What kind of dispute comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeKind {
    /// The money is taken back until it is decided.
    Chargeback(DisputeReason),
    /// The issuer asks; no money moves.
    Inquiry,
    /// A debit taken back by the bank: final, there is no defence.
    DebitReversal,
}

impl DisputeKind {
    /// The kind that a control call names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "fraudulent" => Self::Chargeback(DisputeReason::Fraudulent),
            "product_not_received" => Self::Chargeback(DisputeReason::ProductNotReceived),
            "general" | "chargeback" => Self::Chargeback(DisputeReason::General),
            "inquiry" => Self::Inquiry,
            "debit_reversal" => Self::DebitReversal,
            _ => return None,
        })
    }

    const fn reason(self) -> DisputeReason {
        match self {
            Self::Chargeback(reason) => reason,
            Self::Inquiry => DisputeReason::General,
            Self::DebitReversal => DisputeReason::DebitNotAuthorized,
        }
    }
}

/// A dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// `du_…`
    pub id: String,
    account: String,
    created: Moment,
    charge: String,
    intent: String,
    /// In minor units.
    pub amount: i64,
    currency: String,
    reason: DisputeReason,
    /// How it stands.
    pub status: DisputeStatus,
    /// Whether the money is with the issuer now.
    pub withdrawn: bool,
    evidence: Metadata,
    submissions: u32,
    metadata: Metadata,
    balance_transactions: Vec<String>,
}

/// How a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// An inquiry, unanswered.
    WarningNeedsResponse,
    /// An inquiry, answered.
    WarningUnderReview,
    /// An inquiry that came to nothing.
    WarningClosed,
    /// A chargeback, unanswered.
    NeedsResponse,
    /// A chargeback, answered.
    UnderReview,
    /// The money came back.
    Won,
    /// It did not.
    Lost,
}

impl DisputeStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
    const fn stage(self) -> Stage {
        match self {
            Self::WarningNeedsResponse | Self::WarningUnderReview => Stage::Inquiry,
            Self::NeedsResponse | Self::UnderReview => Stage::Chargeback,
            Self::WarningClosed | Self::Won | Self::Lost => Stage::Closed,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Inquiry,
    Chargeback,
    Closed,
}

/// How the issuer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// For the merchant.
    Won,
    /// For the buyer.
    Lost,
    /// An inquiry becomes a chargeback.
    Escalated,
}

/// An issuer's warning that a charge was fraud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FraudWarning {
    id: String,
    account: String,
    created: Moment,
    charge: String,
    intent: String,
}

impl Object for Dispute {
    const NOUN: &'static str = "dispute";
    fn id(&self) -> &str {
        &self.id
    }
    fn account(&self) -> &str {
        &self.account
    }
    fn created(&self) -> Moment {
        self.created
    }
    fn render(&self, world: &World) -> Value {
        let mut evidence = json!({});
        for part in EVIDENCE {
            evidence[*part] = json!(self.evidence.get(*part));
        }
        let movements: Vec<Value> = self
            .balance_transactions
            .iter()
            .filter_map(|id| world.balance.get(id))
            .map(|movement| movement.render(world))
            .collect();
        let closed = self.status.stage() == Stage::Closed;
        json!({
            "id": self.id, "object": "dispute", "amount": self.amount, "balance_transactions": movements,
            "charge": self.charge, "created": self.created.seconds(), "currency": self.currency,
            "enhanced_eligibility_types": [], "evidence": evidence,
            "evidence_details": {
                "due_by": (!closed).then(|| self.created.plus_seconds(ANSWER_SECONDS).seconds()),
                "enhanced_eligibility": {}, "has_evidence": !self.evidence.is_empty(), "past_due": false,
                "submission_count": self.submissions,
            },
            "is_charge_refundable": self.status.stage() == Stage::Inquiry, "livemode": false,
            "metadata": self.metadata, "payment_intent": self.intent, "reason": self.reason.name(),
            "status": self.status.name(),
        })
    }
}

impl Object for FraudWarning {
    const NOUN: &'static str = "early fraud warning";
    fn id(&self) -> &str {
        &self.id
    }
    fn account(&self) -> &str {
        &self.account
    }
    fn created(&self) -> Moment {
        self.created
    }
    fn render(&self, world: &World) -> Value {
        let charge = world.charges.get(&self.charge);
        let actionable = charge.is_some_and(|charge| !charge.disputed && charge.amount_refunded < charge.amount);
        json!({
            "id": self.id, "object": "radar.early_fraud_warning", "actionable": actionable, "charge": self.charge,
            "created": self.created.seconds(), "fraud_type": "made_with_stolen_card", "livemode": false,
            "payment_intent": self.intent,
        })
    }
}

/// A dispute comes in. A charge that took no money, or is under dispute, gets none.
pub fn open(world: &mut World, at: &Context, charge: &str, kind: DisputeKind) {
    let Some(disputed) = world.charges.get(charge) else { return };
    let contested =
        world.disputes.oldest_first().any(|(_, _, row)| row.charge == charge && row.status.stage() != Stage::Closed);
    if contested || disputed.status != ChargeStatus::Succeeded {
        return;
    }
    let left = disputed.amount.saturating_sub(disputed.amount_refunded);
    // A bank takes back the whole debit even after a refund.
    let amount = if left > 0 { left } else { disputed.amount };
    let (intent, currency) = (disputed.intent.clone(), disputed.currency.clone());
    let id = world.mint("du", 24);
    let status = match kind {
        DisputeKind::Chargeback(_) => DisputeStatus::NeedsResponse,
        DisputeKind::Inquiry => DisputeStatus::WarningNeedsResponse,
        DisputeKind::DebitReversal => DisputeStatus::Lost,
    };
    let dispute = Dispute {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        charge: charge.to_owned(),
        intent,
        amount,
        currency,
        reason: kind.reason(),
        status,
        withdrawn: false,
        evidence: Metadata::new(),
        submissions: 0,
        metadata: Metadata::new(),
        balance_transactions: Vec::new(),
    };
    world.disputes.insert(&id, dispute);
    if let Some(charge) = world.charges.get_mut(charge) {
        charge.disputed = true;
    }
    let moves = match kind {
        DisputeKind::Chargeback(_) | DisputeKind::DebitReversal => true,
        DisputeKind::Inquiry => false,
    };
    if moves {
        move_money(world, at, &id, true);
    }
    tell(world, at, &id, "charge.dispute.created");
    if moves {
        tell(world, at, &id, "charge.dispute.funds_withdrawn");
    }
    if kind == DisputeKind::DebitReversal {
        tell(world, at, &id, "charge.dispute.closed");
    }
    charge::tell(world, at, charge, "charge.updated");
}

/// The issuer decides an open dispute, or finds for the merchant on appeal after it was lost.
///
/// # Errors
/// When it is closed, or there is nothing to escalate.
pub fn decide(world: &mut World, at: &Context, id: &str, outcome: Outcome) -> Result<Value, ApiError> {
    let dispute = owned(&world.disputes, &at.account, id)?;
    // Nobody can appeal against a debit that was taken back.
    let can_appeal = dispute.status == DisputeStatus::Lost && dispute.reason != DisputeReason::DebitNotAuthorized;
    match (dispute.status.stage(), outcome) {
        (Stage::Closed, Outcome::Won) if can_appeal => reinstate(world, at, id),
        (Stage::Closed, Outcome::Won | Outcome::Lost | Outcome::Escalated) => {
            return Err(closed(dispute));
        }
        (Stage::Chargeback, Outcome::Escalated) => {
            return Err(ApiError::invalid("Only an inquiry can be escalated.").param("outcome"));
        }
        (Stage::Inquiry, Outcome::Won) => close(world, at, id, DisputeStatus::WarningClosed),
        (Stage::Inquiry, Outcome::Escalated) => escalate(world, at, id),
        (Stage::Inquiry, Outcome::Lost) => {
            escalate(world, at, id);
            close(world, at, id, DisputeStatus::Lost);
        }
        (Stage::Chargeback, Outcome::Won) => reinstate(world, at, id),
        (Stage::Chargeback, Outcome::Lost) => close(world, at, id, DisputeStatus::Lost),
    }
    retrieve(world, at, id)
}

/// The issuer warns that a charge was fraud.
pub fn warn(world: &mut World, at: &Context, charge: &str) {
    let Some(intent) = world.charges.get(charge).map(|charge| charge.intent.clone()) else { return };
    let id = world.mint("issfr", 24);
    let warning = FraudWarning {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        charge: charge.to_owned(),
        intent,
    };
    let shown = warning.render(world);
    world.warnings.insert(&id, warning);
    emit(world, at, "radar.early_fraud_warning.created", shown);
}

/// How much of a charge disputes have taken and not given back, in minor units.
#[must_use]
pub fn withdrawn(world: &World, charge: &str) -> i64 {
    let all = world.disputes.oldest_first().map(|(_, _, dispute)| dispute);
    all.filter(|dispute| dispute.charge == charge && dispute.withdrawn).map(|dispute| dispute.amount).sum()
}

/// The last dispute of a charge.
#[must_use]
pub fn latest<'world>(world: &'world World, charge: &str) -> Option<&'world Dispute> {
    world.disputes.oldest_first().rev().map(|(_, _, dispute)| dispute).find(|dispute| dispute.charge == charge)
}

/// `GET /v1/disputes/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.disputes, &at.account, id)?.render(world))
}

/// `GET /v1/disputes`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let (intent, charge) = (input.text("payment_intent")?, input.text("charge")?);
    input.finish()?;
    list::list(world, &world.disputes, &at.account, "/v1/disputes", &page, |dispute| {
        intent.as_ref().is_none_or(|intent| *intent == dispute.intent)
            && charge.as_ref().is_none_or(|charge| *charge == dispute.charge)
    })
}

/// `POST /v1/disputes/{id}`: evidence, and with `submit` its way to the issuer.
/// `winning_evidence`, `losing_evidence` and `escalate_inquiry_evidence` as
/// `uncategorized_text` decide it at once, as documented for test mode.
///
/// # Errors
/// When the dispute is closed or a parameter is wrong.
pub fn update(world: &mut World, at: &Context, id: &str, mut input: Input) -> Result<Value, ApiError> {
    let mut evidence = Metadata::new();
    if let Some(mut parts) = input.object("evidence")? {
        for part in EVIDENCE {
            if let Some(text) = parts.text(part)? {
                evidence.insert((*part).to_owned(), text);
            }
        }
        parts.finish()?;
    }
    let metadata = input.metadata("metadata")?;
    let submit = input.boolean("submit")?.unwrap_or(!evidence.is_empty());
    input.finish()?;
    let dispute = owned(&world.disputes, &at.account, id)?;
    let stage = dispute.status.stage();
    if stage == Stage::Closed && (submit || !evidence.is_empty()) {
        return Err(closed(dispute));
    }
    let dispute = owned_mut(&mut world.disputes, &at.account, id)?;
    dispute.evidence.extend(evidence);
    merge_metadata(&mut dispute.metadata, metadata);
    let verdict = dispute.evidence.get("uncategorized_text").map(String::as_str);
    let outcome = match verdict {
        Some("winning_evidence") => Some(Outcome::Won),
        Some("losing_evidence") => Some(Outcome::Lost),
        Some("escalate_inquiry_evidence") if stage == Stage::Inquiry => Some(Outcome::Escalated),
        _ => None,
    };
    if submit {
        dispute.submissions = dispute.submissions.saturating_add(1);
        dispute.status = match stage {
            Stage::Inquiry => DisputeStatus::WarningUnderReview,
            Stage::Chargeback => DisputeStatus::UnderReview,
            Stage::Closed => dispute.status,
        };
    }
    tell(world, at, id, "charge.dispute.updated");
    if let (true, Some(outcome)) = (submit, outcome) {
        return decide(world, at, id, outcome);
    }
    retrieve(world, at, id)
}

/// `POST /v1/disputes/{id}/close`: the merchant accepts.
///
/// # Errors
/// When it is closed already.
pub fn accept(world: &mut World, at: &Context, id: &str) -> Result<Value, ApiError> {
    decide(world, at, id, Outcome::Lost)
}

/// `GET /v1/radar/early_fraud_warnings/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve_warning(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.warnings, &at.account, id)?.render(world))
}

/// `GET /v1/radar/early_fraud_warnings`
///
/// # Errors
/// When a parameter is wrong.
pub fn list_warnings(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let (intent, charge) = (input.text("payment_intent")?, input.text("charge")?);
    input.finish()?;
    list::list(world, &world.warnings, &at.account, "/v1/radar/early_fraud_warnings", &page, |warning| {
        intent.as_ref().is_none_or(|intent| *intent == warning.intent)
            && charge.as_ref().is_none_or(|charge| *charge == warning.charge)
    })
}

fn tell(world: &mut World, at: &Context, id: &str, kind: &str) {
    if let Some(dispute) = world.disputes.get(id) {
        let shown = dispute.render(world);
        emit(world, at, kind, shown);
    }
}

fn mark(world: &mut World, id: &str, status: DisputeStatus) {
    if let Some(dispute) = world.disputes.get_mut(id) {
        dispute.status = status;
    }
}

fn close(world: &mut World, at: &Context, id: &str, status: DisputeStatus) {
    mark(world, id, status);
    tell(world, at, id, "charge.dispute.closed");
}

fn reinstate(world: &mut World, at: &Context, id: &str) {
    mark(world, id, DisputeStatus::Won);
    move_money(world, at, id, false);
    tell(world, at, id, "charge.dispute.funds_reinstated");
    tell(world, at, id, "charge.dispute.closed");
}

fn escalate(world: &mut World, at: &Context, id: &str) {
    mark(world, id, DisputeStatus::NeedsResponse);
    move_money(world, at, id, true);
    tell(world, at, id, "charge.dispute.updated");
    tell(world, at, id, "charge.dispute.funds_withdrawn");
}

fn move_money(world: &mut World, at: &Context, id: &str, away: bool) {
    let Some((amount, currency)) = world.disputes.get(id).map(|dispute| (dispute.amount, dispute.currency.clone()))
    else {
        return;
    };
    let (signed, fee) = if away { (amount.saturating_neg(), CHARGEBACK_FEE) } else { (amount, 0) };
    let moved = balance::record(world, at, Movement::Adjustment, id, &currency, signed, fee);
    if let Some(dispute) = world.disputes.get_mut(id) {
        dispute.withdrawn = away;
        dispute.balance_transactions.push(moved);
    }
}

fn closed(dispute: &Dispute) -> ApiError {
    let message = format!("This dispute is already closed: its status is {}.", dispute.status.name());
    ApiError::invalid(message).code("dispute_already_closed")
}

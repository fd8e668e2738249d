//! Licenses: read by the seller's programs, and asked about by the buyers' apps.
//!
//! The four endpoints for apps take no secret but the key. "I cannot tell" is
//! a 503, never "no". A mistyped key is refused by its check symbols, before
//! any row is read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use app::messages::Arg;
use app::{ActivateAnswer, Catalog, Held, KeySlip};
use axum::extract::{FromRequestParts, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use domain::{
    Activation, ActivationId, ActivationRequest, Actor, AttemptKind, CustomerId, FeatureValue, Fingerprint, GroupId,
    License, LicenseId, Locale, OrderId, PlanId, ProductId, Refusal, RetiredKey, SeatHolder, Shop, ShopId, Standing,
    Timestamp, ValidationRequest, Verdict, VerdictCode, plain_text,
};
use latchkey_license::{KeyCode, KeyCodeError, SignedKeyError};
use serde::{Deserialize, Serialize};
use store::LicenseFilter;

use super::plan::{PolicyView, policy_view};
use super::usage::{UsageView, usage_view};
use super::{Id, Json, Manager, Query, answer, list as listing};
use crate::Web;
use crate::problem::Problem;
use crate::visit::shop_of;

#[derive(Serialize)]
pub(crate) struct LicenseView {
    id: LicenseId,
    state: &'static str,
    order: OrderId,
    product: ProductId,
    plan: PlanId,
    customer: Option<CustomerId>,
    group: Option<GroupId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    on_its_way: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    key_tail: String,
    features: Vec<String>,
    feature_values: BTreeMap<String, FeatureValue>,
    seats: Option<u32>,
    seats_used: u32,
    started_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    updates_until: Option<Timestamp>,
    usage: Option<UsageView>,
    policy: PolicyView,
    created_at: Timestamp,
}

/// A license for the seller's programs, with its key where one license or one order is shown.
pub(crate) fn view(license: &License, held: Option<&Held>, now: Timestamp) -> LicenseView {
    LicenseView {
        id: license.id,
        state: license.standing(now).as_str(),
        order: license.order,
        product: license.product,
        plan: license.plan,
        customer: license.customer,
        group: license.group,
        key: held.and_then(Held::key),
        on_its_way: held.is_some_and(Held::is_awaited),
        content: held.and_then(Held::said),
        due_at: held.and_then(Held::promised_by),
        key_tail: license.key_tail.clone(),
        features: license.policy.features.clone(),
        feature_values: license.policy.feature_values.clone(),
        seats: license.policy.seats,
        seats_used: license.seats_used,
        started_at: license.started_at,
        expires_at: license.expires_at,
        updates_until: license.updates_until,
        usage: usage_view(license, now),
        policy: policy_view(&license.policy),
        created_at: license.created_at,
    }
}

/// A license for an app that knows its key: nothing about who bought it.
#[derive(Serialize)]
pub(super) struct PublicLicense<'a> {
    id: LicenseId,
    state: &'static str,
    product: ProductId,
    plan: PlanId,
    features: &'a [String],
    seats: Option<u32>,
    seats_used: u32,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
    key_tail: &'a str,
    // What most licenses have nothing to say of is left out: this is the most frequent answer there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    updates_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_false")]
    trial: bool,
    #[serde(skip_serializing_if = "is_false")]
    waits_for_start: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    seats_for: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageView>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    feature_values: &'a BTreeMap<String, FeatureValue>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what `skip_serializing_if` calls takes a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

pub(super) fn public(license: &License, now: Timestamp) -> PublicLicense<'_> {
    PublicLicense {
        id: license.id,
        state: license.standing(now).as_str(),
        product: license.product,
        plan: license.plan,
        features: &license.policy.features,
        seats: license.policy.seats,
        seats_used: license.seats_used,
        expires_at: license.expires_at,
        created_at: license.created_at,
        key_tail: &license.key_tail,
        updates_until: license.updates_until,
        grace_until: license.ends_at().filter(|_| license.policy.term.grace_days > 0),
        trial: license.policy.term.is_trial,
        waits_for_start: license.started_at.is_none(),
        seats_for: match license.policy.seating.holder {
            SeatHolder::Device => None,
            SeatHolder::User => Some(SeatHolder::User.as_str()),
        },
        lease_seconds: license.policy.seating.lease_seconds,
        usage: usage_view(license, now),
        feature_values: &license.policy.feature_values,
    }
}

#[derive(Serialize)]
struct ActivationView<'a> {
    id: ActivationId,
    state: &'static str,
    fingerprint: &'a str,
    name: Option<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check_in_due_at: Option<Timestamp>,
}

fn seat<'a>(license: &License, activation: &'a Activation) -> ActivationView<'a> {
    ActivationView {
        id: activation.id,
        state: activation.state.as_str(),
        fingerprint: activation.fingerprint.as_str(),
        name: activation.shown_name(),
        metadata: &activation.metadata,
        created_at: activation.created_at,
        last_seen_at: activation.last_seen_at,
        lease_ends_at: activation.lease_ends_at(license.policy.lease()),
        check_in_due_at: license.check_in_due_at(activation),
    }
}

/// One license with the devices that hold its seats.
#[derive(Serialize)]
struct WholeLicense<'a> {
    #[serde(flatten)]
    license: LicenseView,
    activations: Vec<ActivationView<'a>>,
}

pub(crate) async fn show(State(web): State<Web>, manager: Manager, Id(id): Id<LicenseId>) -> Result<Response, Problem> {
    manager.may_read()?;
    shown(&web, manager.shop.id, id, manager.may_manage().is_ok()).await
}

/// One license as it is now; its key only for whoever may change everything.
pub(super) async fn shown(web: &Web, shop: ShopId, id: LicenseId, with_key: bool) -> Result<Response, Problem> {
    let store = &web.app.store;
    let license =
        store.license(shop, id).await.map_err(app::Error::from)?.ok_or_else(|| Problem::not_found("license"))?;
    let seats = store.activations(shop, id).await.map_err(app::Error::from)?;
    let key = if with_key { web.app.held_of_license(&license).await? } else { None };
    let now = web.app.clock.now();
    let held: Vec<_> = seats.iter().filter(|row| license.is_seated(row, now)).collect();
    let mut shown = view(&license, key.as_ref(), now);
    shown.seats_used = license.seats_used.min(u32::try_from(held.len()).unwrap_or(u32::MAX));
    let activations = held.into_iter().map(|row| seat(&license, row)).collect();
    Ok(answer(StatusCode::OK, &WholeLicense { license: shown, activations }))
}

pub(crate) async fn list(
    State(web): State<Web>,
    manager: Manager,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    manager.may_read()?;
    let mut query = Query::read(query.as_deref())?;
    let asked = query.page()?;
    let filter = LicenseFilter {
        order: query.take("order", "the id of an order", |text| OrderId::parse(text).ok())?,
        customer: query.take("customer", "the id of a customer", |text| CustomerId::parse(text).ok())?,
        group: query.take("group", "the id of a group", |text| GroupId::parse(text).ok())?,
        state: None,
        key_tail: query.take("key_tail", "the last four symbols of a key", |text| {
            Some(text.to_ascii_uppercase()).filter(|tail| tail.len() == 4)
        })?,
    };
    query.done()?;
    let rows = web.app.store.licenses(manager.shop.id, &filter, asked).await.map_err(app::Error::from)?;
    let now = web.app.clock.now();
    Ok(listing(rows, |license| view(license, None, now)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidateInput<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    fingerprint: Option<Cow<'a, str>>,
    #[serde(borrow)]
    product: Option<Cow<'a, str>>,
    features: Option<Vec<String>>,
    version_released_at: Option<Timestamp>,
    components: Option<BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct ValidateView<'a> {
    valid: bool,
    code: &'static str,
    detail: String,
    license: Option<PublicLicense<'a>>,
    activation: Option<ActivationView<'a>>,
    certificate: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<&'static str>,
    /// Where a "no" is explained; a "yes", which is asked for all day, goes without.
    #[serde(skip_serializing_if = "Option::is_none")]
    doc_url: Option<String>,
}

fn doc_url(code: VerdictCode) -> Option<String> {
    (code != VerdictCode::Valid).then(|| format!("/docs/errors#{}", code.as_str()))
}

/// An app that asks: at which shop, and in which language its user reads.
pub(crate) struct Asker {
    pub(super) shop: Arc<Shop>,
    locale: Locale,
}

impl FromRequestParts<Web> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let shop = shop_of(&web.app, parts).await?;
        let accepted =
            parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wanted = app::messages::accept_language(accepted).into_iter().chain([shop.default_locale.clone()]);
        let locale = web.app.catalog.choose(wanted);
        Ok(Self { shop, locale })
    }
}

impl Asker {
    fn say(&self, web: &Web, id: &str, arguments: &[(&str, Arg<'_>)]) -> String {
        web.app.catalog.text(&self.locale, id, arguments)
    }

    /// What a verdict means, for the person in front of the app.
    pub(super) fn verdict(&self, web: &Web, verdict: &Verdict, retired: Option<&RetiredKey>) -> String {
        let id = match verdict.code {
            VerdictCode::Valid => "license-valid",
            VerdictCode::Unknown => "license-unknown",
            VerdictCode::KeyNotGenuine => "license-key_not_genuine",
            VerdictCode::KeyRetired => "license-key_retired",
            VerdictCode::Expired => "license-expired",
            VerdictCode::Suspended => "license-suspended",
            VerdictCode::Revoked => "license-revoked",
            VerdictCode::UpdateNotCovered => "license-update_not_covered",
            VerdictCode::NotActivated => "license-not_activated",
            VerdictCode::CheckInOverdue => "license-check_in_overdue",
            VerdictCode::WrongProduct => "license-wrong_product",
            VerdictCode::MissingFeature => "license-missing_feature",
            VerdictCode::UsageExhausted => "license-usage_exhausted",
        };
        let feature = verdict.missing_feature.as_deref().unwrap_or_default();
        let tail = retired.map(|retired| retired.new_tail.as_str()).unwrap_or_default();
        self.say(web, id, &[("feature", feature.into()), ("tail", tail.into())])
    }

    /// Where the slip is in a text that cannot be a key.
    fn slip(&self, web: &Web, slip: KeySlip) -> String {
        slip_text(&web.app.catalog, &self.locale, slip)
    }

    /// The key, or the answer for a key that nobody has.
    pub(super) async fn key(
        &self,
        web: &Web,
        kind: AttemptKind,
        text: &str,
        device: Option<&Fingerprint>,
    ) -> Result<KeyCode, Problem> {
        web.app.read_key(self.shop.id, text).await?.map_err(|slip| {
            web.app.note_mistyped_key(self.shop.id, kind, text, slip, device);
            let detail = self.slip(web, slip);
            match slip {
                KeySlip::Mistyped(_) | KeySlip::OfNobody => license_unknown(detail),
                KeySlip::NotGenuine(_) => of_key(StatusCode::FORBIDDEN, "license_key_not_genuine", detail),
            }
        })
    }

    /// Why there is no seat, in the user's language.
    pub(super) fn refused(&self, web: &Web, error: app::Error) -> Problem {
        let detail = match &error {
            app::Error::NotFound { .. } => return license_unknown(self.say(web, "license-unknown", &[])),
            app::Error::Refused(Refusal::LicenseNotUsable(Standing::Suspended)) => {
                self.say(web, "license-suspended", &[])
            }
            app::Error::Refused(Refusal::LicenseNotUsable(Standing::Expired)) => self.say(web, "license-expired", &[]),
            app::Error::Refused(Refusal::LicenseNotUsable(Standing::Revoked)) => self.say(web, "license-revoked", &[]),
            app::Error::Refused(Refusal::KeyRetired { new_tail }) => {
                self.say(web, "license-key_retired", &[("tail", new_tail.as_str().into())])
            }
            app::Error::Refused(Refusal::UpdateNotCovered) => self.say(web, "license-update_not_covered", &[]),
            app::Error::Refused(Refusal::NotActivated) => self.say(web, "license-not_activated", &[]),
            app::Error::Refused(Refusal::DeviceMissing) => self.say(web, "license-fingerprint_required", &[]),
            app::Error::Refused(Refusal::FileTimeOutOfRange { shortest, longest }) => self.say(
                web,
                "license-ttl_out_of_range",
                &[("shortest", Arg::Number(*shortest)), ("longest", Arg::Number(*longest))],
            ),
            app::Error::Refused(Refusal::UsageNotCounted) => self.say(web, "license-usage_not_counted", &[]),
            app::Error::Refused(Refusal::UsageExhausted { limit, left }) => {
                let number = |count: u64| Arg::Number(i64::try_from(count).unwrap_or(i64::MAX));
                self.say(web, "license-usage_left", &[("limit", number(*limit)), ("left", number(*left))])
            }
            app::Error::Refused(Refusal::SeatLimitReached { seats }) => {
                self.say(web, "license-seat_limit_reached", &[("seats", (*seats).into())])
            }
            app::Error::Refused(Refusal::GroupFull { seats }) => {
                self.say(web, "license-group_full", &[("seats", (*seats).into())])
            }
            app::Error::Refused(_)
            | app::Error::Unavailable(_)
            | app::Error::Conflict { .. }
            | app::Error::Configuration(_) => return error.into(),
        };
        Problem { detail, ..Problem::from(error) }
    }
}

fn license_unknown(detail: String) -> Problem {
    of_key(StatusCode::NOT_FOUND, "license_unknown", detail)
}

fn of_key(status: StatusCode, code: &'static str, detail: String) -> Problem {
    Problem { param: Some("key".to_owned()), ..Problem::new(status, code, detail) }
}

/// Where the slip is in a text that is no key, for the person who has it.
pub(crate) fn slip_text(catalog: &Catalog, locale: &Locale, slip: KeySlip) -> String {
    let number = |count: usize| Arg::Number(i64::try_from(count).unwrap_or(i64::MAX));
    let say = |id, arguments: &[(&str, Arg<'_>)]| catalog.text(locale, id, arguments);
    match slip {
        KeySlip::Mistyped(KeyCodeError::Empty) => say("license-key-empty", &[]),
        KeySlip::Mistyped(KeyCodeError::WrongLength { found }) => {
            say("license-key-length", &[("length", number(KeyCode::LENGTH)), ("found", number(found))])
        }
        KeySlip::Mistyped(KeyCodeError::BadSymbol { symbol, position }) => {
            let symbol = symbol.to_string();
            say("license-key-symbol", &[("position", number(position)), ("symbol", (&symbol).into())])
        }
        KeySlip::Mistyped(KeyCodeError::WrongCheckSymbols) => say("license-key-mistyped", &[]),
        KeySlip::NotGenuine(error) => say(not_genuine(error), &[]),
        KeySlip::OfNobody => say("license-unknown", &[]),
    }
}

/// The message that says what is wrong with a text that means to be a signed key.
pub(crate) fn not_genuine(error: SignedKeyError) -> &'static str {
    match error {
        SignedKeyError::TooLong => "license-key-long",
        SignedKeyError::NotASignedKey | SignedKeyError::BadEncoding => "license-key-cut",
        SignedKeyError::UnknownKey => "license-key-signer",
        SignedKeyError::BadSignature
        | SignedKeyError::BadClaims
        | SignedKeyError::MissingKeyId
        | SignedKeyError::Expired { .. }
        | SignedKeyError::WrongProduct => "license-key_not_genuine",
    }
}

/// The answer of a validation to a text that is no key.
fn no_key(code: VerdictCode, detail: String) -> Response {
    answer(
        StatusCode::OK,
        &ValidateView {
            valid: false,
            code: code.as_str(),
            detail,
            license: None,
            activation: None,
            certificate: None,
            warnings: vec![],
            doc_url: doc_url(code),
        },
    )
}

pub(super) fn fingerprint(text: &str) -> Result<Fingerprint, Problem> {
    Fingerprint::parse(text)
        .map_err(|error| Problem::invalid("fingerprint", "fingerprint_invalid", format!("`fingerprint` {error}.")))
}

/// Always 200 when the question was answered.
pub(crate) async fn validate(State(web): State<Web>, asker: Asker, sent: Json) -> Result<Response, Problem> {
    let input: ValidateInput<'_> = sent.read()?;
    let fingerprint = input.fingerprint.as_deref().map(fingerprint).transpose()?;
    let components = components(input.components)?;
    let key = match web.app.read_key(asker.shop.id, &input.key).await? {
        Ok(key) => key,
        Err(slip) => {
            let device = fingerprint.as_ref();
            web.app.note_mistyped_key(asker.shop.id, AttemptKind::Validate, &input.key, slip, device);
            let code = match slip {
                KeySlip::Mistyped(_) | KeySlip::OfNobody => VerdictCode::Unknown,
                KeySlip::NotGenuine(_) => VerdictCode::KeyNotGenuine,
            };
            return Ok(no_key(code, asker.slip(&web, slip)));
        }
    };
    let request = ValidationRequest {
        fingerprint,
        product: match input.product.as_deref() {
            Some(name) => Some(Box::pin(products(&web, &asker.shop, name)).await?),
            None => None,
        },
        features: input.features.unwrap_or_default(),
        version_released_at: input.version_released_at,
        components,
    };
    let told = web.app.validate_license(asker.shop.id, &key, &request).await?;
    let view = ValidateView {
        valid: told.verdict.is_valid(),
        code: told.verdict.code.as_str(),
        detail: asker.verdict(&web, &told.verdict, told.retired.as_ref()),
        license: told.license().map(|license| public(license, told.at)),
        activation: told.license().zip(told.activation()).map(|(license, row)| seat(license, row)),
        certificate: told.certificate.as_deref(),
        warnings: told.verdict.warnings.iter().map(|warning| warning.as_str()).collect(),
        doc_url: doc_url(told.verdict.code),
    };
    Ok(answer(StatusCode::OK, &view))
}

/// The product that an app names, by id or by slug. A name that nobody has fits no license.
pub(super) async fn products(web: &Web, shop: &Shop, name: &str) -> Result<Vec<ProductId>, Problem> {
    match ProductId::parse(name) {
        Ok(id) => Ok(vec![id]),
        Err(_) => Ok(web.app.product_named(shop.id, name).await?.into_iter().collect()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivateInput {
    key: String,
    fingerprint: String,
    name: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    version_released_at: Option<Timestamp>,
    components: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeatInput {
    key: String,
    fingerprint: String,
}

#[derive(Serialize)]
struct SeatAnswer<'a> {
    activation: ActivationView<'a>,
    license: PublicLicense<'a>,
    certificate: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<&'static str>,
}

fn seat_answer(status: StatusCode, told: &ActivateAnswer) -> Response {
    let view = SeatAnswer {
        activation: seat(&told.license, &told.activation),
        license: public(&told.license, told.at),
        certificate: told.certificate.as_deref(),
        warnings: told.warnings.iter().map(|warning| warning.as_str()).collect(),
    };
    answer(status, &view)
}

pub(super) fn text(param: &str, value: &str, longest: usize) -> Result<String, Problem> {
    // As sent, and not as kept: the description of the API counts what is sent.
    if value.chars().count() > longest {
        let error = domain::TextError::TooLong(longest);
        return Err(Problem::invalid(param, "text_invalid", format!("`{param}` {error}.")));
    }
    plain_text(value, longest).map_err(|error| Problem::invalid(param, "text_invalid", format!("`{param}` {error}.")))
}

/// What a device is made of: a few names, each with an opaque text.
fn components(sent: Option<BTreeMap<String, String>>) -> Result<BTreeMap<String, String>, Problem> {
    let sent = sent.unwrap_or_default();
    if sent.len() > 20 {
        return Err(Problem::invalid("components", "parameter_invalid", "`components` takes at most 20 entries."));
    }
    entries("components", sent, 255)
}

/// Names and values as they are kept. Two names that are the same when they are kept are told, and neither is lost.
fn entries(param: &str, sent: BTreeMap<String, String>, longest: usize) -> Result<BTreeMap<String, String>, Problem> {
    let mut kept = BTreeMap::new();
    for (name, value) in sent {
        let name = text(param, &name, 40)?;
        if kept.contains_key(&name) {
            return Err(Problem::invalid(param, "parameter_invalid", format!("`{param}` names `{name}` twice.")));
        }
        let value = text(param, &value, longest)?;
        kept.insert(name, value);
    }
    Ok(kept)
}

pub(crate) async fn activate(State(web): State<Web>, asker: Asker, sent: Json) -> Result<Response, Problem> {
    let input: ActivateInput = sent.read()?;
    let device = fingerprint(&input.fingerprint);
    let key = asker.key(&web, AttemptKind::Activate, &input.key, device.as_ref().ok()).await?;
    let metadata = input.metadata.unwrap_or_default();
    if metadata.len() > 20 {
        return Err(Problem::invalid("metadata", "metadata_too_large", "`metadata` takes at most 20 entries."));
    }
    let request = ActivationRequest {
        fingerprint: device?,
        name: input.name.map(|name| text("name", &name, 100)).transpose()?,
        metadata: entries("metadata", metadata, 200)?,
        version_released_at: input.version_released_at,
        components: components(input.components)?,
    };
    let told =
        web.app.activate_license(asker.shop.id, &key, &request).await.map_err(|error| asker.refused(&web, error))?;
    Ok(seat_answer(if told.is_new { StatusCode::CREATED } else { StatusCode::OK }, &told))
}

pub(crate) async fn deactivate(State(web): State<Web>, asker: Asker, sent: Json) -> Result<Response, Problem> {
    let input: SeatInput = sent.read()?;
    let device = fingerprint(&input.fingerprint);
    let key = asker.key(&web, AttemptKind::Deactivate, &input.key, device.as_ref().ok()).await?;
    let device = device?;
    let told = web
        .app
        .deactivate_license(asker.shop.id, &key, &device, Actor::App)
        .await
        .map_err(|error| asker.refused(&web, error))?;
    Ok(seat_answer(StatusCode::OK, &told))
}

pub(crate) async fn heartbeat(State(web): State<Web>, asker: Asker, sent: Json) -> Result<Response, Problem> {
    let input: SeatInput = sent.read()?;
    let device = fingerprint(&input.fingerprint);
    let key = asker.key(&web, AttemptKind::Heartbeat, &input.key, device.as_ref().ok()).await?;
    let device = device?;
    let told =
        web.app.heartbeat_license(asker.shop.id, &key, &device).await.map_err(|error| asker.refused(&web, error))?;
    Ok(seat_answer(StatusCode::OK, &told))
}

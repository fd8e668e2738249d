//! What is told of licenses, machines, components and entitlements, as JSON:API resources.

use std::collections::BTreeMap;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::{
    Activation, ActivationId, Age, Duration, ForeignSystem, License, LicenseState, Overage, Standing, Timestamp,
};
use latchkey_license::KeyCode;
use serde_json::{Map, Value, json};

use super::JSON_API;
use super::call::{Call, Held};
use super::fault::Fault;
use crate::Web;
use crate::compat::{Told, stable_uuid};

/// Within how long of its end a license is told to be expiring.
const EXPIRING: Duration = Duration::days(3);

/// Attributes of a machine that are kept among the notes on the device, under the same names.
pub(super) const KEPT_ATTRIBUTES: [&str; 6] = ["ip", "hostname", "platform", "cores", "memory", "disk"];

/// A license with everything that is told of it.
pub(super) struct Holder {
    pub(super) license: License,
    pub(super) key: KeyCode,
    /// The key as its app knows it.
    pub(super) shown_key: String,
    /// Whether that is a key that we have signed.
    is_signed: bool,
    pub(super) told: Told,
    pub(super) at: Timestamp,
    account: String,
    /// The ids that Keygen gave; `None` stands for the license.
    ids: BTreeMap<Option<ActivationId>, String>,
}

impl Holder {
    pub(super) async fn read(web: &Web, call: &Call, held: Held) -> Result<Self, Fault> {
        let store = &web.app.store;
        let (shop, at) = (call.shop.id, web.app.clock.now());
        let mut license = held.view.license.clone();
        license.seats_used = license.seats_used.saturating_sub(held.view.lapsed);
        let ids = store.foreign_ids(shop, ForeignSystem::Keygen, license.id).await?;
        let foreign = store.foreign_key_of(shop, license.id).await?.map(|key| key.as_str().to_owned());
        let told = Told::read(web, ForeignSystem::Keygen, license.clone(), at).await?;
        let signed = if foreign.is_none() && told.is_sold_with_a_signed_key() {
            store.signed_key(shop, license.id).await?
        } else {
            None
        };
        let is_signed = signed.is_some();
        let signed = signed.map(|signed| signed.text.to_string());
        let shown_key = foreign.or(signed).unwrap_or_else(|| held.key.to_string());
        let account = told.named("account_id").map(str::to_owned).or_else(|| call.account.clone());
        let account = account.unwrap_or_else(|| shop.uuid());
        Ok(Self { license, key: held.key, shown_key, is_signed, told, at, account, ids })
    }

    /// The same, after something about the license has changed.
    pub(super) fn with(self, license: License, at: Timestamp) -> Self {
        Self { license, at, ..self }
    }

    /// The machine has this id from now on.
    pub(super) fn name_machine(&mut self, seat: ActivationId, id: &str) {
        self.ids.insert(Some(seat), id.to_owned());
    }

    pub(super) fn id(&self) -> String {
        self.ids.get(&None).cloned().unwrap_or_else(|| self.license.id.uuid())
    }

    pub(super) fn machine_id(&self, seat: &Activation) -> String {
        self.ids.get(&Some(seat.id)).cloned().unwrap_or_else(|| seat.id.uuid())
    }

    pub(super) fn product_id(&self) -> String {
        self.told.named("product_id").map_or_else(|| self.license.product.uuid(), str::to_owned)
    }

    pub(super) fn policy_id(&self) -> String {
        self.told.named("policy_id").map_or_else(|| self.license.plan.uuid(), str::to_owned)
    }

    /// Whether the license is for several machines, as its policy there said.
    pub(super) fn is_floating(&self) -> bool {
        match self.told.named("floating") {
            Some(flag) => flag == "true",
            None => self.license.policy.seats != Some(1),
        }
    }

    pub(super) fn is_strict(&self) -> bool {
        self.told.is_noted("strict")
    }

    pub(super) fn allows_overage(&self) -> bool {
        match self.license.policy.seating.overage {
            Overage::Deny => false,
            Overage::Quarter | Overage::Half | Overage::Double | Overage::Always => true,
        }
    }

    pub(super) fn path(&self, rest: &str) -> String {
        format!("/v1/accounts/{}/{rest}", self.account)
    }

    fn account(&self) -> Value {
        json!({
            "links": { "related": format!("/v1/accounts/{}", self.account) },
            "data": { "type": "accounts", "id": self.account },
        })
    }

    /// How the key is signed, if it is.
    fn scheme(&self) -> Option<&str> {
        if self.is_signed { Some("ED25519_SIGN") } else { self.told.named("scheme") }
    }

    fn status(&self) -> &'static str {
        let license = &self.license;
        let end = license.ends_at();
        match license.standing(self.at) {
            // Over by itself, and not taken back.
            Standing::Revoked if license.state == LicenseState::Active => "EXPIRED",
            Standing::Revoked => "BANNED",
            Standing::Suspended => "SUSPENDED",
            Standing::Expired => "EXPIRED",
            Standing::Active if license.age(self.at) == Age::Over => "EXPIRED",
            Standing::Active if end.is_some_and(|end| end <= self.at.after(EXPIRING)) => "EXPIRING",
            Standing::Active => "ACTIVE",
        }
    }

    /// The license. `validated` is when it was last asked about, where that is now.
    pub(super) fn resource(&self, validated: bool) -> Value {
        let (license, id) = (&self.license, self.id());
        let related = |what: &str| json!({ "related": self.path(&format!("licenses/{id}/{what}")) });
        let none = |what: &str| json!({ "links": related(what), "data": null });
        let policy = &license.policy;
        let metadata = self.told.named("metadata").and_then(|text| serde_json::from_str::<Value>(text).ok());
        json!({
            "id": id,
            "type": "licenses",
            "attributes": {
                "name": self.told.named("name"),
                "key": self.shown_key,
                "expiry": license.ends_at().map(time),
                "status": self.status(),
                "uses": used(license, self.at),
                "suspended": license.standing(self.at) == Standing::Suspended,
                "scheme": self.scheme(),
                "encrypted": false,
                "strict": self.is_strict(),
                "floating": self.is_floating(),
                "protected": false,
                "version": null,
                "maxMachines": policy.seats,
                "maxProcesses": null,
                "maxUsers": null,
                "maxCores": null,
                "maxMemory": null,
                "maxDisk": null,
                "maxUses": policy.usage.as_ref().and_then(|usage| usage.limit),
                "requireHeartbeat": policy.seating.lease_seconds.is_some(),
                "requireCheckIn": false,
                "lastValidated": validated.then(|| time(self.at)),
                "lastCheckIn": null,
                "nextCheckIn": null,
                "lastCheckOut": null,
                "metadata": metadata.unwrap_or_else(|| json!({})),
                "created": time(self.told.order.created_at),
                "updated": time(license.created_at.max(self.told.order.created_at)),
            },
            "relationships": {
                "account": self.account(),
                "product": { "links": related("product"), "data": { "type": "products", "id": self.product_id() } },
                "policy": { "links": related("policy"), "data": { "type": "policies", "id": self.policy_id() } },
                "group": none("group"),
                "owner": match self.told.named("owner_id") {
                    Some(owner) => json!({ "links": related("owner"), "data": { "type": "users", "id": owner } }),
                    None => none("owner"),
                },
                "users": { "links": related("users"), "meta": { "count": 0 } },
                "machines": {
                    "links": related("machines"),
                    "meta": { "cores": 0, "memory": 0, "disk": 0, "count": license.seats_used },
                },
                "tokens": { "links": related("tokens") },
                "entitlements": { "links": related("entitlements") },
            },
            "links": { "self": self.path(&format!("licenses/{id}")) },
        })
    }

    /// A machine.
    pub(super) fn machine(&self, seat: &Activation) -> Value {
        let (license, id) = (&self.license, self.machine_id(seat));
        let lease = license.policy.seating.lease_seconds;
        // Where a lease is kept, taking the seat is the first sign of life; where none is, a heartbeat is.
        let is_heard = lease.is_some() || seat.last_seen_at > seat.created_at;
        let duration = lease.unwrap_or(600);
        let next = seat.last_seen_at.after(Duration::seconds(i64::from(duration)));
        let (kept, metadata) = notes_out(&seat.metadata);
        let kept = |name: &str| kept.get(name).cloned().unwrap_or(Value::Null);
        let related = |what: &str| json!({ "related": self.path(&format!("machines/{id}/{what}")) });
        json!({
            "id": id,
            "type": "machines",
            "attributes": {
                "fingerprint": seat.fingerprint.as_str(),
                "cores": kept("cores"),
                "memory": kept("memory"),
                "disk": kept("disk"),
                "ip": kept("ip"),
                "hostname": kept("hostname"),
                "platform": kept("platform"),
                "name": seat.name,
                "requireHeartbeat": is_heard,
                "heartbeatStatus": if is_heard { "ALIVE" } else { "NOT_STARTED" },
                "heartbeatDuration": duration,
                "maxProcesses": null,
                "lastCheckOut": null,
                "lastHeartbeat": is_heard.then(|| time(seat.last_seen_at)),
                "nextHeartbeat": is_heard.then(|| time(next)),
                "metadata": metadata,
                "created": time(seat.created_at),
                "updated": time(seat.last_seen_at.max(seat.created_at)),
            },
            "relationships": {
                "account": self.account(),
                "product": { "links": related("product"), "data": { "type": "products", "id": self.product_id() } },
                "group": { "links": related("group"), "data": null },
                "license": { "links": related("license"), "data": { "type": "licenses", "id": self.id() } },
                "owner": { "links": related("owner"), "data": null },
                "components": { "links": related("components") },
                "processes": { "links": related("processes") },
            },
            "links": { "self": self.path(&format!("machines/{id}")) },
        })
    }

    /// The components of a machine.
    pub(super) fn components(&self, seat: &Activation) -> Vec<Value> {
        let machine = self.machine_id(seat);
        let component = |(name, fingerprint): (&String, &String)| {
            let id = stable_uuid(&format!("{machine}/{name}"));
            json!({
                "id": id,
                "type": "components",
                "attributes": {
                    "fingerprint": fingerprint,
                    "name": name,
                    "metadata": {},
                    "created": time(seat.created_at),
                    "updated": time(seat.created_at),
                },
                "relationships": {
                    "account": self.account(),
                    "product": { "data": { "type": "products", "id": self.product_id() } },
                    "license": { "data": { "type": "licenses", "id": self.id() } },
                    "machine": { "data": { "type": "machines", "id": machine } },
                },
                "links": { "self": self.path(&format!("components/{id}")) },
            })
        };
        seat.components.iter().map(component).collect()
    }

    /// The features that are switched on, as entitlements.
    pub(super) fn entitlements(&self) -> Vec<Value> {
        let policy = &self.license.policy;
        let valued = policy.feature_values.iter().filter(|(_, value)| value.is_on()).map(|(name, _)| name);
        let created = time(self.told.order.created_at);
        let entitlement = |code: &String| {
            let id = stable_uuid(&format!("{}/{code}", self.license.shop));
            json!({
                "id": id,
                "type": "entitlements",
                "attributes": { "name": code, "code": code, "metadata": {}, "created": created, "updated": created },
                "relationships": { "account": self.account() },
                "links": { "self": self.path(&format!("entitlements/{id}")) },
            })
        };
        policy.features.iter().chain(valued).map(entitlement).collect()
    }

    /// The product, as far as it is known here.
    pub(super) fn product(&self) -> Value {
        let id = self.product_id();
        let created = time(self.told.order.created_at);
        json!({
            "id": id,
            "type": "products",
            "attributes": {
                "name": self.told.product_name, "code": null, "distributionStrategy": "LICENSED", "url": null,
                "platforms": [], "metadata": {}, "created": created, "updated": created,
            },
            "relationships": { "account": self.account() },
            "links": { "self": self.path(&format!("products/{id}")) },
        })
    }

    /// The policy, as far as it is known here.
    pub(super) fn policy(&self) -> Value {
        let (id, policy) = (self.policy_id(), &self.license.policy);
        let created = time(self.told.order.created_at);
        json!({
            "id": id,
            "type": "policies",
            "attributes": {
                "name": self.told.plan_name,
                "duration": policy.valid_days.map(|days| u64::from(days) * 86_400),
                "strict": self.is_strict(),
                "floating": self.is_floating(),
                "maxMachines": policy.seats,
                "maxProcesses": null, "maxUsers": null, "maxCores": null, "maxMemory": null, "maxDisk": null,
                "maxUses": policy.usage.as_ref().and_then(|usage| usage.limit),
                "requireHeartbeat": policy.seating.lease_seconds.is_some(),
                "heartbeatDuration": policy.seating.lease_seconds,
                "requireCheckIn": false, "scheme": null, "encrypted": false, "protected": false,
                "metadata": {}, "created": created, "updated": created,
            },
            "relationships": {
                "account": self.account(),
                "product": { "data": { "type": "products", "id": self.product_id() } },
            },
            "links": { "self": self.path(&format!("policies/{id}")) },
        })
    }

    /// A file that was checked out, with what it is about.
    pub(super) fn file(&self, kind: &str, id: &str, attributes: &Value, seat: Option<&Activation>) -> Value {
        let mut relationships = json!({
            "account": self.account(),
            "license": {
                "links": { "related": self.path(&format!("licenses/{}", self.id())) },
                "data": { "type": "licenses", "id": self.id() },
            },
        });
        if let Some(seat) = seat {
            let machine = self.machine_id(seat);
            relationships["machine"] = json!({
                "links": { "related": self.path(&format!("machines/{machine}")) },
                "data": { "type": "machines", "id": machine },
            });
        }
        json!({ "id": id, "type": kind, "attributes": attributes, "relationships": relationships })
    }
}

/// What was counted: in this period, where there are periods.
fn used(license: &License, now: Timestamp) -> u64 {
    if license.policy.usage.is_some() { license.used(now) } else { license.uses }
}

/// The notes on a device: what Keygen has attributes for, and the app's own.
fn notes_out(notes: &BTreeMap<String, String>) -> (BTreeMap<&str, Value>, Map<String, Value>) {
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    let (kept, own): (Vec<_>, Vec<_>) = notes.iter().partition(|(name, _)| KEPT_ATTRIBUTES.contains(&name.as_str()));
    let kept = kept.into_iter().map(|(name, text)| (name.as_str(), value(text))).collect();
    (kept, own.into_iter().map(|(name, text)| (name.clone(), value(text))).collect())
}

/// A value as it is kept among the notes on a device, so that it is told again as it was: a text as it is, unless it
/// would be read as something else.
pub(super) fn note(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if serde_json::from_str::<Value>(text).is_err() => Some(text.clone()),
        Value::String(_) | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string())
        }
    }
}

/// Three digits of a second and `Z`, as they write it.
pub(super) fn time(at: Timestamp) -> String {
    let text = at.to_string();
    let whole = text.trim_end_matches('Z');
    let (seconds, fraction) = whole.split_once('.').unwrap_or((whole, ""));
    format!("{seconds}.{fraction:0<3.3}Z")
}

/// One resource, or what goes with a document, as an answer.
pub(super) fn answer(status: StatusCode, document: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, JSON_API)], document.to_string()).into_response()
}

/// A page of a list: `limit` or `page[size]` of 1 to 100, and `page[number]` from 1.
pub(super) fn page(call: &Call, rows: Vec<Value>) -> Result<Response, Fault> {
    let read = |name: &str, most: usize| match call.query.get(name).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => match text.parse::<usize>() {
            Ok(count) if (1..=most).contains(&count) => Ok(Some(count)),
            Ok(_) | Err(_) => Err(Fault::bad(format!("must be a number from 1 to {most}")).of_parameter(name)),
        },
    };
    let limit = read("limit", 100)?;
    let size = read("page[size]", 100)?.or(limit).unwrap_or(10);
    let number = read("page[number]", 1_000)?.unwrap_or(1);
    let count = rows.len();
    let rows: Vec<Value> = rows.into_iter().skip(size * (number - 1)).take(size).collect();
    let link = |number: usize| format!("{}?page[number]={number}&page[size]={size}", call.path);
    let last = count.div_ceil(size).max(1);
    let links = json!({
        "self": link(number),
        "prev": (number > 1).then(|| link(number - 1)),
        "next": (number < last).then(|| link(number + 1)),
        "first": link(1),
        "last": link(last),
        "meta": { "pages": last, "count": count },
    });
    Ok(answer(StatusCode::OK, &json!({ "data": rows, "links": links })))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_have_three_digits_of_a_second() {
        for (microseconds, text) in [
            (1_611_497_707_000_000, "2021-01-24T14:15:07.000Z"),
            (1_611_497_707_120_000, "2021-01-24T14:15:07.120Z"),
            (1_611_497_707_123_456, "2021-01-24T14:15:07.123Z"),
        ] {
            assert_eq!(time(Timestamp::from_microseconds(microseconds)), text);
        }
    }

    #[test]
    fn what_an_app_notes_is_told_again_as_it_was() {
        let sent = json!({ "a": "text", "b": 5, "c": "5", "d": true, "e": "true", "f": { "g": [1] }, "h": "\"" });
        let sent = sent.as_object().unwrap();
        let kept = sent.iter().map(|(name, value)| (name.clone(), note(value).unwrap())).collect();
        assert_eq!(notes_out(&kept).1, *sent);
    }
}

//! Keygen: the answers of `GET licenses`, `machines`, and, where there are any, `users`, `components` and `groups`, every
//! page in one file (<https://keygen.sh/docs/api/licenses/#licenses-list>). The entitlements of a license or of a policy do
//! not say whose they are: their pages carry it beside `data`, as `license` or `policy`.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Email, ForeignSystem, ImportRecord, ImportedGroup, ImportedSeat, LicenseState, SeatsThere, plain_text};
use serde_json::Value;

use super::ImportLine;
use super::document::{count, fingerprint, flag, key, label, notes, related, sold_at, text, time};

/// What is true of the plan, and not of one license alone.
pub(super) const PLAN_WORDS: &[&str] = &["account_id", "product_id", "policy_id", "strict"];

/// The longest metadata that is told again to apps, as JSON.
const LONGEST_METADATA: usize = 4_000;

/// Under which names sellers keep a buyer's address in the metadata of a license.
const EMAIL_FIELDS: [&str; 5] = ["email", "customerEmail", "userEmail", "buyerEmail", "ownerEmail"];

/// What goes with licenses, by what it belongs to.
#[derive(Default)]
struct Known<'a> {
    machines: BTreeMap<String, Vec<&'a Value>>,
    components: BTreeMap<String, Vec<&'a Value>>,
    users: BTreeMap<String, &'a Value>,
    groups: BTreeMap<String, &'a Value>,
    /// Codes, by the id of a license or a policy.
    entitlements: BTreeMap<String, BTreeSet<String>>,
}

pub(super) fn lines(documents: &[Value]) -> Vec<ImportLine> {
    let mut known = Known::default();
    let mut licenses = Vec::new();
    for document in documents {
        let whose = text(document, &["license"]).or_else(|| text(document, &["policy"]));
        let objects = match document.get("data") {
            Some(Value::Array(several)) => several.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            Some(_) | None => vec![document],
        };
        for object in objects {
            let id = text(object, &["id"]).unwrap_or_default();
            match text(object, &["type"]).as_deref() {
                Some("licenses") => licenses.push(object),
                Some("machines") => {
                    known.machines.entry(related(object, "license").unwrap_or_default()).or_default().push(object);
                }
                Some("components") => {
                    known.components.entry(related(object, "machine").unwrap_or_default()).or_default().push(object);
                }
                Some("users") => {
                    known.users.insert(id, object);
                }
                Some("groups") => {
                    known.groups.insert(id.to_ascii_lowercase(), object);
                }
                Some("entitlements") => {
                    let code = object.get("attributes").and_then(|attributes| text(attributes, &["code"]));
                    let of = known.entitlements.entry(whose.clone().unwrap_or_default()).or_default();
                    of.extend(code);
                }
                Some(_) | None => {}
            }
        }
    }
    let line = |(object, number): (&Value, usize)| {
        let place = text(object, &["id"]).map_or_else(|| format!("license {number}"), |id| format!("licenses/{id}"));
        ImportLine { place, record: record(object, &known) }
    };
    licenses.into_iter().zip(1..).map(line).collect()
}

fn record(object: &Value, known: &Known<'_>) -> Result<ImportRecord, String> {
    let attributes = object.get("attributes").ok_or("It has no `attributes`.")?;
    let id = text(object, &["id"]).ok_or("It has no `id`.")?.to_ascii_lowercase();
    let created_at = sold_at(attributes, &["created"])?;
    let machines = known.machines.get(&id).map(Vec::as_slice).unwrap_or_default();
    let seated = machines.iter().map(|machine| seat(machine, known)).collect::<Result<Vec<_>, String>>()?;
    // Without them the apps on those devices would be told that they are unknown.
    let counted = object.pointer("/relationships/machines/meta/count").and_then(Value::as_u64).unwrap_or_default();
    if u64::try_from(seated.len()) != Ok(counted) {
        return Err(format!(
            "It has {counted} machines, and the file holds {} of them: export machines as well.",
            seated.len()
        ));
    }
    let owner = related(object, "owner").or_else(|| related(object, "user"));
    let user = owner.as_ref().and_then(|owner| known.users.get(owner)).and_then(|user| user.get("attributes"));
    let status = text(attributes, &["status"]);
    let state = if status.as_deref() == Some("BANNED") {
        LicenseState::RevokedByPerson
    } else if flag(attributes, "suspended") {
        LicenseState::SuspendedByPerson
    } else {
        LicenseState::Active
    };
    let policy = related(object, "policy");
    let entitlements = [Some(&id), policy.as_ref()].into_iter().flatten();
    let features: BTreeSet<String> =
        entitlements.filter_map(|of| known.entitlements.get(of)).flatten().cloned().collect();
    Ok(ImportRecord {
        system: ForeignSystem::Keygen,
        key: key(attributes, &["key"])?,
        id: Some(id),
        email: address(attributes, user)?,
        name: user.and_then(|user| label(user, &["fullName"])),
        country: None,
        state,
        seats: seats(attributes)?,
        features: features.into_iter().collect(),
        created_at,
        expires_at: time(attributes, &["expiry"])?,
        uses: count(attributes, &["uses"])?.unwrap_or_default(),
        usage_limit: count(attributes, &["maxUses"])?,
        seated,
        group: group(object, known)?,
        notes: noted(object, attributes),
    })
}

/// How many machines it allows: one where it is not floating and nothing is said.
fn seats(attributes: &Value) -> Result<SeatsThere, String> {
    Ok(match count(attributes, &["maxMachines"])? {
        Some(most) => SeatsThere::up_to(Some(most)),
        None if flag(attributes, "floating") => SeatsThere::Unlimited,
        None => SeatsThere::AtMost(1),
    })
}

/// The group that it is in. Without its limits more would be given than there is.
fn group(object: &Value, known: &Known<'_>) -> Result<Option<ImportedGroup>, String> {
    let Some(id) = related(object, "group").map(|id| id.to_ascii_lowercase()) else { return Ok(None) };
    let of = known.groups.get(&id).and_then(|group| group.get("attributes"));
    let of = of.ok_or("It is in a group, and the file does not hold it: export groups as well.")?;
    let limit = |field| Ok::<_, String>(count(of, &[field])?.map(|most| u32::try_from(most).unwrap_or(u32::MAX)));
    Ok(Some(ImportedGroup {
        name: label(of, &["name"]).unwrap_or_else(|| id.clone()),
        max_licenses: limit("maxLicenses")?,
        max_seats: limit("maxMachines")?,
        created_at: time(of, &["created"])?.ok_or("Its group has no `created`.")?,
        id,
    }))
}

/// The buyer's address: that of the owner, or one that the seller has noted.
fn address(attributes: &Value, user: Option<&Value>) -> Result<Option<Email>, String> {
    let noted = attributes.get("metadata");
    let noted = || EMAIL_FIELDS.iter().find_map(|field| text(noted?, &[field]));
    let found = user.and_then(|user| text(user, &["email"])).or_else(noted);
    found.map(|text| Email::parse(&text).map_err(|error| format!("The buyer's address {error}."))).transpose()
}

/// What its apps are told again.
fn noted(object: &Value, attributes: &Value) -> BTreeMap<String, String> {
    let mut kept =
        notes(attributes, &[("name", "name"), ("strict", "strict"), ("floating", "floating"), ("scheme", "scheme")]);
    let metadata =
        attributes.get("metadata").filter(|metadata| metadata.as_object().is_some_and(|map| !map.is_empty()));
    kept.extend(
        metadata
            .and_then(|metadata| plain_text(&metadata.to_string(), LONGEST_METADATA).ok())
            .map(|metadata| ("metadata".to_owned(), metadata)),
    );
    for (relationship, note) in
        [("account", "account_id"), ("product", "product_id"), ("policy", "policy_id"), ("owner", "owner_id")]
    {
        kept.extend(related(object, relationship).map(|id| (note.to_owned(), id)));
    }
    kept
}

fn seat(machine: &Value, known: &Known<'_>) -> Result<ImportedSeat, String> {
    let attributes = machine.get("attributes").ok_or("A machine has no `attributes`.")?;
    let id = text(machine, &["id"]).map(|id| id.to_ascii_lowercase());
    let components = id.as_ref().and_then(|id| known.components.get(id)).map(Vec::as_slice).unwrap_or_default();
    let component = |component: &&Value| {
        let attributes = component.get("attributes")?;
        Some((label(attributes, &["name"])?, text(attributes, &["fingerprint"])?))
    };
    let described = ["ip", "hostname", "platform", "cores", "memory", "disk"].map(|name| (name, name));
    let mut metadata = BTreeMap::new();
    if let Some(own) = attributes.get("metadata").and_then(Value::as_object) {
        let fields: Vec<(&str, &str)> = own.keys().map(|name| (name.as_str(), name.as_str())).collect();
        metadata.extend(notes(attributes.get("metadata").unwrap_or(&Value::Null), &fields));
    }
    metadata.extend(notes(attributes, &described));
    Ok(ImportedSeat {
        fingerprint: fingerprint(attributes, "fingerprint")?,
        id,
        name: label(attributes, &["name"]),
        metadata,
        components: components.iter().filter_map(component).collect(),
        created_at: time(attributes, &["created"])?.ok_or("A machine has no `created`.")?,
    })
}

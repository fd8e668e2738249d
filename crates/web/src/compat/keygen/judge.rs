//! Whether a license works for an app, as Keygen says it: the first rule that does not hold gives the code.

use std::collections::BTreeSet;

use domain::{Activation, Age, AtExpiry, LicenseState, Matching, Standing};
use serde_json::{Map, Value};

use super::call::Call;
use super::document::Holder;
use super::fault::Fault;

/// What an app wants to hold.
#[derive(Debug, Default)]
pub(super) struct Scope {
    environment: Option<Option<String>>,
    product: Option<String>,
    policy: Option<String>,
    user: Option<Option<String>>,
    machine: Option<String>,
    pub(super) fingerprint: Option<String>,
    fingerprints: Option<Vec<String>>,
    components: Option<Vec<String>>,
    entitlements: Option<Vec<String>>,
}

/// The answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) is_valid: bool,
    pub(super) detail: &'static str,
    pub(super) code: &'static str,
}

const fn no(code: &'static str, detail: &'static str) -> Judgement {
    Judgement { is_valid: false, detail, code }
}

/// For a key that nobody has.
pub(super) const NOT_FOUND: Judgement = no("NOT_FOUND", "does not exist");

impl Scope {
    /// Reads `meta.scope`; `None` when the app sends none.
    pub(super) fn read(call: &Call) -> Result<Option<Self>, Fault> {
        let scope = match call.body.pointer("/meta/scope") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(scope)) => scope,
            Some(_) => return Err(mismatch("hash", "/meta/scope")),
        };
        Ok(Some(Self {
            environment: nullable(scope, "environment")?,
            product: text(scope, "product")?,
            policy: text(scope, "policy")?,
            user: nullable(scope, "user")?,
            machine: text(scope, "machine")?,
            fingerprint: text(scope, "fingerprint")?,
            fingerprints: texts(scope, "fingerprints")?,
            components: texts(scope, "components")?,
            entitlements: texts(scope, "entitlements")?,
        }))
    }

    /// Whether it asks for machines, so that they have to be known.
    pub(super) fn asks_for_machines(&self) -> bool {
        self.machine.is_some() || self.fingerprint.is_some() || self.fingerprints.is_some()
    }
}

fn mismatch(expected: &str, pointer: &str) -> Fault {
    Fault::bad(format!("type mismatch (expected {expected})")).at(pointer)
}

fn nullable(scope: &Map<String, Value>, name: &str) -> Result<Option<Option<String>>, Fault> {
    match scope.get(name) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(text)) => Ok(Some(Some(text.clone()))),
        Some(_) => Err(mismatch("string", &format!("/meta/scope/{name}"))),
    }
}

fn text(scope: &Map<String, Value>, name: &str) -> Result<Option<String>, Fault> {
    match nullable(scope, name)? {
        Some(None) => Err(Fault::bad("cannot be null").at(format!("/meta/scope/{name}"))),
        Some(Some(text)) => Ok(Some(text)),
        None => Ok(None),
    }
}

fn texts(scope: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Fault> {
    let Some(value) = scope.get(name) else { return Ok(None) };
    let Value::Array(values) = value else { return Err(mismatch("array", &format!("/meta/scope/{name}"))) };
    let text = |(place, value): (usize, &Value)| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(mismatch("string", &format!("/meta/scope/{name}/{place}")))
        }
    };
    // Sorted, and each of them once: what is said twice counts once.
    let unique = values.iter().enumerate().map(text).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(Some(unique.into_iter().collect()))
}

/// Judges. `seats` are those that are held, where the scope asks for them. Without a scope nothing is asked of the app.
pub(super) fn judge(holder: &Holder, seats: &[Activation], scope: Option<&Scope>) -> Judgement {
    let license = &holder.license;
    match license.standing(holder.at) {
        Standing::Revoked if license.state == LicenseState::Active => return no("EXPIRED", "is expired"),
        Standing::Revoked => return no("BANNED", "is banned"),
        Standing::Suspended => return no("SUSPENDED", "is suspended"),
        Standing::Active | Standing::Expired => {}
    }
    if let Some(scope) = scope {
        let asking = seats.iter().find(|seat| scope.fingerprint.as_deref() == Some(seat.fingerprint.as_str()));
        if asking.and_then(|seat| license.check_in_due_at(seat)).is_some_and(|due| due <= holder.at) {
            return no("OVERDUE", "is overdue for check in");
        }
        let refused = of_license(holder, scope)
            .or_else(|| of_machine(holder, seats, scope))
            .or_else(|| of_fingerprints(holder, seats, scope))
            .or_else(|| of_components(asking, license.policy.seating.matching, scope));
        if let Some(refused) = refused {
            return refused;
        }
    }
    if holder.is_strict()
        && let Some(refused) = of_count(holder)
    {
        return refused;
    }
    match (license.age(holder.at), license.policy.term.at_expiry) {
        (Age::Running | Age::InGrace, _) => Judgement { is_valid: true, detail: "is valid", code: "VALID" },
        (Age::Over, AtExpiry::Keep | AtExpiry::Allow) => {
            Judgement { is_valid: true, detail: "is expired", code: "EXPIRED" }
        }
        (Age::Over, AtExpiry::Restrict | AtExpiry::End) => no("EXPIRED", "is expired"),
    }
}

/// What is asked of the license itself.
fn of_license(holder: &Holder, scope: &Scope) -> Option<Judgement> {
    let license = &holder.license;
    if matches!(scope.environment, Some(Some(_))) {
        return Some(no("ENVIRONMENT_SCOPE_MISMATCH", "environment scope does not match"));
    }
    let product = [holder.product_id(), license.product.uuid(), license.product.to_string()];
    if scope.product.as_ref().is_some_and(|asked| !product.contains(asked)) {
        return Some(no("PRODUCT_SCOPE_MISMATCH", "product scope does not match"));
    }
    let policy = [holder.policy_id(), license.plan.uuid(), license.plan.to_string()];
    if scope.policy.as_ref().is_some_and(|asked| !policy.contains(asked)) {
        return Some(no("POLICY_SCOPE_MISMATCH", "policy scope does not match"));
    }
    let owner = holder.told.named("owner_id");
    let email = holder.told.order.email.as_ref().map(domain::Email::as_str);
    let is_owner = |asked: &Option<String>| match asked.as_deref() {
        None => owner.is_none(),
        asked @ Some(_) => asked == owner || asked == email,
    };
    if scope.user.as_ref().is_some_and(|asked| !is_owner(asked)) {
        return Some(no("USER_SCOPE_MISMATCH", "user scope does not match"));
    }
    match &scope.entitlements {
        Some(asked) if asked.is_empty() => Some(no("ENTITLEMENTS_SCOPE_EMPTY", "entitlements scope is empty")),
        Some(asked) if !asked.iter().all(|code| license.policy.has_feature(code)) => {
            Some(no("ENTITLEMENTS_MISSING", "is missing one or more required entitlements"))
        }
        Some(_) | None => None,
    }
}

fn of_machine(holder: &Holder, seats: &[Activation], scope: &Scope) -> Option<Judgement> {
    let asked = scope.machine.as_ref()?;
    let nobody = no_machines(
        holder,
        "machine is not activated (has no associated machine)",
        "machine is not activated (has no associated machines)",
    );
    if nobody.is_some() {
        return nobody;
    }
    let is_known = seats.iter().any(|seat| holder.machine_id(seat) == *asked || seat.id.uuid() == *asked);
    (!is_known)
        .then_some(no("MACHINE_SCOPE_MISMATCH", "machine is not activated (does not match any associated machines)"))
}

fn of_fingerprints(holder: &Holder, seats: &[Activation], scope: &Scope) -> Option<Judgement> {
    let one = scope.fingerprint.clone().map(|fingerprint| vec![fingerprint]);
    let asked = one.or_else(|| scope.fingerprints.clone())?;
    if asked.is_empty() {
        return Some(no("FINGERPRINT_SCOPE_EMPTY", "fingerprint scope is empty"));
    }
    let nobody = no_machines(
        holder,
        "fingerprint is not activated (has no associated machine)",
        "fingerprint is not activated (has no associated machines)",
    );
    if nobody.is_some() {
        return nobody;
    }
    let is_held = |fingerprint: &&String| seats.iter().any(|seat| seat.fingerprint.as_str() == fingerprint.as_str());
    let detail = match asked.len() {
        1 => "fingerprint is not activated (does not match any associated machines)",
        _ => "one or more fingerprint is not activated (does not match any associated machines)",
    };
    // Of several, one is enough: how many must match is not a part of our plans.
    (!asked.iter().any(|fingerprint| is_held(&fingerprint))).then_some(no("FINGERPRINT_SCOPE_MISMATCH", detail))
}

fn of_components(asking: Option<&Activation>, rule: Option<Matching>, scope: &Scope) -> Option<Judgement> {
    let asked = scope.components.as_ref()?;
    let (Some(_), Some(seat)) = (&scope.fingerprint, asking) else {
        let detail = "fingerprint scope is required when using the components scope";
        return Some(no("FINGERPRINT_SCOPE_REQUIRED", detail));
    };
    if asked.is_empty() {
        return Some(no("COMPONENTS_SCOPE_EMPTY", "components scope is empty"));
    }
    let same = asked.iter().filter(|asked| seat.components.values().any(|known| known == *asked)).count();
    let (needed, detail) = match rule.unwrap_or(Matching::Any) {
        Matching::Any => (1, "one or more component is not activated (does not match any associated components)"),
        Matching::Two => {
            (2, "one or more component is not activated (does not match at least 2 associated components)")
        }
        Matching::Most => (
            asked.len().div_ceil(2),
            "one or more component is not activated (does not match enough associated components)",
        ),
        Matching::All => {
            (asked.len(), "one or more component is not activated (does not match all associated components)")
        }
    };
    (same < needed).then_some(no("COMPONENTS_SCOPE_MISMATCH", detail))
}

/// What a policy asks that is strict: machines, and not too many.
fn of_count(holder: &Holder) -> Option<Judgement> {
    let nobody =
        no_machines(holder, "must have exactly 1 associated machine", "must have at least 1 associated machine");
    let license = &holder.license;
    let is_crowded = license.policy.seats.is_some_and(|seats| license.seats_used > 1 && license.seats_used > seats);
    nobody.or_else(|| {
        let is_valid = holder.allows_overage();
        is_crowded.then_some(Judgement {
            is_valid,
            detail: "has too many associated machines",
            code: "TOO_MANY_MACHINES",
        })
    })
}

fn no_machines(holder: &Holder, of_one: &'static str, of_several: &'static str) -> Option<Judgement> {
    let is_empty = holder.license.seats_used == 0;
    is_empty.then(|| if holder.is_floating() { no("NO_MACHINES", of_several) } else { no("NO_MACHINE", of_one) })
}

//! Files for use without a network: what is known of a license or a machine, signed, and sealed where asked for
//! (<https://keygen.sh/docs/api/cryptography/#cryptographic-lic>).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{Context, SHA256};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64;
use domain::{Activation, Duration, Timestamp};
use serde_json::{Value, json};

use super::call::Call;
use super::document::{Holder, answer, time};
use super::fault::Fault;
use crate::Web;
use crate::problem::Problem;

/// A month, as Keygen counts it.
const ORDINARY_TTL: i64 = 2_629_746;

const SHORTEST_TTL: i64 = 3_600;

/// How long a line of a file is.
const LINE: usize = 60;

/// What a file is about.
#[derive(Clone, Copy)]
enum Kind {
    License,
    Machine,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::License => "license",
            Self::Machine => "machine",
        }
    }

    const fn includes(self) -> &'static [&'static str] {
        match self {
            Self::License => &["entitlements", "environment", "product", "policy", "group", "owner", "users"],
            Self::Machine => &[
                "license.entitlements",
                "license.product",
                "license.policy",
                "license.owner",
                "license.users",
                "license",
                "components",
                "environment",
                "group",
                "owner",
            ],
        }
    }
}

/// What was asked for, in the query or the body; the body counts.
struct Options {
    is_encrypted: bool,
    ttl: Option<i64>,
    includes: Vec<String>,
}

impl Options {
    fn read(call: &Call, kind: Kind) -> Result<Self, Fault> {
        let sent = |name: &str| match call.body.pointer(&format!("/meta/{name}")) {
            Some(value) => Some(value.clone()),
            None => call.query.get(name).map(|text| Value::String(text.clone())),
        };
        let is_encrypted = match sent("encrypt") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => flag,
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "1" | "t"),
            Some(Value::Array(_) | Value::Object(_)) => {
                return Err(Fault::bad("type mismatch (expected boolean)").of_parameter("encrypt"));
            }
        };
        let is_encrypted = match sent("algorithm") {
            None | Some(Value::Null) => is_encrypted,
            Some(Value::String(text)) => match text.as_str() {
                "" => is_encrypted,
                "aes-256-gcm+ed25519" => true,
                "base64+ed25519" => false,
                _ => return Err(refused("invalid signing algorithm", "CHECKOUT_ALGORITHM_INVALID", "algorithm")),
            },
            Some(_) => return Err(refused("invalid signing algorithm", "CHECKOUT_ALGORITHM_INVALID", "algorithm")),
        };
        let ttl = match sent("ttl") {
            None => Some(ORDINARY_TTL),
            Some(Value::Null) => None,
            Some(Value::String(text)) if matches!(text.as_str(), "" | "null") => None,
            Some(value) => {
                let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
                let detail = "must be greater than or equal to 3600 (1 hour)";
                Some(
                    number
                        .filter(|ttl| *ttl >= SHORTEST_TTL)
                        .ok_or_else(|| refused(detail, "CHECKOUT_TTL_INVALID", "ttl"))?,
                )
            }
        };
        let includes: Vec<String> = match sent("include") {
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(text)) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Vec::new(),
        };
        let includes: Vec<String> = includes
            .into_iter()
            .filter(|name| !name.is_empty())
            // An owner was a user once.
            .map(|name| name.strip_suffix("user").map_or_else(|| name.clone(), |rest| format!("{rest}owner")))
            .collect();
        if !includes.iter().all(|name| kind.includes().contains(&name.as_str())) {
            return Err(refused("invalid includes", "CHECKOUT_INCLUDE_INVALID", "include"));
        }
        Ok(Self { is_encrypted, ttl, includes })
    }

    const fn algorithm(&self) -> &'static str {
        if self.is_encrypted { "aes-256-gcm+ed25519" } else { "base64+ed25519" }
    }
}

fn refused(detail: &str, code: &'static str, parameter: &str) -> Fault {
    Fault::bad(detail).coded(code).of_parameter(parameter)
}

pub(crate) async fn license_file(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let options = Options::read(&call, Kind::License)?;
    let holder = call.license(&web, &call.id).await?;
    Ok(as_resource(&File::of(&web, Kind::License, &holder, None, &options)?, &web, &holder, None, &options))
}

pub(crate) async fn raw_license_file(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let options = Options::read(&call, Kind::License)?;
    let holder = call.license(&web, &call.id).await?;
    Ok(as_download(File::of(&web, Kind::License, &holder, None, &options)?, &holder.id()))
}

pub(crate) async fn machine_file(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let options = Options::read(&call, Kind::Machine)?;
    let (holder, seat) = call.machine(&web, &call.id).await?;
    let file = File::of(&web, Kind::Machine, &holder, Some(&seat), &options)?;
    Ok(as_resource(&file, &web, &holder, Some(&seat), &options))
}

pub(crate) async fn raw_machine_file(State(web): State<Web>, call: Call) -> Result<Response, Fault> {
    let options = Options::read(&call, Kind::Machine)?;
    let (holder, seat) = call.machine(&web, &call.id).await?;
    let file = File::of(&web, Kind::Machine, &holder, Some(&seat), &options)?;
    Ok(as_download(file, &holder.machine_id(&seat)))
}

/// A file, with the time that it speaks for.
struct File {
    text: String,
    issued: Timestamp,
    expiry: Option<Timestamp>,
}

impl File {
    fn of(web: &Web, kind: Kind, holder: &Holder, seat: Option<&Activation>, options: &Options) -> Result<Self, Fault> {
        let issued = holder.at;
        let expiry = options.ttl.map(|ttl| issued.after(Duration::seconds(ttl)));
        let data = seat.map_or_else(|| holder.resource(false), |seat| holder.machine(seat));
        let document = json!({
            "data": data,
            "included": included(holder, seat, options),
            "meta": { "issued": time(issued), "expiry": expiry.map(time), "ttl": options.ttl },
        })
        .to_string();
        let enc = if options.is_encrypted {
            let fingerprint = seat.map(|seat| seat.fingerprint.as_str()).unwrap_or_default();
            seal(web, &[&holder.shown_key, fingerprint], document)?
        } else {
            BASE64.encode(document.as_bytes())
        };
        let sig = web.app.signer().sign_bytes(format!("{}/{enc}", kind.word()).as_bytes(), issued);
        let whole = json!({ "enc": enc, "sig": BASE64.encode(&sig), "alg": options.algorithm() }).to_string();
        let letters = BASE64.encode(whole.as_bytes());
        let lines: Vec<&str> = letters.as_bytes().chunks(LINE).filter_map(|line| str::from_utf8(line).ok()).collect();
        let word = kind.word().to_ascii_uppercase();
        let text = format!("-----BEGIN {word} FILE-----\n{}\n-----END {word} FILE-----\n", lines.join("\n"));
        Ok(Self { text, issued, expiry })
    }
}

/// Seals with the SHA-256 of what the device knows: ciphertext, nonce and tag, a point between them.
fn seal(web: &Web, secret: &[&str], document: String) -> Result<String, Fault> {
    let broken = || Fault::from(Problem::unavailable("a file cannot be sealed"));
    let mut hash = Context::new(&SHA256);
    secret.iter().for_each(|part| hash.update(part.as_bytes()));
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, hash.finish().as_ref()).map_err(|_| broken())?);
    let nonce: [u8; 12] = web.app.entropy.rng().bytes();
    let mut bytes = document.into_bytes();
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
        .map_err(|_| broken())?;
    Ok(format!("{}.{}.{}", BASE64.encode(&bytes), BASE64.encode(&nonce), BASE64.encode(tag.as_ref())))
}

/// What goes with it, and the license by way of which it does. There are no groups, owners, users and environments to
/// go with it.
fn included(holder: &Holder, seat: Option<&Activation>, options: &Options) -> Vec<Value> {
    let names = &options.includes;
    let by_way_of = names.iter().any(|name| name.starts_with("license")).then(|| holder.resource(false));
    let others = names.iter().flat_map(|name| match name.trim_start_matches("license.") {
        "entitlements" => holder.entitlements(),
        "product" => vec![holder.product()],
        "policy" => vec![holder.policy()],
        "components" => seat.map(|seat| holder.components(seat)).unwrap_or_default(),
        _ => Vec::new(),
    });
    by_way_of.into_iter().chain(others).collect()
}

fn as_resource(file: &File, web: &Web, holder: &Holder, seat: Option<&Activation>, options: &Options) -> Response {
    let kind = if seat.is_some() { "machine-files" } else { "license-files" };
    let attributes = json!({
        "certificate": file.text,
        "algorithm": options.algorithm(),
        "includes": options.includes,
        "ttl": options.ttl,
        "expiry": file.expiry.map(time),
        "issued": time(file.issued),
    });
    let id = super::super::uuid(web.app.entropy.rng().bytes());
    answer(StatusCode::OK, &json!({ "data": holder.file(kind, &id, &attributes, seat) }))
}

fn as_download(file: File, id: &str) -> Response {
    let mut response = (StatusCode::OK, file.text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{id}.lic\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

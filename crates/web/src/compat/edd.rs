//! EDD Software Licensing (<https://easydigitaldownloads.com/docs/software-licensing-api/>), as its version 3.6
//! answers: always 200, the outcome in words.
//!
//! A site there is an activation here whose fingerprint is the site's address.
//! The order in which reasons are looked at is theirs, for apps show the first.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Actor, Fingerprint, ForeignSystem, Timestamp, edd_site, is_local_site};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use super::{Closed, Denied, Found, Sent, Told, closed, denied, reply};
use crate::Web;
use crate::problem::Problem;

const MISSING: &str = "missing";
const DISABLED: &str = "disabled";
const EXPIRED: &str = "expired";
const FULL: &str = "no_activations_left";
const WRONG_ID: &str = "invalid_item_id";
const WRONG_NAME: &str = "item_name_mismatch";
const NO_SITE: &str = "missing_url";

/// What every call says.
struct Asked {
    key: String,
    /// Their number of the product; `None`: it is named instead.
    item_id: Option<u64>,
    item_name: String,
    /// As it was sent; the site is what it means.
    url: String,
    site: Option<Fingerprint>,
    /// Whether the site takes no seat.
    is_free: bool,
}

impl Asked {
    fn read(sent: &Sent) -> Self {
        let field = |name: &str| sent.get(name).map(decoded).unwrap_or_default();
        let url = field("url");
        // Older apps tell their site as WordPress does, behind a semicolon of the user agent.
        let told_by_agent = || sent.header("user-agent").split(';').nth(1).unwrap_or_default().trim().to_owned();
        let site = if url.is_empty() { told_by_agent() } else { url.clone() };
        let is_tried = sent.get("environment").is_some_and(|place| place != "production");
        Self {
            key: field("license"),
            item_id: sent.get("item_id").and_then(|id| id.parse().ok()).filter(|id| *id > 0),
            item_name: field("item_name"),
            url,
            is_free: sent.shop.compat.local_sites_are_free && (is_local_site(&site) || is_tried),
            site: Some(site).filter(|site| !site.is_empty()).and_then(|site| Fingerprint::parse(&edd_site(&site)).ok()),
        }
    }

    async fn find(&self, web: &Web, sent: &Sent) -> Result<Option<(Found, Told)>, Problem> {
        if self.key.is_empty() {
            return Ok(None);
        }
        let site = self.site.as_ref().map(Fingerprint::as_str);
        let Some(found) = sent.find(web, &self.key, site).await? else { return Ok(None) };
        let told = Told::read(web, ForeignSystem::Edd, found.license.clone(), found.at).await?;
        Ok(Some((found, told)))
    }

    /// Why the license is not of the product that the app was built for; `None`: it is.
    fn mismatch(&self, told: &Told) -> Option<&'static str> {
        match self.item_id {
            Some(id) => (told.number("item_id", &told.license.product.to_string()) != id).then_some(WRONG_ID),
            None => (title(&self.item_name) != title(item_name(told))).then_some(WRONG_NAME),
        }
    }

    /// The name of the product as an answer tells it: as it was sent, or by its number.
    fn told_name<'a>(&'a self, told: Option<&'a Told>) -> &'a str {
        match told {
            Some(told) if self.item_name.is_empty() && self.mismatch(told).is_none() => item_name(told),
            Some(_) | None => &self.item_name,
        }
    }

    /// The MD5 of what was asked, which an app may compare: the arguments in the call's order, the longest first.
    fn checksum(&self, is_activation: bool) -> String {
        let text = |text: &str| if text.is_empty() { Value::Bool(false) } else { text.into() };
        let id = self.item_id.map_or(Value::Bool(false), Value::from);
        let (name, key, url) = (text(&self.item_name), text(&self.key), Value::from(self.url.as_str()));
        let mut arguments = if is_activation { [name, key, url, id] } else { [id, name, key, url] };
        arguments.sort_by_key(|argument| {
            std::cmp::Reverse(match argument {
                Value::String(text) => text.len(),
                Value::Number(number) => number.to_string().len(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => 0,
            })
        });
        let written = php_json(&Value::from(arguments.to_vec()).to_string());
        data_encoding::HEXLOWER.encode(&Md5::digest(written.as_bytes()))
    }

    /// The fields that every answer has.
    fn answer(&self, is_success: bool, word: &str, told: Option<&Told>, is_activation: bool) -> Value {
        json!({
            "success": is_success,
            "license": word,
            "item_id": self.item_id.map_or(Value::Bool(false), Value::from),
            "item_name": self.told_name(told),
            "checksum": self.checksum(is_activation),
        })
    }
}

/// Answers what `edd_action` asks, by whatever method.
pub(crate) async fn answer(State(web): State<Web>, sent: Sent) -> Result<Response, Problem> {
    let asked = Asked::read(&sent);
    let body = match sent.get("edd_action") {
        Some("activate_license") => activate(&web, &sent, &asked).await?,
        Some("deactivate_license") => deactivate(&web, &sent, &asked).await?,
        Some("check_license") => check(&web, &sent, &asked).await?,
        Some("get_version") => version(&web, &sent, &asked).await?,
        Some(_) | None => return Err(Problem::not_found("edd_action")),
    };
    Ok(reply(StatusCode::OK, &body))
}

async fn activate(web: &Web, sent: &Sent, asked: &Asked) -> Result<Value, Problem> {
    let Some((found, mut told)) = asked.find(web, sent).await? else {
        let mut answer = asked.answer(false, "invalid", None, true);
        answer["error"] = MISSING.into();
        return Ok(answer);
    };
    let license = &found.license;
    let is_full = license.policy.seat_cap().is_some_and(|cap| license.seats_used >= cap);
    let mut error = match closed(license, found.at) {
        Some(Closed::Off) => Some(DISABLED),
        _ if is_full && !asked.is_free && found.seat.is_none() => Some(FULL),
        Some(Closed::Expired) => Some(EXPIRED),
        None => asked.mismatch(&told).or((asked.site.is_none() && !asked.is_free).then_some(NO_SITE)),
    };
    if error.is_none() && !asked.is_free {
        match sent.take_seat(web, &found.key, asked.site.clone(), None, BTreeMap::new()).await {
            Ok(taken) => told.license = taken.license,
            Err(refusal) => {
                error = Some(match denied(refusal)? {
                    Denied::NoKey | Denied::NoSeat => MISSING,
                    Denied::Full => FULL,
                    Denied::Closed(Closed::Off) => DISABLED,
                    Denied::Closed(Closed::Expired) => EXPIRED,
                });
            }
        }
    }
    let word = if error.is_none() { "valid" } else { "invalid" };
    let mut answer = asked.answer(error.is_none(), word, Some(&told), true);
    if let Some(error) = error {
        answer["error"] = error.into();
    }
    if error == Some(FULL) {
        answer["max_sites"] = told.license.seats_used.into();
    }
    if error.is_none() && asked.is_free {
        answer["is_local"] = true.into();
    }
    tell_seats(&mut answer, &told);
    tell_sale(&mut answer, &told, expires(&told));
    Ok(answer)
}

async fn deactivate(web: &Web, sent: &Sent, asked: &Asked) -> Result<Value, Problem> {
    let Some((found, mut told)) = asked.find(web, sent).await? else {
        return Ok(asked.answer(false, "failed", None, false));
    };
    let is_active = found.license.seats_used > 0 || asked.is_free;
    let mut is_done = is_active && closed(&found.license, found.at).is_none() && asked.mismatch(&told).is_none();
    if let Some(site) = asked.site.as_ref().filter(|_| is_done && !asked.is_free) {
        match web.app.deactivate_license(sent.shop.id, &found.key, site, Actor::App).await {
            Ok(freed) => told.license = freed.license,
            // A site that holds no seat is gone already, which is what was asked for.
            Err(refusal) => is_done = denied(refusal)? == Denied::NoSeat,
        }
    }
    let word = if is_done { "deactivated" } else { "failed" };
    let mut answer = asked.answer(is_done, word, Some(&told), false);
    // Only here the end is a number of seconds, as there.
    let end = told.license.expires_at.map_or_else(|| "lifetime".into(), |end| Value::from(end.as_seconds()));
    tell_sale(&mut answer, &told, end);
    Ok(answer)
}

async fn check(web: &Web, sent: &Sent, asked: &Asked) -> Result<Value, Problem> {
    let Some((found, told)) = asked.find(web, sent).await? else {
        return Ok(asked.answer(false, "invalid", None, false));
    };
    let word = asked.mismatch(&told).unwrap_or_else(|| match closed(&found.license, found.at) {
        Some(Closed::Expired) => EXPIRED,
        Some(Closed::Off) => DISABLED,
        None if asked.is_free => "valid",
        None if found.license.seats_used == 0 => "inactive",
        None if found.seat.is_none() => "site_inactive",
        None => "valid",
    });
    let mut answer = asked.answer(true, word, Some(&told), false);
    tell_seats(&mut answer, &told);
    tell_sale(&mut answer, &told, expires(&told));
    Ok(answer)
}

/// Versions are not kept here, so the answer names none that is newer: an app that asks installs nothing.
async fn version(web: &Web, sent: &Sent, asked: &Asked) -> Result<Value, Problem> {
    let name = if asked.item_name.is_empty() { sent.get("name").unwrap_or_default() } else { &asked.item_name };
    let nothing = |message: String| json!({ "new_version": "", "stable_version": "", "sections": "", "license_check": "", "msg": message });
    if asked.item_id.is_none() && name.is_empty() {
        return Ok(nothing("No item provided".to_owned()));
    }
    let found = asked.find(web, sent).await?;
    let told = found.as_ref().map(|(_, told)| told).filter(|told| asked.mismatch(told).is_none());
    if !asked.key.is_empty() && told.is_none() {
        return Ok(nothing(format!("License key is not valid for {name}")));
    }
    let address = &web.app.settings.public_url;
    Ok(json!({
        "new_version": "",
        "stable_version": "",
        "name": told.map_or(name, item_name),
        "slug": sent.get("slug").map_or_else(|| title(name), str::to_owned),
        "url": format!("{address}/"),
        "last_updated": "",
        "homepage": format!("{address}/"),
        "package": "",
        "download_link": "",
        "sections": "a:2:{s:11:\"description\";s:0:\"\";s:9:\"changelog\";s:0:\"\";}",
        "banners": "a:2:{s:4:\"high\";s:0:\"\";s:3:\"low\";s:0:\"\";}",
        "icons": "a:0:{}",
    }))
}

fn tell_seats(answer: &mut Value, told: &Told) {
    let (seats, used) = (told.license.policy.seats, told.license.seats_used);
    answer["license_limit"] = seats.unwrap_or_default().into();
    answer["site_count"] = used.into();
    answer["activations_left"] =
        seats.map_or_else(|| "unlimited".into(), |seats| (i64::from(seats) - i64::from(used)).into());
}

fn tell_sale(answer: &mut Value, told: &Told, expires: Value) {
    answer["expires"] = expires;
    answer["payment_id"] = told.number("payment_id", &told.license.order.to_string()).into();
    answer["customer_name"] = told.customer_name().unwrap_or_default().into();
    answer["customer_email"] = told.email().into();
    let price = told.named("price_id").and_then(|id| id.parse::<u64>().ok());
    answer["price_id"] = price.map_or(Value::Bool(false), Value::from);
}

fn item_name(told: &Told) -> &str {
    told.named("item_name").unwrap_or(&told.product_name)
}

fn expires(told: &Told) -> Value {
    told.license.expires_at.map_or_else(|| "lifetime".into(), |end| moment(end).into())
}

/// A moment as their database writes it.
fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    text.split(['.', 'Z']).next().unwrap_or_default().replacen('T', " ", 1)
}

/// A value that was encoded once more than the form that it came in, as their own samples do.
fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    super::form(format!("x={}", text.replace('+', "%2B")).as_bytes()).remove("x").unwrap_or_default()
}

/// What is compared of a name: its letters and digits, with a dash for whatever stands between.
fn title(name: &str) -> String {
    let name = decoded(name).replace("&amp;", " ").to_lowercase();
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// JSON as PHP writes it: slashes escaped, nothing beyond ASCII.
fn php_json(json: &str) -> String {
    let mut units = [0; 2];
    json.chars().fold(String::with_capacity(json.len()), |mut written, letter| {
        match letter {
            '/' => written.push_str("\\/"),
            letter if letter.is_ascii() => written.push(letter),
            letter => {
                for unit in letter.encode_utf16(&mut units) {
                    written.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        written
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_their_letters() {
        for (name, expected) in [
            ("Lumen Pro", "lumen-pro"),
            ("Lumen%20Pro", "lumen-pro"),
            ("Lumen &amp; Pro", "lumen-pro"),
            (" Lumen – Pro! ", "lumen-pro"),
            ("", ""),
        ] {
            assert_eq!(title(name), expected, "{name}");
        }
    }

    #[test]
    fn json_is_written_as_php_writes_it() {
        assert_eq!(php_json(r#"["https://a.b/ö😀",1,false]"#), r#"["https:\/\/a.b\/\u00f6\ud83d\ude00",1,false]"#);
    }

    #[test]
    fn moments_are_written_as_their_database_writes_them() {
        assert_eq!(moment(Timestamp::from_microseconds(1_611_497_707_120_000)), "2021-01-24 14:15:07");
    }

    #[test]
    fn the_checksum_is_of_what_was_asked() {
        let asked = Asked {
            key: "cc22c1ec86304b36883440e2e84cddff".to_owned(),
            item_id: Some(8),
            item_name: String::new(),
            url: "https://example.com".to_owned(),
            site: None,
            is_free: false,
        };
        // php -r 'echo md5(json_encode(["cc22c1ec86304b36883440e2e84cddff","https://example.com",8,false]));'
        assert_eq!(asked.checksum(true), "97dd94b7fa27a4cadf82c82456da2d31");
        assert_eq!(asked.checksum(false), asked.checksum(true));
    }
}

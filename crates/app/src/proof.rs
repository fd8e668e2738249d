//! The exactly-once report: what was paid and what was issued for it, line by line, signed, to be checked by somebody
//! who has nothing of ours.
//!
//! JSON Lines. The last line is a JWS (RFC 7515, EdDSA) by the keys that sign
//! certificates, over the SHA-256 of all lines before it. It holds ids, times,
//! amounts and states: no address, no name, no license key. Each report names
//! the digest of the one before, so that none can be left out.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use domain::{Duration, Event, EventKind, LicenseId, Notice, NoticeId, OrderId, Sale, Shop, ShopId, Timestamp};
use latchkey_license::KeySet;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{NoticeFilter, Page};

use crate::{App, Error};

const FORMAT: u32 = 1;

/// The type in the header of the signature: no certificate has it.
pub(crate) const TYPE: &str = "report+jwt";

/// How many sales are read at once.
const BATCH: u32 = 200;

/// Which time a report is about: sales that were paid from `since` on, and before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub since: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    /// The first.
    Report {
        format: u32,
        issuer: String,
        shop: ShopId,
        since: String,
        until: String,
        made_at: String,
        /// The digest of the report before, where there is one.
        previous: Option<String>,
    },
    /// An order that was paid.
    Sale(Box<SaleLine>),
    /// What moved on one account of the books in this time, debits less credits.
    Balance { currency: String, account: String, minor: i64 },
    /// Gateways' events that wait, as of the moment of the report.
    Inbox { waiting: u64, oldest_seconds: Option<i64>, parked: u64 },
    /// What the lines add up to.
    Summary { sales: u64, units: u64, licenses: u64, broken_laws: u64 },
    /// The last.
    Signature { jws: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SaleLine {
    order: OrderId,
    paid_at: String,
    state: String,
    currency: String,
    total_minor: i64,
    refunded_minor: i64,
    /// How many licenses each line of the order makes.
    units: Vec<u32>,
    licenses: Vec<LicenseLine>,
    causes: Vec<Cause>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LicenseLine {
    license: LicenseId,
    line: u32,
    unit: u32,
    state: String,
    issued_at: String,
}

/// What made an order paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cause {
    /// What happened, as in the journal.
    what: String,
    at: String,
    /// Who brought it: `gateway` (an event), `buyer` (the return), `system` (asking), `user:…` (the support button).
    by: String,
    /// The event that brought it, where one did.
    notice: Option<NoticeId>,
    /// The gateway's own id of that event.
    event: Option<String>,
}

/// What a signature says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    iss: String,
    iat: i64,
    sha256: String,
    lines: u64,
    since: String,
    until: String,
    previous: Option<String>,
}

/// What is kept of the last report of a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    sha256: String,
    until: i64,
}

fn setting(shop: ShopId) -> String {
    format!("exactly_once_report:{shop}")
}

/// What a report that was made covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The time.
    pub span: Span,
    /// How many sales.
    pub sales: u64,
    /// Its digest, which the next one names.
    pub sha256: String,
}

/// What takes the lines of a report, each with its end.
pub type Sink<'a> = dyn FnMut(&str) -> std::io::Result<()> + Send + 'a;

/// Adds lines up, and hands them on.
struct Writer<'a, 'b> {
    write: &'a mut Sink<'b>,
    digest: Context,
    lines: u64,
}

impl Writer<'_, '_> {
    fn line(&mut self, line: &Line) -> Result<(), Error> {
        let failed =
            |error: &dyn std::fmt::Display| Error::Unavailable(format!("the report cannot be written: {error}"));
        let mut text = serde_json::to_string(line).map_err(|error| failed(&error))?;
        text.push('\n');
        self.digest.update(text.as_bytes());
        self.lines += 1;
        (self.write)(&text).map_err(|error| failed(&error))
    }
}

/// A sale notes when it was paid, and is written a moment later: on a busy database, or one that waits for its standby,
/// many moments. A report that ended now would miss it, and the next would begin behind it.
const SETTLES_WITHIN: Duration = Duration::minutes(15);

impl App {
    /// The time of the next report: from where the last one ended until everything that was paid is written.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn next_report(&self, shop: &Shop) -> Result<Span, Error> {
        let since = self.report_goes_on_from(shop).await?;
        Ok(Span { since, until: self.clock.now().before(SETTLES_WITHIN).max(since) })
    }

    /// From where the next report goes on: the end of the last one, or the beginning of the shop.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn report_goes_on_from(&self, shop: &Shop) -> Result<Timestamp, Error> {
        let last = self.last_report(shop.id).await?;
        Ok(last.map_or(shop.created_at, |last| Timestamp::from_microseconds(last.until)))
    }

    async fn last_report(&self, shop: ShopId) -> Result<Option<Last>, Error> {
        let kept = self.store.setting(&setting(shop)).await?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Writes the report of a time, line by line, and remembers its digest for the next.
    ///
    /// # Errors
    /// When the store does not answer, or a line cannot be written.
    pub async fn exactly_once_report(&self, shop: &Shop, span: Span, write: &mut Sink<'_>) -> Result<Made, Error> {
        let now = self.clock.now();
        let previous = self.last_report(shop.id).await?.map(|last| last.sha256);
        let mut writer = Writer { write, digest: Context::new(&SHA256), lines: 0 };
        let issuer = self.settings.public_url.clone();
        writer.line(&Line::Report {
            format: FORMAT,
            issuer: issuer.clone(),
            shop: shop.id,
            since: span.since.to_string(),
            until: span.until.to_string(),
            made_at: now.to_string(),
            previous: previous.clone(),
        })?;
        let (mut sales, mut units, mut licenses) = (0, 0, 0);
        let mut after = None;
        loop {
            let orders = self.store.orders_paid_between(shop.id, span.since, span.until, after, BATCH).await?;
            for order in &orders {
                let Some(line) = self.sale_line(shop.id, *order).await? else { continue };
                sales += 1;
                units += line.units.iter().map(|units| u64::from(*units)).sum::<u64>();
                licenses += u64::try_from(line.licenses.len()).unwrap_or_default();
                writer.line(&Line::Sale(Box::new(line)))?;
            }
            after = orders.last().copied();
            if after.is_none() {
                break;
            }
        }
        for balance in self.store.balances(shop.id, span.since, span.until).await? {
            let (currency, account, minor) = (balance.currency, balance.account, balance.minor);
            writer.line(&Line::Balance { currency, account, minor })?;
        }
        let backlog = self.store.waiting_notices().await?;
        writer.line(&Line::Inbox {
            waiting: backlog.count,
            oldest_seconds: backlog.oldest.map(|oldest| now.since(oldest).as_seconds()),
            parked: self.store.parked_notices(shop.id).await?,
        })?;
        let broken = store::report::broken_laws(&self.store).await?.len();
        let broken_laws = u64::try_from(broken).unwrap_or(u64::MAX);
        writer.line(&Line::Summary { sales, units, licenses, broken_laws })?;

        let Writer { write, digest, lines } = writer;
        let sha256 = HEXLOWER.encode(digest.finish().as_ref());
        let claims = Claims {
            iss: issuer,
            iat: now.as_seconds(),
            sha256: sha256.clone(),
            lines,
            since: span.since.to_string(),
            until: span.until.to_string(),
            previous,
        };
        let jws = self.signer().jws(TYPE, &json!(claims), now);
        let mut last = Writer { write, digest: Context::new(&SHA256), lines: 0 };
        last.line(&Line::Signature { jws })?;
        let kept = Last { sha256: sha256.clone(), until: span.until.as_microseconds() };
        self.store.set_setting(&setting(shop.id), &json!(kept).to_string()).await?;
        Ok(Made { span, sales, sha256 })
    }

    async fn sale_line(&self, shop: ShopId, order: OrderId) -> Result<Option<SaleLine>, Error> {
        let Some(sale) = self.store.sale(shop, order).await? else { return Ok(None) };
        let Some(paid_at) = sale.order.paid_at else { return Ok(None) };
        let events = self.store.order_events(shop, order).await?;
        let filter = NoticeFilter { state: None, order: Some(order) };
        let page = Page { starting_after: None, ending_before: None, limit: 100 };
        let notices = self.store.notices(shop, &filter, page).await?.data;
        Ok(Some(SaleLine {
            order,
            paid_at: paid_at.to_string(),
            state: sale.order.state.as_str().to_owned(),
            currency: sale.order.total.currency().code().to_owned(),
            total_minor: sale.order.total.minor(),
            refunded_minor: sale.order.refunded.minor(),
            units: sale.order.lines.iter().map(|line| line.quantity).collect(),
            licenses: license_lines(&sale),
            causes: causes(&events, &notices),
        }))
    }
}

fn license_lines(sale: &Sale) -> Vec<LicenseLine> {
    let line = |license: &domain::License| LicenseLine {
        license: license.id,
        line: license.line,
        unit: license.unit,
        state: license.state.as_str().to_owned(),
        issued_at: license.created_at.to_string(),
    };
    sale.licenses.iter().map(line).collect()
}

/// A notice is settled in the commit of what it caused, so both have one moment.
fn causes(events: &[Event], notices: &[Notice]) -> Vec<Cause> {
    let caused = |event: &&Event| matches!(event.kind, EventKind::PaymentSucceeded | EventKind::OrderPaid);
    events
        .iter()
        .filter(caused)
        .map(|event| {
            let notice = notices.iter().find(|notice| notice.settled_at == Some(event.at));
            Cause {
                what: event.kind.as_str().to_owned(),
                at: event.at.to_string(),
                by: event.actor.to_text(),
                notice: notice.map(|notice| notice.id),
                event: notice.map(|notice| notice.event_id.clone()),
            }
        })
        .collect()
}

/// What a genuine report says, added up again by whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Who signed it.
    pub issuer: String,
    /// From when.
    pub since: String,
    /// Until when.
    pub until: String,
    /// Its digest.
    pub sha256: String,
    /// The digest of the report before, as it says.
    pub previous: Option<String>,
    /// How many sales.
    pub sales: u64,
    /// How many licenses.
    pub licenses: u64,
    /// What is not as it should be: a unit without its license, or with two. Empty when all is well.
    pub faults: Vec<String>,
}

/// Why a report is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It is no report.
    #[error("this is no exactly-once report: {0}")]
    NotAReport(&'static str),
    /// The key is none of those that were given.
    #[error("it is signed by the key {0}, which is not among the keys that were given")]
    UnknownKey(String),
    /// The signature is not of this key.
    #[error("the signature is not genuine")]
    BadSignature,
    /// The lines are not those that were signed.
    #[error("the lines were changed after they were signed")]
    Changed,
}

/// Checks a report with nothing but itself and the shop's published keys: the signature, the digest, one license for
/// every unit that was paid, and the sums.
///
/// # Errors
/// When it is not genuine. What a genuine one says that should not be is in [`Verified::faults`].
pub fn verify_report(text: &str, keys: &KeySet) -> Result<Verified, ProofError> {
    let whole = text.strip_suffix('\n').ok_or(ProofError::NotAReport("it does not end with a line"))?;
    let cut = whole.rfind('\n').ok_or(ProofError::NotAReport("it has one line"))? + 1;
    let (signed, last) = whole.split_at(cut);
    let Ok(Line::Signature { jws }) = serde_json::from_str(last) else {
        return Err(ProofError::NotAReport("its last line is no signature"));
    };
    let claims = genuine(&jws, keys)?;
    let digest = HEXLOWER.encode(aws_lc_rs::digest::digest(&SHA256, signed.as_bytes()).as_ref());
    if digest != claims.sha256 {
        return Err(ProofError::Changed);
    }
    let mut faults = Vec::new();
    let (mut sales, mut units, mut licenses) = (0_u64, 0_u64, 0_u64);
    let mut seen = BTreeSet::new();
    let mut balances: BTreeMap<String, i64> = BTreeMap::new();
    let mut is_summed = false;
    for line in signed.lines() {
        let line: Line = serde_json::from_str(line).map_err(|_| ProofError::NotAReport("a line cannot be read"))?;
        match line {
            Line::Report { format: FORMAT, .. } => {}
            Line::Report { .. } | Line::Signature { .. } => {
                return Err(ProofError::NotAReport("it is of another form"));
            }
            Line::Sale(sale) => {
                sales += 1;
                units += sale.units.iter().map(|units| u64::from(*units)).sum::<u64>();
                licenses += u64::try_from(sale.licenses.len()).unwrap_or_default();
                check_sale(&sale, &mut seen, &mut faults);
            }
            Line::Balance { currency, minor, .. } => {
                let sum = balances.entry(currency).or_default();
                *sum = sum.saturating_add(minor);
            }
            Line::Inbox { .. } => {}
            Line::Summary { sales: told, units: paid, licenses: issued, broken_laws } => {
                is_summed = true;
                if (told, paid, issued) != (sales, units, licenses) {
                    faults.push("the summary is not the sum of the lines".to_owned());
                }
                if broken_laws > 0 {
                    faults.push(format!("{broken_laws} rows of the shop break a law"));
                }
            }
        }
    }
    if !is_summed {
        return Err(ProofError::NotAReport("it has no summary"));
    }
    faults.extend(
        balances
            .iter()
            .filter(|(_, sum)| **sum != 0)
            .map(|(currency, sum)| format!("the books in {currency} are off by {sum}")),
    );
    Ok(Verified {
        issuer: claims.iss,
        since: claims.since,
        until: claims.until,
        sha256: claims.sha256,
        previous: claims.previous,
        sales,
        licenses,
        faults,
    })
}

/// One license for each unit of each line, and no license anywhere twice.
fn check_sale(sale: &SaleLine, seen: &mut BTreeSet<String>, faults: &mut Vec<String>) {
    if !seen.insert(sale.order.to_string()) {
        faults.push(format!("{} stands here twice", sale.order));
    }
    let mut expected: BTreeSet<(u32, u32)> = BTreeSet::new();
    for (line, units) in (0..).zip(&sale.units) {
        expected.extend((0..*units).map(|unit| (line, unit)));
    }
    for license in &sale.licenses {
        if !seen.insert(license.license.to_string()) || !expected.remove(&(license.line, license.unit)) {
            faults.push(format!("{}: {} is one license too many", sale.order, license.license));
        }
    }
    faults
        .extend(expected.iter().map(|(line, unit)| format!("{}: line {line}, unit {unit} has no license", sale.order)));
    if sale.causes.is_empty() {
        faults.push(format!("{}: nothing says why it is paid", sale.order));
    }
}

fn genuine(jws: &str, keys: &KeySet) -> Result<Claims, ProofError> {
    let broken = ProofError::NotAReport("its signature cannot be read");
    let (input, signature) = jws.rsplit_once('.').ok_or_else(|| broken.clone())?;
    let (header, payload) = input.split_once('.').ok_or_else(|| broken.clone())?;
    let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| broken.clone());
    #[derive(Deserialize)]
    struct Header {
        alg: String,
        typ: String,
        kid: String,
    }
    let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| broken.clone())?;
    if header.alg != "EdDSA" || header.typ != TYPE {
        return Err(ProofError::NotAReport("it is signed for another purpose"));
    }
    let key = keys.find(&header.kid).ok_or(ProofError::UnknownKey(header.kid))?;
    UnparsedPublicKey::new(&ED25519, key.as_bytes())
        .verify(input.as_bytes(), &decoded(signature)?)
        .map_err(|_| ProofError::BadSignature)?;
    serde_json::from_slice(&decoded(payload)?).map_err(|_| broken)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use domain::Rng;
    use latchkey_license::PublicKey;

    use super::*;

    /// A genuine report of these lines, with a summary that fits, or not.
    fn signed(mut lines: Vec<Line>, licenses: u64) -> (String, KeySet) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public = PublicKey::from_bytes(pair.public_key().as_ref().try_into().unwrap()).unwrap();
        lines.push(Line::Summary { sales: 1, units: 2, licenses, broken_laws: 0 });
        let text: String = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        let sha256 = HEXLOWER.encode(aws_lc_rs::digest::digest(&SHA256, text.as_bytes()).as_ref());
        let encoded = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let claims = json!({ "iss": "us", "iat": 1, "sha256": sha256, "lines": 1, "since": "a", "until": "b" });
        let input =
            format!("{}.{}", encoded(json!({ "alg": "EdDSA", "typ": TYPE, "kid": public.kid() })), encoded(claims));
        let jws = format!("{input}.{}", BASE64URL_NOPAD.encode(pair.sign(input.as_bytes()).as_ref()));
        let last = serde_json::to_string(&Line::Signature { jws }).unwrap();
        (format!("{text}{last}\n"), [public].into_iter().collect())
    }

    fn sale(places: &[(u32, u32)]) -> SaleLine {
        let mut rng = Rng::from_seed([1; 32]);
        let at = Timestamp::from_seconds(1);
        let mut license = |(line, unit): &(u32, u32)| LicenseLine {
            license: LicenseId::mint(at, &mut rng),
            line: *line,
            unit: *unit,
            state: "active".to_owned(),
            issued_at: at.to_string(),
        };
        SaleLine {
            licenses: places.iter().map(&mut license).collect(),
            order: OrderId::mint(at, &mut Rng::from_seed([2; 32])),
            paid_at: at.to_string(),
            state: "paid".to_owned(),
            currency: "EUR".to_owned(),
            total_minor: 1,
            refunded_minor: 0,
            units: vec![2],
            causes: vec![Cause {
                what: "order.paid".to_owned(),
                at: at.to_string(),
                by: "gateway".to_owned(),
                notice: None,
                event: None,
            }],
        }
    }

    #[test]
    fn a_genuine_report_that_says_what_must_not_be_is_told_as_that() {
        let balance = |minor| Line::Balance { currency: "EUR".to_owned(), account: "sales".to_owned(), minor };
        let twice = {
            let mut sale = sale(&[(0, 0), (0, 1)]);
            sale.licenses[1].license = sale.licenses[0].license;
            sale
        };
        let uncaused = SaleLine { causes: vec![], ..sale(&[(0, 0), (0, 1)]) };
        for (what, sale, minor, licenses, fault) in [
            ("all is well", sale(&[(0, 0), (0, 1)]), 0, 2, ""),
            ("a unit without a license", sale(&[(0, 0)]), 0, 1, "line 0, unit 1 has no license"),
            ("two for one unit", sale(&[(0, 0), (0, 1), (0, 1)]), 0, 3, "is one license too many"),
            ("for a unit that nobody bought", sale(&[(0, 0), (0, 1), (1, 0)]), 0, 3, "is one license too many"),
            ("one license for two units", twice, 0, 2, "is one license too many"),
            ("nothing caused it", uncaused, 0, 2, "nothing says why it is paid"),
            ("the books", sale(&[(0, 0), (0, 1)]), 5, 2, "the books in EUR are off by 5"),
            ("the sum", sale(&[(0, 0), (0, 1)]), 0, 3, "the summary is not the sum"),
        ] {
            let (report, keys) = signed(vec![Line::Sale(Box::new(sale)), balance(minor)], licenses);
            let faults = verify_report(&report, &keys).unwrap().faults;
            assert_eq!(faults.is_empty(), fault.is_empty(), "{what}: {faults:?}");
            assert!(fault.is_empty() || faults.iter().any(|told| told.contains(fault)), "{what}: {faults:?}");
        }
    }

    #[test]
    fn what_is_signed_for_another_purpose_or_by_nobody_is_no_report() {
        let (report, keys) = signed(vec![Line::Sale(Box::new(sale(&[(0, 0), (0, 1)])))], 2);
        assert!(verify_report(&report, &keys).is_ok());
        assert!(matches!(verify_report(&report, &KeySet::new()), Err(ProofError::UnknownKey(_))));
        assert_eq!(verify_report(&report.replace("EUR", "USD"), &keys), Err(ProofError::Changed));
        for text in ["", "\n", "{}\n{}\n", &report.replace("signature", "summary")] {
            assert!(matches!(verify_report(text, &keys), Err(ProofError::NotAReport(_))), "{text}");
        }
    }
}

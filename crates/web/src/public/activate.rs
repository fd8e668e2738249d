//! Where a device without a network is activated, or gives its seat back: a request is carried here, and the answer
//! carried home. Whoever holds the request holds the key in it, so nobody signs in.
//!
//! A request holds a license key, so it is in no address that a server sees: a QR code has it behind the `#`.

use app::{KeySlip, LicenseFile, OfflineAnswer, OfflineErrand};
use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::{ActivationId, Fingerprint, License, ProductId, Refusal, Standing, plain_text};
use latchkey_license::{OfflineRequest, RequestError, SignedRequest, read_request};

use crate::Web;
use crate::problem::Problem;
use crate::public::frame::{Frame, page};
use crate::public::qr::Qr;
use crate::public::words::Words;
use crate::public::{download, upload};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "public/activate.html")]
struct AskPage<'a> {
    frame: &'a Frame,
    /// The request as it was sent.
    request: &'a str,
    /// Why nothing was done, and what to do about it.
    trouble: Option<Trouble>,
}

struct Trouble {
    verdict: String,
    advice: String,
    /// Whether the portal helps.
    needs_portal: bool,
}

#[derive(Template)]
#[template(path = "public/activate_answer.html")]
struct AnswerPage<'a> {
    frame: &'a Frame,
    lead: String,
    facts: Vec<(String, String)>,
    /// What the app is waiting for.
    file: Option<Answer<'a>>,
}

struct Answer<'a> {
    request: &'a str,
    text: &'a str,
    qr: Option<Qr>,
}

pub(crate) async fn show(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    ask(&web, &visit, "", None)
}

/// Does what the request asks for, and shows the answer.
pub(crate) async fn submit(
    State(web): State<Web>,
    visit: Visit,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let fields = upload::fields(&headers, &body);
    let sent = if fields.get("request").trim().is_empty() { fields.get("file") } else { fields.get("request") };
    let sent = sent.trim();
    match carry_out(&web, &visit, sent).await? {
        Ok(answer) => answered(&web, &visit, sent, &answer),
        Err(trouble) => ask(&web, &visit, sent, Some(trouble)),
    }
}

/// The answer once more, as a file to save: the same request comes to the same seat.
pub(crate) async fn save(
    State(web): State<Web>,
    visit: Visit,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let fields = upload::fields(&headers, &body);
    let sent = fields.get("request").trim();
    match carry_out(&web, &visit, sent).await? {
        Ok(OfflineAnswer::Activated { file, .. }) => Ok(download::license_file(&file)),
        Ok(answer @ OfflineAnswer::Released { .. }) => answered(&web, &visit, sent, &answer),
        Err(trouble) => ask(&web, &visit, sent, Some(trouble)),
    }
}

async fn carry_out(web: &Web, visit: &Visit, sent: &str) -> Result<Result<OfflineAnswer, Trouble>, Problem> {
    let words = Words::new(web, &visit.locale);
    let errand = match read_request(sent) {
        Ok(signed) => errand(web, visit, &words, signed).await?,
        Err(_) if sent.is_empty() => Err(unread(&words, "empty")),
        Err(error) => Err(unread(&words, slip(error))),
    };
    let errand = match errand {
        Ok(errand) => errand,
        Err(trouble) => return Ok(Err(trouble)),
    };
    match web.app.answer_offline_request(visit.shop.id, &errand).await {
        Ok(answer) => Ok(Ok(answer)),
        Err(error) => refused(&words, error).map(Err),
    }
}

/// The parts of a request, each of them read.
async fn errand(
    web: &Web,
    visit: &Visit,
    words: &Words,
    signed: SignedRequest,
) -> Result<Result<OfflineErrand, Trouble>, Problem> {
    let errand = match &signed.request {
        OfflineRequest::Activate { key, product, fingerprint, name, nonce, .. } => {
            let key = match web.app.read_key(visit.shop.id, key).await? {
                Ok(key) => key,
                Err(slip) => return Ok(Err(no_key(words, slip))),
            };
            let Ok(fingerprint) = Fingerprint::parse(fingerprint) else { return Ok(Err(unread(words, "damaged"))) };
            OfflineErrand::Activate {
                key,
                product: ProductId::parse(product).ok(),
                fingerprint,
                name: name.as_deref().and_then(|name| plain_text(name, 100).ok()),
                nonce: nonce.clone(),
            }
        }
        OfflineRequest::Release { activation, .. } => match ActivationId::parse(activation) {
            Ok(activation) => OfflineErrand::Release { activation, request: signed },
            Err(_) => return Ok(Err(unread(words, "seat"))),
        },
    };
    Ok(Ok(errand))
}

fn slip(error: RequestError) -> &'static str {
    match error {
        RequestError::TooLong | RequestError::NotARequest => "unreadable",
        RequestError::Newer => "newer",
        RequestError::Damaged => "damaged",
    }
}

fn unread(words: &Words, what: &str) -> Trouble {
    trouble(words, words.say(&format!("error-request-{what}")), "again", false)
}

fn trouble(words: &Words, verdict: String, advice: &str, needs_portal: bool) -> Trouble {
    Trouble { verdict, advice: words.say(&format!("page-activate-advice-{advice}")), needs_portal }
}

fn no_key(words: &Words, slip: KeySlip) -> Trouble {
    trouble(words, words.slip(slip), "unknown", false)
}

/// The verdict in words, and what to do about it.
fn refused(words: &Words, error: app::Error) -> Result<Trouble, Problem> {
    use app::Error::Refused;
    let say = |id: &str| words.say(id);
    let (verdict, advice, needs_portal) = match &error {
        Refused(Refusal::LicenseNotUsable(Standing::Expired)) => (say("license-expired"), "expired", true),
        Refused(Refusal::LicenseNotUsable(Standing::Suspended)) => (say("license-suspended"), "seller", false),
        Refused(Refusal::LicenseNotUsable(Standing::Revoked)) => (say("license-revoked"), "seller", false),
        Refused(Refusal::WrongProduct) => (say("license-wrong_product"), "product", true),
        Refused(Refusal::NotActivated) => (say("license-not_activated"), "again", false),
        Refused(Refusal::RequestNotGenuine) => (say("error-request-not_genuine"), "again", false),
        Refused(Refusal::KeyRetired { new_tail }) => {
            (words.fill("license-key_retired", &[("tail", new_tail.as_str().into())]), "retired", true)
        }
        Refused(Refusal::SeatLimitReached { seats }) => {
            (words.fill("license-seat_limit_reached", &[("seats", (*seats).into())]), "seats", true)
        }
        Refused(Refusal::GroupFull { seats }) => {
            (words.fill("license-group_full", &[("seats", (*seats).into())]), "seats", true)
        }
        app::Error::NotFound { what: "activation" } => (say("error-request-seat"), "again", false),
        app::Error::NotFound { .. } => (say("license-unknown"), "unknown", false),
        Refused(_) | app::Error::Unavailable(_) | app::Error::Conflict { .. } | app::Error::Configuration(_) => {
            return Err(error.into());
        }
    };
    Ok(trouble(words, verdict, advice, needs_portal))
}

fn ask(web: &Web, visit: &Visit, request: &str, trouble: Option<Trouble>) -> Result<Response, Problem> {
    let frame = Frame::new(web, visit, String::new()).private().returning_to("/activate");
    let frame = Frame { title: frame.say("page-activate-title"), ..frame };
    let (status, frame) = match trouble {
        None => (StatusCode::OK, frame),
        Some(_) => (StatusCode::UNPROCESSABLE_ENTITY, frame.erroneous()),
    };
    page(status, &frame, &AskPage { request, trouble, frame: &frame })
}

fn answered(web: &Web, visit: &Visit, request: &str, answer: &OfflineAnswer) -> Result<Response, Problem> {
    let frame = Frame::new(web, visit, String::new()).private().returning_to("/activate");
    let words = &frame.words;
    let (title, lead, facts, file) = match answer {
        OfflineAnswer::Activated { file, is_new } => {
            let LicenseFile { license, activation, expires_at, text, certificate, .. } = &**file;
            let name = activation.as_ref().and_then(|seat| seat.name.clone());
            let mut facts = facts(words, license, name);
            facts.push((words.say("page-activate-works-until"), words.date(*expires_at)));
            let lead = if *is_new { "page-activate-done" } else { "page-activate-done-again" };
            let file = Answer { request, text, qr: Qr::of(certificate) };
            ("page-activate-done-title", lead, facts, Some(file))
        }
        OfflineAnswer::Released { license, activation } => {
            let facts = facts(words, license, activation.name.clone());
            ("page-activate-released-title", "page-activate-released", facts, None)
        }
    };
    let lead = words.say(lead);
    let frame = Frame { title: frame.say(title), ..frame };
    page(StatusCode::OK, &frame, &AnswerPage { lead, facts, file, frame: &frame })
}

fn facts(words: &Words, license: &License, device: Option<String>) -> Vec<(String, String)> {
    let mut facts = vec![(words.say("page-activate-license"), format!("•••• {}", license.key_tail))];
    facts.extend(device.map(|name| (words.say("page-activate-device"), name)));
    if let Some(seats) = license.policy.seats {
        let counted = words.fill("page-license-seats", &[("used", license.seats_used.into()), ("seats", seats.into())]);
        facts.push((words.say("page-activate-seats"), counted));
    }
    facts
}

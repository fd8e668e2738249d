//! The hosted payment page: plain forms on the server's own HTML, no script.
//!
//! A card number goes from the form to the model's look-up and nowhere else: it
//! is not echoed, kept or logged.

mod words;

use std::collections::BTreeMap;

use askama::Template;

use self::words::{Language, Words};
use crate::model::card::{TEST_CARDS, TEST_IBANS};
use crate::model::error::ApiError;
use crate::model::intent::IntentStatus;
use crate::model::method::CardEntry;
use crate::model::moment::Moment;
use crate::model::session::{Details, Means, Mode, Session, SessionStatus};
use crate::model::setup::SetupStatus;
use crate::model::{Context, Object as _, World, account, intent, session, setup, timer};
use crate::wire::{Reply, Request};

const STYLE: &str = include_str!("../templates/style.css");

/// Serves `/pay/…`.
pub fn answer(world: &mut World, now: Moment, request: &Request) -> Reply {
    timer::tick(world, now);
    let path = request.path.trim_start_matches("/pay/").trim_end_matches('/');
    let steps: Vec<&str> = path.split('/').collect();
    let accepted = request.header("accept-language");
    let language = steps.first().and_then(|id| world.sessions.get(id)).map_or_else(
        || Language::choose(None, accepted),
        |session| Language::choose(session.locale.as_deref(), accepted),
    );
    match (request.method.as_str(), steps.as_slice()) {
        ("GET" | "HEAD", ["style.css"]) => style(),
        ("GET" | "HEAD", [id]) => show(world, id, language),
        ("POST", [id]) => submit(world, now, id, language, &request.body),
        ("GET" | "HEAD", [id, "challenge"]) => show_challenge(world, id, language),
        ("POST", [id, "challenge"]) => submit_challenge(world, now, id, language, &request.body),
        ("GET" | "HEAD" | "POST", _) => missing(language),
        (_, _) => Reply { status: 405, headers: vec![("allow", "GET, HEAD, POST".to_owned())], ..missing(language) },
    }
}

/// What every page shows.
struct Frame {
    words: &'static Words,
    title: String,
    failed: bool,
}

#[derive(Template)]
#[template(path = "pay.html")]
struct PayPage<'page> {
    frame: Frame,
    /// Named, because the page is also what a refused challenge is answered with.
    action: String,
    seller: String,
    is_payment: bool,
    lines: Vec<LineView<'page>>,
    total: String,
    offers_card: bool,
    offers_sepa: bool,
    form: FormView<'page>,
    errors: Vec<FieldError>,
    mandate: [String; 2],
    mandate_kind: &'static str,
    cards: Vec<(String, String)>,
    ibans: Vec<(String, &'static str)>,
    cancel_url: Option<&'page str>,
}

#[derive(Template)]
#[template(path = "challenge.html")]
struct ChallengePage {
    frame: Frame,
    seller: String,
    amount: Option<String>,
}

#[derive(Template)]
#[template(path = "closed.html")]
struct ClosedPage<'page> {
    frame: Frame,
    text: &'static str,
    back_url: Option<&'page str>,
}

struct LineView<'page> {
    name: &'page str,
    description: Option<&'page str>,
    quantity: i64,
    total: String,
}

struct FormView<'page> {
    email: &'page str,
    name: &'page str,
    by_sepa: bool,
}

struct FieldError {
    field: &'static str,
    text: String,
}

impl PayPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.text.as_str())
    }
}

/// What the buyer typed.
struct Form {
    fields: BTreeMap<String, String>,
}

impl Form {
    fn read(body: &[u8]) -> Self {
        let fields = form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.trim().to_owned()));
        Self { fields: fields.collect() }
    }

    fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

fn show(world: &World, id: &str, language: Language) -> Reply {
    let Some(found) = world.sessions.get(id) else { return missing(language) };
    match found.status {
        SessionStatus::Complete => see_other(&found.success_url()),
        SessionStatus::Expired => expired(found, language),
        SessionStatus::Open if session::is_challenged(world, found) => see_other(&format!("/pay/{id}/challenge")),
        SessionStatus::Open => {
            let email = known_email(world, found);
            let by_sepa = !found.method_types.iter().any(|kind| kind == "card");
            let form = FormView { email: &email, name: "", by_sepa };
            pay_page(world, found, language, form, Vec::new())
        }
    }
}

fn submit(world: &mut World, now: Moment, id: &str, language: Language, body: &[u8]) -> Reply {
    let Some(found) = world.sessions.get(id) else { return missing(language) };
    if found.status != SessionStatus::Open || session::is_challenged(world, found) {
        return show(world, id, language);
    }
    let found = found.clone();
    let form = Form::read(body);
    let errors = match pay(world, now, &found, &form, language) {
        Ok(()) => return show(world, id, language),
        Err(errors) => errors,
    };
    let known = known_email(world, &found);
    let email = if form.get("email").is_empty() { &known } else { form.get("email") };
    let by_sepa = method_of(&found, &form) == Some(Offered::Sepa);
    let view = FormView { email, name: form.get("name"), by_sepa };
    Reply { status: 422, ..pay_page(world, &found, language, view, errors) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Offered {
    Card,
    Sepa,
}

/// The method that was chosen; the only one, when there is no choice.
fn method_of(session: &Session, form: &Form) -> Option<Offered> {
    let offers = |kind: &str| session.method_types.iter().any(|offered| offered == kind);
    match form.get("method") {
        "card" if offers("card") => Some(Offered::Card),
        "sepa_debit" if offers("sepa_debit") => Some(Offered::Sepa),
        "" if !offers("sepa_debit") => Some(Offered::Card),
        "" if !offers("card") => Some(Offered::Sepa),
        _ => None,
    }
}

fn pay(
    world: &mut World,
    now: Moment,
    found: &Session,
    form: &Form,
    language: Language,
) -> Result<(), Vec<FieldError>> {
    let words = language.words();
    let mut errors = Vec::new();
    let mut complain = |field: &'static str, text: &str| errors.push(FieldError { field, text: text.to_owned() });
    let known = known_email(world, found);
    let email = if form.get("email").is_empty() { known.as_str() } else { form.get("email") };
    if !session::is_email(email) {
        complain("email", words.email_wrong);
    }
    let method = method_of(found, form);
    let expiry = parse_expiry(form.get("exp"));
    match method {
        None => complain(
            if found.method_types.iter().any(|kind| kind == "card") { "method-card" } else { "iban" },
            words.method_wrong,
        ),
        Some(Offered::Card) => {
            if form.get("card_number").is_empty() {
                complain("card_number", words.card_number_missing);
            }
            if expiry.is_none() {
                complain("exp", words.exp_wrong);
            }
            if form.get("cvc").is_empty() {
                complain("cvc", words.cvc_wrong);
            }
        }
        Some(Offered::Sepa) => {
            if form.get("name").is_empty() {
                complain("name", words.name_missing);
            }
            if form.get("iban").is_empty() {
                complain("iban", words.iban_wrong);
            }
        }
    }
    let (Some(method), true) = (method, errors.is_empty()) else { return Err(errors) };
    let name = Some(form.get("name")).filter(|name| !name.is_empty()).map(str::to_owned);
    let buyer = Details { email: email.to_owned(), name };
    let (exp_month, exp_year) = expiry.unwrap_or_default();
    let means = match method {
        Offered::Card => {
            Means::Card(CardEntry { number: form.get("card_number"), exp_month, exp_year, cvc: form.get("cvc") })
        }
        Offered::Sepa => Means::Iban(form.get("iban")),
    };
    let at = Context::internal(now, found.account());
    session::pay(world, &at, &found.id, buyer, means).map_err(|refused| vec![to_field_error(&refused, language)])
}

fn show_challenge(world: &World, id: &str, language: Language) -> Reply {
    let Some(subject) = Subject::find(world, id) else { return missing(language) };
    if !subject.is_challenged(world) {
        return subject.leave(world, language);
    }
    let words = language.words();
    let frame = Frame { words, title: words.challenge_title.to_owned(), failed: false };
    let amount = subject.intent(world).map(|intent| display(intent.amount, &intent.currency, language));
    let page = ChallengePage { frame, seller: account::seller_name(world, subject.account()), amount };
    render(200, &page, &subject.way_out())
}

fn submit_challenge(world: &mut World, now: Moment, id: &str, language: Language, body: &[u8]) -> Reply {
    let Some(subject) = Subject::find(world, id) else { return missing(language) };
    let passed = match Form::read(body).get("outcome") {
        "complete" => true,
        "fail" => false,
        _ => return see_other(&format!("/pay/{id}/challenge")),
    };
    if !subject.is_challenged(world) {
        return subject.leave(world, language);
    }
    let at = Context::internal(now, subject.account());
    let answered = match &subject {
        Subject::Session(session) => session::answer_challenge(world, &at, &session.id, passed),
        Subject::Intent(intent) => intent::answer_challenge(world, &at, &intent.id, passed),
        Subject::Setup(setup) => setup::answer_challenge(world, &at, setup.id(), passed),
    };
    match (answered, &subject) {
        (Err(refused), Subject::Session(session)) => {
            let email = known_email(world, session);
            let form = FormView { email: &email, name: "", by_sepa: false };
            let errors = vec![to_field_error(&refused, language)];
            Reply { status: 422, ..pay_page(world, session, language, form, errors) }
        }
        (Ok(()), _) | (Err(_), Subject::Intent(_) | Subject::Setup(_)) => subject.leave(world, language),
    }
}

/// What a challenge is about.
enum Subject {
    Session(Box<Session>),
    Intent(Box<intent::Intent>),
    Setup(Box<setup::SetupIntent>),
}

impl Subject {
    fn find(world: &World, id: &str) -> Option<Self> {
        let session = world.sessions.get(id).map(|found| Self::Session(Box::new(found.clone())));
        let intent = || world.intents.get(id).map(|found| Self::Intent(Box::new(found.clone())));
        let setup = || world.setup_intents.get(id).map(|found| Self::Setup(Box::new(found.clone())));
        session.or_else(intent).or_else(setup)
    }

    fn account(&self) -> &str {
        match self {
            Self::Session(session) => session.account(),
            Self::Intent(intent) => intent.account(),
            Self::Setup(setup) => setup.account(),
        }
    }

    fn is_challenged(&self, world: &World) -> bool {
        match self {
            Self::Session(found) => found.status == SessionStatus::Open && session::is_challenged(world, found),
            Self::Intent(intent) => intent.status == IntentStatus::RequiresAction,
            Self::Setup(setup) => setup.status == SetupStatus::RequiresAction,
        }
    }

    fn intent<'world>(&'world self, world: &'world World) -> Option<&'world intent::Intent> {
        match self {
            Self::Session(session) => session.intent.as_ref().and_then(|id| world.intents.get(id)),
            Self::Intent(intent) => Some(intent),
            Self::Setup(_) => None,
        }
    }

    /// Where a form on this page may lead to.
    fn way_out(&self) -> Vec<String> {
        match self {
            Self::Session(session) => ways_out(session),
            Self::Intent(intent) => intent.return_url.iter().cloned().collect(),
            Self::Setup(setup) => setup.return_url.iter().cloned().collect(),
        }
    }

    /// Where the buyer goes when there is no challenge any more.
    fn leave(&self, world: &World, language: Language) -> Reply {
        let (url, kind, id, secret, succeeded) = match self {
            Self::Session(session) => return see_other(&format!("/pay/{}", session.id)),
            Self::Intent(before) => {
                let now = world.intents.get(&before.id);
                let succeeded = now.is_some_and(|now| now.status == IntentStatus::Succeeded);
                (&before.return_url, "payment_intent", before.id.as_str(), before.client_secret.as_str(), succeeded)
            }
            Self::Setup(before) => {
                let now = world.setup_intents.get(before.id());
                let succeeded = now.is_some_and(|now| now.status == SetupStatus::Succeeded);
                (&before.return_url, "setup_intent", before.id(), before.client_secret(), succeeded)
            }
        };
        let Some(url) = url else {
            let words = language.words();
            let frame = Frame { words, title: words.done_title.to_owned(), failed: false };
            return render(200, &ClosedPage { frame, text: words.done_text, back_url: None }, &[]);
        };
        let status = if succeeded { "succeeded" } else { "failed" };
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair(kind, id)
            .append_pair(&format!("{kind}_client_secret"), secret)
            .append_pair("redirect_status", status)
            .finish();
        let joint = if url.contains('?') { '&' } else { '?' };
        see_other(&format!("{url}{joint}{query}"))
    }
}

fn pay_page(
    world: &World,
    session: &Session,
    language: Language,
    form: FormView<'_>,
    errors: Vec<FieldError>,
) -> Reply {
    let words = language.words();
    let seller = account::seller_name(world, session.account());
    let currency = session.currency.as_deref().unwrap_or_default();
    let is_payment = session.mode == Mode::Payment;
    let saves = !is_payment || session.keeps_method();
    let title = format!("{} – {seller}", if is_payment { words.pay_title } else { words.save_title });
    let cards = TEST_CARDS.iter().map(|card| (in_groups(card.number), language.card(card))).collect();
    let ibans = TEST_IBANS.iter().map(|known| (in_groups(known.iban), language.debit(known.behavior))).collect();
    let lines = session
        .lines
        .iter()
        .map(|line| LineView {
            name: &line.name,
            description: line.description.as_deref(),
            quantity: line.quantity,
            total: display(line.total(), currency, language),
        })
        .collect();
    let page = PayPage {
        frame: Frame { words, title, failed: !errors.is_empty() },
        action: format!("/pay/{}", session.id),
        mandate: language.mandate(&seller),
        mandate_kind: if saves { words.mandate_recurring } else { words.mandate_once },
        seller,
        is_payment,
        lines,
        total: display(session.amount_total, currency, language),
        offers_card: session.method_types.iter().any(|kind| kind == "card"),
        offers_sepa: session.method_types.iter().any(|kind| kind == "sepa_debit"),
        form,
        errors,
        cards,
        ibans,
        cancel_url: session.cancel_url.as_deref(),
    };
    render(200, &page, &ways_out(session))
}

fn expired(session: &Session, language: Language) -> Reply {
    let words = language.words();
    let frame = Frame { words, title: words.expired_title.to_owned(), failed: false };
    render(410, &ClosedPage { frame, text: words.expired_text, back_url: session.cancel_url.as_deref() }, &[])
}

fn missing(language: Language) -> Reply {
    let words = language.words();
    let frame = Frame { words, title: words.missing_title.to_owned(), failed: false };
    render(404, &ClosedPage { frame, text: words.missing_text, back_url: None }, &[])
}

fn render(status: u16, page: &impl Template, leads_to: &[String]) -> Reply {
    let mut form_action = "'self'".to_owned();
    // A browser also holds the redirect after the form to this list.
    for origin in leads_to.iter().filter_map(|url| origin(url)) {
        form_action.push(' ');
        form_action.push_str(&origin);
    }
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    );
    match page.render() {
        Ok(body) => Reply { status, headers: html_headers(policy), body, lost: false },
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            Reply { status: 500, headers: html_headers(policy), body: String::new(), lost: false }
        }
    }
}

fn html_headers(policy: String) -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("content-security-policy", policy),
        ("referrer-policy", "no-referrer".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ]
}

fn style() -> Reply {
    let headers = vec![
        ("content-type", "text/css; charset=utf-8".to_owned()),
        ("cache-control", "max-age=300".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ];
    Reply { status: 200, headers, body: STYLE.to_owned(), lost: false }
}

fn see_other(url: &str) -> Reply {
    let headers = vec![
        ("location", url.to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("referrer-policy", "no-referrer".to_owned()),
    ];
    Reply { status: 303, headers, body: String::new(), lost: false }
}

fn ways_out(session: &Session) -> Vec<String> {
    let mut urls = vec![session.success_url()];
    urls.extend(session.cancel_url.clone());
    urls
}

fn origin(url: &str) -> Option<String> {
    let uri: axum::http::Uri = url.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?.as_str().rsplit('@').next()?))
}

fn to_field_error(refused: &ApiError, language: Language) -> FieldError {
    let (field, text) = language.refusal(refused);
    FieldError { field, text }
}

fn known_email(world: &World, session: &Session) -> String {
    let typed = session.details.as_ref().map(|details| details.email.clone());
    let customer =
        session.customer.as_ref().and_then(|id| world.customers.get(id)).and_then(|found| found.email.clone());
    typed.or_else(|| session.customer_email.clone()).or(customer).unwrap_or_default()
}

/// `12/34`, `12 / 2034`, `1234`.
fn parse_expiry(text: &str) -> Option<(i64, i64)> {
    let compact: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let (month, year) = match compact.split_once(['/', '-', '.']) {
        Some(parts) => parts,
        None if compact.is_ascii() && compact.len() >= 3 => compact.split_at(2),
        None => return None,
    };
    let month: i64 = month.parse().ok()?;
    let year: i64 = year.parse().ok()?;
    let known_year = (0..=99).contains(&year) || (2_000..=2_999).contains(&year);
    ((1..=12).contains(&month) && known_year).then_some((month, year))
}

/// An amount as the wire has it, for a person.
fn display(amount: i64, currency: &str, language: Language) -> String {
    // The wire counts these two in hundredths that the currencies do not have.
    let minor = if matches!(currency, "isk" | "ugx") { amount / 100 } else { amount };
    match money::Currency::parse(&currency.to_ascii_uppercase()) {
        Ok(known) => money::Money::new(minor, known).display(language.words().code),
        Err(_) => String::new(),
    }
}

fn in_groups(number: &str) -> String {
    let letters: Vec<char> = number.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_date_is_understood_as_people_write_it() {
        let rows = [
            ("12/34", Some((12, 34))),
            ("12 / 34", Some((12, 34))),
            ("1/2034", Some((1, 2034))),
            ("01-34", Some((1, 34))),
            ("1234", Some((12, 34))),
            ("13/34", None),
            ("", None),
            ("12", None),
            ("12/", None),
            ("ab/cd", None),
            ("１２/３４", None),
        ];
        for (text, expected) in rows {
            assert_eq!(parse_expiry(text), expected, "{text}");
        }
    }

    #[test]
    fn the_origin_of_an_address_has_no_user_and_no_path() {
        let rows = [
            ("https://shop.example/thanks?x=1", Some("https://shop.example")),
            ("http://user:pass@127.0.0.1:4242/a", Some("http://127.0.0.1:4242")),
            ("/relative", None),
        ];
        for (url, expected) in rows {
            assert_eq!(origin(url).as_deref(), expected, "{url}");
        }
    }
}

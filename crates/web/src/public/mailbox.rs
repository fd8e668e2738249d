//! The mails that a sandbox keeps instead of sending them. A live shop has no such page.

use app::Mailbox;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use domain::DeliveryId;

use crate::Web;
use crate::problem::Problem;
use crate::public::frame::{Frame, page};
use crate::visit::Visit;

/// How many mails the list shows.
const NEWEST: usize = 100;

/// A mail's own HTML runs and loads nothing, and is no page of ours.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; \
     img-src data:; frame-ancestors 'self'";

/// As any page, with a frame for the mail.
const SHOW_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; \
     frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

struct Row {
    href: String,
    subject: String,
    to: String,
    at: String,
}

#[derive(Template)]
#[template(path = "public/mailbox.html")]
struct ListPage<'a> {
    frame: &'a Frame,
    mails: Vec<Row>,
}

/// A piece of plain text: a link, or what stands between links.
struct Piece<'a> {
    text: &'a str,
    is_link: bool,
}

#[derive(Template)]
#[template(path = "public/mailbox_mail.html")]
struct MailPage<'a> {
    frame: &'a Frame,
    from: String,
    to: &'a str,
    at: String,
    pieces: Vec<Piece<'a>>,
    html_href: String,
}

pub(crate) async fn list(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let mails = mailbox(&web)?.newest(NEWEST).await.map_err(|error| unreadable(&error))?;
    let frame = Frame::new(&web, &visit, String::new()).private();
    let frame = Frame { title: frame.say("mailbox-title"), ..frame };
    let mails = mails
        .into_iter()
        .map(|mail| Row {
            href: format!("/mailbox/{}", mail.delivery),
            subject: mail.subject.to_string(),
            to: mail.to.to_string(),
            at: frame.words.date(mail.at),
        })
        .collect();
    page(StatusCode::OK, &frame, &ListPage { frame: &frame, mails })
}

pub(crate) async fn show(State(web): State<Web>, visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let mail = find(&web, &id).await?;
    let frame = Frame::new(&web, &visit, mail.subject.to_string()).private();
    let template = MailPage {
        from: format!("{} <{}>", mail.from_name, mail.from),
        to: mail.to.as_str(),
        at: frame.words.date(mail.at),
        pieces: pieces(&mail.text),
        html_href: format!("/mailbox/{}/html", mail.delivery),
        frame: &frame,
    };
    let mut response = page(StatusCode::OK, &frame, &template)?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SHOW_POLICY));
    Ok(response)
}

/// The HTML part as it was sent; its links open pages of their own.
pub(crate) async fn html(State(web): State<Web>, Path(id): Path<String>) -> Result<Response, Problem> {
    let mail = find(&web, &id).await?;
    let html = mail.html.replacen("<head>", "<head><base target=\"_blank\">", 1);
    let headers = [(header::CONTENT_SECURITY_POLICY, MAIL_POLICY), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Html(html)).into_response())
}

fn mailbox(web: &Web) -> Result<&Mailbox, Problem> {
    web.mailbox.as_deref().ok_or_else(|| Problem::not_found("address"))
}

async fn find(web: &Web, id: &str) -> Result<app::mail::Mail, Problem> {
    let mailbox = mailbox(web)?;
    let id = DeliveryId::parse(id).map_err(|_| Problem::not_found("mail"))?;
    mailbox.find(id).await.map_err(|error| unreadable(&error))?.ok_or_else(|| Problem::not_found("mail"))
}

fn unreadable(error: &std::io::Error) -> Problem {
    Problem::unavailable(format!("the mailbox cannot be read: {error}"))
}

/// Plain text with its web addresses set apart.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    text.split_inclusive(char::is_whitespace)
        .flat_map(|word| {
            let end = word.trim_end().len();
            let is_link = word.starts_with("https://") || word.starts_with("http://");
            let (link, rest) = word.split_at(if is_link { end } else { 0 });
            [Piece { text: link, is_link: true }, Piece { text: rest, is_link: false }]
        })
        .filter(|piece| !piece.text.is_empty())
        .collect()
}

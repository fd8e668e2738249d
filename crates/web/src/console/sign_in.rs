//! Signing in by a link that works once. Looking at a link does nothing: mail
//! scanners look at links.

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::{Email, EmailError, LoginLinkId};
use serde::Deserialize;

use super::{COOKIE, Chrome, page};
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{Web, cookie};

/// As long as the session in the store; the store's end counts.
const COOKIE_SECONDS: i64 = 12 * 3_600;

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignIn<'a> {
    chrome: Chrome<'a>,
    /// The cause, when the address that was typed cannot be one.
    error: Option<String>,
    email: String,
    is_sent: bool,
}

#[derive(Template)]
#[template(path = "console/enter.html")]
struct Enter<'a> {
    chrome: Chrome<'a>,
    link: String,
    token: String,
    is_dead: bool,
}

#[derive(Deserialize)]
pub(crate) struct Link {
    #[serde(default)]
    link: String,
    #[serde(default)]
    token: String,
}

#[derive(Deserialize)]
pub(crate) struct Address {
    #[serde(default)]
    email: String,
}

/// The message that says why an address cannot be one.
pub(crate) fn cause(error: EmailError) -> String {
    format!("error-email-{}", error.code())
}

fn chrome<'a>(web: &'a Web, visit: &'a Visit) -> Chrome<'a> {
    Chrome { web, visit, section: "", parked: 0, owed: store::Owed::default(), is_signed_in: false, told: None }
}

pub(crate) async fn show(State(web): State<Web>, visit: Visit) -> Response {
    page(StatusCode::OK, &SignIn { chrome: chrome(&web, &visit), error: None, email: String::new(), is_sent: false })
}

pub(crate) async fn send_link(
    State(web): State<Web>,
    visit: Visit,
    Form(form): Form<Address>,
) -> Result<Response, Problem> {
    let chrome = chrome(&web, &visit);
    match Email::parse(&form.email) {
        Ok(email) => {
            web.app.send_console_link(&visit.shop, &email, &visit.locale).await?;
            Ok(page(StatusCode::OK, &SignIn { chrome, error: None, email: form.email, is_sent: true }))
        }
        Err(error) => {
            let cause = chrome.t(&cause(error));
            Ok(page(
                StatusCode::UNPROCESSABLE_ENTITY,
                &SignIn { chrome, error: Some(cause), email: form.email, is_sent: false },
            ))
        }
    }
}

pub(crate) async fn confirm(State(web): State<Web>, visit: Visit, Query(link): Query<Link>) -> Response {
    page(StatusCode::OK, &Enter { chrome: chrome(&web, &visit), link: link.link, token: link.token, is_dead: false })
}

pub(crate) async fn enter(State(web): State<Web>, visit: Visit, Form(form): Form<Link>) -> Result<Response, Problem> {
    let token = match LoginLinkId::parse(&form.link) {
        Ok(link) => web.app.enter_console(visit.shop.id, link, &form.token).await,
        Err(_) => Err(app::Error::NotFound { what: "link" }),
    };
    match token {
        Ok(token) => {
            let mut response = Redirect::to("/console").into_response();
            if let Some(value) = cookie::set(COOKIE, &token, "/console", COOKIE_SECONDS, Visit::is_secure(&web)) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
            Ok(response)
        }
        Err(app::Error::NotFound { .. }) => {
            let dead = Enter { chrome: chrome(&web, &visit), link: String::new(), token: String::new(), is_dead: true };
            Ok(page(StatusCode::FORBIDDEN, &dead))
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn leave(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    if let Some(token) = cookie::get(&visit.headers, COOKIE) {
        web.app.end_session(token).await?;
    }
    let mut response = Redirect::to("/console/sign-in").into_response();
    if let Some(value) = cookie::set(COOKIE, "", "/console", 0, Visit::is_secure(&web)) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

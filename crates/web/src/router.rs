//! Every route, on one screen. Each layer costs every request two allocations, so what a class of work needs stands in
//! its door (admission.rs).

use std::sync::Arc;

use axum::routing::{get, post, put};
use axum::{Router, middleware};
use tokio::runtime::Handle;
use tower_http::compression::CompressionLayer;

use crate::admission::{Door, admit};
use crate::limits::{Class, Limits};
use crate::site::{Site, Validation};
use crate::{Web, api, asset, compat, console, guard, public};

/// No webhook is larger; Stripe's largest events are some hundred kilobytes.
const HOOK_LIMIT: usize = 1 << 20;

/// No form and no API call is larger.
const BODY_LIMIT: usize = 64 << 10;

/// The whole server, with the limits that hold when nothing is said.
pub fn site(web: Web) -> Site {
    site_within(web, &Limits::default(), None)
}

/// The whole server within limits. With `workers`, everything but license validation is answered there, so that
/// validation does not stand in their line.
pub fn site_within(web: Web, limits: &Limits, workers: Option<&Handle>) -> Site {
    let before = |door: Arc<Door>| middleware::from_fn_with_state(door, admit);
    let door = |class: Class, body_limit: usize| before(Arc::new(Door::new(&web, class, body_limit, limits, workers)));
    let validation_door = Arc::new(Door::new(&web, Class::Validate, BODY_LIMIT, limits, workers));
    let pages = Router::new()
        .route("/", get(public::storefront::show))
        .route("/p/{slug}", get(public::product::show))
        .route("/buy/{plan}", get(public::buy::show).post(public::buy::submit))
        .route("/checkout/{checkout}", get(public::checkout::show).post(public::checkout::submit))
        .route("/orders/{order}", get(public::order::show))
        .route("/orders/{order}/return", get(public::order::returned))
        .route("/orders/{order}/retry", post(public::order::retry))
        .route("/orders/{order}/check", post(public::order::check))
        .route("/orders/{order}/messages", post(public::order::write))
        .route("/orders/{order}/resend", post(public::order::resend))
        .route("/orders/{order}/licenses/{license}/activations/{activation}/release", post(public::order::release))
        .route("/portal", get(public::portal::show))
        .route("/portal/code", post(public::portal::send_code))
        .route("/portal/enter", post(public::portal::enter))
        .route("/portal/key", post(public::portal::enter_with_key))
        .route("/portal/leave", post(public::portal::leave))
        .route("/portal/orders/{order}/resend", post(public::portal::resend))
        .route("/portal/licenses/{license}/activations/{activation}/release", post(public::portal::release))
        .route("/portal/keys", post(public::portal::send_keys))
        .route("/portal/licenses/{license}", get(public::own_license::show))
        .route("/portal/licenses/{license}/activations/{activation}/rename", post(public::own_license::rename))
        .route(
            "/portal/licenses/{license}/key",
            get(public::own_license::ask_for_key).post(public::own_license::take_key),
        )
        .route(
            "/portal/licenses/{license}/transfer",
            get(public::own_license::ask_for_receiver).post(public::own_license::offer),
        )
        .route("/portal/licenses/{license}/transfer/withdraw", post(public::own_license::withdraw))
        .route("/transfer", get(public::transfer::show).post(public::transfer::accept))
        .route("/orders/{order}/licenses/{license}/file", post(public::order::license_file))
        .route("/orders/{order}/licenses/{license}/activations/{activation}/file", post(public::order::device_file))
        .route("/portal/licenses/{license}/file", post(public::portal::license_file))
        .route("/portal/licenses/{license}/activations/{activation}/file", post(public::portal::device_file))
        .route("/activate", get(public::activate::show).post(public::activate::submit))
        .route("/activate/file", post(public::activate::save))
        .route("/terms", get(public::terms::show))
        .route("/docs/errors", get(api::error_code::show))
        .route("/language", post(public::language::choose))
        .route("/mailbox", get(public::mailbox::list))
        .route("/mailbox/{delivery}", get(public::mailbox::show))
        .route("/mailbox/{delivery}/html", get(public::mailbox::html))
        // Not below: a page that shows what was searched for beside what is secret must not tell by its length.
        .layer(CompressionLayer::new())
        .layer(door(Class::Pages, BODY_LIMIT));

    let console = Router::new()
        .route("/console", get(console::home::show))
        .route("/console/sign-in", get(console::sign_in::show).post(console::sign_in::send_link))
        .route("/console/enter", get(console::sign_in::confirm).post(console::sign_in::enter))
        .route("/console/leave", post(console::sign_in::leave))
        .route("/console/search", get(console::search::show).post(console::search::submit))
        .route("/console/orders", get(console::order::list))
        .route("/console/orders/{order}", get(console::order::show))
        .route("/console/orders/{order}/refund", post(console::refund::submit))
        .route("/console/orders/{order}/resend", post(console::order::resend))
        .route("/console/orders/{order}/check", post(console::order::check))
        .route("/console/licenses", get(console::license::list))
        .route("/console/licenses/{license}", get(console::license::show))
        .route("/console/licenses/{license}/activations/{activation}/release", post(console::license::release))
        .route("/console/licenses/{license}/file", post(console::license::file))
        .route("/console/licenses/{license}/activations/{activation}/file", post(console::license::device_file))
        .route("/console/licenses/{license}/adjust", post(console::adjust::license))
        .route(
            "/console/licenses/{license}/reissue",
            get(console::adjust::confirm_reissue).post(console::adjust::reissue),
        )
        .route("/console/licenses/{license}/state", post(console::adjust::state))
        .route("/console/licenses/{license}/move", post(console::adjust::transfer))
        .route("/console/licenses/{license}/events/{event}/undo", post(console::adjust::undo))
        .route("/console/attempts", get(console::attempt::list))
        .route("/console/batches", get(console::batch::list).post(console::batch::issue))
        .route("/console/batches/{batch}", get(console::batch::show))
        .route("/console/batches/{batch}/keys.csv", get(console::batch::keys))
        .route("/console/exports/licenses.csv", get(console::batch::licenses))
        .route("/console/exports/activations.csv", get(console::batch::activations))
        .route("/console/plans/{plan}", get(console::adjust::plan))
        .route("/console/plans/{plan}/adopt", post(console::adjust::adopt))
        .route("/console/customers", get(console::customer::list))
        .route("/console/customers/{customer}", get(console::customer::show))
        .route("/console/customers/{customer}/email", post(console::customer::correct))
        .route("/console/groups", get(console::group::list).post(console::group::create))
        .route("/console/groups/{group}", get(console::group::show).post(console::group::change))
        .route("/console/groups/{group}/licenses", post(console::group::put))
        .route("/console/groups/{group}/delete", post(console::group::delete))
        .route("/console/licenses/{license}/group", post(console::group::regroup))
        .route("/console/pools", get(console::pool::list))
        .route("/console/pools/{pool}", get(console::pool::show))
        .route("/console/pools/{pool}/codes", post(console::pool::add_codes))
        .route("/console/pools/{pool}/release", post(console::pool::release))
        .route("/console/shadow", get(console::shadow::list))
        .route("/console/claims", get(console::claim::list))
        .route("/console/claims/{license}", get(console::claim::show).post(console::claim::fulfil))
        .route("/console/claims/{license}/ask", post(console::claim::ask))
        .route("/console/orders/{order}/messages", post(console::message::write))
        .route("/console/report", post(console::report::download))
        .route("/console/mails", get(console::delivery::list))
        .route("/console/mails/{delivery}/send", post(console::delivery::send))
        .route("/console/notices", get(console::notice::list))
        .route("/console/notices/{notice}", get(console::notice::show))
        .route("/console/notices/{notice}/apply", post(console::notice::apply))
        .layer(door(Class::Console, BODY_LIMIT));

    // Not compressed: what is sold mostly is already, and a part of a file is a part of its own bytes.
    let downloads = Router::new()
        .route("/downloads/{token}", get(public::release::download))
        .layer(door(Class::Downloads, BODY_LIMIT))
        .layer(middleware::from_fn_with_state(web.clone(), public::failure::as_either));

    let for_people = pages
        .merge(console)
        .layer(middleware::from_fn_with_state(web.clone(), guard::own_forms_only))
        .layer(middleware::from_fn_with_state(web.clone(), public::failure::as_page));

    let management = Router::new()
        .route("/v1/checkouts", post(api::checkout::create).get(api::checkout::list))
        .route("/v1/checkouts/{checkout}", get(api::checkout::show))
        .route("/v1/orders", get(api::order::list))
        .route("/v1/orders/{order}", get(api::order::show))
        .route("/v1/orders/{order}/refunds", post(api::refund::create).get(api::refund::list))
        .route("/v1/payments/{payment}", get(api::payment::show))
        .route("/v1/refunds/{refund}", get(api::refund::show))
        .route("/v1/licenses", get(api::license::list))
        .route("/v1/licenses/batches", post(api::batch::create))
        .route("/v1/licenses/batches/{batch}", get(api::batch::show))
        .route("/v1/licenses/batches/{batch}/keys", get(api::batch::keys))
        .route("/v1/exports/licenses", get(api::batch::licenses))
        .route("/v1/exports/activations", get(api::batch::activations))
        .route("/v1/licenses/{license}", get(api::license::show))
        .route("/v1/licenses/{license}/attempts", get(api::attempt::list))
        .route("/v1/licenses/{license}/usage", post(api::usage::correct))
        .route("/v1/licenses/{license}/key", post(api::reissue::create))
        .route("/v1/licenses/{license}/content", post(api::claim::fulfil))
        .route("/v1/licenses/{license}/file", post(api::license_file::create))
        .route("/v1/licenses/{license}/policy", post(api::adjust::license))
        .route("/v1/licenses/{license}/suspend", post(api::by_hand::suspend))
        .route("/v1/licenses/{license}/reinstate", post(api::by_hand::reinstate))
        .route("/v1/licenses/{license}/revoke", post(api::by_hand::revoke))
        .route("/v1/licenses/{license}/move", post(api::by_hand::transfer))
        .route("/v1/licenses/{license}/events/{event}/undo", post(api::by_hand::undo))
        .route("/v1/licenses/{license}/group", post(api::group::regroup))
        .route("/v1/groups", get(api::group::list).post(api::group::create))
        .route("/v1/groups/{group}", get(api::group::show).post(api::group::change).delete(api::group::delete))
        .route("/v1/customers", get(api::customer::list))
        .route("/v1/customers/{customer}", get(api::customer::show).post(api::customer::correct))
        .route("/v1/products", get(api::product::list))
        .route("/v1/products/{product}", get(api::product::show))
        .route("/v1/plans/{plan}", get(api::plan::show))
        .route("/v1/plans/{plan}/policy-changes", post(api::adjust::adopt).get(api::adjust::preview))
        .route("/v1/introspect", post(api::access_token::introspect))
        .route("/v1/pools", get(api::pool::list))
        .route("/v1/pools/{pool}/codes", post(api::pool::add_codes))
        .route("/v1/claims", get(api::claim::list))
        .route("/v1/events", get(api::event::list))
        .route("/v1/events/{event}", get(api::event::show))
        .layer(door(Class::Api, BODY_LIMIT));

    let validation = Router::new()
        .route("/v1/licenses/validate", post(api::license::validate))
        .route("/v1/licenses/revocations", get(api::revocation::list))
        .route("/.well-known/jwks.json", get(api::key_set::show))
        .layer(before(Arc::clone(&validation_door)));

    // Where a shop has an old system that still answers, that is asked as well.
    let shadow = compat::shadow::Shadow::new(&web, limits.shadow_deadline);

    // What other systems' apps ask; see `compat`.
    let foreign = Router::new()
        .route("/compat/lemon_squeezy/v1/licenses/activate", post(compat::lemon_squeezy::activate))
        .route("/compat/lemon_squeezy/v1/licenses/validate", post(compat::lemon_squeezy::validate))
        .route("/compat/lemon_squeezy/v1/licenses/deactivate", post(compat::lemon_squeezy::deactivate))
        .route("/compat/gumroad/v2/licenses/verify", post(compat::gumroad::verify))
        .route("/compat/gumroad/api/v2/licenses/verify", post(compat::gumroad::verify))
        .route("/compat/gumroad/v2/licenses/enable", put(compat::gumroad::enable))
        .route("/compat/gumroad/v2/licenses/disable", put(compat::gumroad::disable))
        .route("/compat/gumroad/v2/licenses/decrement_uses_count", put(compat::gumroad::decrement))
        .route("/compat/gumroad/v2/licenses/rotate", put(compat::gumroad::rotate))
        .route("/compat/edd", get(compat::edd::answer).post(compat::edd::answer))
        .route("/compat/edd/", get(compat::edd::answer).post(compat::edd::answer))
        .route("/compat/polar/v1/customer-portal/license-keys/activate", post(compat::polar::activate))
        .route("/compat/polar/v1/customer-portal/license-keys/validate", post(compat::polar::validate))
        .route("/compat/polar/v1/customer-portal/license-keys/deactivate", post(compat::polar::deactivate))
        .route("/compat/polar/v1/users/license-keys/activate", post(compat::polar::activate))
        .route("/compat/polar/v1/users/license-keys/validate", post(compat::polar::validate))
        .route("/compat/polar/v1/users/license-keys/deactivate", post(compat::polar::deactivate))
        .route("/compat/dodo/licenses/activate", post(compat::dodo::activate))
        .route("/compat/dodo/licenses/validate", post(compat::dodo::validate))
        .route("/compat/dodo/licenses/deactivate", post(compat::dodo::deactivate))
        .layer(middleware::from_fn_with_state(shadow.clone(), compat::shadow::beside));

    let seats = Router::new()
        .route("/v1/licenses/activate", post(api::license::activate))
        .route("/v1/licenses/deactivate", post(api::license::deactivate))
        .route("/v1/licenses/heartbeat", post(api::license::heartbeat))
        .route("/v1/licenses/file", post(api::license_file::fetch))
        .route("/v1/licenses/downloads", post(api::release::list))
        .route("/v1/licenses/usage", post(api::usage::count))
        .route("/v1/licenses/token", post(api::access_token::create))
        .merge(foreign)
        .layer(door(Class::Activate, BODY_LIMIT));

    // Keygen answers below an account as well as without one.
    let keygen = Router::new()
        .nest("/compat/keygen/v1", keygen())
        .nest("/compat/keygen/v1/accounts/{account}", keygen())
        .layer(middleware::from_fn(compat::keygen::word))
        .layer(middleware::from_fn_with_state(shadow, compat::shadow::beside))
        .layer(door(Class::Activate, BODY_LIMIT))
        .layer(middleware::from_fn_with_state(web.clone(), compat::keygen::sign));

    let open = Router::new()
        .route("/openapi.json", get(api::openapi::show))
        .route("/livez", get(api::health::live))
        .route("/readyz", get(api::health::ready))
        .layer(middleware::map_response(async |response| api::as_problem(response)));

    let hooks =
        Router::new().route("/hooks/{gateway_account}", post(api::hook::receive)).layer(door(Class::Hooks, HOOK_LIMIT));

    let hot = Validation { web: web.clone(), door: validation_door, deadline: limits.request_deadline };
    let routes = Router::new()
        .merge(for_people)
        .merge(downloads)
        .merge(management)
        .merge(validation)
        .merge(seats)
        .merge(keygen)
        .merge(open)
        .merge(hooks)
        .route("/assets/{name}", get(asset::show).layer(CompressionLayer::new()))
        .fallback(public::not_found)
        .layer(middleware::from_fn_with_state((web.clone(), limits.request_deadline), guard::every_answer))
        .with_state(web);
    Site::new(hot, routes)
}

/// What Keygen's apps ask; see `compat::keygen`.
fn keygen() -> Router<Web> {
    use compat::keygen;
    Router::new()
        .route("/me", get(keygen::me))
        .route("/licenses/actions/validate-key", post(keygen::validate_key))
        .route("/licenses/{id}", get(keygen::show))
        .route("/licenses/{id}/actions/validate", post(keygen::validate).get(keygen::quick))
        .route("/licenses/{id}/actions/check-out", post(keygen::license_file).get(keygen::raw_license_file))
        .route("/licenses/{id}/actions/check-in", post(keygen::check_in))
        .route("/licenses/{id}/actions/increment-usage", post(keygen::increment))
        .route("/licenses/{id}/actions/decrement-usage", post(keygen::decrement))
        .route("/licenses/{id}/actions/reset-usage", post(keygen::reset))
        .route("/licenses/{id}/machines", get(keygen::machines))
        .route("/licenses/{id}/entitlements", get(keygen::entitlements))
        .route("/licenses/{id}/users", get(keygen::none_of_license))
        .route("/machines", post(keygen::activate).get(keygen::list_machines))
        .route("/machines/{id}", get(keygen::show_machine).patch(keygen::update_machine).delete(keygen::deactivate))
        .route("/machines/{id}/actions/ping", post(keygen::ping))
        .route("/machines/{id}/actions/ping-heartbeat", post(keygen::ping))
        .route("/machines/{id}/actions/reset", post(keygen::reset_heartbeat))
        .route("/machines/{id}/actions/reset-heartbeat", post(keygen::reset_heartbeat))
        .route("/machines/{id}/actions/check-out", post(keygen::machine_file).get(keygen::raw_machine_file))
        .route("/machines/{id}/components", get(keygen::components))
        .route("/machines/{id}/processes", get(keygen::none_of_machine))
        .fallback(keygen::no_endpoint)
}

/// What is for those who watch the server, on a listener of its own.
pub fn watch_router(web: Web) -> Router {
    Router::new()
        .route("/metrics", get(api::metrics::show))
        .route("/livez", get(api::health::live))
        .route("/readyz", get(api::health::ready))
        .with_state(web)
}

//! An outcome laid out for C: texts that end with a zero byte, kept alive beside the struct that points to them.

use std::ffi::{c_char, c_int};
use std::ptr;

use latchkey_client::{Outcome, State};

use crate::texts::Texts;

/// `latchkey_outcome`.
#[repr(C)]
pub struct OutcomeView {
    state: c_int,
    usable: c_int,
    code: *const c_char,
    message: *const c_char,
    portal_url: *const c_char,
    license_id: *const c_char,
    product: *const c_char,
    plan: *const c_char,
    features: *const *const c_char,
    features_count: usize,
    license_expires_at: i64,
    carries_until: i64,
    refresh_at: i64,
    request: *const c_char,
    request_url: *const c_char,
}

/// The newest outcome of a client, with everything that it points to.
#[derive(Default)]
pub(crate) struct CallOutcome {
    view: Option<Box<OutcomeView>>,
    texts: Texts,
    features: Vec<*const c_char>,
}

impl CallOutcome {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let mut texts = Texts::default();
        let mut keep = |text: &str| texts.keep(text);
        let license = outcome.license.as_ref();
        let features: Vec<*const c_char> =
            license.map(|license| license.features.iter().map(|feature| keep(feature)).collect()).unwrap_or_default();
        let mut of_license =
            |read: fn(&latchkey_client::License) -> &str| license.map_or(ptr::null(), |license| keep(read(license)));
        let (license_id, product, plan) = (
            of_license(|license| &license.id),
            of_license(|license| &license.product),
            of_license(|license| &license.plan),
        );
        let mut optional = |text: Option<&String>| text.map_or(ptr::null(), |text| keep(text));
        let (request, request_url) = (optional(outcome.request.as_ref()), optional(outcome.request_url.as_ref()));
        let view = OutcomeView {
            state: number(outcome.state),
            usable: c_int::from(outcome.is_usable()),
            code: keep(&outcome.code),
            message: keep(&outcome.message),
            portal_url: keep(&outcome.portal_url),
            license_id,
            product,
            plan,
            features: features.as_ptr(),
            features_count: features.len(),
            license_expires_at: license.and_then(|license| license.expires_at).unwrap_or(0),
            carries_until: outcome.carries_until.unwrap_or(0),
            refresh_at: outcome.refresh_at.unwrap_or(0),
            request,
            request_url,
        };
        Self { view: Some(Box::new(view)), texts, features }
    }

    pub(crate) fn view(&self) -> *const OutcomeView {
        debug_assert!(self.features.len() <= self.texts.len());
        self.view.as_deref().map_or(ptr::null(), ptr::from_ref)
    }
}

/// The numbers of `latchkey_state`.
fn number(state: State) -> c_int {
    match state {
        State::Valid => 0,
        State::Grace => 1,
        State::Refused => 2,
        State::Undetermined => 3,
        State::Released => 4,
    }
}

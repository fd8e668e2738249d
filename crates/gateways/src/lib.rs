//! Payment gateways, translated: what they send into our facts, what we want
//! into their requests.
//!
//! Pure: an adapter builds [`HttpRequest`] values and reads [`HttpResponse`]
//! values; somebody else sends them. It verifies signatures over raw bytes
//! with a clock that is handed in. It knows nothing of storage, and nothing
//! outside an adapter's folder knows the gateway's names.

mod call;
mod capability;
pub mod contract;
mod http;
mod notice;
mod registry;
pub mod stripe;

pub use call::{
    Answer, Call, CallError, HostedPage, HostedPaymentRequest, ListedEvent, OffSessionCharge, RefundRequest,
    SaveMethodRequest,
};
pub use capability::{Capabilities, Trust};
pub use http::{Headers, HttpRequest, HttpResponse, Method};
pub use notice::{NoticeItem, TranslateError, Translation, VerifyError};
pub use registry::{adapter, adapters};

use domain::{Mode, PaymentLocator, Timestamp};

/// One gateway. Adapters hold no state: credentials are arguments, read from
/// the JSON text that the account keeps sealed.
pub trait Gateway: Send + Sync {
    /// The name in configuration and rows: `stripe`.
    fn name(&self) -> &'static str;

    /// What it can do, as data.
    fn capabilities(&self) -> &'static Capabilities;

    /// Checks that credentials are complete and of the right shape, before they are stored.
    ///
    /// # Errors
    /// Says which field is missing or wrong, never its value.
    fn check_credentials(&self, credentials: &str) -> Result<(), CredentialsError>;

    /// Whether credentials are of a test or of real money, where they tell.
    fn mode(&self, _credentials: &str) -> Option<Mode> {
        None
    }

    /// Proves who spoke, over the raw bytes, and splits the message into one item per event.
    ///
    /// # Errors
    /// When the message is not authentic, or cannot be read although it is.
    fn verify(
        &self,
        credentials: &str,
        headers: &Headers,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<NoticeItem>, VerifyError>;

    /// Says in our words what one stored event means.
    ///
    /// # Errors
    /// When the event is of a kind that we handle and yet cannot be read; it is parked.
    fn translate(&self, kind: &str, body: &[u8]) -> Result<Translation, TranslateError>;

    /// The note that we attached to the payment of this event, where the event carries it.
    fn note(&self, _body: &[u8]) -> Option<String> {
        None
    }

    /// The gateway's names for the payment that this event is about, where the event would carry a reference of ours and
    /// carries none: it belongs to other software, unless we know one of the names. `None` when that cannot be told.
    fn unmarked(&self, _body: &[u8]) -> Option<PaymentLocator> {
        None
    }

    /// The request that makes a call. The same call always gives the same
    /// request with the same idempotency key.
    ///
    /// # Errors
    /// When the gateway cannot do it, or the credentials cannot be read.
    fn request(&self, credentials: &str, call: &Call) -> Result<HttpRequest, CallError>;

    /// What the answer to a call means.
    ///
    /// # Errors
    /// [`CallError::Refused`] is final; [`CallError::Unknown`] is asked again with the same key.
    fn read(&self, call: &Call, response: &HttpResponse) -> Result<Answer, CallError>;
}

/// Credentials that cannot be used. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct CredentialsError {
    /// The field of the settings.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

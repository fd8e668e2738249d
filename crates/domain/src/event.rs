//! What happened, in order, for ever: the journal.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CustomerId, EventId, LicenseId, OrderId, ShopId, Timestamp, UserId};

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// The gateway told us.
    Gateway,
    /// The server itself: a timer, a sweep.
    System,
    /// The buyer, on a page.
    Buyer,
    /// An app, by the license endpoints.
    App,
    /// The seller's program, by the API.
    Api,
    /// A person in the console.
    User(UserId),
}

impl Actor {
    /// The words in rows: the kind, with the id behind a colon where there is one.
    #[must_use]
    pub fn to_text(self) -> String {
        match self {
            Self::Gateway => "gateway".to_owned(),
            Self::System => "system".to_owned(),
            Self::Buyer => "buyer".to_owned(),
            Self::App => "app".to_owned(),
            Self::Api => "api".to_owned(),
            Self::User(user) => format!("user:{user}"),
        }
    }

    /// Reads the words in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "gateway" => Some(Self::Gateway),
            "system" => Some(Self::System),
            "buyer" => Some(Self::Buyer),
            "app" => Some(Self::App),
            "api" => Some(Self::Api),
            other => other.strip_prefix("user:").and_then(|id| UserId::parse(id).ok()).map(Self::User),
        }
    }
}

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Everything that can be said in the journal, by its name in the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventKind { $($(#[$doc])* $name,)* }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in rows and in the API.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Reads the name in rows.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

event_kinds! {
    /// A buyer, or the seller's program, began to buy.
    CheckoutOpened = "checkout.opened",
    /// The buyer pressed pay.
    CheckoutSubmitted = "checkout.submitted",
    /// Nobody paid in time.
    CheckoutExpired = "checkout.expired",
    /// The gateway opened its page.
    PaymentSent = "payment.sent",
    /// The gateway did not answer; it will be asked.
    PaymentUnknown = "payment.unknown",
    /// The buyer must prove who they are.
    PaymentRequiresAction = "payment.requires_action",
    /// A method was declined; as long as the page is open, another can be tried.
    PaymentDeclined = "payment.declined",
    /// A debit is under way.
    PaymentProcessing = "payment.processing",
    /// The money was captured.
    PaymentSucceeded = "payment.succeeded",
    /// The money was captured though the attempt had been given up, or the order paid otherwise.
    PaymentSurpriseCapture = "payment.surprise_capture",
    /// It failed for good.
    PaymentFailed = "payment.failed",
    /// The attempt ended without money.
    PaymentCanceled = "payment.canceled",
    /// Paid in full.
    OrderPaid = "order.paid",
    /// Some of it, or all of it, given back; or less than before, when a refund failed.
    OrderRefundChanged = "order.refund_changed",
    /// The bank holds the money while it decides.
    OrderDisputed = "order.disputed",
    /// The dispute ended for the seller.
    OrderDisputeWon = "order.dispute_won",
    /// The dispute ended against the seller.
    OrderLost = "order.lost",
    /// Somebody asked for a refund.
    RefundRequested = "refund.requested",
    /// The gateway gives the money back.
    RefundPending = "refund.pending",
    /// The money went back.
    RefundSucceeded = "refund.succeeded",
    /// It did not.
    RefundFailed = "refund.failed",
    /// A chargeback, or a warning, came or moved.
    DisputeChanged = "dispute.changed",
    /// A license came to be.
    LicenseIssued = "license.issued",
    /// A paid unit waits for its content.
    ClaimWaiting = "claim.waiting",
    /// A paid unit has its content.
    ClaimFulfilled = "claim.fulfilled",
    /// Codes came into stock, or there are enough of them again.
    PoolStocked = "pool.stocked",
    /// Few codes are left in stock.
    PoolLow = "pool.low",
    /// Codes were taken out of stock by a person.
    PoolWithdrawn = "pool.withdrawn",
    /// A stock that was held after a restore was let go by a person.
    PoolReleased = "pool.released",
    /// A version of a product came out, or one that is out has more files or other notes.
    ReleasePublished = "release.published",
    /// A version of a product was taken back.
    ReleaseWithdrawn = "release.withdrawn",
    /// A license stopped working for now.
    LicenseSuspended = "license.suspended",
    /// A license stopped working.
    LicenseRevoked = "license.revoked",
    /// The same license works again.
    LicenseReinstated = "license.reinstated",
    /// The clock of a license began.
    LicenseStarted = "license.started",
    /// A license has a new key, and its old one is retired.
    LicenseReissued = "license.reissued",
    /// The text of a license's key was signed again, because the key that had signed it was revoked.
    LicenseSignedAgain = "license.signed_again",
    /// A license was offered to another person.
    LicenseOffered = "license.offered",
    /// An offer was withdrawn.
    LicenseOfferWithdrawn = "license.offer_withdrawn",
    /// A license belongs to another customer.
    LicenseTransferred = "license.transferred",
    /// What a license allows was changed.
    LicenseChanged = "license.changed",
    /// Use of a license was counted, or its count corrected.
    LicenseUsed = "license.used",
    /// A license was given as a file, for devices without a network.
    LicenseFileGiven = "license.file_given",
    /// A group of licenses was made.
    GroupCreated = "group.created",
    /// The name or the limits of a group were changed.
    GroupChanged = "group.changed",
    /// A group ended.
    GroupDeleted = "group.deleted",
    /// A device took a seat.
    ActivationCreated = "activation.created",
    /// A device gave a seat back.
    ActivationReleased = "activation.released",
    /// The device on a seat is known by another fingerprint.
    ActivationChanged = "activation.changed",
    /// The owner gave the device on a seat another name.
    ActivationRenamed = "activation.renamed",
    /// The leases of seats were over.
    ActivationLapsed = "activation.lapsed",
    /// The address of a customer was corrected.
    CustomerChanged = "customer.changed",
    /// A mail was taken by the mail server.
    DeliverySent = "delivery.sent",
    /// A mail will never be taken.
    DeliveryRefused = "delivery.refused",
    /// Buyer or shop wrote to the other about an order.
    MessageWritten = "message.written",
    /// A person signed in.
    SessionStarted = "session.started",
    /// A person asked for a parked notice to be applied again.
    NoticeReplayed = "notice.replayed",
}

/// One line of the journal. Never changed, never deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id; sorts by time.
    pub id: EventId,
    /// The shop.
    pub shop: ShopId,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub actor: Actor,
    /// The order it is about.
    pub order: Option<OrderId>,
    /// The license it is about.
    pub license: Option<LicenseId>,
    /// The customer it is about.
    pub customer: Option<CustomerId>,
    /// What a reader wants to know besides; never a secret.
    pub data: Value,
    /// When.
    pub at: Timestamp,
}

//! One message to one receiver.

use crate::{
    CustomerId, DeliveryId, Email, Job, JobId, JobKind, LicenseId, Locale, LoginLinkId, MessageId, OrderId, PoolId,
    Rng, ShopId, Timestamp, TransferId, Version,
};

/// Which mail it is. What stands in it is read from the rows when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// Paid: receipt, keys, setup guide.
    OrderPaid {
        /// The order.
        order: OrderId,
    },
    /// What was still owed is there.
    OrderFulfilled {
        /// The order.
        order: OrderId,
    },
    /// The debit failed after all.
    PaymentFailed {
        /// The order.
        order: OrderId,
    },
    /// Money goes back.
    OrderRefunded {
        /// The order.
        order: OrderId,
    },
    /// The code that opens the portal.
    PortalCode {
        /// The link that it belongs to.
        link: LoginLinkId,
    },
    /// The link that opens the console.
    ConsoleLink {
        /// The link.
        link: LoginLinkId,
    },
    /// The keys of a customer who asked for them.
    KeysRequested {
        /// The customer.
        customer: CustomerId,
    },
    /// The new key of a license.
    KeyReplaced {
        /// The license.
        license: LicenseId,
    },
    /// The key of a license, signed again because the key that had signed it was revoked.
    KeySignedAgain {
        /// The license.
        license: LicenseId,
    },
    /// To whoever a license is offered: the link that takes it.
    TransferOffered {
        /// The offer.
        transfer: TransferId,
    },
    /// To the owner: that the license is offered.
    TransferStarted {
        /// The offer.
        transfer: TransferId,
    },
    /// To the owner: that the license has moved.
    TransferDone {
        /// The offer.
        transfer: TransferId,
    },
    /// To the new owner of a license: its key.
    LicenseReceived {
        /// The license.
        license: LicenseId,
    },
    /// To the seller: few codes are left.
    PoolLow {
        /// The stock.
        pool: PoolId,
    },
    /// To the buyer: what the shop wrote about an order.
    MessageFromShop {
        /// What it wrote.
        message: MessageId,
    },
    /// To the seller: a buyer wrote about an order.
    MessageFromBuyer {
        /// The order.
        order: OrderId,
    },
}

impl MailKind {
    /// The word in rows, and the folder of its templates.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrderPaid { .. } => "order_paid",
            Self::OrderFulfilled { .. } => "order_fulfilled",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::OrderRefunded { .. } => "order_refunded",
            Self::PortalCode { .. } => "portal_code",
            Self::ConsoleLink { .. } => "console_link",
            Self::KeysRequested { .. } => "keys_requested",
            Self::KeyReplaced { .. } => "key_replaced",
            Self::KeySignedAgain { .. } => "key_signed_again",
            Self::TransferOffered { .. } => "transfer_offered",
            Self::TransferStarted { .. } => "transfer_started",
            Self::TransferDone { .. } => "transfer_done",
            Self::LicenseReceived { .. } => "license_received",
            Self::PoolLow { .. } => "pool_low",
            Self::MessageFromShop { .. } => "message_from_shop",
            Self::MessageFromBuyer { .. } => "message_from_buyer",
        }
    }

    /// The id of the row that the mail is about, as text.
    #[must_use]
    pub fn subject(self) -> String {
        match self {
            Self::OrderPaid { order }
            | Self::OrderFulfilled { order }
            | Self::PaymentFailed { order }
            | Self::OrderRefunded { order }
            | Self::MessageFromBuyer { order } => order.to_string(),
            Self::PortalCode { link } | Self::ConsoleLink { link } => link.to_string(),
            Self::KeysRequested { customer } => customer.to_string(),
            Self::KeyReplaced { license } | Self::KeySignedAgain { license } | Self::LicenseReceived { license } => {
                license.to_string()
            }
            Self::TransferOffered { transfer }
            | Self::TransferStarted { transfer }
            | Self::TransferDone { transfer } => transfer.to_string(),
            Self::PoolLow { pool } => pool.to_string(),
            Self::MessageFromShop { message } => message.to_string(),
        }
    }

    /// Reads the words in rows.
    #[must_use]
    pub fn from_parts(kind: &str, subject: &str) -> Option<Self> {
        match kind {
            "order_paid" => OrderId::parse(subject).ok().map(|order| Self::OrderPaid { order }),
            "order_fulfilled" => OrderId::parse(subject).ok().map(|order| Self::OrderFulfilled { order }),
            "payment_failed" => OrderId::parse(subject).ok().map(|order| Self::PaymentFailed { order }),
            "order_refunded" => OrderId::parse(subject).ok().map(|order| Self::OrderRefunded { order }),
            "portal_code" => LoginLinkId::parse(subject).ok().map(|link| Self::PortalCode { link }),
            "console_link" => LoginLinkId::parse(subject).ok().map(|link| Self::ConsoleLink { link }),
            "keys_requested" => CustomerId::parse(subject).ok().map(|customer| Self::KeysRequested { customer }),
            "key_replaced" => LicenseId::parse(subject).ok().map(|license| Self::KeyReplaced { license }),
            "key_signed_again" => LicenseId::parse(subject).ok().map(|license| Self::KeySignedAgain { license }),
            "transfer_offered" => TransferId::parse(subject).ok().map(|transfer| Self::TransferOffered { transfer }),
            "transfer_started" => TransferId::parse(subject).ok().map(|transfer| Self::TransferStarted { transfer }),
            "transfer_done" => TransferId::parse(subject).ok().map(|transfer| Self::TransferDone { transfer }),
            "license_received" => LicenseId::parse(subject).ok().map(|license| Self::LicenseReceived { license }),
            "pool_low" => PoolId::parse(subject).ok().map(|pool| Self::PoolLow { pool }),
            "message_from_shop" => MessageId::parse(subject).ok().map(|message| Self::MessageFromShop { message }),
            "message_from_buyer" => OrderId::parse(subject).ok().map(|order| Self::MessageFromBuyer { order }),
            _ => None,
        }
    }
}

/// How far the message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Waiting to be sent, or to be tried again.
    Queued,
    /// The mail server took it.
    Sent,
    /// The mail server will never take it: no such mailbox, blocked.
    Refused,
    /// It was taken and came back.
    Bounced,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Sent, Self::Refused, Self::Bounced];

    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Bounced => "bounced",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One mail to one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, also the local part of the Message-ID, so that a mail sent twice is known as one.
    pub id: DeliveryId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// Which mail.
    pub mail: MailKind,
    /// To whom.
    pub to: Email,
    /// In which language.
    pub locale: Locale,
    /// The order it is about, for the timeline.
    pub order: Option<OrderId>,
    /// The customer it goes to, for the timeline.
    pub customer: Option<CustomerId>,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// What the mail server said last.
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
    /// Whether it was to carry keys and left when none of them worked. They go out once they work again.
    pub without_keys: bool,
}

impl Delivery {
    /// A mail that waits to be sent, and the job that sends it. Whom it is about is for the caller to say.
    #[must_use]
    pub fn queued(
        shop: ShopId,
        mail: MailKind,
        to: &Email,
        locale: &Locale,
        now: Timestamp,
        rng: &mut Rng,
    ) -> (Self, Job) {
        let delivery = Self {
            id: DeliveryId::mint(now, rng),
            shop,
            version: 0,
            mail,
            to: to.clone(),
            locale: locale.clone(),
            order: None,
            customer: None,
            state: DeliveryState::Queued,
            attempts: 0,
            last_error: None,
            created_at: now,
            sent_at: None,
            without_keys: false,
        };
        let job = Job {
            id: JobId::mint(now, rng),
            shop,
            kind: JobKind::SendMail { delivery: delivery.id },
            run_at: now,
            attempts: 0,
            last_error: None,
            created_at: now,
        };
        (delivery, job)
    }
}

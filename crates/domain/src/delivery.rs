//! One message to one receiver.

use crate::{CustomerId, DeliveryId, Email, Locale, LoginLinkId, OrderId, ShopId, Timestamp, Version};

/// Which mail it is. What stands in it is read from the rows when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// Paid: receipt, keys, setup guide.
    OrderPaid {
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
}

impl MailKind {
    /// The word in rows, and the folder of its templates.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrderPaid { .. } => "order_paid",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::OrderRefunded { .. } => "order_refunded",
            Self::PortalCode { .. } => "portal_code",
            Self::ConsoleLink { .. } => "console_link",
        }
    }

    /// The id of the row that the mail is about, as text.
    #[must_use]
    pub fn subject(self) -> String {
        match self {
            Self::OrderPaid { order } | Self::PaymentFailed { order } | Self::OrderRefunded { order } => {
                order.to_string()
            }
            Self::PortalCode { link } | Self::ConsoleLink { link } => link.to_string(),
        }
    }

    /// Reads the words in rows.
    #[must_use]
    pub fn from_parts(kind: &str, subject: &str) -> Option<Self> {
        match kind {
            "order_paid" => OrderId::parse(subject).ok().map(|order| Self::OrderPaid { order }),
            "payment_failed" => OrderId::parse(subject).ok().map(|order| Self::PaymentFailed { order }),
            "order_refunded" => OrderId::parse(subject).ok().map(|order| Self::OrderRefunded { order }),
            "portal_code" => LoginLinkId::parse(subject).ok().map(|link| Self::PortalCode { link }),
            "console_link" => LoginLinkId::parse(subject).ok().map(|link| Self::ConsoleLink { link }),
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

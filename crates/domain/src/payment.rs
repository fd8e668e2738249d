//! One attempt to collect money at one gateway.

use money::Money;

use crate::{Decline, Duration, GatewayAccountId, MethodSummary, Mode, OrderId, PaymentId, ShopId, Timestamp, Version};

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentState {
    /// Written down, not yet told to the gateway.
    Created,
    /// The gateway knows of it and waits for the buyer.
    Sent,
    /// The buyer is proving who they are.
    RequiresAction,
    /// A debit is under way.
    Processing,
    /// A call to the gateway ended without an answer: only an answer ends this.
    Unknown,
    /// Called off, or its time ran out.
    Canceled,
    /// Failed for good.
    Failed,
    /// The money was captured.
    Succeeded,
}

impl PaymentState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Sent,
        Self::RequiresAction,
        Self::Processing,
        Self::Unknown,
        Self::Canceled,
        Self::Failed,
        Self::Succeeded,
    ];

    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sent => "sent",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Unknown => "unknown",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the outcome is still to come, so that the gateway must be asked.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Created | Self::Sent | Self::RequiresAction | Self::Processing | Self::Unknown => true,
            Self::Canceled | Self::Failed | Self::Succeeded => false,
        }
    }

    /// How far the state is from the start. Reports merge by taking the
    /// farther one, so that their order does not matter; a capture outranks
    /// everything, because money that came has come.
    #[must_use]
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Unknown => 1,
            Self::Sent => 2,
            Self::RequiresAction => 3,
            Self::Processing => 4,
            Self::Canceled => 5,
            Self::Failed => 6,
            Self::Succeeded => 7,
        }
    }
}

/// One attempt to collect money. Its id is the idempotency key of the call that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// What it pays for.
    pub order: OrderId,
    /// Where it is collected.
    pub gateway_account: GatewayAccountId,
    /// What is to be collected.
    pub amount: Money,
    /// Whether this is real money.
    pub mode: Mode,
    /// Where it stands.
    pub state: PaymentState,
    /// The gateway's id of the hosted page.
    pub page_reference: Option<String>,
    /// Where the buyer pays.
    pub page_url: Option<String>,
    /// The gateway's id of the money.
    pub reference: Option<String>,
    /// What paid.
    pub method: Option<MethodSummary>,
    /// The last decline, while nothing has succeeded.
    pub decline: Option<Decline>,
    /// When the gateway is asked next, while the outcome is open.
    pub check_at: Option<Timestamp>,
    /// How often it was asked.
    pub checks: u32,
    /// When it was written down.
    pub created_at: Timestamp,
    /// What the gateway is asked for its page, until the page is known: under one idempotency key a gateway takes one
    /// request, and whatever the buyer corrects meanwhile must not change it. For the shell to write and read.
    pub opening: Option<String>,
}

impl Payment {
    /// When to ask the gateway after it has been asked so often: five minutes,
    /// an hour, then daily five times, then weekly, for debits take weeks.
    #[must_use]
    pub fn next_check(checks: u32, now: Timestamp) -> Timestamp {
        now.after(match checks {
            0 => Duration::minutes(5),
            1 => Duration::hours(1),
            2..=6 => Duration::days(1),
            _ => Duration::days(7),
        })
    }
}

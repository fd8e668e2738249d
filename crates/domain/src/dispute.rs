//! A chargeback, or an early warning of one.

use money::Money;

use crate::{DisputeId, DisputeReport, Duration, OrderId, PaymentId, ShopId, Timestamp, Version};

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisputeState {
    /// A question from the bank; the money is still here.
    Warning,
    /// The question ended without a chargeback.
    Closed,
    /// The bank took the money back; evidence is taken.
    Opened,
    /// Evidence was sent; the bank decides.
    EvidenceSent,
    /// The money came back.
    Won,
    /// The seller did not contest.
    Accepted,
    /// The money is gone.
    Lost,
}

impl DisputeState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Warning, Self::Closed, Self::Opened, Self::EvidenceSent, Self::Won, Self::Accepted, Self::Lost];

    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Closed => "closed",
            Self::Opened => "opened",
            Self::EvidenceSent => "evidence_sent",
            Self::Won => "won",
            Self::Accepted => "accepted",
            Self::Lost => "lost",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the bank holds the money while it decides.
    #[must_use]
    pub fn holds_money(self) -> bool {
        match self {
            Self::Opened | Self::EvidenceSent => true,
            Self::Warning | Self::Closed | Self::Won | Self::Accepted | Self::Lost => false,
        }
    }

    /// Whether the money is gone for good.
    #[must_use]
    pub fn is_lost(self) -> bool {
        match self {
            Self::Accepted | Self::Lost => true,
            Self::Warning | Self::Closed | Self::Opened | Self::EvidenceSent | Self::Won => false,
        }
    }

    /// Whether the bank has the money, for now or for good.
    #[must_use]
    pub fn takes_money(self) -> bool {
        self.holds_money() || self.is_lost()
    }

    /// Whether it has been no more than a question so far.
    #[must_use]
    pub fn is_question(self) -> bool {
        match self {
            Self::Warning | Self::Closed => true,
            Self::Opened | Self::EvidenceSent | Self::Won | Self::Accepted | Self::Lost => false,
        }
    }

    /// Whether the bank has not spoken yet.
    #[must_use]
    pub fn is_undecided(self) -> bool {
        match self {
            Self::Warning | Self::Opened | Self::EvidenceSent => true,
            Self::Closed | Self::Won | Self::Accepted | Self::Lost => false,
        }
    }

    /// Whether the bank has decided about money that it took.
    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Self::Won | Self::Accepted | Self::Lost => true,
            Self::Warning | Self::Closed | Self::Opened | Self::EvidenceSent => false,
        }
    }

    /// How far the state is from the start; of two reports of one moment the farther one stands.
    #[must_use]
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Warning => 0,
            Self::Closed => 1,
            Self::Opened => 2,
            Self::EvidenceSent => 3,
            Self::Won => 4,
            Self::Accepted => 5,
            Self::Lost => 6,
        }
    }
}

/// How far the gateway's clock may be from ours.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// How long a case that is over rests at least.
const REST: Duration = Duration::minutes(10);

/// A chargeback, or an early warning of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The payment in dispute.
    pub payment: PaymentId,
    /// The order that was paid.
    pub order: OrderId,
    /// The gateway's id of it.
    pub reference: String,
    /// How much is in dispute.
    pub amount: Money,
    /// The gateway's word for why.
    pub reason: String,
    /// Where it stands.
    pub state: DisputeState,
    /// When it stood like that, by the gateway's clock: a bank may decide again, and the later word counts.
    pub told_at: Timestamp,
    /// Until when evidence is taken.
    pub evidence_due_at: Option<Timestamp>,
    /// When it was first heard of.
    pub created_at: Timestamp,
}

impl Dispute {
    /// Whether a report says more than what is known. The later one counts, for a case that was won can be taken up
    /// again and one that was lost can be won on appeal. An answer of the gateway's has no time: it may have been under
    /// way while a report came, so it ends a case or takes it farther, and never opens it again.
    #[must_use]
    pub(crate) fn is_behind(&self, report: &DisputeReport) -> bool {
        let is_as_far = report.state.rank() >= self.state.rank();
        match report.as_of {
            // A question does not bring back what the bank has taken.
            Some(_) if report.state.is_question() && !self.state.is_question() => false,
            Some(at) if at == self.told_at => is_as_far,
            // Nobody takes a case up again within minutes: this is old news, by whichever clock.
            Some(at) if self.state.is_over() && !report.state.is_over() => at > self.told_at.after(REST),
            Some(at) => at > self.told_at,
            None => is_as_far || report.state.is_over(),
        }
    }

    /// Of when a report is, for those that come after it. An answer counts a little earlier than it came, so that what
    /// the gateway says next is later by any clock.
    #[must_use]
    pub(crate) fn moment(report: &DisputeReport, now: Timestamp) -> Timestamp {
        report.as_of.unwrap_or_else(|| now.before(CLOCK_SKEW))
    }
}

//! What the issuer says to one attempt. A rule over values, so that it reads as a table.

use serde::{Deserialize, Serialize};

use super::card::CardBehavior;

/// Why an attempt did not go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    /// No reason given.
    Generic,
    /// Not enough money.
    InsufficientFunds,
    /// Reported lost.
    LostCard,
    /// Reported stolen.
    StolenCard,
    /// Past its date.
    ExpiredCard,
    /// Wrong security code.
    IncorrectCvc,
    /// The network or the issuer stumbled.
    ProcessingError,
    /// Too many payments.
    VelocityExceeded,
    /// The buyer is away and the issuer wants them.
    AuthenticationRequired,
    /// The buyer failed the challenge.
    AuthenticationFailed,
    /// Refused by the gateway's fraud rules.
    Blocked,
    /// The bank returned the debit for lack of money.
    DebitReturned,
    /// A number of no test card.
    NotForTests,
}

impl Decline {
    /// The error's `code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Generic
            | Self::InsufficientFunds
            | Self::LostCard
            | Self::StolenCard
            | Self::VelocityExceeded
            | Self::Blocked
            | Self::NotForTests => "card_declined",
            Self::ExpiredCard => "expired_card",
            Self::IncorrectCvc => "incorrect_cvc",
            Self::ProcessingError => "processing_error",
            Self::AuthenticationRequired => "authentication_required",
            Self::AuthenticationFailed => "payment_intent_authentication_failure",
            Self::DebitReturned => "payment_intent_payment_attempt_failed",
        }
    }

    /// The issuer's reason, where there is one.
    #[must_use]
    pub const fn decline_code(self) -> Option<&'static str> {
        match self {
            Self::Generic => Some("generic_decline"),
            Self::InsufficientFunds | Self::DebitReturned => Some("insufficient_funds"),
            Self::LostCard => Some("lost_card"),
            Self::StolenCard => Some("stolen_card"),
            Self::ExpiredCard => Some("expired_card"),
            Self::IncorrectCvc => Some("incorrect_cvc"),
            Self::ProcessingError => Some("processing_error"),
            Self::VelocityExceeded => Some("card_velocity_exceeded"),
            Self::AuthenticationRequired => Some("authentication_required"),
            Self::Blocked => Some("fraudulent"),
            Self::NotForTests => Some("test_mode_live_card"),
            Self::AuthenticationFailed => None,
        }
    }

    /// The text for the buyer.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Generic | Self::LostCard | Self::StolenCard | Self::Blocked => "Your card was declined.",
            Self::InsufficientFunds => "Your card has insufficient funds.",
            Self::ExpiredCard => "Your card has expired.",
            Self::IncorrectCvc => "Your card's security code is incorrect.",
            Self::ProcessingError => "An error occurred while processing your card. Try again in a little bit.",
            Self::VelocityExceeded => {
                "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."
            }
            Self::AuthenticationRequired => "Your card was declined. This transaction requires authentication.",
            Self::AuthenticationFailed => {
                "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new \
                 PaymentMethod to attempt to fulfill this PaymentIntent again."
            }
            Self::DebitReturned => "The customer's bank account has insufficient funds.",
            Self::NotForTests => {
                "Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of \
                 valid test cards, visit: https://docs.stripe.com/testing."
            }
        }
    }

    /// What the issuer advises the merchant to do.
    #[must_use]
    pub const fn advice_code(self) -> Option<&'static str> {
        match self {
            Self::Generic | Self::InsufficientFunds | Self::ProcessingError | Self::VelocityExceeded => {
                Some("try_again_later")
            }
            Self::LostCard | Self::StolenCard | Self::Blocked => Some("do_not_try_again"),
            Self::ExpiredCard | Self::IncorrectCvc => Some("confirm_card_data"),
            Self::AuthenticationRequired | Self::AuthenticationFailed | Self::DebitReturned | Self::NotForTests => None,
        }
    }

    /// The network's own code, where the issuer answered.
    #[must_use]
    pub const fn network_decline_code(self) -> Option<&'static str> {
        match self {
            Self::Generic => Some("05"),
            Self::InsufficientFunds => Some("51"),
            Self::LostCard => Some("41"),
            Self::StolenCard => Some("43"),
            Self::ExpiredCard => Some("54"),
            Self::IncorrectCvc => Some("82"),
            Self::ProcessingError => Some("96"),
            Self::VelocityExceeded => Some("65"),
            Self::AuthenticationRequired => Some("1A"),
            Self::DebitReturned => Some("AM04"),
            Self::AuthenticationFailed | Self::Blocked | Self::NotForTests => None,
        }
    }
}

/// How an attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Presence {
    /// The buyer is away.
    pub off_session: bool,
    /// The buyer has just passed the challenge.
    pub authenticated: bool,
    /// The card was set up for payments while the buyer is away.
    pub set_up: bool,
    /// The merchant asked for a challenge.
    pub challenge_requested: bool,
}

/// What becomes of an attempt with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The money is taken.
    Approved,
    /// The buyer has to authenticate first.
    Challenge,
    /// No.
    Declined(Decline),
}

/// The issuer's answer to a charge.
#[must_use]
pub const fn judge(behavior: CardBehavior, presence: Presence) -> Verdict {
    let wants_challenge = match behavior {
        CardBehavior::ChallengesAlways | CardBehavior::ChallengesThenNoFunds => true,
        CardBehavior::ChallengesUntilSetUp => !(presence.off_session && presence.set_up),
        CardBehavior::Succeeds
        | CardBehavior::Declines(_)
        | CardBehavior::DeclinesOnceSaved
        | CardBehavior::Disputed(_)
        | CardBehavior::Inquired
        | CardBehavior::FraudWarned
        | CardBehavior::RefundFails
        | CardBehavior::RefundPends
        | CardBehavior::Blocked => presence.challenge_requested && !presence.off_session,
    };
    if wants_challenge && !presence.authenticated {
        return if presence.off_session {
            Verdict::Declined(Decline::AuthenticationRequired)
        } else {
            Verdict::Challenge
        };
    }
    match behavior {
        CardBehavior::Declines(decline) => Verdict::Declined(decline),
        CardBehavior::DeclinesOnceSaved => Verdict::Declined(Decline::Generic),
        CardBehavior::ChallengesThenNoFunds => Verdict::Declined(Decline::InsufficientFunds),
        CardBehavior::Blocked => Verdict::Declined(Decline::Blocked),
        CardBehavior::Succeeds
        | CardBehavior::ChallengesUntilSetUp
        | CardBehavior::ChallengesAlways
        | CardBehavior::Disputed(_)
        | CardBehavior::Inquired
        | CardBehavior::FraudWarned
        | CardBehavior::RefundFails
        | CardBehavior::RefundPends => Verdict::Approved,
    }
}

/// The issuer's answer to a card being saved without a charge.
#[must_use]
pub const fn judge_saving(behavior: CardBehavior, authenticated: bool) -> Verdict {
    match behavior {
        CardBehavior::Declines(decline) => Verdict::Declined(decline),
        CardBehavior::Blocked => Verdict::Declined(Decline::Blocked),
        CardBehavior::ChallengesUntilSetUp | CardBehavior::ChallengesAlways | CardBehavior::ChallengesThenNoFunds => {
            if authenticated {
                Verdict::Approved
            } else {
                Verdict::Challenge
            }
        }
        CardBehavior::Succeeds
        | CardBehavior::DeclinesOnceSaved
        | CardBehavior::Disputed(_)
        | CardBehavior::Inquired
        | CardBehavior::FraudWarned
        | CardBehavior::RefundFails
        | CardBehavior::RefundPends => Verdict::Approved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_answers_as_its_documentation_says() {
        const HERE: Presence =
            Presence { off_session: false, authenticated: false, set_up: false, challenge_requested: false };
        const AUTHENTICATED: Presence = Presence { authenticated: true, ..HERE };
        const AWAY: Presence = Presence { off_session: true, ..HERE };
        const AWAY_SET_UP: Presence = Presence { set_up: true, ..AWAY };
        const ASKED: Presence = Presence { challenge_requested: true, ..HERE };
        const NO_FUNDS: Verdict = Verdict::Declined(Decline::InsufficientFunds);
        const WANTS_BUYER: Verdict = Verdict::Declined(Decline::AuthenticationRequired);
        use CardBehavior as Card;
        let rows = [
            (Card::Succeeds, HERE, Verdict::Approved),
            (Card::Succeeds, AWAY, Verdict::Approved),
            (Card::Succeeds, ASKED, Verdict::Challenge),
            (Card::Declines(Decline::LostCard), HERE, Verdict::Declined(Decline::LostCard)),
            (Card::Declines(Decline::LostCard), AWAY, Verdict::Declined(Decline::LostCard)),
            (Card::DeclinesOnceSaved, AWAY, Verdict::Declined(Decline::Generic)),
            (Card::ChallengesUntilSetUp, HERE, Verdict::Challenge),
            (Card::ChallengesUntilSetUp, AUTHENTICATED, Verdict::Approved),
            (Card::ChallengesUntilSetUp, AWAY, WANTS_BUYER),
            (Card::ChallengesUntilSetUp, AWAY_SET_UP, Verdict::Approved),
            (Card::ChallengesUntilSetUp, Presence { set_up: true, ..HERE }, Verdict::Challenge),
            (Card::ChallengesAlways, HERE, Verdict::Challenge),
            (Card::ChallengesAlways, AUTHENTICATED, Verdict::Approved),
            (Card::ChallengesAlways, AWAY_SET_UP, WANTS_BUYER),
            (Card::ChallengesThenNoFunds, HERE, Verdict::Challenge),
            (Card::ChallengesThenNoFunds, AUTHENTICATED, NO_FUNDS),
            (Card::Blocked, HERE, Verdict::Declined(Decline::Blocked)),
            (Card::Disputed(DisputeReason::Fraudulent), HERE, Verdict::Approved),
            (Card::RefundFails, HERE, Verdict::Approved),
        ];
        for (behavior, presence, expected) in rows {
            assert_eq!(judge(behavior, presence), expected, "{behavior:?} {presence:?}");
        }
    }

    #[test]
    fn a_card_that_fails_only_charges_can_be_saved() {
        let rows = [
            (CardBehavior::DeclinesOnceSaved, false, Verdict::Approved),
            (CardBehavior::Declines(Decline::Generic), false, Verdict::Declined(Decline::Generic)),
            (CardBehavior::ChallengesUntilSetUp, false, Verdict::Challenge),
            (CardBehavior::ChallengesUntilSetUp, true, Verdict::Approved),
        ];
        for (behavior, authenticated, expected) in rows {
            assert_eq!(judge_saving(behavior, authenticated), expected, "{behavior:?}");
        }
    }

    use super::super::card::DisputeReason;
}

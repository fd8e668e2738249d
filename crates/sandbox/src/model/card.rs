//! The card numbers and IBANs that Stripe's test mode documents, and what each does.
//!
//! A number is looked up and forgotten: what is kept of it is its brand, its last
//! four digits and how it behaves. A well-formed number that is not in these
//! tables may belong to a person and is refused.

use serde::{Deserialize, Serialize};

use super::verdict::Decline;

/// Why a dispute is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeReason {
    /// The cardholder says that they did not pay.
    Fraudulent,
    /// The goods never came.
    ProductNotReceived,
    /// A debit that the debtor asked back from their bank.
    DebitNotAuthorized,
    /// Anything else.
    General,
}

impl DisputeReason {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fraudulent => "fraudulent",
            Self::ProductNotReceived => "product_not_received",
            Self::DebitNotAuthorized => "debit_not_authorized",
            Self::General => "general",
        }
    }
}

/// What a test card does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardBehavior {
    /// Every payment succeeds.
    Succeeds,
    /// Every attempt is declined, saving included.
    Declines(Decline),
    /// It can be saved; every charge is declined.
    DeclinesOnceSaved,
    /// Asks for authentication, unless it was set up and the buyer is away.
    ChallengesUntilSetUp,
    /// Asks for authentication every time.
    ChallengesAlways,
    /// Asks for authentication every time, and then there is no money.
    ChallengesThenNoFunds,
    /// Succeeds and is disputed at once.
    Disputed(DisputeReason),
    /// Succeeds and the issuer inquires.
    Inquired,
    /// Succeeds and the issuer warns of fraud.
    FraudWarned,
    /// Succeeds; a refund begins as succeeded and fails minutes later.
    RefundFails,
    /// Succeeds; a refund begins as pending and succeeds minutes later.
    RefundPends,
    /// The gateway's own fraud rules refuse it.
    Blocked,
}

/// What a test bank account does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DebitBehavior {
    /// The debit is settled at once.
    Succeeds,
    /// The debit is settled after three minutes.
    SucceedsLater,
    /// The debit is returned at once.
    Fails,
    /// The debit is returned after three minutes.
    FailsLater,
    /// The debit is settled, and then charged back without a defence.
    Disputed,
}

/// One documented card number.
#[derive(Debug)]
pub struct TestCard {
    /// The number.
    pub number: &'static str,
    /// `pm_card_…`, as the API takes it in place of a number.
    pub token: &'static str,
    /// The network, as the wire names it.
    pub brand: &'static str,
    /// `credit`, `debit` or `prepaid`.
    pub funding: &'static str,
    /// Where it was issued.
    pub country: &'static str,
    /// What it does.
    pub behavior: CardBehavior,
}

const fn card(number: &'static str, token: &'static str, country: &'static str, behavior: CardBehavior) -> TestCard {
    TestCard { number, token, brand: "visa", funding: "credit", country, behavior }
}

const fn branded(number: &'static str, token: &'static str, brand: &'static str, funding: &'static str) -> TestCard {
    TestCard { number, token, brand, funding, country: "US", behavior: CardBehavior::Succeeds }
}

/// Every card number that the simulated gateway takes.
pub const TEST_CARDS: &[TestCard] = &[
    branded("4242424242424242", "pm_card_visa", "visa", "credit"),
    branded("4000056655665556", "pm_card_visa_debit", "visa", "debit"),
    branded("5555555555554444", "pm_card_mastercard", "mastercard", "credit"),
    branded("2223003122003222", "pm_card_mastercard_2series", "mastercard", "credit"),
    branded("5200828282828210", "pm_card_mastercard_debit", "mastercard", "debit"),
    branded("5105105105105100", "pm_card_mastercard_prepaid", "mastercard", "prepaid"),
    branded("378282246310005", "pm_card_amex", "amex", "credit"),
    branded("6011111111111117", "pm_card_discover", "discover", "credit"),
    branded("3056930009020004", "pm_card_diners", "diners", "credit"),
    branded("3566002020360505", "pm_card_jcb", "jcb", "credit"),
    branded("6200000000000005", "pm_card_unionpay", "unionpay", "credit"),
    card("4000000000000002", "pm_card_visa_chargeDeclined", "US", CardBehavior::Declines(Decline::Generic)),
    card(
        "4000000000009995",
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "US",
        CardBehavior::Declines(Decline::InsufficientFunds),
    ),
    card("4000000000009987", "pm_card_visa_chargeDeclinedLostCard", "US", CardBehavior::Declines(Decline::LostCard)),
    card(
        "4000000000009979",
        "pm_card_visa_chargeDeclinedStolenCard",
        "US",
        CardBehavior::Declines(Decline::StolenCard),
    ),
    card("4000000000000069", "pm_card_chargeDeclinedExpiredCard", "US", CardBehavior::Declines(Decline::ExpiredCard)),
    card("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc", "US", CardBehavior::Declines(Decline::IncorrectCvc)),
    card(
        "4000000000000119",
        "pm_card_chargeDeclinedProcessingError",
        "US",
        CardBehavior::Declines(Decline::ProcessingError),
    ),
    card(
        "4000000000006975",
        "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
        "US",
        CardBehavior::Declines(Decline::VelocityExceeded),
    ),
    card("4000000000000341", "pm_card_chargeCustomerFail", "US", CardBehavior::DeclinesOnceSaved),
    card("4000002500003155", "pm_card_authenticationRequiredOnSetup", "IE", CardBehavior::ChallengesUntilSetUp),
    card("4000002760003184", "pm_card_authenticationRequired", "DE", CardBehavior::ChallengesAlways),
    card(
        "4000008260003178",
        "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
        "GB",
        CardBehavior::ChallengesThenNoFunds,
    ),
    card("4000000000000259", "pm_card_createDispute", "US", CardBehavior::Disputed(DisputeReason::Fraudulent)),
    card(
        "4000000000002685",
        "pm_card_createDisputeProductNotReceived",
        "US",
        CardBehavior::Disputed(DisputeReason::ProductNotReceived),
    ),
    card("4000000000001976", "pm_card_createDisputeInquiry", "US", CardBehavior::Inquired),
    card("4000000000005423", "pm_card_createIssuerFraudRecord", "US", CardBehavior::FraudWarned),
    card("4000000000005126", "pm_card_refundFail", "US", CardBehavior::RefundFails),
    card("4000000000007726", "pm_card_pendingRefund", "US", CardBehavior::RefundPends),
    card("4100000000000019", "pm_card_radarBlock", "US", CardBehavior::Blocked),
];

/// One documented IBAN.
#[derive(Debug)]
pub struct TestIban {
    /// The account.
    pub iban: &'static str,
    /// What a debit of it does.
    pub behavior: DebitBehavior,
}

const fn iban(iban: &'static str, behavior: DebitBehavior) -> TestIban {
    TestIban { iban, behavior }
}

/// Every IBAN that the simulated gateway takes.
pub const TEST_IBANS: &[TestIban] = &[
    iban("AT611904300234573201", DebitBehavior::Succeeds),
    iban("AT321904300235473204", DebitBehavior::SucceedsLater),
    iban("AT861904300235473202", DebitBehavior::Fails),
    iban("AT051904300235473205", DebitBehavior::FailsLater),
    iban("AT591904300235473203", DebitBehavior::Disputed),
    iban("DE89370400440532013000", DebitBehavior::Succeeds),
    iban("DE08370400440532013003", DebitBehavior::SucceedsLater),
    iban("DE62370400440532013001", DebitBehavior::Fails),
    iban("DE78370400440532013004", DebitBehavior::FailsLater),
    iban("DE35370400440532013002", DebitBehavior::Disputed),
];

/// Why a number is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberRefusal {
    /// It is no card number, or no IBAN: the check digits are wrong.
    Malformed,
    /// It is well-formed and not a test number.
    NotForTests,
}

/// The test card of this number; spaces and dashes do not matter.
///
/// # Errors
/// When it is none.
pub fn find_card(number: &str) -> Result<&'static TestCard, NumberRefusal> {
    let digits = without_separators(number);
    match TEST_CARDS.iter().find(|card| card.number == digits) {
        Some(card) => Ok(card),
        None if passes_luhn(&digits) => Err(NumberRefusal::NotForTests),
        None => Err(NumberRefusal::Malformed),
    }
}

/// The test card of this `pm_card_…` or `tok_…` token.
#[must_use]
pub fn find_token(token: &str) -> Option<&'static TestCard> {
    let name = token.strip_prefix("tok_").or_else(|| token.strip_prefix("pm_card_"))?;
    TEST_CARDS.iter().find(|card| card.token.strip_prefix("pm_card_") == Some(name))
}

/// The test IBAN of this text; spaces and case do not matter.
///
/// # Errors
/// When it is none.
pub fn find_iban(text: &str) -> Result<&'static TestIban, NumberRefusal> {
    let iban = without_separators(text).to_ascii_uppercase();
    match TEST_IBANS.iter().find(|known| known.iban == iban) {
        Some(known) => Ok(known),
        None if passes_mod_97(&iban) => Err(NumberRefusal::NotForTests),
        None => Err(NumberRefusal::Malformed),
    }
}

/// The last four characters.
#[must_use]
pub fn last_four(number: &str) -> String {
    let count = number.chars().count();
    number.chars().skip(count.saturating_sub(4)).collect()
}

fn without_separators(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect()
}

fn passes_luhn(digits: &str) -> bool {
    if !(12..=19).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(position, byte)| {
            let digit = u32::from(byte - b'0');
            let weighted = if position % 2 == 1 { digit * 2 } else { digit };
            weighted / 10 + weighted % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

fn passes_mod_97(iban: &str) -> bool {
    if !(15..=34).contains(&iban.len()) || !iban.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    let (head, tail) = iban.split_at(4);
    let remainder =
        tail.chars().chain(head.chars()).filter_map(|letter| letter.to_digit(36)).fold(0_u32, |rest, value| {
            let shifted = if value > 9 { rest * 100 } else { rest * 10 };
            (shifted + value) % 97
        });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_number_passes_its_own_check_digits() {
        for card in TEST_CARDS {
            assert!(passes_luhn(card.number), "{}", card.number);
        }
        for known in TEST_IBANS {
            assert!(passes_mod_97(known.iban), "{}", known.iban);
        }
    }

    #[test]
    fn a_number_that_may_belong_to_a_person_is_refused_apart_from_a_typo() {
        let rows = [
            ("4242 4242 4242 4242", None),
            ("4242-4242-4242-4242", None),
            ("4242424242424241", Some(NumberRefusal::Malformed)),
            ("4012888888881881", Some(NumberRefusal::NotForTests)),
            ("", Some(NumberRefusal::Malformed)),
            ("not a number", Some(NumberRefusal::Malformed)),
            ("４２４２", Some(NumberRefusal::Malformed)),
        ];
        for (number, refused) in rows {
            assert_eq!(find_card(number).err(), refused, "{number}");
        }
        let rows = [
            ("at61 1904 3002 3457 3201", None),
            ("AT611904300234573202", Some(NumberRefusal::Malformed)),
            ("GB29NWBK60161331926819", Some(NumberRefusal::NotForTests)),
            ("", Some(NumberRefusal::Malformed)),
            ("ÄÖÜ1904300234573202", Some(NumberRefusal::Malformed)),
        ];
        for (number, refused) in rows {
            assert_eq!(find_iban(number).err(), refused, "{number}");
        }
    }

    #[test]
    fn a_token_names_its_card_in_both_spellings() {
        for card in TEST_CARDS {
            let name = card.token.trim_start_matches("pm_card_");
            for token in [format!("pm_card_{name}"), format!("tok_{name}")] {
                assert_eq!(find_token(&token).map(|found| found.number), Some(card.number), "{token}");
            }
        }
        assert!(find_token("pm_card_nothing").is_none());
    }
}

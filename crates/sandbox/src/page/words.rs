//! What the hosted page says, in English and German.

use crate::model::card::{CardBehavior, DebitBehavior, TestCard};
use crate::model::error::ApiError;

/// A language of the hosted page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
}

/// Every fixed text.
pub(super) struct Words {
    pub(super) code: &'static str,
    pub(super) simulated: &'static str,
    pub(super) simulated_more: &'static str,
    pub(super) pay_title: &'static str,
    pub(super) save_title: &'static str,
    pub(super) order: &'static str,
    pub(super) total: &'static str,
    pub(super) quantity: &'static str,
    pub(super) contact: &'static str,
    pub(super) email: &'static str,
    pub(super) method: &'static str,
    pub(super) card: &'static str,
    pub(super) sepa: &'static str,
    pub(super) card_number: &'static str,
    pub(super) exp: &'static str,
    pub(super) exp_hint: &'static str,
    pub(super) cvc: &'static str,
    pub(super) cvc_hint: &'static str,
    pub(super) name: &'static str,
    pub(super) iban: &'static str,
    pub(super) mandate_title: &'static str,
    pub(super) creditor: &'static str,
    pub(super) creditor_id: &'static str,
    pub(super) mandate_kind: &'static str,
    pub(super) mandate_once: &'static str,
    pub(super) mandate_recurring: &'static str,
    pub(super) pay: &'static str,
    pub(super) save: &'static str,
    pub(super) cancel: &'static str,
    pub(super) error: &'static str,
    pub(super) problem: &'static str,
    pub(super) help: &'static str,
    pub(super) help_hint: &'static str,
    pub(super) number: &'static str,
    pub(super) outcome: &'static str,
    pub(super) challenge_title: &'static str,
    pub(super) challenge_text: &'static str,
    pub(super) complete: &'static str,
    pub(super) fail: &'static str,
    pub(super) expired_title: &'static str,
    pub(super) expired_text: &'static str,
    pub(super) missing_title: &'static str,
    pub(super) missing_text: &'static str,
    pub(super) done_title: &'static str,
    pub(super) done_text: &'static str,
    pub(super) back: &'static str,
    pub(super) email_wrong: &'static str,
    pub(super) method_wrong: &'static str,
    pub(super) card_number_missing: &'static str,
    pub(super) exp_wrong: &'static str,
    pub(super) cvc_wrong: &'static str,
    pub(super) name_missing: &'static str,
    pub(super) iban_wrong: &'static str,
}

const ENGLISH: Words = Words {
    code: "en",
    simulated: "Simulated gateway: no real money.",
    simulated_more: "Use a test card or test account from the list below.",
    pay_title: "Pay",
    save_title: "Save a payment method",
    order: "Your order",
    total: "Total",
    quantity: "Quantity",
    contact: "Contact",
    email: "Email",
    method: "Payment method",
    card: "Card",
    sepa: "SEPA direct debit",
    card_number: "Card number",
    exp: "Expiry date",
    exp_hint: "Month and year, such as 12/34",
    cvc: "Security code",
    cvc_hint: "3 digits, 4 for American Express",
    name: "Name of the account holder",
    iban: "IBAN",
    mandate_title: "Your mandate",
    creditor: "Creditor",
    creditor_id: "Creditor identifier",
    mandate_kind: "Type of mandate",
    mandate_once: "One-off",
    mandate_recurring: "Recurring",
    pay: "Pay",
    save: "Save payment method",
    cancel: "Cancel and go back",
    error: "Error",
    problem: "There is a problem",
    help: "Test cards and accounts",
    help_hint: "Any future expiry date and any security code will do.",
    number: "Number",
    outcome: "What happens",
    challenge_title: "Confirm that it is you",
    challenge_text: "Your bank asks you to confirm this payment. Here, you decide how that ends.",
    complete: "Complete authentication",
    fail: "Fail authentication",
    expired_title: "This payment page has expired",
    expired_text: "Nothing was charged. Go back to the shop to start again.",
    missing_title: "There is no such payment page",
    missing_text: "The address may be incomplete. Go back to the shop and follow its link again.",
    done_title: "You can close this page",
    done_text: "The shop has been told how it ended.",
    back: "Back to the shop",
    email_wrong: "Enter an email address, such as name@example.com",
    method_wrong: "Choose a payment method",
    card_number_missing: "Enter the card number",
    exp_wrong: "Enter a future expiry date, such as 12/34",
    cvc_wrong: "Enter the security code: 3 digits, or 4 for American Express",
    name_missing: "Enter the name of the account holder",
    iban_wrong: "Enter one of the test IBANs: other accounts are not taken here",
};

const GERMAN: Words = Words {
    code: "de",
    simulated: "Simuliertes Gateway: kein echtes Geld.",
    simulated_more: "Nutzen Sie eine Testkarte oder ein Testkonto aus der Liste unten.",
    pay_title: "Bezahlen",
    save_title: "Zahlungsart hinterlegen",
    order: "Ihre Bestellung",
    total: "Gesamt",
    quantity: "Menge",
    contact: "Kontakt",
    email: "E-Mail",
    method: "Zahlungsart",
    card: "Karte",
    sepa: "SEPA-Lastschrift",
    card_number: "Kartennummer",
    exp: "Gültig bis",
    exp_hint: "Monat und Jahr, zum Beispiel 12/34",
    cvc: "Prüfnummer",
    cvc_hint: "3 Ziffern, bei American Express 4",
    name: "Name der Kontoinhaberin oder des Kontoinhabers",
    iban: "IBAN",
    mandate_title: "Ihr Mandat",
    creditor: "Zahlungsempfänger",
    creditor_id: "Gläubiger-Identifikationsnummer",
    mandate_kind: "Art des Mandats",
    mandate_once: "Einmalige Zahlung",
    mandate_recurring: "Wiederkehrende Zahlung",
    pay: "Bezahlen:",
    save: "Zahlungsart hinterlegen",
    cancel: "Abbrechen und zurück",
    error: "Fehler",
    problem: "Es gibt ein Problem",
    help: "Testkarten und Testkonten",
    help_hint: "Jedes künftige Ablaufdatum und jede Prüfnummer sind recht.",
    number: "Nummer",
    outcome: "Was geschieht",
    challenge_title: "Bestätigen Sie, dass Sie es sind",
    challenge_text: "Ihre Bank bittet Sie, diese Zahlung zu bestätigen. Hier entscheiden Sie, wie das ausgeht.",
    complete: "Bestätigung abschließen",
    fail: "Bestätigung scheitern lassen",
    expired_title: "Diese Zahlungsseite ist abgelaufen",
    expired_text: "Es wurde nichts abgebucht. Gehen Sie zurück zum Shop, um neu zu beginnen.",
    missing_title: "Diese Zahlungsseite gibt es nicht",
    missing_text: "Vielleicht ist die Adresse unvollständig. Folgen Sie dem Link im Shop noch einmal.",
    done_title: "Sie können diese Seite schließen",
    done_text: "Der Shop weiß, wie es ausgegangen ist.",
    back: "Zurück zum Shop",
    email_wrong: "Geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com",
    method_wrong: "Wählen Sie eine Zahlungsart",
    card_number_missing: "Geben Sie die Kartennummer ein",
    exp_wrong: "Geben Sie ein künftiges Ablaufdatum ein, zum Beispiel 12/34",
    cvc_wrong: "Geben Sie die Prüfnummer ein: 3 Ziffern, bei American Express 4",
    name_missing: "Geben Sie den Namen der Kontoinhaberin oder des Kontoinhabers ein",
    iban_wrong: "Geben Sie eine der Test-IBANs ein: Andere Konten werden hier nicht angenommen",
};

impl Language {
    /// The language of a session; `auto` follows the browser.
    pub(super) fn choose(asked: Option<&str>, accepted: Option<&str>) -> Self {
        let tag = asked.filter(|tag| *tag != "auto").or(accepted).unwrap_or_default();
        let first = tag.split([',', ';']).next().unwrap_or_default().trim();
        let is_german = first.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("de"));
        if is_german { Self::German } else { Self::English }
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }

    /// The authorisation that a debtor gives, naming the creditor.
    pub(super) fn mandate(self, creditor: &str) -> [String; 2] {
        match self {
            Self::English => [
                format!(
                    "By signing this mandate form, you authorise (A) {creditor} to send instructions to your bank to \
                     debit your account and (B) your bank to debit your account in accordance with the instructions \
                     from {creditor}."
                ),
                "As part of your rights, you are entitled to a refund from your bank under the terms and conditions of \
                 your agreement with your bank. A refund must be claimed within 8 weeks starting from the date on which \
                 your account was debited."
                    .to_owned(),
            ],
            Self::German => [
                format!(
                    "Ich ermächtige (A) {creditor}, Zahlungen von meinem Konto mittels Lastschrift einzuziehen. Zugleich \
                     (B) weise ich mein Kreditinstitut an, die von {creditor} auf mein Konto gezogenen Lastschriften \
                     einzulösen."
                ),
                "Hinweis: Ich kann innerhalb von acht Wochen, beginnend mit dem Belastungsdatum, die Erstattung des \
                 belasteten Betrages verlangen. Es gelten dabei die mit meinem Kreditinstitut vereinbarten Bedingungen."
                    .to_owned(),
            ],
        }
    }

    /// Why it did not work, and the field that it is about.
    pub(super) fn refusal(self, error: &ApiError) -> (&'static str, String) {
        let text = |name: &str| error.fields.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        let reason = if text("decline_code").is_empty() { text("code") } else { text("decline_code") };
        let field = match text("param") {
            "exp_month" | "exp_year" => "exp",
            "cvc" => "cvc",
            "iban" => "iban",
            "method" => "method-card",
            _ => match reason {
                "insufficient_funds" if text("code") != "card_declined" => "iban",
                "expired_card" => "exp",
                "incorrect_cvc" => "cvc",
                _ => "card_number",
            },
        };
        let words = self.words();
        let message = match (self, reason) {
            (_, "invalid_expiry_month" | "invalid_expiry_year") => words.exp_wrong,
            (_, "invalid_cvc") => words.cvc_wrong,
            (_, "invalid_bank_account_iban") => words.iban_wrong,
            (Self::English, "incorrect_number") => "Check the card number: it is incorrect",
            (Self::English, "test_mode_live_card") => "Use a test card: real cards are not taken here",
            (Self::English, "insufficient_funds") => "The card has insufficient funds. Try another card",
            (Self::English, "expired_card") => "The card has expired. Try another card",
            (Self::English, "incorrect_cvc") => "The security code is incorrect",
            (Self::English, "processing_error") => "The card could not be processed. Try again in a little bit",
            (Self::English, "payment_intent_authentication_failure" | "setup_intent_authentication_failure") => {
                "The payment was not confirmed with your bank. Try again, or use another card"
            }
            // What else the issuer said is not for whoever holds the card.
            (Self::English, _) => "The card was declined. Try another card",
            (Self::German, "incorrect_number") => "Prüfen Sie die Kartennummer: Sie stimmt nicht",
            (Self::German, "test_mode_live_card") => {
                "Nutzen Sie eine Testkarte: Echte Karten werden hier nicht angenommen"
            }
            (Self::German, "insufficient_funds") => {
                "Die Karte ist nicht ausreichend gedeckt. Versuchen Sie eine andere"
            }
            (Self::German, "expired_card") => "Die Karte ist abgelaufen. Versuchen Sie eine andere",
            (Self::German, "incorrect_cvc") => "Die Prüfnummer stimmt nicht",
            (Self::German, "processing_error") => {
                "Die Karte konnte nicht verarbeitet werden. Versuchen Sie es gleich noch einmal"
            }
            (Self::German, "payment_intent_authentication_failure" | "setup_intent_authentication_failure") => {
                "Die Zahlung wurde bei Ihrer Bank nicht bestätigt. Versuchen Sie es noch einmal oder mit einer anderen Karte"
            }
            (Self::German, _) => "Die Karte wurde abgelehnt. Versuchen Sie eine andere",
        };
        (field, message.to_owned())
    }

    /// What a test card does.
    pub(super) fn card(self, card: &TestCard) -> String {
        let text = match (self, card.behavior) {
            (Self::English, CardBehavior::Succeeds) => return format!("Succeeds ({}, {})", card.brand, card.funding),
            (Self::German, CardBehavior::Succeeds) => return format!("Gelingt ({}, {})", card.brand, card.funding),
            (Self::English, CardBehavior::Declines(decline)) => {
                return format!("Declined: {}", decline.decline_code().unwrap_or(decline.code()));
            }
            (Self::German, CardBehavior::Declines(decline)) => {
                return format!("Abgelehnt: {}", decline.decline_code().unwrap_or(decline.code()));
            }
            (Self::English, CardBehavior::DeclinesOnceSaved) => "Can be saved; every charge is declined",
            (Self::German, CardBehavior::DeclinesOnceSaved) => "Lässt sich hinterlegen; jede Zahlung wird abgelehnt",
            (Self::English, CardBehavior::ChallengesUntilSetUp) => "Asks for confirmation until it is saved",
            (Self::German, CardBehavior::ChallengesUntilSetUp) => "Fragt nach Bestätigung, bis sie hinterlegt ist",
            (Self::English, CardBehavior::ChallengesAlways) => "Asks for confirmation every time",
            (Self::German, CardBehavior::ChallengesAlways) => "Fragt jedes Mal nach Bestätigung",
            (Self::English, CardBehavior::ChallengesThenNoFunds) => "Asks for confirmation, then insufficient funds",
            (Self::German, CardBehavior::ChallengesThenNoFunds) => "Fragt nach Bestätigung, dann nicht gedeckt",
            (Self::English, CardBehavior::Disputed(_)) => "Succeeds, then disputed",
            (Self::German, CardBehavior::Disputed(_)) => "Gelingt, dann Rückbuchung",
            (Self::English, CardBehavior::Inquired) => "Succeeds, then an inquiry",
            (Self::German, CardBehavior::Inquired) => "Gelingt, dann Nachfrage der Bank",
            (Self::English, CardBehavior::FraudWarned) => "Succeeds, then an early fraud warning",
            (Self::German, CardBehavior::FraudWarned) => "Gelingt, dann Betrugswarnung",
            (Self::English, CardBehavior::RefundFails) => "Succeeds; a refund fails after 3 minutes",
            (Self::German, CardBehavior::RefundFails) => "Gelingt; eine Erstattung scheitert nach 3 Minuten",
            (Self::English, CardBehavior::RefundPends) => "Succeeds; a refund takes 3 minutes",
            (Self::German, CardBehavior::RefundPends) => "Gelingt; eine Erstattung dauert 3 Minuten",
            (Self::English, CardBehavior::Blocked) => "Blocked as fraud",
            (Self::German, CardBehavior::Blocked) => "Als Betrug gesperrt",
        };
        text.to_owned()
    }

    /// What a test account does.
    pub(super) const fn debit(self, behavior: DebitBehavior) -> &'static str {
        match (self, behavior) {
            (Self::English, DebitBehavior::Succeeds) => "Succeeds",
            (Self::German, DebitBehavior::Succeeds) => "Gelingt",
            (Self::English, DebitBehavior::SucceedsLater) => "Succeeds after 3 minutes",
            (Self::German, DebitBehavior::SucceedsLater) => "Gelingt nach 3 Minuten",
            (Self::English, DebitBehavior::Fails) => "Fails",
            (Self::German, DebitBehavior::Fails) => "Scheitert",
            (Self::English, DebitBehavior::FailsLater) => "Fails after 3 minutes",
            (Self::German, DebitBehavior::FailsLater) => "Scheitert nach 3 Minuten",
            (Self::English, DebitBehavior::Disputed) => "Succeeds, then taken back",
            (Self::German, DebitBehavior::Disputed) => "Gelingt, dann zurückgebucht",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_decides_the_language_and_the_browser_where_it_does_not() {
        let rows = [
            (Some("de"), None, Language::German),
            (Some("de-AT"), Some("en"), Language::German),
            (Some("en"), Some("de"), Language::English),
            (Some("auto"), Some("de-DE,de;q=0.9,en;q=0.8"), Language::German),
            (None, Some("fr,de;q=0.5"), Language::English),
            (Some("ko"), Some("de"), Language::English),
            (Some("é"), None, Language::English),
            (None, None, Language::English),
        ];
        for (asked, accepted, expected) in rows {
            assert_eq!(Language::choose(asked, accepted), expected, "{asked:?} {accepted:?}");
        }
    }
}

//! What was bought, frozen at the moment of buying.

use std::collections::BTreeMap;
use std::fmt;

use money::Money;
use serde::{Deserialize, Serialize};

use crate::{
    Answer, CheckoutId, Consent, Country, CustomerId, Email, Fulfilment, Locale, OrderId, PlanId, Policy, ProductId,
    Question, Rng, ShopId, Timestamp, Version, each_once, search_key,
};

/// Where an order stands. It follows from its payments, refunds and disputes;
/// see [`Sale::order_state`](crate::Sale::order_state).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// Waiting for money.
    Pending,
    /// Paid in full.
    Paid,
    /// Paid, and some of it given back.
    PartiallyRefunded,
    /// Paid, and all of it given back.
    Refunded,
    /// The bank took the money back for now; the outcome is open.
    Disputed,
    /// The bank took the money back for good.
    Lost,
    /// Never paid.
    Expired,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Paid, Self::PartiallyRefunded, Self::Refunded, Self::Disputed, Self::Lost, Self::Expired];

    /// The word in rows and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
            Self::Lost => "lost",
            Self::Expired => "expired",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether money was captured for it at some time.
    #[must_use]
    pub fn was_paid(self) -> bool {
        match self {
            Self::Pending | Self::Expired => false,
            Self::Paid | Self::PartiallyRefunded | Self::Refunded | Self::Disputed | Self::Lost => true,
        }
    }
}

/// Who sells: the identity that the law wants beside the pay button.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// The registered name.
    pub legal_name: String,
    /// The registered address, one line each.
    pub address: Vec<String>,
    /// Where buyers write to.
    pub email: String,
    /// The tax id, where there is one.
    pub tax_id: Option<String>,
}

/// The number that people say to each other: eight symbols without look-alikes, `K7QM-2X9P`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OrderNumber(Box<str>);

const NUMBER_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl OrderNumber {
    /// A new number out of 2^40; unique in the shop by an index.
    #[must_use]
    pub fn mint(rng: &mut Rng) -> Self {
        let symbols: String =
            rng.bytes::<8>().iter().map(|byte| char::from(NUMBER_ALPHABET[usize::from(byte & 31)])).collect();
        Self(format!("{}-{}", &symbols[..4], &symbols[4..]).into_boxed_str())
    }

    /// Reads a number as a person types it: any case, with or without the dash, `O` for `0`, `I` and `L` for `1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let symbols: String = search_key(text)
            .chars()
            .filter(|character| !matches!(character, '-' | ' ' | '#' | '\u{2010}'..='\u{2015}'))
            .map(|character| match character.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect();
        let known = symbols.len() == 8 && symbols.bytes().all(|symbol| NUMBER_ALPHABET.contains(&symbol));
        known.then(|| Self(format!("{}-{}", &symbols[..4], &symbols[4..]).into_boxed_str()))
    }

    /// The number as it is printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for OrderNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One line of an order: so many units of one plan, as they stood in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The product.
    pub product: ProductId,
    /// The tier.
    pub plan: PlanId,
    /// The product's name at the moment of buying.
    pub product_name: String,
    /// The tier's name at the moment of buying.
    pub plan_name: String,
    /// How many units; each gets a license of its own, or all of them one, as the policy says.
    pub quantity: u32,
    /// What one unit cost.
    pub unit_amount: Money,
    /// What the line cost.
    pub amount: Money,
    /// What each unit grants.
    pub policy: Policy,
    /// Where what the buyer gets comes from.
    #[serde(default, skip_serializing_if = "Fulfilment::is_generated_key")]
    pub fulfilment: Fulfilment,
    /// What it was sold as a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Bundle>,
    /// What is still to be asked before paying.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// What was answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}

/// A plan that sells others together, as it stood in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The plan that was bought.
    pub plan: PlanId,
    /// Its product's and its own name.
    pub name: String,
}

impl OrderLine {
    /// How many licenses the line makes.
    #[must_use]
    pub fn units(&self) -> u64 {
        u64::from(self.policy.licenses_of(self.quantity))
    }

    /// Takes the answers to what the line asks; the rest is still to be asked.
    pub(crate) fn take_answers(&mut self, answers: &[Answer]) {
        let asks = |answer: &&Answer| self.questions.iter().any(|question| question.name == answer.name);
        let taken: Vec<Answer> = answers.iter().filter(asks).cloned().collect();
        self.questions.retain(|question| taken.iter().all(|answer| answer.name != question.name));
        self.answers.extend(taken);
    }

    /// What it is called: product and tier, after the name of what it was a part of.
    #[must_use]
    pub fn name(&self) -> String {
        let name = format!("{} {}", self.product_name, self.plan_name);
        match &self.bundle {
            Some(bundle) => format!("{}: {name}", bundle.name),
            None => name,
        }
    }
}

/// What was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The number that people use.
    pub number: OrderNumber,
    /// The visit that made it.
    pub checkout: CheckoutId,
    /// Who buys; known once the buyer said so.
    pub customer: Option<CustomerId>,
    /// Where the keys go; known with the customer.
    pub email: Option<Email>,
    /// The buyer's country.
    pub country: Country,
    /// The buyer's language.
    pub locale: Locale,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// What it costs in all; the sum of the lines.
    pub total: Money,
    /// What was given back so far.
    pub refunded: Money,
    /// Where it stands.
    pub state: OrderState,
    /// Who sold it, as named beside the button.
    pub seller: Seller,
    /// What the buyer agreed to.
    pub consent: Consent,
    /// The seller's own notes on it.
    pub metadata: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When money first came for it.
    pub paid_at: Option<Timestamp>,
    /// Since when its buyer waits for an answer to a message; `None`: nobody does.
    pub unanswered_since: Option<Timestamp>,
}

impl Order {
    /// The line at this place, which licenses and claims name theirs by.
    #[must_use]
    pub fn line(&self, place: u32) -> Option<&OrderLine> {
        self.lines.get(usize::try_from(place).ok()?)
    }

    /// The plan that was chosen, and how many of it; `None` when lines were chosen one by one.
    #[must_use]
    pub fn choice(&self) -> Option<(PlanId, u32)> {
        let first = self.lines.first()?;
        let is_whole = match &first.bundle {
            Some(bundle) => self.lines.iter().all(|line| line.bundle.as_ref() == Some(bundle)),
            None => self.lines.len() == 1,
        };
        is_whole.then(|| (first.bundle.as_ref().map_or(first.plan, |bundle| bundle.plan), first.quantity))
    }

    /// What the buyer is still to be asked before paying.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        each_once(self.lines.iter().flat_map(|line| &line.questions))
    }

    /// What was answered, by the name of the question.
    #[must_use]
    pub fn answers(&self) -> BTreeMap<String, String> {
        let answers = self.lines.iter().flat_map(|line| &line.answers);
        answers.map(|answer| (answer.name.clone(), answer.value.clone())).collect()
    }

    /// How many licenses the lines make.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.lines.iter().map(OrderLine::units).sum()
    }

    /// Whether a license key is among what was bought.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.lines.iter().any(|line| line.fulfilment.is_key())
    }

    /// How many of them have a claim, because what the buyer gets is made elsewhere.
    #[must_use]
    pub fn claimed_units(&self) -> u64 {
        self.lines.iter().filter(|line| line.fulfilment.is_claimed()).map(OrderLine::units).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_number_is_read_as_people_write_it() {
        #[rustfmt::skip]
        let table = [
            ("K7QM-2X9P",         Some("K7QM-2X9P"), "as printed"),
            ("k7qm2x9p",          Some("K7QM-2X9P"), "small, without the dash"),
            (" #K7QM 2X9P ",      Some("K7QM-2X9P"), "as support writes it"),
            ("K7QM–2X9P",         Some("K7QM-2X9P"), "a dash that a word processor made"),
            ("K7QM\u{2011}2X9P",  Some("K7QM-2X9P"), "a hyphen that does not break"),
            ("OILo-0000",         Some("0110-0000"), "look-alikes"),
            ("۱۲۳۴-۵۶۷۸",         Some("1234-5678"), "Persian digits"),
            ("Ｋ７ＱＭ－２Ｘ９Ｐ", Some("K7QM-2X9P"), "full-width"),
            ("K7QM-2X9U",         None,              "no U in the alphabet"),
            ("K7QM-2X9",          None,              "too short"),
            ("K7QM-2X9PP",        None,              "too long"),
            ("K7QM-2X9é",         None,              "no such symbol"),
            ("",                  None,              "nothing"),
        ];
        for (text, number, why) in table {
            assert_eq!(OrderNumber::parse(text).as_ref().map(OrderNumber::as_str), number, "{why}: {text}");
        }
    }

    #[test]
    fn a_new_order_number_reads_back_and_holds_no_look_alike() {
        let mut rng = Rng::from_seed([3; 32]);
        for _ in 0..500 {
            let number = OrderNumber::mint(&mut rng);
            assert_eq!(OrderNumber::parse(number.as_str()).as_ref(), Some(&number));
            assert!(!number.as_str().contains(['I', 'L', 'O', 'U']), "{number}");
        }
    }
}

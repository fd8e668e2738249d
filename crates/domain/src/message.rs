//! What buyer and shop write to each other about an order.
//!
//! A message is a row of its own and is never changed. The other side is told
//! by mail; the seller once for all that is written in an hour without an
//! answer, so that a buyer who writes much does not flood a mailbox. The order
//! says since when its buyer waits for an answer, so that nobody is forgotten
//! when a mail is.

use std::fmt;

use serde_json::json;

use crate::text::clean;
use crate::{
    Actor, Changes, Check, Delivery, DeliveryState, Duration, Email, Event, EventId, EventKind, MailKind, MessageId,
    Order, OrderId, Refusal, Rng, Shop, ShopId, TextError, Timestamp, UserId, contains_card_number,
};

/// How soon the seller is told again of what is not answered.
const TOLD_AGAIN_AFTER: Duration = Duration::hours(1);

/// How long a mail to the seller that does not leave stands for others: one that never leaves must not silence them.
const LEAVES_WITHIN: Duration = Duration::days(1);

/// The same words again within this time are the same message, sent twice.
const SAID_ONCE_WITHIN: Duration = Duration::minutes(10);

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Author {
    /// The buyer of the order.
    Buyer,
    /// A person of the shop.
    User(UserId),
}

impl Author {
    /// The word in rows: the buyer, or the id of the person.
    #[must_use]
    pub fn to_text(self) -> String {
        match self {
            Self::Buyer => "buyer".to_owned(),
            Self::User(user) => user.to_string(),
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "buyer" => Some(Self::Buyer),
            other => UserId::parse(other).ok().map(Self::User),
        }
    }

    fn actor(self) -> Actor {
        match self {
            Self::Buyer => Actor::Buyer,
            Self::User(user) => Actor::User(user),
        }
    }

    fn is_buyer(self) -> bool {
        match self {
            Self::Buyer => true,
            Self::User(_) => false,
        }
    }
}

/// The words of a message: plain text, in lines.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageBody(Box<str>);

/// Without the words, which are between two people.
impl fmt::Debug for MessageBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MessageBody")
    }
}

impl MessageBody {
    /// How many characters a message has at most.
    pub const LONGEST: usize = 2_000;

    /// Reads what somebody typed: each line as [`plain_text`](crate::plain_text) keeps it, and no two empty lines in a
    /// row.
    ///
    /// # Errors
    /// When nothing is left, it is too long, or something in it looks like a card number.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let mut body = String::new();
        let mut gap = "";
        for line in text.lines().map(clean) {
            if line.is_empty() {
                gap = if body.is_empty() { "" } else { "\n\n" };
                continue;
            }
            body.push_str(gap);
            body.push_str(&line);
            gap = "\n";
        }
        if body.is_empty() {
            return Err(TextError::Empty);
        }
        if body.chars().count() > Self::LONGEST {
            return Err(TextError::TooLong(Self::LONGEST));
        }
        // A number may be broken over lines.
        if contains_card_number(&body.replace('\n', " ")) {
            return Err(TextError::CardNumber);
        }
        Ok(Self(body.into_boxed_str()))
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One message about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The shop.
    pub shop: ShopId,
    /// The order.
    pub order: OrderId,
    /// Its place among the messages about the order, from 0. Nobody else's has it: two that are written at the same
    /// moment come one after the other.
    pub place: u32,
    /// Who wrote it.
    pub author: Author,
    /// What it says.
    pub body: MessageBody,
    /// When.
    pub at: Timestamp,
}

/// How many messages a buyer may write before somebody answers.
pub const MOST_UNANSWERED: usize = 10;

/// What is known of an order when somebody writes about it.
#[derive(Debug, Clone, Copy)]
pub struct Conversation<'a> {
    /// The order.
    pub order: &'a Order,
    /// What was written so far, the oldest first.
    pub messages: &'a [Message],
    /// The last mail to the seller that something waits to be read.
    pub told: Option<&'a Delivery>,
}

impl Order {
    /// Whether buyer and shop can write to each other about it: the buyer reads and answers on the order's page, once it
    /// is paid, and hears of it by mail.
    #[must_use]
    pub fn takes_messages(&self) -> bool {
        self.state.was_paid() && self.email.is_some()
    }
}

/// Writes a message and tells the other side. The same words again are the same message, and change nothing. The order is
/// checked by the commit: whoever corrects its address at the same moment does not send the words to the old one.
///
/// # Errors
/// When the buyer can read no message, or has written much and nobody has answered.
pub fn write_message(
    shop: &Shop,
    conversation: Conversation<'_>,
    author: Author,
    body: &MessageBody,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Changes, Refusal> {
    let Conversation { order, messages, told } = conversation;
    if !order.takes_messages() {
        return Err(Refusal::MessageUnreadable);
    }
    let is_repeated =
        |last: &&Message| last.author == author && last.body == *body && now.since(last.at) < SAID_ONCE_WITHIN;
    if messages.last().filter(is_repeated).is_some() {
        return Ok(Changes::default());
    }
    let unanswered: Vec<&Message> = messages.iter().rev().take_while(|message| message.author.is_buyer()).collect();
    if author.is_buyer() && unanswered.len() >= MOST_UNANSWERED {
        return Err(Refusal::MessagesUnanswered);
    }
    let message = Message {
        id: MessageId::mint(now, rng),
        shop: order.shop,
        order: order.id,
        place: messages.last().map_or(0, |last| last.place.saturating_add(1)),
        author,
        body: body.clone(),
        at: now,
    };
    let event = Event {
        id: EventId::mint(now, rng),
        shop: order.shop,
        kind: EventKind::MessageWritten,
        actor: author.actor(),
        order: Some(order.id),
        license: None,
        customer: order.customer,
        data: json!({ "message": message.id }),
        at: now,
    };
    let mail = match author {
        Author::User(_) => {
            let mail = MailKind::MessageFromShop { message: message.id };
            order.email.as_ref().map(|to| Delivery::queued(order.shop, mail, to, &order.locale, now, rng))
        }
        Author::Buyer => {
            // What still waits to be sent says all there is to say; so does what was sent a moment ago.
            let is_told = told.is_some_and(|told| {
                let since = unanswered.last().map(|first| first.at);
                let is_about_these = since.is_some_and(|since| told.created_at >= since);
                let age = now.since(told.created_at);
                (told.state == DeliveryState::Queued && age < LEAVES_WITHIN)
                    || (is_about_these && age < TOLD_AGAIN_AFTER)
            });
            let mail = MailKind::MessageFromBuyer { order: order.id };
            let to = Email::parse(&shop.seller.email).ok().filter(|_| !is_told);
            to.map(|to| Delivery::queued(order.shop, mail, &to, &shop.default_locale, now, rng))
        }
    };
    let unanswered_since = match author {
        Author::Buyer => order.unanswered_since.or(Some(now)),
        Author::User(_) => None,
    };
    let mut changes = Changes { messages: vec![message], events: vec![event], ..Changes::default() };
    if unanswered_since == order.unanswered_since {
        changes.checks.push(Check::Order { shop: order.shop, id: order.id, version: order.version });
    } else {
        changes.orders.push(Order { unanswered_since, ..order.clone() });
    }
    if let Some((mut delivery, job)) = mail {
        delivery.order = Some(order.id);
        // A mail to the seller is none of the customer's.
        delivery.customer = order.customer.filter(|_| !author.is_buyer());
        changes.deliveries.push(delivery);
        changes.jobs.push(job);
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixture::{START, World, rng};

    /// A shop and an order whose buyer reads messages.
    fn paid() -> World {
        let mut world = World::submitted();
        world.sale.order.state = crate::OrderState::Paid;
        world.catalog.shop.seller.email = "owner@shop.test".to_owned();
        world
    }

    #[test]
    fn a_body_is_lines_of_plain_text() {
        let long = "a".repeat(MessageBody::LONGEST);
        #[rustfmt::skip]
        let table = [
            ("Hello",                               Ok("Hello")),
            ("  Hello \r\n\r\n\r\n\r\n  there\t you ", Ok("Hello\n\nthere you")),
            ("one\ntwo",                            Ok("one\ntwo")),
            ("\n\n one \n\n",                       Ok("one")),
            ("a\u{202e}b\u{200b}c",                 Ok("abc")),
            (" \n \u{200b}\n",                      Err(TextError::Empty)),
            ("my card is 4242 4242 4242 4242",      Err(TextError::CardNumber)),
            ("4242 4242\n4242 4242",                Err(TextError::CardNumber)),
            (long.as_str(),                         Ok(long.as_str())),
        ];
        for (typed, expected) in table {
            let body = MessageBody::parse(typed);
            assert_eq!(body.as_ref().map(MessageBody::as_str).map_err(|error| *error), expected, "{typed:?}");
        }
        assert_eq!(MessageBody::parse(&format!("{long}b")), Err(TextError::TooLong(MessageBody::LONGEST)));
    }

    /// Who writes, how many minutes later, and who is mailed.
    #[test]
    fn the_other_side_is_told_and_the_seller_not_by_every_message() {
        let world = paid();
        let (shop, order) = (&world.catalog.shop, &world.sale.order);
        let staff = Author::User(UserId::mint(START, &mut rng(3)));
        #[rustfmt::skip]
        let table = [
            (Author::Buyer,  0, Some("message_from_buyer"), "the first word"),
            (Author::Buyer,  5, None,                       "more of the same"),
            (Author::Buyer, 50, None,                       "still within the hour of the mail"),
            (Author::Buyer, 10, Some("message_from_buyer"), "nobody has answered, and an hour is over"),
            (staff,          1, Some("message_from_shop"),  "an answer"),
            (staff,          1, Some("message_from_shop"),  "and another"),
            (Author::Buyer,  1, Some("message_from_buyer"), "a new question, though a mail went a moment ago"),
        ];
        let (mut messages, mut told, mut now) = (Vec::new(), None::<Delivery>, START);
        for (place, (author, minutes, expected, why)) in table.into_iter().enumerate() {
            now = now.after(Duration::minutes(minutes));
            let conversation = Conversation { order, messages: &messages, told: told.as_ref() };
            let body = MessageBody::parse(why).unwrap();
            let changes = write_message(shop, conversation, author, &body, now, &mut rng(4)).unwrap();
            let mailed: Vec<&str> = changes.deliveries.iter().map(|mail| mail.mail.as_str()).collect();
            assert_eq!(mailed, expected.into_iter().collect::<Vec<_>>(), "{why}");
            assert_eq!((changes.messages.len(), changes.events.len(), changes.jobs.len()), (1, 1, mailed.len()));
            assert_eq!(usize::try_from(changes.messages[0].place), Ok(place));
            let sent = changes.deliveries.into_iter().find(|mail| mail.mail.as_str() == "message_from_buyer");
            told = sent.map(|mail| Delivery { state: DeliveryState::Sent, ..mail }).or(told);
            messages.extend(changes.messages);
        }
    }

    #[test]
    fn while_a_mail_to_the_seller_waits_there_is_no_second_for_a_day() {
        let world = paid();
        let (shop, order) = (&world.catalog.shop, &world.sale.order);
        let one = MessageBody::parse("one").unwrap();
        let first = Conversation { order, messages: &[], told: None };
        let first = write_message(shop, first, Author::Buyer, &one, START, &mut rng(4)).unwrap();
        let two = MessageBody::parse("two").unwrap();
        for (hours, mails) in [(2, 0), (23, 0), (24, 1), (72, 1)] {
            let later = START.after(Duration::hours(hours));
            let more = Conversation { order, messages: &first.messages, told: first.deliveries.first() };
            let more = write_message(shop, more, Author::Buyer, &two, later, &mut rng(5)).unwrap();
            assert_eq!((more.messages.len(), more.deliveries.len()), (1, mails), "after {hours} hours");
        }
    }

    #[test]
    fn the_order_says_since_when_its_buyer_waits_for_an_answer() {
        let mut world = paid();
        let staff = Author::User(UserId::mint(START, &mut rng(3)));
        let minute = |minute| START.after(Duration::minutes(minute));
        #[rustfmt::skip]
        let table = [
            (Author::Buyer, 0, Some(minute(0)), "the first question"),
            (Author::Buyer, 1, Some(minute(0)), "the longest wait counts"),
            (staff,         2, None,            "an answer"),
            (staff,         3, None,            "nobody waits"),
            (Author::Buyer, 4, Some(minute(4)), "another question"),
        ];
        let mut messages = Vec::new();
        for (author, minutes, expected, why) in table {
            let conversation = Conversation { order: &world.sale.order, messages: &messages, told: None };
            let body = MessageBody::parse(why).unwrap();
            let shop = &world.catalog.shop;
            let changes = write_message(shop, conversation, author, &body, minute(minutes), &mut rng(4)).unwrap();
            assert_eq!(changes.orders.len() + changes.checks.len(), 1, "the order is checked in any case: {why}");
            if let Some(order) = changes.orders.into_iter().next() {
                world.sale.order = order;
            }
            assert_eq!(world.sale.order.unanswered_since, expected, "{why}");
            messages.extend(changes.messages);
        }
    }

    #[test]
    fn nobody_writes_where_the_buyer_cannot_read() {
        let staff = Author::User(UserId::mint(START, &mut rng(3)));
        for (state, has_address, is_read) in [
            (crate::OrderState::Paid, true, true),
            (crate::OrderState::Refunded, true, true),
            (crate::OrderState::Paid, false, false),
            (crate::OrderState::Pending, true, false),
            (crate::OrderState::Expired, true, false),
        ] {
            let World { mut sale, catalog, .. } = World::submitted();
            sale.order.state = state;
            sale.order.email = sale.order.email.filter(|_| has_address);
            let conversation = Conversation { order: &sale.order, messages: &[], told: None };
            let body = MessageBody::parse("Hello").unwrap();
            for author in [Author::Buyer, staff] {
                let said = write_message(&catalog.shop, conversation, author, &body, START, &mut rng(4)).map(|_| ());
                let expected = if is_read { Ok(()) } else { Err(Refusal::MessageUnreadable) };
                assert_eq!(said, expected, "{state:?}, {has_address}");
            }
        }
    }

    #[test]
    fn the_words_are_in_no_log() {
        assert_eq!(format!("{:?}", MessageBody::parse("between us").unwrap()), "MessageBody");
    }

    #[test]
    fn the_same_words_sent_twice_are_one_message() {
        let world = paid();
        let (shop, order) = (&world.catalog.shop, &world.sale.order);
        let body = MessageBody::parse("When?").unwrap();
        let first = Conversation { order, messages: &[], told: None };
        let first = write_message(shop, first, Author::Buyer, &body, START, &mut rng(4)).unwrap();
        let staff = Author::User(UserId::mint(START, &mut rng(3)));
        for (author, minutes, is_said) in
            [(Author::Buyer, 0, false), (Author::Buyer, 9, false), (Author::Buyer, 10, true), (staff, 0, true)]
        {
            let now = START.after(Duration::minutes(minutes));
            let again = Conversation { order, messages: &first.messages, told: None };
            let again = write_message(shop, again, author, &body, now, &mut rng(5)).unwrap();
            assert_eq!(!again.messages.is_empty(), is_said, "{author:?} after {minutes} minutes");
        }
    }

    #[test]
    fn a_buyer_waits_for_an_answer_after_ten_messages_and_staff_never() {
        let world = paid();
        let (shop, order) = (&world.catalog.shop, &world.sale.order);
        let staff = Author::User(UserId::mint(START, &mut rng(3)));
        let mut messages = Vec::new();
        let mut say = |author, text: &str| {
            let conversation = Conversation { order, messages: &messages, told: None };
            let body = MessageBody::parse(text).unwrap();
            let said = write_message(shop, conversation, author, &body, START, &mut rng(4));
            if let Ok(changes) = &said {
                messages.extend(changes.messages.clone());
            }
            said.map(|_| ())
        };
        for place in 0..MOST_UNANSWERED {
            assert_eq!(say(Author::Buyer, &format!("{place}")), Ok(()));
        }
        assert_eq!(say(Author::Buyer, "more"), Err(Refusal::MessagesUnanswered));
        assert_eq!(say(staff, "Here"), Ok(()));
        assert_eq!(say(Author::Buyer, "more"), Ok(()));
    }
}

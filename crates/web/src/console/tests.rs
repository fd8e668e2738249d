//! Every message that a page of the console can ask for is there in every language.
//!
//! Most ids are put together from a word of an enum, so a new state or a new
//! kind of event without its text would only be seen by whoever meets it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use app::Catalog;
use domain::{
    ActivationState, AnswerFault, AtExpiry, AttemptKind, CustomerId, DeliveryState, DifferenceKind, EmailError,
    EventKind, LicenseId, LicenseState, LoginLinkId, MailKind, MessageId, OrderId, OrderState, Overage, PaymentState,
    PoolId, RefundReason, RefundState, Refusal, Rng, SeatHolder, Standing, Starts, TransferId,
};
use money::{Currency, MoneyError};

use super::*;

/// Every id of the console that stands in a template or in code as it is.
fn written_out() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let quoted = text.split('"');
        let is_id = |text: &&str| {
            text.starts_with("console-")
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
                && !text.ends_with('-')
        };
        found.extend(quoted.filter(is_id).map(str::to_owned));
    }
    found
}

/// One of each kind. A new kind does not compile before it is told whether a gateway or a form can cause it.
fn refusals() -> Vec<Refusal> {
    let amount = Money::zero(Currency::EUR);
    let text = String::new;
    let at = Timestamp::from_seconds(1_800_000_000);
    vec![
        Refusal::AmountMismatch { expected: amount, reported: amount },
        Refusal::CurrencyMismatch { expected: amount, reported: amount },
        Refusal::ModeMismatch { expected: Mode::Live, reported: Mode::Sandbox },
        Refusal::AccountMismatch,
        Refusal::ReferenceMismatch { expected: text(), reported: text() },
        Refusal::PaymentUnknown,
        Refusal::RefundExceedsPayment { requested: amount, refundable: amount },
        Refusal::RefundNotPositive,
        Refusal::OrderNotPaid,
        Refusal::NoSurplus,
        Refusal::EmailTaken,
        Refusal::PlanNotOnSale,
        Refusal::NoPriceInCurrency,
        Refusal::QuantityOutOfRange { max: 1 },
        Refusal::CouponUnknown,
        Refusal::OutOfStock,
        Refusal::OnBackOrder,
        Refusal::CodeMadeElsewhere,
        Refusal::PlanIsBundle,
        Refusal::CodeFromStock,
        Refusal::NothingOwed,
        Refusal::MessagesUnanswered,
        Refusal::MessageUnreadable,
        Refusal::SubmittedOtherwise,
        Refusal::FulfilledOtherwise,
        Refusal::ContentTaken,
        Refusal::ConsentMissing,
        Refusal::AnswerMissing { name: text() },
        Refusal::AnswerInvalid { name: text(), fault: AnswerFault::TooLong },
        Refusal::CheckoutExpired,
        Refusal::CheckoutCompleted,
        Refusal::LicenseNotUsable(Standing::Revoked),
        Refusal::UpdateNotCovered,
        Refusal::WrongProduct,
        Refusal::DeviceMissing,
        Refusal::FileTimeOutOfRange { shortest: 60, longest: 60 },
        Refusal::RequestNotGenuine,
        Refusal::KeyRetired { new_tail: text() },
        Refusal::SeatLimitReached { seats: 1 },
        Refusal::GroupFull { seats: 1 },
        Refusal::GroupLicensesReached { licenses: 1 },
        Refusal::GroupBelowUsed { licenses: 1, seats: 1 },
        Refusal::GroupNotEmpty,
        Refusal::NotActivated,
        Refusal::UsageNotCounted,
        Refusal::SeatsBelowUsed { used: 1 },
        Refusal::UsageExhausted { limit: 1, left: 0 },
        Refusal::ReleaseQuotaReached { next_at: at },
        Refusal::RotationQuotaReached { next_at: at },
        Refusal::TransferQuotaReached { next_at: at },
        Refusal::BatchDiffers,
        Refusal::TransferToOwner,
        Refusal::TransferOver,
        Refusal::LicenseStateUnfit { state: LicenseState::Active },
        Refusal::NotUndoable,
        Refusal::ChangedSince,
        Refusal::DownloadLinkInvalid,
        Refusal::DownloadLinkEnded,
        Refusal::ReleaseWithdrawn,
        Refusal::ReleaseNotOut,
        Refusal::Money(MoneyError::Overflow),
    ]
}

/// Whether a gateway's message can be parked for it, and whether the refund form can be refused for it.
fn meets(refusal: &Refusal) -> (bool, bool) {
    match refusal {
        Refusal::AmountMismatch { .. }
        | Refusal::ModeMismatch { .. }
        | Refusal::AccountMismatch
        | Refusal::ReferenceMismatch { .. }
        | Refusal::PaymentUnknown => (true, false),
        Refusal::CurrencyMismatch { .. }
        | Refusal::RefundExceedsPayment { .. }
        | Refusal::RefundNotPositive
        | Refusal::Money(_) => (true, true),
        Refusal::OrderNotPaid | Refusal::NoSurplus => (false, true),
        Refusal::PlanNotOnSale
        | Refusal::EmailTaken
        | Refusal::NoPriceInCurrency
        | Refusal::QuantityOutOfRange { .. }
        | Refusal::CouponUnknown
        | Refusal::OutOfStock
        | Refusal::OnBackOrder
        | Refusal::CodeMadeElsewhere
        | Refusal::PlanIsBundle
        | Refusal::CodeFromStock
        | Refusal::NothingOwed
        | Refusal::MessagesUnanswered
        | Refusal::MessageUnreadable
        | Refusal::SubmittedOtherwise
        | Refusal::FulfilledOtherwise
        | Refusal::ContentTaken
        | Refusal::ConsentMissing
        | Refusal::AnswerMissing { .. }
        | Refusal::AnswerInvalid { .. }
        | Refusal::CheckoutExpired
        | Refusal::CheckoutCompleted
        | Refusal::LicenseNotUsable(_)
        | Refusal::UpdateNotCovered
        | Refusal::WrongProduct
        | Refusal::DeviceMissing
        | Refusal::FileTimeOutOfRange { .. }
        | Refusal::RequestNotGenuine
        | Refusal::KeyRetired { .. }
        | Refusal::SeatLimitReached { .. }
        | Refusal::GroupFull { .. }
        | Refusal::GroupLicensesReached { .. }
        | Refusal::GroupBelowUsed { .. }
        | Refusal::GroupNotEmpty
        | Refusal::NotActivated
        | Refusal::UsageNotCounted
        | Refusal::SeatsBelowUsed { .. }
        | Refusal::ReleaseQuotaReached { .. }
        | Refusal::RotationQuotaReached { .. }
        | Refusal::TransferQuotaReached { .. }
        | Refusal::BatchDiffers
        | Refusal::TransferToOwner
        | Refusal::TransferOver
        | Refusal::LicenseStateUnfit { .. }
        | Refusal::NotUndoable
        | Refusal::ChangedSince
        | Refusal::DownloadLinkInvalid
        | Refusal::DownloadLinkEnded
        | Refusal::ReleaseWithdrawn
        | Refusal::ReleaseNotOut
        | Refusal::UsageExhausted { .. } => (false, false),
    }
}

/// Every id that code puts together from a word.
fn put_together() -> BTreeSet<String> {
    let mut rng = Rng::from_seed([3; 32]);
    let now = Timestamp::from_seconds(1_800_000_000);
    let (order, link) = (OrderId::mint(now, &mut rng), LoginLinkId::mint(now, &mut rng));
    let (license, transfer) = (LicenseId::mint(now, &mut rng), TransferId::mint(now, &mut rng));
    let customer = CustomerId::mint(now, &mut rng);
    let mut words: Vec<(&str, &str)> = Vec::new();
    words.extend(EventKind::ALL.iter().map(|kind| ("event", kind.as_str())));
    words.extend(OrderState::ALL.iter().map(|state| ("state", state.as_str())));
    words.extend(PaymentState::ALL.iter().map(|state| ("state", state.as_str())));
    words.extend(RefundState::ALL.iter().map(|state| ("state", state.as_str())));
    words.extend(LicenseState::ALL.iter().map(|state| ("state", state.as_str())));
    words.extend(DeliveryState::ALL.iter().map(|state| ("state", state.as_str())));
    words.extend([ActivationState::Active, ActivationState::Released].map(|state| ("state", state.as_str())));
    words.push(("state", "lapsed"));
    words.extend(super::license::TERMS.map(|name| ("policy", name)));
    words.extend(Starts::ALL.iter().map(|word| ("policy-starts", word.as_str())));
    words.extend(AtExpiry::ALL.iter().map(|word| ("policy-at-expiry", word.as_str())));
    words.extend(SeatHolder::ALL.iter().map(|word| ("policy-seats-for", word.as_str())));
    words.extend(Overage::ALL.iter().map(|word| ("policy-overage", word.as_str())));
    words.extend(
        [Standing::Active, Standing::Suspended, Standing::Expired, Standing::Revoked]
            .map(|state| ("state", state.as_str())),
    );
    words.extend(notice::STATES.map(|state| ("state", state)));
    words.extend(RefundReason::ALL.iter().map(|reason| ("reason", reason.as_str())));
    words.extend(TOLD.iter().map(|word| ("told", *word)));
    words.extend(
        [
            MailKind::OrderPaid { order },
            MailKind::OrderFulfilled { order },
            MailKind::PoolLow { pool: PoolId::mint(now, &mut rng) },
            MailKind::MessageFromShop { message: MessageId::mint(now, &mut rng) },
            MailKind::MessageFromBuyer { order },
            MailKind::PaymentFailed { order },
            MailKind::OrderRefunded { order },
            MailKind::PortalCode { link },
            MailKind::ConsoleLink { link },
            MailKind::KeysRequested { customer },
            MailKind::KeyReplaced { license },
            MailKind::KeySignedAgain { license },
            MailKind::LicenseReceived { license },
            MailKind::TransferOffered { transfer },
            MailKind::TransferStarted { transfer },
            MailKind::TransferDone { transfer },
        ]
        .map(|mail| ("mail", mail.as_str())),
    );
    words.extend(AttemptKind::ALL.map(|kind| ("attempt", kind.as_str())));
    words.extend(DifferenceKind::ALL.map(|kind| ("shadow", kind.as_str())));
    words.push(("parked", "unreadable"));
    for refusal in refusals() {
        let (is_parked, is_refused) = meets(&refusal);
        words.extend(is_parked.then_some(("parked", refusal.code())));
        words.extend(is_refused.then_some(("refusal", refusal.code())));
    }
    let id = |(kind, word): (&str, &str)| format!("console-{kind}-{}", word.replace(['.', '_'], "-"));
    let mut ids: BTreeSet<String> = words.into_iter().map(id).collect();
    ids.extend(
        [
            EmailError::Empty,
            EmailError::NoAt,
            EmailError::TwoAts,
            EmailError::NoName,
            EmailError::BadDomain,
            EmailError::BadCharacter,
            EmailError::TooLong,
        ]
        .map(sign_in::cause),
    );
    ids
}

#[test]
fn every_message_of_the_console_is_there_in_every_language() {
    let catalog = Catalog::new(None).unwrap();
    let asked: BTreeSet<String> = written_out().into_iter().chain(put_together()).collect();
    assert!(asked.len() > 200, "only {} ids were found", asked.len());
    for (locale, _) in catalog.languages() {
        let missing: Vec<&String> = asked.iter().filter(|id| catalog.text(&locale, id, &[]) == **id).collect();
        assert!(missing.is_empty(), "{locale}: {missing:?}");
        let gaps: Vec<&str> = catalog.gaps(&locale).into_iter().filter(|id| id.starts_with("console-")).collect();
        assert!(gaps.is_empty(), "{locale} says in English: {gaps:?}");
    }
}

#[test]
fn no_message_of_the_console_is_there_for_nothing() {
    let asked: BTreeSet<String> = written_out().into_iter().chain(put_together()).collect();
    let source = include_str!("../../../app/messages/en/console.ftl");
    let spare: Vec<&str> = source
        .lines()
        .filter(|line| line.starts_with("console-"))
        .filter_map(|line| line.split_once(" ="))
        .map(|(id, _)| id)
        .filter(|id| !asked.contains(*id))
        .collect();
    assert!(spare.is_empty(), "nothing shows {spare:?}");
}

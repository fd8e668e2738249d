//! Every word that stands in rows reads back as what it was written from, and no other word reads at all.

use std::fmt::Debug;

use crate::fixture::{START, rng};
use crate::*;

fn check<Kind: Copy + PartialEq + Debug>(
    kinds: &[Kind],
    write: impl Fn(Kind) -> String,
    read: impl Fn(&str) -> Option<Kind>,
) {
    for kind in kinds {
        let word = write(*kind);
        assert_eq!(read(&word), Some(*kind), "{word}");
        assert_eq!(read(&word.to_uppercase()), None, "{word}");
    }
    assert_eq!(read(""), None);
}

#[test]
fn every_word_in_rows_reads_back() {
    check(&CheckoutState::ALL, |state| state.as_str().to_owned(), CheckoutState::parse);
    check(&OrderState::ALL, |state| state.as_str().to_owned(), OrderState::parse);
    check(&PaymentState::ALL, |state| state.as_str().to_owned(), PaymentState::parse);
    check(&RefundState::ALL, |state| state.as_str().to_owned(), RefundState::parse);
    check(&RefundReason::ALL, |reason| reason.as_str().to_owned(), RefundReason::parse);
    check(&DisputeState::ALL, |state| state.as_str().to_owned(), DisputeState::parse);
    check(&LicenseState::ALL, |state| state.as_str().to_owned(), LicenseState::parse);
    check(&TransferState::ALL, |state| state.as_str().to_owned(), TransferState::parse);
    check(&DeliveryState::ALL, |state| state.as_str().to_owned(), DeliveryState::parse);
    check(EventKind::ALL, |kind| kind.as_str().to_owned(), EventKind::parse);
    check(&[Mode::Live, Mode::Sandbox], |mode| mode.as_str().to_owned(), Mode::parse);
    let states = [ActivationState::Active, ActivationState::Released];
    check(&states, |state| state.as_str().to_owned(), ActivationState::parse);
    check(&ClaimState::ALL, |state| state.as_str().to_owned(), ClaimState::parse);
    check(&ClaimKind::ALL, |kind| kind.as_str().to_owned(), ClaimKind::parse);
    check(&WhenOut::ALL, |choice| choice.as_str().to_owned(), WhenOut::parse);
    for fulfilment in [
        Fulfilment::GeneratedKey,
        Fulfilment::Pool { pool: PoolId::mint(START, &mut rng(1)) },
        Fulfilment::Manual { within_hours: 48 },
        Fulfilment::Webhook { endpoint: EndpointId::mint(START, &mut rng(1)) },
        Fulfilment::Download,
        Fulfilment::SignedKey,
    ] {
        assert_eq!(Fulfilment::from_parts(fulfilment.as_str(), fulfilment.parts()), Some(fulfilment));
        let text = serde_json::to_value(fulfilment).ok();
        assert_eq!(text.and_then(|text| serde_json::from_value(text).ok()), Some(fulfilment));
    }
    let user = Actor::User(UserId::mint(START, &mut rng(1)));
    let actors = [Actor::Gateway, Actor::System, Actor::Buyer, Actor::App, Actor::Api, user];
    check(&actors, Actor::to_text, Actor::parse);
}

#[test]
fn every_job_and_mail_reads_back_from_its_parts() {
    let mut rng = rng(1);
    let (payment, refund) = (PaymentId::mint(START, &mut rng), RefundId::mint(START, &mut rng));
    let (delivery, order) = (DeliveryId::mint(START, &mut rng), OrderId::mint(START, &mut rng));
    let (link, pool) = (LoginLinkId::mint(START, &mut rng), PoolId::mint(START, &mut rng));
    let (license, transfer) = (LicenseId::mint(START, &mut rng), TransferId::mint(START, &mut rng));
    let (customer, message) = (CustomerId::mint(START, &mut rng), MessageId::mint(START, &mut rng));
    for job in [
        JobKind::OpenPayment { payment },
        JobKind::AskPayment { payment },
        JobKind::SendRefund { refund },
        JobKind::SendMail { delivery },
        JobKind::AskEndpoint { license },
    ] {
        assert_eq!(JobKind::from_parts(job.as_str(), &job.subject()), Some(job));
        assert_eq!(JobKind::from_parts(job.as_str(), "prod_0"), None);
    }
    for mail in [
        MailKind::OrderPaid { order },
        MailKind::OrderFulfilled { order },
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
        MailKind::PoolLow { pool },
        MailKind::MessageFromShop { message },
        MailKind::MessageFromBuyer { order },
    ] {
        assert_eq!(MailKind::from_parts(mail.as_str(), &mail.subject()), Some(mail));
        assert_eq!(MailKind::from_parts(mail.as_str(), "prod_0"), None);
    }
}

//! What a sale is: ids, states, facts, decisions, invariants.
//!
//! Everything here is a value or a function of values. There is no clock, no
//! randomness of its own, no SQL, no HTTP, no `async`: time and chance are
//! arguments ([`Timestamp`], [`Rng`]), and a decision is returned as
//! [`Changes`], which somebody else commits.

mod activate;
mod activation;
mod adjust;
mod attempt;
mod batch;
mod by_hand;
mod card_number;
mod changes;
mod checkout;
mod claim;
mod console;
mod country;
mod customer;
mod decide;
mod decline;
mod delivery;
mod dispute;
mod email;
mod endpoint;
mod event;
mod fact;
#[cfg(test)]
mod fixture;
mod fulfilment;
mod gateway_account;
mod group;
mod id;
mod import;
pub mod invariant;
mod issue;
mod job;
mod ledger;
mod license;
mod license_file;
mod locale;
mod message;
mod notice;
mod order;
mod payment;
mod plan;
mod policy;
mod pool;
mod portal;
mod price;
mod product;
mod question;
mod rebuild;
mod refund;
mod refusal;
mod reissue;
mod release;
mod revocation;
mod rng;
mod sale;
mod shadow;
mod shop;
mod signed_key;
mod site;
mod submit;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod time;
mod transfer;
mod usage;
#[cfg(test)]
mod words;

pub use activate::{ActivationRequest, activate, begin, deactivate, heartbeat};
pub use activation::{Activation, ActivationState, Fingerprint};
pub use adjust::{Adjusted, Adjustment, ByHand, Difference, adjust, adopt};
pub use attempt::{Attempt, AttemptKind, AttemptVerdict, Rule};
pub use batch::{Batch, BatchTarget, Grant, grant, shares};
pub use by_hand::{ManualAct, act_by_hand, is_undoable, release_by_hand, undo};
pub use card_number::{contains_card_number, mask_card_numbers};
pub use changes::{Changes, Check, Lapse};
pub use checkout::{Checkout, CheckoutState, Consent};
pub use claim::{
    Claim, ClaimKind, ClaimState, Dormancy, Draw, DrawnUnit, Fill, HandOver, WaitingClaim, ask_endpoint, dormancies,
    fulfil_claims, hand_over,
};
pub use console::{ApiKey, LoginLink, Scope, Session, SessionHolder, User};
pub use country::Country;
pub use customer::{Customer, EmailCorrection, correct_email};
pub use decide::{Occurrence, decide};
pub use decline::{Decline, DeclineClass};
pub use delivery::{Delivery, DeliveryState, MailKind};
pub use dispute::{Dispute, DisputeState};
pub use email::{Email, EmailError};
pub use endpoint::Endpoint;
pub use event::{Actor, Event, EventKind};
pub use fact::{
    DisputeReport, Fact, MethodSummary, PaymentLocator, PaymentReport, PaymentStatus, RefundReport, RefundStatus,
};
pub use fulfilment::{Fulfilment, FulfilmentParts};
pub use gateway_account::GatewayAccount;
pub use group::{Group, GroupChange, GroupSeats, GroupUse, change_group, create_group, delete_group, regroup};
pub use id::*;
pub use import::{
    AdoptedKey, ForeignId, ForeignKey, ForeignPlan, ForeignSystem, ImportPlace, ImportRecord, ImportedGroup,
    ImportedSeat, SeatsThere, import_license,
};
pub use job::{HELD_UNTIL, Job, JobKind};
pub use ledger::{Account, Posting};
pub use license::{Age, License, LicenseState, Standing, ValidationRequest, Verdict, VerdictCode, Warning};
pub use license_file::{FileGiver, SHORTEST_FILE, file_expires_at, file_given};
pub use locale::Locale;
pub use message::{Author, Conversation, MOST_UNANSWERED, Message, MessageBody, write_message};
pub use notice::{Notice, NoticeState};
pub use order::{Bundle, Order, OrderLine, OrderNumber, OrderState, Seller};
pub use payment::{Payment, PaymentState};
pub use plan::Plan;
pub use policy::{
    AtExpiry, FeatureValue, Matching, Offline, Overage, Policy, SeatHolder, Seating, Starts, Term, Units,
};
pub use pool::{
    NewCode, Pool, PoolCode, RESERVED_FOR, Reservation, Stock, Supply, WhenOut, release_pool, reserve, watch_stock,
};
pub use portal::{OwnActs, Quota, ROTATIONS, release, rename, rotate, tell_of_key};
pub use price::{Price, PriceTier};
pub use product::Product;
pub use question::{Answer, AnswerError, AnswerFault, Question, Wording, each_once, read_answers, read_known_answers};
pub use rebuild::{Known, LostSale, SaleNote, rebuild_sale};
pub use refund::{Refund, RefundReason, RefundState};
pub use refusal::Refusal;
pub use reissue::{Reissue, RetiredKey, reissue};
pub use release::{
    ContentDigest, FileName, FileNameError, LINK_LIFETIME, NewFile, NewRelease, PublishError, Published, Publishing,
    Release, ReleaseFile, downloadable, publish_release, releases_for, withdraw_release,
};
pub use revocation::{Revocation, RevocationChange, RevocationCode, RevocationSubject, revocation_changes};
pub use rng::Rng;
pub use sale::Sale;
pub use shadow::{
    Contrast, DifferenceKind, STATUS, ShadowAnswer, ShadowCount, ShadowDifference, ShadowOutcome, contrast,
};
pub use shop::{Compat, Mode, Shop};
pub use signed_key::{KeyToSign, MOST_SAID_BY_A_KEY, SignedText, sign_again, sign_reissued};
pub use site::{edd_site, is_local_site};
pub use submit::{
    BuyerDetails, CheckoutRequest, Offer, expire_checkout, open_checkout, retry_payment, submit_checkout,
};
pub use text::{TextError, plain_text, search_key};
pub use time::{Duration, Timestamp};
pub use transfer::{
    OFFERS, Transfer, TransferRequest, TransferSides, TransferState, accept_transfer, offer_transfer, withdraw_transfer,
};
pub use usage::{Metering, UsageRequest, UseChange, change_usage, count_verification};

/// How often a row has been written. `0` is a row that is not stored yet; the
/// store inserts it. Any other number is the version that was read; the store
/// refuses the commit when the row has moved on.
pub type Version = i64;

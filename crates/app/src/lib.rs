//! The shell: read, decide, commit.
//!
//! Everything that leaves or enters the process passes one of four doors, the
//! store, [`Http`], [`Mailer`] and [`Clock`], so the whole of it can run
//! against simulated ones; the content of published files is in a folder
//! beside them ([`Files`]). It owns no rule (those are in `domain`), no SQL
//! (that is in `store`) and no HTML (that is in `web`).

mod access_token;
mod adjust;
mod ask;
mod attempt;
mod batch;
mod by_hand;
mod checkout;
mod claim;
mod clock;
mod console;
mod customer;
mod diagnosis;
mod doctor;
mod endpoint;
mod entropy;
mod error;
mod files;
mod fulfil;
mod group;
mod health;
mod http;
mod import;
mod inbox;
mod key_text;
mod letter;
mod license;
mod license_file;
mod lifecycle;
pub mod mail;
pub mod mailer;
mod message;
pub mod messages;
mod offline_request;
mod outbox;
mod pool;
mod portal;
mod product_name;
mod proof;
mod receive;
mod recovery;
mod refund;
mod reissue;
mod release;
mod revocation;
mod setup;
mod shadow;
mod shops;
mod signed_key;
mod signer;
mod signing_key;
mod silence;
mod sweep;
pub mod trace;
mod transfer;
mod visitors;
mod watch;
mod worker;

pub use access_token::{AccessClaims, AccessToken};
pub use adjust::{Adoption, Adoptions};
pub use attempt::{KEPT_FOR as ATTEMPTS_KEPT_FOR, ORDINARY_KEPT_FOR as ORDINARY_ATTEMPTS_KEPT_FOR};
pub use batch::{BatchInput, BatchProgress};
pub use by_hand::HandAct;
pub use checkout::{CheckoutInput, Submitted, is_about_answers};
pub use claim::Asked;
pub use clock::Clock;
pub use console::{ConsoleEntry, FIRST_OWNER};
pub use diagnosis::{Diagnosis, OTHER_CODES, explained};
pub use doctor::{Finding, Severity};
pub use entropy::Entropy;
pub use error::Error;
pub use files::{Files, Found, Received};
pub use group::NewGroup;
pub use http::{Http, HttpFailure, ReqwestHttp};
pub use import::{ImportLine, ImportTarget, Imported, foreign_names, read_export};
pub use key_text::{KeySlip, LONGEST_TYPED_KEY};
pub use license::{ActivateAnswer, ValidateAnswer};
pub use license_file::LicenseFile;
pub use mailer::{MailError, Mailbox, Mailer, SmtpMailer};
pub use message::Written;
pub use messages::Catalog;
pub use offline_request::{OfflineAnswer, OfflineErrand};
pub use pool::{CODES_AT_ONCE, CodeError, CodeLine, Held, Stocked, is_about_stock, read_codes};
pub use portal::PortalCodeSent;
pub use proof::{Made, ProofError, Sink, Span, Verified, verify_report};
pub use receive::{NoticeOutcome, ReceiveError};
pub use refund::RefundInput;
pub use reissue::{ReissueInput, Reissued};
pub use release::{BarePlan, Download, ReleaseInput, Shelf, Versions};
pub use revocation::SignedRevocations;
pub use setup::{NewApiKey, NewShop, SampleShop};
pub use signer::{CertificateTerms, Signer};
pub use signing_key::{SigningKeyError, SigningKeyTurn, SigningKeyView};
pub use silence::Webhooks;
pub use transfer::{OpenTransfer, TransferInput};
pub use watch::Metrics;
pub use worker::{StepReport, run_workers};

use std::sync::{Arc, OnceLock};

use store::Store;

/// How the server is reached and how it writes to people.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where buyers and gateways reach the server, without a slash at the end.
    pub public_url: String,
    /// The address that mails come from.
    pub mail_from: domain::Email,
}

/// The four doors and what is kept beside them.
pub struct App {
    /// Where the rows are.
    pub store: Store,
    /// The way out to gateways.
    pub http: Arc<dyn Http>,
    /// The way out to people.
    pub mailer: Arc<dyn Mailer>,
    /// What time it is.
    pub clock: Clock,
    /// Where chance comes from.
    pub entropy: Entropy,
    /// What is said to people, in their languages.
    pub catalog: Catalog,
    /// How the server is reached.
    pub settings: Settings,
    /// What is counted, for whoever watches.
    pub metrics: Metrics,
    attempts: attempt::Attempts,
    shadows: shadow::Shadows,
    signers: signer::Signers,
    lists: sweep::Lists,
    read_for_strangers: signing_key::ReadForStrangers,
    signing_again: signed_key::SigningAgain,
    shops: shops::Shops,
    product_names: product_name::ProductNames,
    revocations: revocation::Lists,
    work: worker::Work,
    health: health::Health,
    lifecycle: lifecycle::Lifecycle,
    silence: silence::Silence,
    visitors: visitors::Visitors,
    recovery: recovery::Recovery,
    resting: endpoint::Resting,
    /// Where the content of published files is.
    files: OnceLock<Files>,
    spans: OnceLock<Box<dyn trace::SpanSink>>,
}

impl App {
    /// The app over its four doors. Reads the signing keys, and makes the first one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn start(
        store: Store,
        http: Arc<dyn Http>,
        mailer: Arc<dyn Mailer>,
        clock: Clock,
        entropy: Entropy,
        catalog: Catalog,
        settings: Settings,
    ) -> Result<Arc<Self>, Error> {
        let signer = Signer::load(&store, clock.now(), &mut entropy.rng()).await?;
        let shops = shops::Shops::load(&store, clock.now()).await?;
        let recovery = recovery::Recovery::begin(store.restored().await?);
        let product_names = product_name::ProductNames::default();
        let work = worker::Work::default();
        Ok(Arc::new(Self {
            store,
            http,
            mailer,
            clock,
            entropy,
            catalog,
            settings,
            metrics: Metrics::default(),
            attempts: attempt::Attempts::default(),
            shadows: shadow::Shadows::default(),
            signers: signer::Signers::new(signer),
            lists: sweep::Lists::default(),
            read_for_strangers: signing_key::ReadForStrangers::default(),
            signing_again: signed_key::SigningAgain::default(),
            shops,
            product_names,
            revocations: revocation::Lists::default(),
            work,
            health: health::Health::default(),
            lifecycle: lifecycle::Lifecycle::default(),
            silence: silence::Silence::default(),
            visitors: visitors::Visitors::default(),
            resting: endpoint::Resting::default(),
            recovery,
            files: OnceLock::new(),
            spans: OnceLock::new(),
        }))
    }

    /// The keys that sign certificates, as they were read last.
    #[must_use]
    pub fn signer(&self) -> Arc<Signer> {
        self.signers.get()
    }
}

//! Holds every adapter of the registry to the contract, with the samples in
//! its folder: `fixtures/contract.json` and every file of `fixtures/events`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "a test reads its fixtures from the disk")]

use std::path::{Path, PathBuf};

use domain::Timestamp;
use gateways::contract::{Event, Message, Samples, check};
use gateways::{
    Answer, Call, CallError, Capabilities, CredentialsError, Gateway, Headers, HttpRequest, HttpResponse, NoticeItem,
    TranslateError, Translation, VerifyError, adapter, adapters,
};
use serde_json::Value;

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name).join("fixtures")
}

fn samples(name: &str) -> Samples {
    let folder = fixtures(name);
    let json = |path: &Path| -> Value {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let contract = json(&folder.join("contract.json"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let message = &contract["message"];
    let mut events: Vec<PathBuf> =
        std::fs::read_dir(folder.join("events")).unwrap().map(|entry| entry.unwrap().path()).collect();
    events.sort();
    Samples {
        credentials: contract["credentials"].to_string(),
        other_credentials: contract["other_credentials"].to_string(),
        secrets: contract["secrets"].as_array().unwrap().iter().map(text).collect(),
        message: Message {
            headers: message["headers"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            body: std::fs::read(folder.join(text(&message["body"]))).unwrap(),
            signed_at: Timestamp::from_seconds(message["signed_at"].as_i64().unwrap()),
        },
        events: events
            .iter()
            .map(|path| Event { kind: text(&json(path)["type"]), body: std::fs::read(path).unwrap() })
            .collect(),
    }
}

#[test]
fn every_adapter_keeps_the_contract() {
    for adapter in adapters() {
        if let Err(broken) = check(*adapter, &samples(adapter.name())) {
            panic!("{} breaks the contract:\n{}", adapter.name(), broken.join("\n"));
        }
    }
}

#[test]
fn an_adapter_is_found_by_its_name_and_has_a_name_of_its_own() {
    for adapter in adapters() {
        assert_eq!(adapters().iter().filter(|other| other.name() == adapter.name()).count(), 1);
        assert!(gateways::adapter(adapter.name()).is_some());
    }
    assert!(adapter("no_such_gateway").is_none());
}

/// What a broken adapter does wrong; each must be caught by the suite.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    AnySignature,
    OldMessages,
    OtherKeyEachTime,
    SilenceIsRefusal,
    SecretInError,
    NothingIsMoney,
    UnknownKindIsFact,
    AnyCredentials,
}

struct Broken(Fault, &'static dyn Gateway);

impl Gateway for Broken {
    fn name(&self) -> &'static str {
        self.1.name()
    }
    fn capabilities(&self) -> &'static Capabilities {
        self.1.capabilities()
    }
    fn check_credentials(&self, credentials: &str) -> Result<(), CredentialsError> {
        match (self.0, self.1.check_credentials(credentials)) {
            (Fault::AnyCredentials, _) => Ok(()),
            (Fault::SecretInError, Err(error)) => {
                Err(CredentialsError { field: error.field, problem: credentials.to_owned() })
            }
            (_, verdict) => verdict,
        }
    }
    fn verify(
        &self,
        credentials: &str,
        headers: &Headers,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<NoticeItem>, VerifyError> {
        match (self.0, self.1.verify(credentials, headers, body, now)) {
            (Fault::AnySignature, Err(VerifyError::SignatureMismatch))
            | (Fault::OldMessages, Err(VerifyError::OutsideTolerance { .. })) => Ok(Vec::new()),
            (_, verdict) => verdict,
        }
    }
    fn translate(&self, kind: &str, body: &[u8]) -> Result<Translation, TranslateError> {
        match (self.0, self.1.translate(kind, body)) {
            (Fault::UnknownKindIsFact, Err(_)) => Ok(Translation::Ask(domain::PaymentLocator::default())),
            (_, says) => says,
        }
    }
    fn request(&self, credentials: &str, call: &Call) -> Result<HttpRequest, CallError> {
        match (self.0, self.1.request(credentials, call)) {
            (Fault::OtherKeyEachTime, Ok(mut request)) => {
                request.headers.retain(|(name, _)| *name != "idempotency-key");
                Ok(request)
            }
            (Fault::NothingIsMoney, Err(CallError::Refused { .. })) => self.1.request(credentials, &Call::CheckAccount),
            (_, request) => request,
        }
    }
    fn read(&self, call: &Call, response: &HttpResponse) -> Result<Answer, CallError> {
        match (self.0, self.1.read(call, response)) {
            (Fault::SilenceIsRefusal, Err(CallError::Unknown { message })) => {
                Err(CallError::Refused { code: "silence".to_owned(), message })
            }
            (_, answer) => answer,
        }
    }
}

#[test]
fn the_suite_catches_an_adapter_that_breaks_the_contract() {
    for adapter in adapters() {
        for (fault, sentence) in [
            (Fault::AnySignature, "no altered message is accepted"),
            (Fault::OldMessages, "fresh at"),
            (Fault::OtherKeyEachTime, "carries its idempotency key"),
            (Fault::SilenceIsRefusal, "HTTP 500"),
            (Fault::SecretInError, "no secret stands in"),
            (Fault::NothingIsMoney, "refused before it is sent"),
            (Fault::UnknownKindIsFact, "says nothing"),
            (Fault::AnyCredentials, "unusable credentials are refused"),
        ] {
            let broken = check(&Broken(fault, *adapter), &samples(adapter.name())).expect_err(sentence);
            assert!(broken.iter().any(|line| line.contains(sentence)), "{sentence}: {broken:?}");
        }
    }
}

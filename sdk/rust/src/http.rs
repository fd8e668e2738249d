//! Requests over the network: blocking, by rustls with the trust of the operating system, through the proxy that
//! the environment names.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use crate::answer::{Reply, Request};
use crate::client::Transport;

const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_ANSWER_BYTES: u64 = 256 * 1024;

/// Sends requests itself.
#[derive(Debug, Clone)]
pub struct Http(Agent);

impl Http {
    /// Waits ten seconds for an answer.
    #[must_use]
    pub fn new() -> Self {
        Self::with_patience(PATIENCE)
    }

    /// Waits this long for an answer.
    #[must_use]
    pub fn with_patience(patience: Duration) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        // A redirect is somebody else's answer: it is handed on, and means that nobody can tell.
        let config = Agent::config_builder()
            .timeout_global(Some(patience))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .tls_config(tls)
            .build();
        Self(config.into())
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for Http {
    fn send(&mut self, request: &Request) -> Reply {
        let answered = match &request.body {
            Some(body) => self
                .0
                .post(&request.url)
                .header("accept-language", request.language)
                .content_type("application/json")
                .send(body.as_str()),
            None => self.0.get(&request.url).header("accept-language", request.language).call(),
        };
        let read = answered.and_then(|mut response| {
            let status = response.status().as_u16();
            let mut body = Vec::new();
            response.body_mut().as_reader().take(LONGEST_ANSWER_BYTES).read_to_end(&mut body)?;
            Ok(Reply::Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
        });
        read.unwrap_or_else(
            |error| if matches!(error, ureq::Error::Timeout(_)) { Reply::Timeout } else { Reply::Network },
        )
    }
}

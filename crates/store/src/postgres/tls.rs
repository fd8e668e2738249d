//! The line to a server: open on this machine, encrypted and verified to any other.
//!
//! A server elsewhere must show a certificate for its name that the system, or
//! the configured authority, vouches for. Only an address that says
//! `sslmode=disable` goes over a network in the clear.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use crate::OpenError;

/// How to reach the server: `None` in the clear.
pub(super) fn line(config: &mut Config, authority: Option<&[u8]>) -> Result<Option<Tls>, OpenError> {
    let mode = match config.get_ssl_mode() {
        SslMode::Disable => SslMode::Disable,
        SslMode::Prefer if is_on_this_machine(config) => SslMode::Disable,
        // "Prefer" would let whoever stands in between decide.
        SslMode::Prefer | SslMode::Require | _ => SslMode::Require,
    };
    config.ssl_mode(mode);
    if mode == SslMode::Disable { Ok(None) } else { Tls::new(authority).map(Some) }
}

fn is_on_this_machine(config: &Config) -> bool {
    let is_local = |host: &Host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(is_local) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    fn new(authority: Option<&[u8]>) -> Result<Self, OpenError> {
        let refused = |what: &str, error: &dyn std::fmt::Display| OpenError::Unavailable(format!("{what}: {error}"));
        let provider = Arc::new(default_provider());
        let roots = CertificateDer::pem_slice_iter(authority.unwrap_or_default())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| refused("the certificate of the authority cannot be read", &error))?;
        if authority.is_some() && roots.is_empty() {
            return Err(OpenError::Unavailable("there is no certificate of an authority in what was given".to_owned()));
        }
        let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))
            .map_err(|error| refused("the authorities that this system trusts cannot be read", &error))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| refused("TLS cannot be set up", &error))?
            // "Dangerous" is any verifier that is not a fixed list; this one asks the system.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Handshake, InvalidDnsNameError> {
        Ok(Handshake { config: Arc::clone(&self.0), name: ServerName::try_from(domain)?.to_owned() })
    }
}

pub(super) struct Handshake {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { TlsConnector::from(self.config).connect(self.name, stream).await.map(Encrypted) })
    }
}

/// An encrypted stream, as `tokio_postgres` wants it.
pub(super) struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        // The certificate was verified; SCRAM goes without.
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn only_this_machine_is_reached_in_the_clear_unless_the_address_says_so() {
        for (url, is_clear) in [
            ("postgres://shop@localhost/shop", true),
            ("postgres://shop@127.0.0.1:5433/shop", true),
            ("postgres://shop@[::1]/shop", true),
            ("postgres://shop@%2Fvar%2Frun%2Fpostgresql/shop", true),
            ("postgres://shop@localhost/shop?sslmode=require", false),
            ("postgres://shop@db.example/shop", false),
            ("postgres://shop@db.example/shop?sslmode=prefer", false),
            ("postgres://shop@db.example/shop?sslmode=disable", true),
            ("postgres://shop@10.0.0.5/shop", false),
            ("postgres://shop@localhost,db.example/shop", false),
            ("postgres://shop@localhost/shop?hostaddr=10.0.0.5", false),
        ] {
            let mut config: Config = url.parse().unwrap();
            assert_eq!(line(&mut config, None).unwrap().is_none(), is_clear, "{url}");
        }
    }

    #[test]
    fn an_authority_that_cannot_be_read_is_an_error() {
        for pem in [&b""[..], b"no certificate", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let mut config: Config = "postgres://shop@db.example/shop".parse().unwrap();
            assert!(line(&mut config, Some(pem)).is_err());
        }
    }
}

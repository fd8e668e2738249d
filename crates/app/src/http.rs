//! The way out to gateways, and to whoever else is asked.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use gateways::{Headers, HttpRequest, HttpResponse, Method};

/// No answer. Whether the request arrived is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no answer: {0}")]
pub struct HttpFailure(pub String);

/// Sends requests.
pub trait Http: Send + Sync {
    /// Sends one request and waits for the whole answer.
    fn send(
        &self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpFailure>> + Send + '_>>;
}

/// Requests over the network. Follows no redirect: no gateway needs one, and
/// a redirect could carry credentials to a stranger.
pub struct ReqwestHttp(reqwest::Client);

/// How long a gateway may take; Stripe's own libraries wait 80 s, a buyer does not.
const TIMEOUT: Duration = Duration::from_secs(30);

/// No answer of a gateway's is larger.
const LARGEST_ANSWER: usize = 8 << 20;

impl ReqwestHttp {
    /// A client with connections kept open between calls.
    ///
    /// # Errors
    /// When the TLS library cannot start.
    pub fn new() -> Result<Self, HttpFailure> {
        reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("latchkey/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
            .map_err(|error| HttpFailure(error.to_string()))
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let builder = self.0.request(method, &request.url).body(request.body);
        let builder = request.headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, value));
        // The address can hold an id but never a secret; the error's own text would repeat the query.
        let failed = |error: reqwest::Error| HttpFailure(error.without_url().to_string());
        let mut response = builder.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let headers = Headers::new(
            response
                .headers()
                .iter()
                .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))),
        );
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(HttpFailure("the answer is too large".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, headers, body })
    }
}

impl Http for ReqwestHttp {
    fn send(
        &self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpFailure>> + Send + '_>> {
        Box::pin(self.exchange(request))
    }
}

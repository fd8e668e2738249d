//! Everything that is served, before any route is looked for.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::handler::Handler as _;
use axum::http::Method;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use axum::{BoxError, Router};
use futures::future::{BoxFuture, Either, FutureExt as _};
use tower::Service;

use crate::admission::{Door, let_pass};
use crate::{Web, api, compat, guard};

/// The whole server as a service. Under a host name that was taken over, a path is another system's; and the one
/// question that apps ask all day is answered without a search among all routes, and without their layers.
#[derive(Clone)]
pub struct Site {
    validation: Arc<Validation>,
    routes: Router,
}

/// What answers a validation, and what stands before it: as its route has it, each thing once.
pub(crate) struct Validation {
    pub(crate) web: Web,
    pub(crate) door: Arc<Door>,
    pub(crate) deadline: Duration,
}

impl Validation {
    pub(crate) const PATH: &'static str = "/v1/licenses/validate";

    async fn answer(self: Arc<Self>, request: Request) -> Result<Response, Infallible> {
        let asked = |request| api::license::validate.call(request, self.web.clone());
        let let_in = |request| let_pass(&self.door, request, asked);
        Ok(guard::answered(&self.web, self.deadline, Self::PATH, request, let_in).await)
    }
}

impl Site {
    pub(crate) fn new(validation: Validation, routes: Router) -> Self {
        Self { validation: Arc::new(validation), routes }
    }
}

impl<B> Service<Request<B>> for Site
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<BoxFuture<'static, Result<Response, Infallible>>, RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let request = compat::host::rewritten(&self.validation.web.app, request.map(Body::new));
        match request.method() == Method::POST && request.uri().path() == Validation::PATH {
            true => Either::Left(Arc::clone(&self.validation).answer(request).boxed()),
            false => Either::Right(self.routes.call(request)),
        }
    }
}

//! The answer as hyper takes it: its end makes the connection idle again.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use forebay_admission::verdict::Reason;
use forebay_layers::clock::Clock;
use forebay_layers::trace::{Said, Traced};
use forebay_telemetry::metrics::{BadRequest, ConnectionMetrics, Metrics, Timeout};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::state::ConnectionState;

/// An answer's body, watched.
pub(super) struct Watched {
    inner: Traced,
    state: Arc<ConnectionState>,
    clock: Clock,
    broken: Option<hyper::Error>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            Some(Err(error)) => {
                // hyper throws away what it has not written yet when a body fails. One turn
                // later it has, and the client sees an answer that broke off instead of none.
                self.broken = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.state.end(self.clock.now());
    }
}

pin_project! {
    /// The answer on its way.
    pub(super) struct ResponseFuture<F> {
        #[pin]
        going: F,
        state: Arc<ConnectionState>,
        clock: Clock,
        connections: Metrics,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(
        going: F,
        state: Arc<ConnectionState>,
        clock: Clock,
        connections: Metrics,
    ) -> Self {
        Self {
            going,
            state,
            clock,
            connections,
        }
    }
}

impl<F> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<Traced>, Infallible>>,
{
    type Output = Result<Response<Watched>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(mut response) = ready!(this.going.poll(cx));
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            this.state.switch();
        }
        if let Some(said) = response.extensions_mut().remove::<Said>() {
            count(this.connections.connections(), said);
        }
        let (state, clock) = (Arc::clone(this.state), *this.clock);
        Poll::Ready(Ok(response.map(|inner| Watched {
            inner,
            state,
            clock,
            broken: None,
        })))
    }
}

/// Counts what was wrong with a request, and the deadlines that were missed.
fn count(connections: &ConnectionMetrics, Said { reason, fault }: Said) {
    let timeouts = &connections.timeouts;
    match reason {
        Reason::BodyTimeout => timeouts.inc(Timeout::Body),
        Reason::OriginConnectTimeout => timeouts.inc(Timeout::Connect),
        Reason::OriginTimeout => timeouts.inc(Timeout::Response),
        Reason::MethodNotAllowed => connections.bad_requests.inc(BadRequest::Method),
        Reason::ExpectationFailed => connections.bad_requests.inc(BadRequest::Expectation),
        Reason::UnknownHost => connections.bad_requests.inc(BadRequest::Host),
        Reason::BodyTooLarge => connections.bad_requests.inc(BadRequest::Body),
        Reason::BadRequest => connections
            .bad_requests
            .inc(fault.unwrap_or(BadRequest::Body)),
        _ => {}
    }
}

//! A request on its way, until the answer's head is there. Dropped before that (the client left,
//! or `response_timeout` is over) it goes on in the reaper.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use forebay_admission::server::Fault;
use forebay_admission::verdict::Reason;
use forebay_layers::body::RequestBody;
use forebay_layers::permit_body::Held;
use forebay_layers::server::Server;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;

use super::connection::Connected;
use super::pool::Pools;
use super::{Sent, reaper};

type Outcome = (
    Result<Response<Incoming>, TrySendError<Request<RequestBody>>>,
    Connected,
);

/// The sending itself, with the connection that it uses.
pub(super) type Sending = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A request on its way.
pub(super) struct Pending {
    sending: Option<Sending>,
    held: Option<Held>,
    server: Arc<Server>,
    timed: bool,
    pools: Arc<Pools>,
}

/// A request that got no answer.
pub(super) struct SendFailure {
    /// The request, when no byte of it reached the socket.
    pub(super) unsent: Option<Request<RequestBody>>,
    /// Why.
    pub(super) reason: Reason,
    /// The permit, for another attempt.
    pub(super) held: Held,
    /// Whether the connection had been used before.
    pub(super) reused: bool,
    /// Where.
    pub(super) server: Arc<Server>,
}

impl Pending {
    /// `timed`: how long the answer takes is up to the server alone, and not to the client's upload.
    pub(super) fn new(
        mut connected: Connected,
        request: Request<RequestBody>,
        held: Held,
        timed: bool,
        pools: Arc<Pools>,
    ) -> Self {
        let server = Arc::clone(connected.server());
        let sending = Box::pin(async move {
            let result = connected.link.sender.try_send_request(request).await;
            (result, connected)
        });
        Self {
            sending: Some(sending),
            held: Some(held),
            server,
            timed,
            pools,
        }
    }
}

impl Future for Pending {
    type Output = Result<Sent, SendFailure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let sending = self.sending.as_mut().expect("polled after its end");
        let (result, connected) = ready!(sending.as_mut().poll(cx));
        self.sending = None;
        let held = self.held.take().expect("held until its end");
        Poll::Ready(match result {
            Ok(response) => Ok(Sent {
                response,
                connected,
                held,
            }),
            Err(mut error) => Err(SendFailure {
                unsent: error.take_message(),
                reason: reason(error.error()),
                held,
                reused: connected.reused,
                server: Arc::clone(&self.server),
            }),
        })
    }
}

/// What a broken exchange says about the origin.
fn reason(error: &hyper::Error) -> Reason {
    if error.is_parse() || error.is_parse_status() || error.is_parse_too_large() {
        Reason::OriginProtocol
    } else {
        Reason::OriginReset
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let (Some(sending), Some(mut held)) = (self.sending.take(), self.held.take()) {
            // Either the client left, or we gave up because the time was over.
            let waited = held.sent.elapsed();
            if waited >= held.origin.rules.response_timeout {
                held.overdue();
                if self.timed {
                    let servers = &held.origin.servers;
                    servers.failed(&self.server, Fault::Timeout, waited);
                }
            }
            reaper::adopt(sending, held, Arc::clone(&self.pools));
        }
    }
}

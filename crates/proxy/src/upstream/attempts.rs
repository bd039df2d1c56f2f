//! What is tried how often, and where.
//!
//! A request of which no byte reached a socket is sent again whatever its method, elsewhere: that
//! is no retry. Once written, only a safe method without a body is. When a pooled connection
//! turned out to be stale it is sent once more on a fresh one; when a server failed it is asked
//! of another one, at most once and within the retry budget. Never a POST.

use std::sync::Arc;

use forebay_admission::server::Fault;
use forebay_admission::verdict::Reason;
use forebay_layers::body::RequestBody;
use forebay_layers::origin::Origin;
use forebay_layers::permit_body::Held;
use forebay_layers::servers::{Nobody, TRIES_MAX, Tried};
use http::{Method, Request};
use tokio::time::Instant;

use super::Sent;
use super::connection::Connected;
use super::pending::SendFailure;
use super::pool::Pools;

/// Connections that may turn out stale before a request gives up: after the first, only fresh
/// ones are used.
const RESENDS_MAX: u8 = 2;

/// The attempts of one request.
pub(super) struct Attempts {
    repeatable: bool,
    fresh: bool,
    again: u8,
    /// Whether it was asked of another server after one had failed.
    retried: bool,
    tried: Tried,
}

impl Attempts {
    pub(super) fn new(method: &Method, body: &RequestBody) -> Self {
        let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let empty = http_body::Body::is_end_stream(body);
        // A pooled connection may be closing at this moment, and what is not safe could not be
        // sent again: it gets a fresh one.
        Self {
            repeatable: safe && empty,
            fresh: !safe,
            again: 0,
            retried: false,
            tried: Tried::default(),
        }
    }

    /// A connection to the best server, or to another one where that cannot be reached; looked
    /// for since `began`.
    pub(super) async fn connect(
        &mut self,
        pools: &Arc<Pools>,
        origin: &Arc<Origin>,
        began: Instant,
    ) -> Result<Connected, Reason> {
        let mut reason = Reason::OriginUnreachable;
        for _ in 0..TRIES_MAX {
            let chosen = origin
                .servers
                .choose(&self.tried, self.repeatable, || pools.random());
            let server = match chosen {
                Ok(server) => server,
                Err(Nobody::Down) => return Err(Reason::OriginDown),
                Err(Nobody::Left) => break,
            };
            // A connection from before a server was out says nothing about it now.
            let fresh = self.fresh || server.is_out();
            reason = match pools.checkout(origin, &server, fresh).await {
                Ok(connected) => return Ok(connected),
                Err(reason) => reason,
            };
            if let Some(fault) = fault(reason) {
                origin.servers.failed(&server, fault, began.elapsed());
            }
            if !self.tried.add(server.address) {
                break;
            }
        }
        Err(reason)
    }

    /// A copy to be sent again, where that may become necessary and is safe.
    pub(super) fn spare(
        &self,
        request: &Request<RequestBody>,
        reused: bool,
        origin: &Origin,
    ) -> Option<Request<RequestBody>> {
        let elsewhere = !self.retried && origin.servers.count() > 1;
        if !self.repeatable || !(reused || elsewhere) {
            return None;
        }
        let mut spare = Request::new(RequestBody::empty());
        *spare.method_mut() = request.method().clone();
        *spare.uri_mut() = request.uri().clone();
        *spare.headers_mut() = request.headers().clone();
        Some(spare)
    }

    /// The request once more, after an answer that another server may better.
    pub(super) fn ask_another(
        &mut self,
        sent: &Sent,
        spare: Option<Request<RequestBody>>,
        origin: &Origin,
    ) -> Option<Request<RequestBody>> {
        let spare = spare?;
        // Under pressure a second attempt would take a place that somebody waits for.
        if origin.servers.is_pressed() {
            return None;
        }
        let server = sent.connected.server();
        self.retry(server.address, origin).then_some(spare)
    }

    /// The request once more, after it got no answer.
    pub(super) fn again(
        &mut self,
        failure: SendFailure,
        spare: Option<Request<RequestBody>>,
        origin: &Origin,
    ) -> Result<(Request<RequestBody>, Held), Reason> {
        let SendFailure {
            unsent,
            reason,
            held,
            reused,
            server,
        } = failure;
        self.again += 1;
        self.fresh = true;
        let reset = reason == Reason::OriginReset;
        let (unsent, spare) = if reused && self.again <= RESENDS_MAX {
            let stale = if reset { spare } else { None };
            match unsent.or(stale) {
                Some(request) => {
                    origin.metrics.resent.inc();
                    return Ok((request, held));
                }
                None => (None, None),
            }
        } else {
            (unsent, spare)
        };
        if let Some(request) = unsent
            && self.tried.add(server.address)
        {
            return Ok((request, held));
        }
        match spare {
            Some(spare) if self.retry(server.address, origin) => Ok((spare, held)),
            _ => {
                held.fail(reason);
                Err(reason)
            }
        }
    }

    /// Whether another server may be asked, within the budget.
    fn retry(&mut self, failed: std::net::SocketAddr, origin: &Origin) -> bool {
        if self.retried || !self.tried.add(failed) || !origin.servers.may_retry(&self.tried) {
            return false;
        }
        self.retried = true;
        origin.metrics.retried.inc();
        true
    }
}

/// What it says of a server that there is no connection; at its own bound nothing.
const fn fault(reason: Reason) -> Option<Fault> {
    match reason {
        Reason::OriginUnreachable => Some(Fault::Refused),
        Reason::OriginConnectTimeout => Some(Fault::Unaccepted),
        Reason::OriginReset => Some(Fault::Reset),
        _ => None,
    }
}

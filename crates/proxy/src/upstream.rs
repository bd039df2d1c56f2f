//! The last layer: picks a server and a connection, sends the request, and hands the answer out
//! with the permit in its body. Whatever the client does meanwhile, the permit ends when the
//! origin is done.

mod connection;
mod forwarded;
mod pending;
mod pool;
mod reaper;
pub mod resolve;
mod tunnel;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use forebay_admission::verdict::Reason;
use forebay_layers::body::{AnswerBody, RequestBody, Upload};
use forebay_layers::exchange::{Answer, Exchange, Note, Refusal};
use forebay_layers::hop;
use forebay_layers::origin::Origin;
use forebay_layers::permit_body::{Held, PermitBody};
use http::header::{CONNECTION, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tower::Service;

use connection::Connected;
use forwarded::X_REQUEST_ID;
use pending::{Pending, SendFailure};
pub use pool::Pools;

/// The layer below all others.
#[derive(Clone, Debug)]
pub struct Upstream {
    pools: Arc<Pools>,
}

impl Upstream {
    /// Sends over this worker's connections.
    pub const fn new(pools: Arc<Pools>) -> Self {
        Self { pools }
    }
}

impl Service<Exchange> for Upstream {
    type Response = Answer;
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        Box::pin(forward(Arc::clone(&self.pools), exchange))
    }
}

async fn forward(pools: Arc<Pools>, mut exchange: Exchange) -> Result<Answer, Refusal> {
    let origin = Arc::clone(&exchange.entry().origin);
    let tunnel = tunnel::wanted(&mut exchange)?;
    let permit = exchange
        .permit
        .take()
        .expect("concurrency gives a permit with each exchange");
    let mut held = Held::new(permit, Arc::clone(&origin));
    let upload = exchange.body.upload();
    let streaming = exchange.body.is_streaming();
    let mut request = forwarded::request(&mut exchange);
    let mut attempts = Attempts::new(request.method(), request.body());
    loop {
        let connected = match attempts.connect(&pools, &origin).await {
            Ok(connected) => connected,
            Err(reason) => {
                held.fail(reason);
                return Err(refused(reason, streaming));
            }
        };
        let spare = attempts.spare(&request, connected.reused);
        let name = Arc::clone(&connected.server.name);
        held.permit.begin();
        let pending = Pending::new(connected, request, held, Arc::clone(&pools));
        let failure = match pending.await {
            Ok(sent) => {
                let waited = sent.held.sent.elapsed();
                let unread = upload.as_ref().is_some_and(|upload| !upload.is_over());
                let mut answer = match tunnel {
                    Some(tunnel) if sent.response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                        tunnel.open(sent)
                    }
                    _ => answer(&exchange, sent, &pools, upload)?,
                };
                if unread || exchange.site.closing.is_draining() {
                    close(answer.response.headers_mut());
                }
                answer.note.origin = Some(waited);
                answer.note.server = Some(name);
                return Ok(answer);
            }
            Err(failure) => failure,
        };
        let client = upload.as_ref().and_then(|upload| upload.failure());
        if let Some(reason) = client {
            return Err(refused(reason, true));
        }
        (request, held) = attempts.again(failure, spare, &origin).map_err(|reason| {
            refused(
                reason,
                upload.as_ref().is_some_and(|upload| !upload.is_over()),
            )
        })?;
    }
}

fn refused(reason: Reason, unread: bool) -> Refusal {
    Refusal {
        unread,
        ..Refusal::new(reason)
    }
}

fn close(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
}

/// What may be tried how often. A request of which no byte reached the socket is sent again
/// whatever its method: that is no retry. Once written, only a safe method without a body is,
/// once, and only when a pooled connection turned out to be stale.
struct Attempts {
    repeatable: bool,
    fresh: bool,
    again: u8,
    avoid: Option<SocketAddr>,
}

/// Connections that may turn out stale before a request gives up: after the first, only fresh
/// ones are used.
const RESENDS_MAX: u8 = 2;

impl Attempts {
    fn new(method: &Method, body: &RequestBody) -> Self {
        let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let empty = http_body::Body::is_end_stream(body);
        // A pooled connection may be closing at this moment, and what is not safe could not be
        // sent again: it gets a fresh one.
        Self {
            repeatable: safe && empty,
            fresh: !safe,
            again: 0,
            avoid: None,
        }
    }

    /// A connection to the least loaded server, or to another one where that cannot be reached.
    async fn connect(
        &mut self,
        pools: &Arc<Pools>,
        origin: &Arc<Origin>,
    ) -> Result<Connected, Reason> {
        let mut reason = Reason::OriginUnreachable;
        for _ in 0..2 {
            let Some(server) = origin.choose(self.avoid) else {
                break;
            };
            match pools.checkout(origin, &server, self.fresh).await {
                Ok(connected) => return Ok(connected),
                Err(failed) => reason = failed,
            }
            self.avoid = Some(server.address);
        }
        Err(reason)
    }

    /// A copy to be sent again, where that may become necessary and is safe.
    fn spare(&self, request: &Request<RequestBody>, reused: bool) -> Option<Request<RequestBody>> {
        if !reused || !self.repeatable {
            return None;
        }
        let mut spare = Request::new(RequestBody::empty());
        *spare.method_mut() = request.method().clone();
        *spare.uri_mut() = request.uri().clone();
        *spare.headers_mut() = request.headers().clone();
        Some(spare)
    }

    fn again(
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
        } = failure;
        let next = match (unsent, spare) {
            (Some(request), _) => Some(request),
            (None, Some(spare)) if reason == Reason::OriginReset => Some(spare),
            (None, _) => None,
        };
        self.again += 1;
        self.fresh = true;
        match next {
            Some(request) if reused && self.again <= RESENDS_MAX => {
                origin.metrics.resent.inc();
                Ok((request, held))
            }
            _ => {
                held.fail(reason);
                Err(reason)
            }
        }
    }
}

const FOREBAY_CONTROL: HeaderName = HeaderName::from_static("forebay-control");

/// What arrived from the origin.
pub(crate) struct Sent {
    response: Response<Incoming>,
    connected: Connected,
    held: Held,
}

fn answer(
    exchange: &Exchange,
    sent: Sent,
    pools: &Arc<Pools>,
    upload: Option<Arc<Upload>>,
) -> Result<Answer, Refusal> {
    let Sent {
        response,
        connected,
        mut held,
    } = sent;
    let (mut head, incoming) = response.into_parts();
    held.status = head.status.as_u16();
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        // Nobody asked for it: what follows is not HTTP.
        return Err(refused(Reason::BadUpgrade, false));
    }
    control(exchange, &mut head.headers);
    hop::remove(&mut head.headers, false);
    head.headers
        .append(VIA, HeaderValue::from_static("1.1 forebay"));
    head.headers.insert(X_REQUEST_ID, exchange.id.to_value());
    head.extensions.clear();
    let stream_after = held.origin.rules.response_timeout;
    let lease = reaper::ConnectionLease::new(connected, Arc::clone(pools), upload);
    let streams = Arc::clone(&exchange.site.streams);
    let body = PermitBody::new(incoming, Box::new(lease), held, stream_after, streams);
    let mut response = Response::new(AnswerBody::Origin(Box::new(body)));
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    Ok(Answer {
        response,
        note: Note::default(),
    })
}

/// The origin may say that this visitor is done, which frees the place.
fn control(exchange: &Exchange, headers: &mut HeaderMap) {
    let Some(said) = headers.remove(FOREBAY_CONTROL) else {
        return;
    };
    let (Some(pass), Some(desk)) = (exchange.visitor.valid_pass(), &exchange.desk) else {
        return;
    };
    if said.as_bytes().eq_ignore_ascii_case(b"end-pass") {
        desk.room().end(pass);
    }
}

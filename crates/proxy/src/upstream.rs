//! The last layer: picks a server and a connection, sends the request, and hands the answer out
//! with the permit in its body. Whatever the client does meanwhile, the permit ends when the
//! origin is done.

mod attempts;
mod connection;
mod control;
mod forwarded;
mod pending;
mod pool;
mod reaper;
pub mod resolve;
mod tunnel;
mod verdict;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use forebay_admission::server::Fault;
use forebay_admission::verdict::Reason;
use forebay_layers::body::{AnswerBody, Upload};
use forebay_layers::exchange::{Answer, Exchange, Note, Refusal, Visitor};
use forebay_layers::hop;
use forebay_layers::origin::Origin;
use forebay_layers::permit_body::{Held, PermitBody};
use http::header::{CONNECTION, VIA};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;
use tower::Service;

use attempts::Attempts;
use connection::Connected;
use forwarded::X_REQUEST_ID;
use pending::Pending;
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
    let mut began = held.sent;
    let upload = exchange.body.upload();
    let streaming = exchange.body.is_streaming();
    let mut request = forwarded::request(&mut exchange);
    let mut attempts = Attempts::new(request.method(), request.body());
    loop {
        let connected = match attempts.connect(&pools, &origin, began).await {
            Ok(connected) => connected,
            Err(reason) => {
                held.fail(reason);
                return Err(unreached(&exchange, &origin, reason, streaming));
            }
        };
        let spare = attempts.spare(&request, connected.reused, &origin);
        held.permit.begin();
        let timed = upload.is_none();
        let pending = Pending::new(connected, request, held, timed, Arc::clone(&pools));
        let failure = match pending.await {
            Ok(mut sent) => {
                let now = Instant::now();
                let took = timed.then(|| now - began);
                let said = verdict::heard(&origin, &mut sent, took);
                if said.asks_again()
                    && let Some(again) = attempts.ask_another(&sent, spare, &origin)
                {
                    (request, held) = (again, sent.held);
                    began = Instant::now();
                    continue;
                }
                return pass_on(&exchange, (sent, now), tunnel, &pools, upload);
            }
            Err(failure) => failure,
        };
        let client = upload.as_ref().and_then(|upload| upload.failure());
        if let Some(reason) = client {
            return Err(refused(reason, true));
        }
        if !failure.reused {
            origin
                .servers
                .failed(&failure.server, Fault::Reset, began.elapsed());
        }
        (request, held) = attempts.again(failure, spare, &origin).map_err(|reason| {
            refused(
                reason,
                upload.as_ref().is_some_and(|upload| !upload.is_over()),
            )
        })?;
        began = Instant::now();
    }
}

/// The answer on its way to the client.
fn pass_on(
    exchange: &Exchange,
    (mut sent, now): (Sent, Instant),
    tunnel: Option<tunnel::Wanted>,
    pools: &Arc<Pools>,
    upload: Option<Arc<Upload>>,
) -> Result<Answer, Refusal> {
    control::obey(exchange, sent.response.headers_mut());
    let waited = now - sent.held.sent;
    let name = Arc::clone(&sent.connected.server().name);
    let unread = upload.as_ref().is_some_and(|upload| !upload.is_over());
    let mut answer = match tunnel {
        Some(tunnel) if sent.response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            tunnel.open(sent)
        }
        _ => answer(exchange, sent, pools, upload)?,
    };
    if unread || exchange.site.closing.is_draining() {
        close(answer.response.headers_mut());
    }
    answer.note.origin = Some(waited);
    answer.note.bypass = exchange.bypass;
    answer.note.server = Some(name);
    Ok(answer)
}

/// Nothing of the request has reached a server. Who is inside gets the page that tries again by
/// itself, and who would have to wait anyway a place in line: that the origin is down is over
/// sooner or later, and a bare 502 helps nobody.
fn unreached(exchange: &Exchange, origin: &Origin, reason: Reason, unread: bool) -> Refusal {
    let away = matches!(
        reason,
        Reason::OriginDown | Reason::OriginUnreachable | Reason::OriginConnectTimeout
    );
    let reason = match exchange.visitor {
        Visitor::Inside(..) if away => Reason::OriginDown,
        _ if away && exchange.bypass.is_some() => Reason::OriginDown,
        _ if away && exchange.desk.is_some() && origin.servers.are_down() => Reason::Stranger,
        _ if reason == Reason::OriginDown => Reason::OriginUnreachable,
        _ => reason,
    };
    refused(reason, unread)
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

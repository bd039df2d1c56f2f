//! One client's connection: HTTP/1.1 by hyper over our own deadlines, and under them the
//! lingering socket. The deadlines are ours because hyper writes nothing when its own run out,
//! and because its header timer also runs on an idle connection.

mod deadlines;
mod state;
mod watched;

use std::convert::Infallible;
use std::sync::Arc;

use forebay_layers::body::RequestBody;
use forebay_layers::exchange::{Exchange, Peer};
use forebay_telemetry::metrics::{BadRequest, Close};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service as HyperService;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service;

pub use deadlines::Deadlines;
pub use state::{ConnectionRules, ConnectionState};
use watched::Watched;

use crate::stack::Stack;
use crate::worker::Worker;

/// Serves one connection until it ends.
pub async fn serve<T>(worker: Arc<Worker>, io: T, peer: Peer, state: Arc<ConnectionState>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let rules = worker.rules();
    let metrics = worker.metrics.clone();
    let io = Deadlines::new(io, Arc::clone(&state), Arc::clone(&worker));
    let handler = Handler {
        stack: worker.stack(),
        worker,
        peer,
        state: Arc::clone(&state),
    };
    let mut server = http1::Builder::new();
    server
        .max_headers(rules.headers)
        .max_header_size(rules.header_size)
        .max_buf_size(rules.header_size.max(HYPER_BUFFER_MIN))
        .half_close(false);
    let served = server
        .serve_connection(TokioIo::new(io), handler)
        .with_upgrades()
        .await;
    let connections = metrics.connections();
    if let Err(error) = &served {
        if error.is_parse_too_large() {
            connections.bad_requests.inc(BadRequest::Header);
        } else if error.is_parse() {
            connections.bad_requests.inc(BadRequest::Syntax);
        }
    }
    // An answer that broke off: closing early is how HTTP/1.1 says so.
    let cut = served.as_ref().is_err_and(hyper::Error::is_user);
    connections.closed.inc(if state.peer_reset() {
        Close::PeerRst
    } else if cut {
        Close::UsError
    } else if state.peer_closed() {
        Close::PeerFin
    } else {
        Close::UsFin
    });
}

/// hyper's buffers are no smaller than this.
const HYPER_BUFFER_MIN: usize = 8_192;

/// Turns hyper's requests into exchanges.
struct Handler {
    worker: Arc<Worker>,
    stack: Stack,
    peer: Peer,
    state: Arc<ConnectionState>,
}

impl HyperService<Request<Incoming>> for Handler {
    type Response = http::Response<Watched>;
    type Error = Infallible;
    type Future = watched::ResponseFuture<<Stack as Service<Exchange>>::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let arrived = self.worker.clock.now();
        self.state.begin();
        let site = self.worker.site();
        let (head, incoming) = request.into_parts();
        let body = RequestBody::incoming(incoming, site.body);
        let wall = self.worker.clock.wall(arrived);
        let peer = self.peer.clone();
        let times = (arrived, wall);
        let exchange = Exchange::new((head, body), peer, times, site, &self.worker.ids);
        let going = self.stack.clone().call(exchange);
        let metrics = self.worker.metrics.clone();
        watched::ResponseFuture::new(going, Arc::clone(&self.state), self.worker.clock, metrics)
    }
}

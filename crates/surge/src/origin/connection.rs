//! The origin's connections: accepted as long as there is room, else reset.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::portal::{Portal, Unanswered, add};
use super::socket::{Reset, Socket, reset};

/// Connections open at once, idle ones with them.
const CONNECTIONS_MAX: usize = 4096;

/// A connection is looked at this often, and closed when it has been idle for half of it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Pause after a failed accept: descriptors have run out and must be given time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Serves whoever connects, until the task is aborted.
pub(super) async fn accept(listener: TcpListener, portal: Arc<Portal>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _peer)) if portal.is_full() || open.len() >= CONNECTIONS_MAX => {
                    portal.count_reset();
                    reset(&stream);
                }
                Ok((stream, _peer)) => {
                    open.spawn(serve(stream, Arc::clone(&portal)));
                }
                Err(_out_of_descriptors) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_ended) = open.join_next() => {}
        }
    }
}

/// Serves one connection until either side ends it.
async fn serve(stream: TcpStream, portal: Arc<Portal>) {
    // Small answers must not wait for the peer's acknowledgement.
    stream.set_nodelay(true).ok();
    let _open = Open::new(&portal);
    let reset = Reset::default();
    let activity = Activity::default();
    let service = service_fn(|request| {
        let busy = activity.begin();
        let (portal, reset) = (&portal, &reset);
        async move {
            let _busy = busy;
            let answer = portal.answer(request).await;
            if matches!(answer, Err(Unanswered::Overrun)) {
                portal.count_reset();
                reset.request();
            }
            answer
        }
    });
    let socket = Socket::new(stream, reset.clone());
    let mut connection = pin!(http1::Builder::new().serve_connection(socket, service));
    loop {
        tokio::select! {
            // How the peer ended it is the peer's to count.
            _ended = connection.as_mut() => return,
            () = tokio::time::sleep(KEEP_ALIVE) => {
                if activity.is_idle() {
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Counts a connection as open while it lives.
struct Open<'a>(&'a Portal);

impl<'a> Open<'a> {
    fn new(portal: &'a Portal) -> Self {
        add(&portal.counts.connections);
        Self(portal)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.counts.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether a connection has had a request of late.
struct Activity {
    began: Instant,
    busy: AtomicU64,
    /// Milliseconds after `began` when the last request ended.
    last: AtomicU64,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            busy: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }
}

impl Activity {
    fn begin(&self) -> Busy<'_> {
        add(&self.busy);
        Busy(self)
    }

    fn is_idle(&self) -> bool {
        let last = self.began + Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.busy.load(Ordering::Relaxed) == 0 && last.elapsed() >= KEEP_ALIVE / 2
    }
}

/// A request on its way.
struct Busy<'a>(&'a Activity);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last.store(now, Ordering::Relaxed);
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

//! One connection of the origin, until either side ends it.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::portal::Portal;
use super::socket::{Reset, Socket};

/// A connection is looked at this often, and closed when it has been idle for half of it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Serves one connection to `server`; when that has `died`, its end is a reset.
pub(super) async fn serve(stream: TcpStream, server: usize, portal: Arc<Portal>, died: Reset) {
    // Small answers must not wait for the peer's acknowledgement.
    stream.set_nodelay(true).ok();
    let reset = Reset::default();
    let _open = Open::new(&portal, [reset.clone(), died.clone()]);
    let activity = Activity::default();
    let service = service_fn(|request| {
        let busy = activity.begin();
        let (portal, reset) = (&portal, &reset);
        async move {
            let _busy = busy;
            let answer = portal.answer(server, request).await;
            if answer.is_err() {
                reset.request();
            }
            answer
        }
    });
    let socket = Socket::new(stream, [reset.clone(), died]);
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

/// Counts a connection as open while it lives, and as reset if that is its end.
struct Open<'a> {
    portal: &'a Portal,
    resets: [Reset; 2],
}

impl<'a> Open<'a> {
    fn new(portal: &'a Portal, resets: [Reset; 2]) -> Self {
        portal.open.fetch_add(1, Ordering::Relaxed);
        Self { portal, resets }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.portal.open.fetch_sub(1, Ordering::Relaxed);
        if self.resets.iter().any(Reset::is_requested) {
            self.portal.count_reset();
        }
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
        self.busy.fetch_add(1, Ordering::Relaxed);
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

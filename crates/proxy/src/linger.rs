//! The lingering close: a socket that is closed with unread bytes in it makes the kernel send a
//! reset, which destroys the answer on its way. So a socket's end is: shut the write side, read
//! until the client's end or until the bounds of `limits.linger`, then close.
//!
//! It lies *under* TLS, and around everything that holds a client's socket.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use forebay_layers::budget::{Budget, Slot};
use forebay_telemetry::metrics::{Close, Doing, Metrics};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

/// Bounds of a lingering close (`limits.linger`).
#[derive(Clone, Copy, Debug)]
pub struct LingerRules {
    /// How long the client may be silent.
    pub idle: Duration,
    /// How long in all.
    pub total: Duration,
    /// How many bytes are read and thrown away.
    pub size: u64,
}

/// What all lingering closes share.
#[derive(Debug)]
pub struct Lingering {
    rules: std::sync::Mutex<LingerRules>,
    sockets: Arc<Budget>,
    metrics: Metrics,
}

impl Lingering {
    /// At most `sockets` at the same time.
    #[must_use]
    pub fn new(rules: LingerRules, sockets: u64, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            rules: rules.into(),
            sockets: Budget::new(sockets),
            metrics,
        })
    }

    /// New bounds after a reload.
    pub fn configure(&self, rules: LingerRules, sockets: u64) {
        *self
            .rules
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = rules;
        self.sockets.set_max(sockets);
    }

    /// How many sockets linger now.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sockets.used()
    }

    fn rules(&self) -> LingerRules {
        *self
            .rules
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A client's socket that lingers when dropped.
#[derive(Debug)]
pub struct Linger {
    socket: Option<TcpStream>,
    over: bool,
    place: Option<Slot>,
    shared: Arc<Lingering>,
}

impl Linger {
    /// Guards `socket`, and keeps its `place` in the budget of connections until it is closed.
    pub const fn new(socket: TcpStream, place: Slot, shared: Arc<Lingering>) -> Self {
        Self {
            socket: Some(socket),
            over: false,
            place: Some(place),
            shared,
        }
    }

    fn socket(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        let socket = self.get_mut().socket.as_mut().expect("taken only by drop");
        Pin::new(socket)
    }
}

impl AsyncRead for Linger {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = ready!(self.as_mut().socket().poll_read(cx, buf));
        if result.is_err() || buf.filled().len() == before {
            self.over = true;
        }
        Poll::Ready(result)
    }
}

impl AsyncWrite for Linger {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.socket().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.socket().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket().poll_shutdown(cx)
    }
}

impl Drop for Linger {
    fn drop(&mut self) {
        let (Some(socket), Some(place)) = (self.socket.take(), self.place.take()) else {
            return;
        };
        let connections = self.shared.metrics.connections();
        connections.open.of(Doing::Active).dec();
        // The client's end has been seen: nothing more can come, nothing can be lost.
        if self.over || Handle::try_current().is_err() {
            return;
        }
        // A failure means that the connection is gone already.
        _ = socket2::SockRef::from(&socket).shutdown(std::net::Shutdown::Write);
        match self.shared.sockets.take(1) {
            Some(lingering) => {
                connections.open.of(Doing::Lingering).inc();
                let shared = Arc::clone(&self.shared);
                tokio::spawn(async move {
                    discard(socket, &shared).await;
                    shared.metrics.connections().open.of(Doing::Lingering).dec();
                    drop((lingering, place));
                });
            }
            None if is_quiet(&socket) => {}
            None => connections.closed.inc(Close::UsBound),
        }
    }
}

/// Whether nothing lies unread in the socket: then its close sends no reset by itself.
fn is_quiet(socket: &TcpStream) -> bool {
    let mut byte = [0; 1];
    socket.try_read(&mut byte).is_err()
}

/// Reads until the client's end or a bound.
async fn discard(mut socket: TcpStream, shared: &Lingering) {
    let rules = shared.rules();
    let end = Instant::now() + rules.total;
    let mut left = rules.size;
    let mut scratch = vec![0; 4_096];
    while left > 0 {
        let next = (Instant::now() + rules.idle).min(end);
        match timeout_at(next, socket.read(&mut scratch)).await {
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(read)) => left = left.saturating_sub(read as u64),
            // Silence: whatever was on its way has arrived, and closing resets nothing.
            Err(_elapsed) if next < end => return,
            Err(_elapsed) => break,
        }
    }
    shared.metrics.connections().closed.inc(Close::UsBound);
}

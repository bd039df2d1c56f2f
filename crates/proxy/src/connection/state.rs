//! What a connection is doing, seen by its deadlines, by the worker that may end it, and by the
//! answer whose end makes it idle again. All on one worker, so relaxed atomics suffice.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use forebay_admission::time::Timestamp;
use futures_util::task::AtomicWaker;

/// Bounds of one connection (`[limits]`).
#[derive(Clone, Copy, Debug)]
pub struct ConnectionRules {
    /// The largest request header, in bytes.
    pub header_size: usize,
    /// The most header fields.
    pub headers: usize,
    /// From a request's first byte to the end of its header.
    pub header_timeout: Duration,
    /// How long a connection may be silent between requests, and how long an answer may stand
    /// still because the client does not read.
    pub idle_timeout: Duration,
}

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Between requests.
    Idle,
    /// Part of a request's header has come.
    Header,
    /// A request is being answered.
    Busy,
    /// The protocol was switched: there are no requests any more, only bytes.
    Tunnel,
}

/// One connection's state.
#[derive(Debug)]
pub struct ConnectionState {
    phase: AtomicU8,
    since: AtomicU64,
    ending: AtomicBool,
    peer_closed: AtomicBool,
    peer_reset: AtomicBool,
    pub(super) waker: AtomicWaker,
}

impl ConnectionState {
    /// A connection that was accepted at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            phase: AtomicU8::new(0),
            since: AtomicU64::new(now.as_nanos()),
            ending: AtomicBool::new(false),
            peer_closed: AtomicBool::new(false),
            peer_reset: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Header,
            2 => Phase::Busy,
            _ => Phase::Tunnel,
        }
    }

    /// Since when the connection has been in its phase.
    pub(super) fn since(&self) -> Timestamp {
        Timestamp::from_nanos(self.since.load(Ordering::Relaxed))
    }

    /// A request's first bytes have come.
    pub(super) fn header(&self, now: Timestamp) {
        self.since.store(now.as_nanos(), Ordering::Relaxed);
        self.phase.store(1, Ordering::Relaxed);
    }

    /// A request's header is complete.
    pub(super) fn begin(&self) {
        self.phase.store(2, Ordering::Relaxed);
    }

    /// The answer switches to another protocol, for good.
    pub(super) fn switch(&self) {
        self.phase.store(3, Ordering::Relaxed);
    }

    /// The answer has been handed over.
    pub(super) fn end(&self, now: Timestamp) {
        if self.phase() == Phase::Tunnel {
            return;
        }
        self.since.store(now.as_nanos(), Ordering::Relaxed);
        self.phase.store(0, Ordering::Relaxed);
    }

    /// Since when the connection has been idle; `None` while a request is under way.
    #[must_use]
    pub fn idle_since(&self) -> Option<Timestamp> {
        (self.phase() == Phase::Idle).then(|| self.since())
    }

    /// Ends the connection as soon as it is idle.
    pub fn finish(&self) {
        self.ending.store(true, Ordering::Relaxed);
        self.waker.wake();
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    pub(super) fn saw_end(&self) {
        self.peer_closed.store(true, Ordering::Relaxed);
    }

    pub(super) fn saw_reset(&self) {
        self.peer_reset.store(true, Ordering::Relaxed);
    }

    /// Whether the client closed first.
    #[must_use]
    pub fn peer_closed(&self) -> bool {
        self.peer_closed.load(Ordering::Relaxed)
    }

    /// Whether the client reset the connection.
    #[must_use]
    pub fn peer_reset(&self) -> bool {
        self.peer_reset.load(Ordering::Relaxed)
    }
}

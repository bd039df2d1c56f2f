//! What the request path reports to the room with each tick.

use core::time::Duration;

/// The load at a moment, and running totals since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// The concurrency limit now; zero: there is none, and nothing speaks against anybody.
    pub limit: u32,
    /// The limit is still looked for after a start: a queue says nothing yet.
    pub starting: bool,
    /// Requests at the origin now.
    pub in_flight: u32,
    /// Requests in the short queue now.
    pub queued: u32,
    /// Total of exchanges that ended well.
    pub completed: u64,
    /// Total of requests by pass holders, without the one with which each of them entered.
    pub tries: u64,
    /// Total of exchanges that failed for want of capacity: refused, reset, timed out, 502 to 504.
    pub failed: u64,
    /// Total of requests shed at the short queue.
    pub shed: u64,
    /// Total time with no permit free or somebody queued.
    pub pressed: Duration,
}

impl Load {
    /// Requests that are there now: at the origin or queued for it.
    #[must_use]
    pub const fn present(&self) -> u64 {
        self.in_flight as u64 + self.queued as u64
    }
}

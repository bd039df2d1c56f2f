//! What is counted about an origin.

use super::cell::{Counter, Gauge, Table, kinds};
use super::route::{Durations, StatusClass};

kinds! {
    /// Why a connection to the origin could not be made.
    ConnectError {
        /// Nobody listens.
        Refused => "refused",
        /// No way there.
        Unreachable => "unreachable",
        /// No answer in time.
        Timeout => "timeout",
        /// The name has no address.
        Name => "name",
        /// The TLS handshake failed.
        Tls => "tls",
        /// At our own bound, of connections or of descriptors.
        Full => "full",
        /// Something else.
        Other => "other",
    }
}

kinds! {
    /// How an exchange ended that nobody waits for any more.
    Abandoned {
        /// The origin's answer was read to its end.
        Finished => "finished",
        /// The connection was closed, and the grace for the origin's work has passed.
        Closed => "closed",
    }
}

/// The counters of one origin. Kept by whoever uses it, and the same after a reload.
#[derive(Debug, Default)]
pub struct OriginMetrics {
    /// The concurrency limit in force.
    pub limit: Gauge,
    /// Permits that are taken.
    pub in_flight: Gauge,
    /// Requests that wait for a permit.
    pub queued: Gauge,
    /// Sent again because nothing had reached the origin.
    pub resent: Counter,
    /// Tried again within the budget.
    pub retried: Counter,
    /// Connections that could not be made.
    pub connect_errors: Table<ConnectError, Counter>,
    /// Exchanges that the reaper ended.
    pub abandoned: Table<Abandoned, Counter>,
    pub(super) durations: Durations,
}

impl OriginMetrics {
    /// Counts an exchange with the time until the origin was done; status 0: no answer.
    pub fn request(&self, status: u16, nanos: u64) {
        self.durations.of(StatusClass::of(status)).record(nanos);
    }
}

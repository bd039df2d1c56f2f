//! What is counted about an origin.

use super::cell::{Counter, Gauge, Kind as _, Table, kinds};
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

kinds! {
    /// What holds an origin's concurrency limit where it is.
    LimitHolds {
        /// The operator's number.
        Operator => "operator",
        /// The origin's own word, or servers that have just come back.
        Ceiling => "ceiling",
        /// Nothing yet: it never bound.
        Never => "never",
        /// It is looking for the knee.
        Start => "start",
        /// More bought throughput.
        Worth => "worth",
        /// More bought nothing.
        Wasted => "wasted",
        /// Refused, reset, timed out, 502, 503, 504.
        Congested => "congested",
        /// Throughput went up by itself.
        Returned => "returned",
        /// Throughput went down by itself.
        Lost => "lost",
        /// It goes on from what an earlier process had found.
        Restored => "restored",
    }
}

kinds! {
    /// The class in which a request waits at the short queue.
    QueueClass {
        /// The operator's own.
        Operator => "operator",
        /// A form of a visitor inside.
        Submit => "submit",
        /// A page for a visitor inside.
        Navigation => "navigation",
        /// What such a page needs besides.
        SubResource => "sub_resource",
        /// Somebody without a pass.
        Stranger => "stranger",
        /// A known bot.
        Bot => "bot",
    }
}

/// The counters of one origin. Kept by whoever uses it, and the same after a reload.
#[derive(Debug, Default)]
pub struct OriginMetrics {
    /// The concurrency limit in force.
    pub limit: Gauge,
    pub(super) holds: Gauge,
    /// Permits that are taken.
    pub in_flight: Gauge,
    /// Requests that wait for a permit.
    pub queued: Gauge,
    /// Turned away at the short queue because their patience was over.
    pub shed_late: Table<QueueClass, Counter>,
    /// Turned away at the short queue because there was no place for them.
    pub shed_crowded: Table<QueueClass, Counter>,
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
    /// What holds the limit from here on; whether that is something else than before.
    pub fn set_holds(&self, holds: LimitHolds) -> bool {
        let before = self.holds.value();
        self.holds.set(holds.index() as u64);
        before != self.holds.value()
    }

    /// Each possibility's name, with 1 for the one that holds and 0 for the others.
    pub(super) fn limit_holds(&self) -> impl Iterator<Item = (&'static str, i64)> {
        let current = self.holds.value();
        (0..)
            .zip(LimitHolds::NAMES)
            .map(move |(index, name)| (*name, i64::from(index == current)))
    }

    /// Counts an exchange with the time until the origin was done; status 0: no answer.
    pub fn request(&self, status: u16, nanos: u64) {
        self.durations.of(StatusClass::of(status)).record(nanos);
    }
}

//! The concurrency limit of an origin, and what a finished exchange tells about it.
//!
//! A permit ends when the *origin* is done, and an [`Outcome`] is known then and not when the
//! client leaves: work that goes on at the origin goes on counting.

mod adaptive;
mod change;
mod exposure;
mod peak;
mod slew;

use crate::verdict::Reason;

pub use adaptive::{Adaptive, Bounds, Moved};
pub use exposure::Exposure;

/// How an exchange with the origin ended, as far as it says something about its capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Answered. The only outcome whose latency and throughput may be learned from.
    Success,
    /// Refused, reset, timed out, or 502, 503, 504: the origin has too much.
    Congested,
    /// Another 5xx. No congestion, and no speed either: an origin that answers 500 in a
    /// millisecond must not open the limit.
    Failed,
    /// Says nothing: health checks, upgraded and long-running exchanges, what never reached the
    /// origin.
    Ignored,
}

impl Outcome {
    /// What an answer with this status tells about capacity. 500 and 404 are no congestion.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            502..=504 => Self::Congested,
            500..=599 => Self::Failed,
            _ => Self::Success,
        }
    }

    /// What it tells about capacity that there was no whole answer. A bound of our own is not the
    /// origin's, and garbage is no load.
    #[must_use]
    pub const fn of_failure(reason: Reason) -> Self {
        match reason {
            Reason::OriginUnreachable
            | Reason::OriginReset
            | Reason::OriginConnectTimeout
            | Reason::OriginTimeout => Self::Congested,
            _ => Self::Ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_overloaded_origin_is_congestion() {
        use Outcome::{Congested, Failed, Success};
        for (status, expected) in [
            (200, Success),
            (304, Success),
            (404, Success),
            (429, Success),
            (500, Failed),
            (501, Failed),
            (502, Congested),
            (503, Congested),
            (504, Congested),
            (505, Failed),
            (599, Failed),
        ] {
            assert_eq!(Outcome::of_status(status), expected, "{status}");
        }
        for (reason, expected) in [
            (Reason::OriginUnreachable, Congested),
            (Reason::OriginReset, Congested),
            (Reason::OriginTimeout, Congested),
            (Reason::OriginBusy, Outcome::Ignored),
            (Reason::OriginProtocol, Outcome::Ignored),
            (Reason::Busy, Outcome::Ignored),
        ] {
            assert_eq!(Outcome::of_failure(reason), expected, "{reason:?}");
        }
    }
}

//! The concurrency limit of an origin, and what one finished exchange tells it.
//!
//! A permit ends when the *origin* is done, so a [`Sample`] is taken then and not when the
//! client leaves: work that goes on at the origin goes on counting.

mod adaptive;
mod change;
mod exposure;

use core::num::NonZeroU32;
use core::time::Duration;

use crate::time::Timestamp;
pub use adaptive::{Adaptive, Bounds, Moved};
pub use exposure::Exposure;

/// How many requests may be at the origin at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The operator's number.
    Fixed(NonZeroU32),
}

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
}

/// One finished exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// How it ended.
    pub outcome: Outcome,
    /// Requests at the origin when it began, this one included.
    pub in_flight: u32,
    /// From the request's first byte to the response head.
    pub latency: Duration,
    /// When the origin was done with it.
    pub at: Timestamp,
}

impl Limit {
    /// The limit in force, at least one.
    #[must_use]
    pub const fn current(&self) -> u32 {
        match self {
            Self::Fixed(limit) => limit.get(),
        }
    }

    /// Learns from one finished exchange. A fixed limit has nothing to learn.
    pub const fn observe(&mut self, _sample: Sample) {
        match self {
            Self::Fixed(_) => {}
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
    }

    #[test]
    fn a_fixed_limit_stays_whatever_happens() {
        let mut limit = Limit::Fixed(NonZeroU32::new(64).unwrap());
        for outcome in [
            Outcome::Success,
            Outcome::Congested,
            Outcome::Failed,
            Outcome::Ignored,
        ] {
            limit.observe(Sample {
                outcome,
                in_flight: 64,
                latency: Duration::from_secs(30),
                at: Timestamp::from_nanos(1),
            });
            assert_eq!(limit.current(), 64, "{outcome:?}");
        }
    }
}

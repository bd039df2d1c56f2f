//! How often those in line ask: polls a second, over the last seconds.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forebay_admission::time::Timestamp;

/// Over how long polls are counted before the figure is a new one.
const SPAN: Duration = Duration::from_secs(2);

/// The pace of the polls, from their total now and a moment ago.
#[derive(Debug, Default)]
pub struct PollPace(Mutex<Last>);

#[derive(Clone, Copy, Debug, Default)]
struct Last {
    at: Timestamp,
    polls: u64,
    per_second: f64,
}

impl PollPace {
    /// Takes note that there have been so many polls at `now`; several times a second.
    pub fn tick(&self, now: Timestamp, polls: u64) {
        let mut last = self.last();
        let span = now.saturating_since(last.at);
        if span >= SPAN {
            let more = polls.saturating_sub(last.polls);
            *last = Last {
                at: now,
                polls,
                per_second: more as f64 / span.as_secs_f64(),
            };
        }
    }

    /// Polls a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.last().per_second
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_last_seconds() {
        let pace = PollPace::default();
        for (millis, polls, expected) in [
            (1_000, 10, 0.0),
            (2_000, 20, 10.0),
            (3_000, 500, 10.0),
            (4_000, 820, 400.0),
            (8_000, 820, 0.0),
        ] {
            pace.tick(Timestamp::from_nanos(millis * 1_000_000), polls);
            assert!((pace.per_second() - expected).abs() < 0.01, "{millis}");
        }
    }
}

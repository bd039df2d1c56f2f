//! Two clocks that do not mix: [`Timestamp`] for what is measured inside one process, and
//! [`WallTime`] for what is written into tickets, passes and snapshots and outlives it.

use core::time::Duration;

/// A point on the process clock: nanoseconds since the process started. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point `nanos` nanoseconds after the process started.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the process started.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time that has passed since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The point `wait` later; the end of time (584 years) when beyond it.
    #[must_use]
    pub const fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(whole(wait.as_nanos())))
    }

    /// The point `span` earlier; not before the process started.
    #[must_use]
    pub const fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(whole(span.as_nanos())))
    }
}

/// A point on the wall clock: milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(u64);

impl WallTime {
    /// The point `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time that has passed since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The point `wait` later, in whole milliseconds; saturates.
    #[must_use]
    pub const fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(whole(wait.as_millis())))
    }

    /// The point `span` earlier, in whole milliseconds; not before the Unix epoch.
    #[must_use]
    pub const fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(whole(span.as_millis())))
    }
}

/// `Duration` counts in 128 bits; what does not fit is the end of time.
const fn whole(count: u128) -> u64 {
    if count > u64::MAX as u128 {
        u64::MAX
    } else {
        count as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_at_both_ends() {
        let end = WallTime::from_millis(u64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert_eq!(
            WallTime::from_millis(5).minus(Duration::from_secs(1)),
            WallTime::default()
        );
        assert_eq!(
            Timestamp::from_nanos(1).plus(Duration::MAX),
            Timestamp::from_nanos(u64::MAX)
        );
    }

    #[test]
    fn a_later_start_counts_as_no_time() {
        let (early, late) = (Timestamp::from_nanos(10), Timestamp::from_nanos(30));
        assert_eq!(late.saturating_since(early), Duration::from_nanos(20));
        assert_eq!(early.saturating_since(late), Duration::ZERO);
    }
}

//! An exact rate: so many in so much time, without a rounded figure per second in between.

use core::num::NonZeroU32;
use core::time::Duration;

/// `count` in each `per`; both are at least one (`per` at least a nanosecond).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: NonZeroU32,
    per: Duration,
}

impl Rate {
    /// `count` in each `per`; `None` when either is zero, or when `per` is over 400 years.
    #[must_use]
    pub fn new(count: u32, per: Duration) -> Option<Self> {
        let count = NonZeroU32::new(count)?;
        let bounded = per.as_secs() < u64::MAX >> 31;
        (bounded && !per.is_zero()).then_some(Self { count, per })
    }

    /// How many in each [`per`](Self::per).
    #[must_use]
    pub const fn count(self) -> NonZeroU32 {
        self.count
    }

    /// The time in which [`count`](Self::count) are granted.
    #[must_use]
    pub const fn per(self) -> Duration {
        self.per
    }

    /// The time between two, rounded down, at least a nanosecond.
    #[must_use]
    pub fn interval(self) -> Duration {
        (self.per / self.count.get()).max(Duration::from_nanos(1))
    }

    /// Thousandths per second, rounded down; saturates.
    #[must_use]
    pub fn per_second_milli(self) -> u64 {
        let count = u128::from(self.count.get());
        let thousandths = count * 1_000 * NANOS_PER_SECOND / self.per.as_nanos().max(1);
        u64::try_from(thousandths).unwrap_or(u64::MAX)
    }
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(count: u32, seconds: u64) -> Rate {
        Rate::new(count, Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn a_rate_is_never_zero() {
        assert_eq!(Rate::new(0, Duration::from_secs(1)), None);
        assert_eq!(Rate::new(1, Duration::ZERO), None);
    }

    #[test]
    fn interval_and_thousandths_say_the_same() {
        for (count, seconds, interval_ms, milli) in [
            (20, 1, 50, 20_000),
            (600, 60, 100, 10_000),
            (1, 60, 60_000, 16),
        ] {
            let rate = rate(count, seconds);
            assert_eq!(rate.interval(), Duration::from_millis(interval_ms));
            assert_eq!(rate.per_second_milli(), milli);
        }
    }
}

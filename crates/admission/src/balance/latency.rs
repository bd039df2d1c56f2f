//! How slow a server is: a moving average that rises at once and falls slowly.
//!
//! Peak EWMA as in Finagle: a sample above the average becomes the average, so that a server
//! that turns slow loses its traffic with the first answer that says so; below it, the average
//! follows with a half-life of two seconds. (Finagle's is seven; an origin has few servers, so a
//! hiccup should not starve one of them for half a minute.) Without samples it fades to nothing,
//! so that nobody is judged for ever by an old answer.

use core::time::Duration;

use crate::time::Timestamp;

/// In what time half of the past is forgotten.
const HALF_LIFE_MS: u32 = 2_000;

/// What a failure counts as at least.
const FAULT_MIN: Duration = Duration::from_millis(100);

/// What failures alone may come to: beside servers of some milliseconds, who was this slow is
/// asked again in a quarter of a minute.
const FAULT_MAX: Duration = Duration::from_secs(2);

/// A peak EWMA of latencies, in 64 bits so that it fits into one atomic word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeakEwma {
    /// 0: nothing is known.
    micros: u32,
    /// Milliseconds of the process clock, wrapping after 49 days.
    stamp: u32,
}

impl PeakEwma {
    /// The average as one word, for an atomic.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        (self.micros as u64) << 32 | self.stamp as u64
    }

    /// The average that [`to_bits`](Self::to_bits) gave; 0 is one of which nothing is known.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            micros: (bits >> 32) as u32,
            stamp: bits as u32,
        }
    }

    /// An answer took this long.
    #[must_use]
    pub const fn observe(self, took: Duration, now: Timestamp) -> Self {
        let sample = micros(took);
        let micros = if self.micros <= sample {
            sample
        } else {
            sample + fade(self.micros - sample, self.age(now))
        };
        Self {
            micros,
            stamp: stamp(now),
        }
    }

    /// An attempt failed after this long. However quick that was, the server looks slower than
    /// before: at least twice as slow, up to two seconds.
    #[must_use]
    pub const fn fail(self, took: Duration, now: Timestamp) -> Self {
        let twice = fade(self.micros, self.age(now)).saturating_mul(2);
        let least = if twice < micros(FAULT_MIN) {
            micros(FAULT_MIN)
        } else if twice > micros(FAULT_MAX) {
            micros(FAULT_MAX)
        } else {
            twice
        };
        let took = micros(took);
        let sample = if took > least { took } else { least };
        self.observe(Duration::from_micros(sample as u64), now)
    }

    /// What it is worth at `now`; `None`: nothing is known, or no longer.
    #[must_use]
    pub const fn at(self, now: Timestamp) -> Option<Duration> {
        match fade(self.micros, self.age(now)) {
            0 => None,
            micros => Some(Duration::from_micros(micros as u64)),
        }
    }

    const fn age(self, now: Timestamp) -> u32 {
        let age = stamp(now).wrapping_sub(self.stamp);
        // Another thread may have written with a later look at the clock.
        if age > u32::MAX / 2 { 0 } else { age }
    }
}

const fn stamp(now: Timestamp) -> u32 {
    (now.as_nanos() / 1_000_000) as u32
}

/// At least 1: 0 stands for nothing known.
const fn micros(took: Duration) -> u32 {
    let micros = took.as_micros();
    if micros > u32::MAX as u128 {
        u32::MAX
    } else if micros == 0 {
        1
    } else {
        micros as u32
    }
}

/// What is left after `age` milliseconds: exact at whole half-lives, on straight lines between
/// them (6 % above the exponential at most).
const fn fade(value: u32, age: u32) -> u32 {
    let halves = age / HALF_LIFE_MS;
    if halves >= u32::BITS {
        return 0;
    }
    let value = (value >> halves) as u64;
    let rest = (age % HALF_LIFE_MS) as u64;
    (value - value * rest / (2 * HALF_LIFE_MS as u64)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    /// Samples as (moment, latency) in milliseconds.
    fn after(samples: &[(u64, u64)]) -> PeakEwma {
        let one = |ewma: PeakEwma, &(moment, millis): &(u64, u64)| {
            ewma.observe(Duration::from_millis(millis), at(moment))
        };
        samples.iter().fold(PeakEwma::default(), one)
    }

    #[test]
    fn it_rises_at_once_falls_by_halves_and_fades() {
        for (samples, moment, expected) in [
            (&[][..], 0, None),
            (&[(0, 10)], 0, Some(10)),
            (&[(0, 10), (1, 800)], 1, Some(800)),
            (&[(0, 800), (2_000, 0)], 2_000, Some(400)),
            (&[(0, 800), (2_000, 400)], 2_000, Some(600)),
            (&[(0, 800)], 4_000, Some(200)),
            (&[(0, 800)], 3_000, Some(300)),
            (&[(0, 800)], 3_600_000, None),
        ] {
            let seen = after(samples).at(at(moment));
            // A sample of no time counts as a microsecond.
            let millis = seen.map(|latency| latency.as_millis());
            assert_eq!(millis, expected, "{samples:?} at {moment}");
        }
    }

    #[test]
    fn a_fast_failure_never_looks_like_speed() {
        let mut ewma = after(&[(0, 50)]);
        let mut before = ewma.at(at(0)).unwrap();
        for n in 1..20 {
            ewma = ewma.fail(Duration::from_millis(1), at(n));
            let now = ewma.at(at(n)).unwrap();
            assert!(now >= before, "{before:?} {now:?}");
            before = now;
        }
        assert!((1_900..=2_000).contains(&before.as_millis()), "{before:?}");
    }

    #[test]
    fn the_stamp_wraps_after_49_days_without_harm() {
        let late = u64::from(u32::MAX);
        assert_eq!(
            after(&[(late, 800)]).at(at(late + 2_000)),
            Some(Duration::from_millis(400))
        );
    }

    proptest! {
        #[test]
        fn it_stays_between_the_least_and_the_greatest_sample(
            samples in prop::collection::vec((0_u64..1_000, 1_u64..100_000), 1..50)
        ) {
            let mut moment = 0;
            let mut ewma = PeakEwma::default();
            for (step, millis) in &samples {
                moment += step;
                ewma = ewma.observe(Duration::from_millis(*millis), at(moment));
            }
            let seen = ewma.at(at(moment)).unwrap().as_millis() as u64;
            let least = samples.iter().map(|(_, millis)| *millis).min().unwrap();
            let most = samples.iter().map(|(_, millis)| *millis).max().unwrap();
            prop_assert!((least..=most).contains(&seen));
            prop_assert_eq!(PeakEwma::from_bits(ewma.to_bits()), ewma);
        }
    }
}

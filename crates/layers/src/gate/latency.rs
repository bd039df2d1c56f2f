//! The p90 and the median of response times, from counts in buckets that double: coarse, bounded and cheap.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Buckets: the first holds what is under 1 ms, each next twice as much; the last what is over
/// 70 minutes.
const BUCKETS: usize = 24;

/// When so many samples are held, all counts are halved: the past fades.
const FADE: u32 = 2_048;

#[derive(Debug, Default)]
pub(super) struct Latency {
    counts: [AtomicU32; BUCKETS],
    total: AtomicU32,
}

impl Latency {
    pub(super) fn record(&self, latency: Duration) {
        let millis = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        let bucket = (64 - millis.leading_zeros() as usize).min(BUCKETS - 1);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        if self.total.fetch_add(1, Ordering::Relaxed) + 1 == FADE {
            self.fade();
        }
    }

    /// The upper edge of the bucket in which the 90th percentile lies; zero without samples.
    pub(super) fn p90(&self) -> Duration {
        self.above(10).unwrap_or_default()
    }

    /// The upper edge of the bucket in which the median lies.
    pub(super) fn median(&self) -> Option<Duration> {
        self.above(2)
    }

    /// The upper edge of the bucket above which lies one of so many; `None` without samples.
    fn above(&self, one_of: u32) -> Option<Duration> {
        let counts: [u32; BUCKETS] =
            std::array::from_fn(|index| self.counts[index].load(Ordering::Relaxed));
        let total: u32 = counts.iter().sum();
        let mut above = total / one_of;
        for (bucket, count) in counts.iter().enumerate().rev() {
            if *count > above {
                return Some(Duration::from_millis(1 << bucket));
            }
            above -= count;
        }
        None
    }

    fn fade(&self) {
        let mut total = 0;
        for count in &self.counts {
            let half = count.load(Ordering::Relaxed) / 2;
            count.store(half, Ordering::Relaxed);
            total += half;
        }
        self.total.store(total, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p90_of(millis: impl IntoIterator<Item = u64>) -> Duration {
        let latency = Latency::default();
        for sample in millis {
            latency.record(Duration::from_millis(sample));
        }
        latency.p90()
    }

    #[test]
    fn the_p90_is_the_upper_edge_of_its_bucket() {
        let cases: [(Vec<u64>, u64); 4] = [
            (vec![], 0),
            (vec![10; 10], 16),
            (
                (0..10).map(|n| if n < 8 { 10 } else { 1_000 }).collect(),
                1_024,
            ),
            (
                (0..100).map(|n| if n < 95 { 10 } else { 1_000 }).collect(),
                16,
            ),
        ];
        for (samples, expected) in cases {
            assert_eq!(p90_of(samples), Duration::from_millis(expected));
        }
    }

    #[test]
    fn the_past_fades() {
        let old = std::iter::repeat_n(4_000, 2_000);
        let new = std::iter::repeat_n(10, 40_000);
        assert_eq!(p90_of(old.chain(new)), Duration::from_millis(16));
    }
}

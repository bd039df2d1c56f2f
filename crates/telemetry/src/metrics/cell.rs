//! The cells that are counted in: relaxed atomics, read only when somebody looks.
//!
//! They are not padded and not kept per worker. A request touches about six of them; with the
//! few workers of one machine a shared line costs less than the lines that padding would add.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// Only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Counts `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// Takes over a running total that is kept elsewhere; a smaller one changes nothing.
    pub fn raise_to(&self, total: u64) {
        self.0.fetch_max(total, Relaxed);
    }

    /// What has been counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets the value; beyond 2^63 − 1 it stays there.
    pub fn set(&self, value: u64) {
        self.0
            .store(i64::try_from(value).unwrap_or(i64::MAX), Relaxed);
    }

    /// One more.
    pub fn inc(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// One less. Whoever calls it has called [`inc`](Self::inc) before.
    pub fn dec(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// A share, or another number that may be unknown; then nothing is exposed.
#[derive(Debug)]
pub struct Ratio(AtomicU64);

impl Default for Ratio {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NAN.to_bits()))
    }
}

impl Ratio {
    /// Sets the value, or says that it is not known.
    pub fn set(&self, value: Option<f64>) {
        self.0.store(value.unwrap_or(f64::NAN).to_bits(), Relaxed);
    }

    /// The value, where it is known.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        Some(f64::from_bits(self.0.load(Relaxed))).filter(|value| value.is_finite())
    }
}

/// The values of one label, fixed when the program was written.
pub trait Kind: Copy + 'static {
    /// The label's values, by [`index`](Self::index).
    const NAMES: &'static [&'static str];

    /// Where this one stands in [`NAMES`](Self::NAMES).
    fn index(self) -> usize;
}

/// Declares an enum whose variants are the values of a label.
macro_rules! kinds {
    ($(#[$doc:meta])* $kind:ident { $($(#[$variant_doc:meta])* $variant:ident => $name:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $kind {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $kind {
            /// The label's value, as in metrics and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl $crate::metrics::cell::Kind for $kind {
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use kinds;

/// A cell for each value of a label.
#[derive(Debug)]
pub struct Table<K, C> {
    cells: Box<[C]>,
    kind: PhantomData<fn(K)>,
}

impl<K: Kind, C: Default> Default for Table<K, C> {
    fn default() -> Self {
        let cells = K::NAMES.iter().map(|_| C::default()).collect();
        Self {
            cells,
            kind: PhantomData,
        }
    }
}

impl<K: Kind, C> Table<K, C> {
    /// The cell of `kind`.
    #[must_use]
    pub fn of(&self, kind: K) -> &C {
        &self.cells[kind.index()]
    }

    /// Each label value with its cell.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &C)> {
        K::NAMES.iter().copied().zip(&self.cells)
    }
}

impl<K: Kind> Table<K, Counter> {
    /// Counts one of `kind`.
    pub fn inc(&self, kind: K) {
        self.of(kind).inc();
    }
}

/// The bounds of a histogram.
pub(crate) trait Bounds: 'static {
    /// Upper bounds (inclusive) in seconds, rising; one bucket without a bound follows.
    const SECONDS: &'static [f64];
}

/// Durations in buckets.
#[derive(Debug)]
pub(crate) struct Histogram<B> {
    buckets: Box<[AtomicU64]>,
    sum_nanos: AtomicU64,
    bounds: PhantomData<fn(B)>,
}

impl<B: Bounds> Default for Histogram<B> {
    fn default() -> Self {
        let buckets = (0..=B::SECONDS.len()).map(|_| AtomicU64::new(0)).collect();
        Self {
            buckets,
            sum_nanos: AtomicU64::new(0),
            bounds: PhantomData,
        }
    }
}

impl<B: Bounds> Histogram<B> {
    /// Counts a duration.
    pub(crate) fn record(&self, nanos: u64) {
        let seconds = nanos as f64 / NANOS_PER_SECOND;
        let bucket = B::SECONDS
            .iter()
            .take_while(|bound| seconds > **bound)
            .count();
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_nanos.fetch_add(nanos, Relaxed);
    }

    /// Whether nothing was counted yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.buckets.iter().all(|bucket| bucket.load(Relaxed) == 0)
    }

    /// What was counted, for an encoder: (bound, count in this bucket) and the sum in seconds.
    pub(crate) fn read(&self) -> (Vec<(f64, u64)>, f64) {
        let bounds = B::SECONDS.iter().copied().chain([f64::INFINITY]);
        let counts = self.buckets.iter().map(|bucket| bucket.load(Relaxed));
        let sum = self.sum_nanos.load(Relaxed) as f64 / NANOS_PER_SECOND;
        (bounds.zip(counts).collect(), sum)
    }
}

const NANOS_PER_SECOND: f64 = 1e9;

#[cfg(test)]
mod tests {
    use super::*;

    struct Thirds;

    impl Bounds for Thirds {
        const SECONDS: &'static [f64] = &[0.1, 1.0];
    }

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        for (nanos, expected) in [
            (0, [1, 0, 0]),
            (100_000_000, [1, 0, 0]),
            (100_000_001, [0, 1, 0]),
            (1_000_000_000, [0, 1, 0]),
            (u64::MAX / 2, [0, 0, 1]),
        ] {
            let histogram = Histogram::<Thirds>::default();
            histogram.record(nanos);
            let counts: Vec<_> = histogram
                .read()
                .0
                .into_iter()
                .map(|(_, count)| count)
                .collect();
            assert_eq!(counts, expected, "{nanos} ns");
        }
    }

    #[test]
    fn a_total_taken_over_never_goes_back() {
        let counter = Counter::default();
        counter.raise_to(7);
        counter.raise_to(3);
        assert_eq!(counter.total(), 7);
    }
}

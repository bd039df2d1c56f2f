//! What the room learns by looking: smoothed rates, shares, and how long a wait will be.
//!
//! Floating point stays in here, behind [`Finite`]; what leaves is a whole number.

use core::time::Duration;

/// A number that is always finite and never negative: whatever is neither becomes zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Finite(f64);

impl Finite {
    /// Takes the value, or zero when it is negative, infinite or no number.
    #[must_use]
    pub fn new(value: f64) -> Self {
        if value.is_finite() && value > 0.0 {
            Self(value)
        } else {
            Self(0.0)
        }
    }

    /// The value.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The larger of the two.
    #[must_use]
    pub const fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// The smaller of the two.
    #[must_use]
    pub const fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// In thousandths, rounded; saturates.
    #[must_use]
    pub fn milli(self) -> u64 {
        // A cast from float to integer saturates.
        (self.0 * 1_000.0 + 0.5) as u64
    }

    /// From thousandths.
    #[must_use]
    pub fn from_milli(milli: u64) -> Self {
        Self::new(milli as f64 / 1_000.0)
    }
}

/// An exponentially smoothed rate that starts as the plain mean, so that its first seconds are
/// not pulled towards zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smooth {
    value: Finite,
    memory: Duration,
    seen: Duration,
}

impl Smooth {
    /// Knows nothing yet; later it remembers about as long as `memory`.
    #[must_use]
    pub const fn new(memory: Duration) -> Self {
        Self {
            value: Finite(0.0),
            memory,
            seen: Duration::ZERO,
        }
    }

    /// As if it had seen `value` for `seen` already.
    #[must_use]
    pub fn primed(memory: Duration, value: Finite, seen: Duration) -> Self {
        Self {
            value,
            memory,
            seen: seen.min(memory),
        }
    }

    /// `count` events happened within the last `span`.
    pub fn count(&mut self, count: u64, span: Duration) {
        if !span.is_zero() {
            self.level(Finite::new(count as f64 / span.as_secs_f64()), span);
        }
    }

    /// The value was `level` for the last `span`.
    pub fn level(&mut self, level: Finite, span: Duration) {
        self.seen = self.seen.saturating_add(span).min(self.memory);
        let weight = span.as_secs_f64() / self.seen.as_secs_f64().max(f64::MIN_POSITIVE);
        let weight = Finite::new(weight).get().min(1.0);
        self.value = Finite::new(self.value.get() + weight * (level.get() - self.value.get()));
    }

    /// The smoothed value.
    #[must_use]
    pub const fn get(&self) -> Finite {
        self.value
    }

    /// The time it rests on, at most its memory.
    #[must_use]
    pub const fn seen(&self) -> Duration {
        self.seen
    }
}

/// How many of one for each of another, measured; forgets by halves, and then falls back to
/// what it started from, as firmly as if one had been counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    hits: Finite,
    of: Finite,
    prior: Finite,
}

impl Ratio {
    /// Starts at `prior`.
    #[must_use]
    pub const fn new(prior: Finite) -> Self {
        Self {
            hits: Finite(0.0),
            of: Finite(0.0),
            prior,
        }
    }

    /// So many more of the one.
    pub fn hit(&mut self, hits: u64) {
        self.hits = Finite::new(self.hits.get() + hits as f64);
    }

    /// A measured amount more of the one.
    pub fn add(&mut self, amount: Finite) {
        self.hits = Finite::new(self.hits.get() + amount.get());
    }

    /// So many more of the other.
    pub fn count(&mut self, of: u64) {
        self.of = Finite::new(self.of.get() + of as f64);
    }

    /// Forgets for `span`, half of it in each `half`.
    pub fn forget(&mut self, span: Duration, half: Duration) {
        let kept = libm::exp2(-span.as_secs_f64() / half.as_secs_f64().max(1e-3));
        self.hits = Finite::new(self.hits.get() * kept);
        self.of = Finite::new(self.of.get() * kept);
    }

    /// The ratio.
    #[must_use]
    pub fn get(&self) -> Finite {
        Finite::new((self.hits.get() + self.prior.get()) / (self.of.get() + 1.0))
    }

    /// The ratio as a share in thousandths, 0 to 1000.
    #[must_use]
    pub fn milli(&self) -> u32 {
        (self.get().get().min(1.0) * 1_000.0 + 0.5) as u32
    }

    /// What it rests on, in thousandths, for a snapshot.
    #[must_use]
    pub fn parts_milli(&self) -> (u64, u64) {
        (self.hits.milli(), self.of.milli())
    }

    /// Takes up what a snapshot kept.
    pub fn resume(&mut self, (hits, of): (u64, u64)) {
        self.hits = Finite::from_milli(hits);
        self.of = Finite::from_milli(of);
    }
}

/// Counts in `N` slots that forget by halves: where most of something lay lately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slots<const N: usize> {
    counts: [f64; N],
}

impl<const N: usize> Slots<N> {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: [0.0; N] }
    }

    /// One more at `position`, counted in slots; beyond the last one it counts there.
    pub fn add(&mut self, position: f64) {
        // A cast from float to integer saturates.
        let slot = (Finite::new(position).get() as usize).min(N.saturating_sub(1));
        if let Some(count) = self.counts.get_mut(slot) {
            *count += 1.0;
        }
    }

    /// Forgets for `span`, half of it in each `half`.
    pub fn forget(&mut self, span: Duration, half: Duration) {
        let kept = libm::exp2(-span.as_secs_f64() / half.as_secs_f64().max(1e-3));
        self.counts.iter_mut().for_each(|count| *count *= kept);
    }

    /// How many it rests on.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The position below which `share` of all lie, linear inside a slot; `None` when there are
    /// none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let (all, mut below) = (self.count(), 0.0);
        for (slot, count) in self.counts.iter().enumerate() {
            if *count > 0.0 && below + count >= share * all {
                return Some(slot as f64 + (share * all - below) / count);
            }
            below += count;
        }
        None
    }
}

impl<const N: usize> Default for Slots<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// How soon people give up, by how long they have waited: a hazard for each of a few ages, with
/// bins that double from half a minute on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hazard {
    bins: [Bin; AGES],
}

impl Default for Hazard {
    fn default() -> Self {
        let rate = LEAVES_AT_FIRST;
        let bin = Bin {
            rate,
            ..Bin::default()
        };
        Self { bins: [bin; AGES] }
    }
}

/// What was seen at one age.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bin {
    /// Who left, less who came back after all.
    left: f64,
    /// Seconds that people were there.
    there: f64,
    /// Leaves each second, as believed.
    rate: f64,
}

/// Ages that are told apart.
pub const AGES: usize = 8;
/// Where the second bin begins, in seconds.
const AGE_FIRST: f64 = 30.0;
/// What an age is believed to be like before it is seen weighs as much as so many seconds.
const AGE_PRIOR: f64 = 3_000.0;
/// Before anybody was seen to leave: half leave within twenty minutes.
const LEAVES_AT_FIRST: f64 = 1.0 / 1_800.0;
/// How fast it forgets.
const HAZARD_HALF: f64 = 900.0;

impl Hazard {
    /// Of `there` people of an age `left` were found missing within `span`; less than none when
    /// some came back.
    pub fn see(&mut self, age: f64, left: f64, there: f64, span: Duration) {
        let bin = AGES - 1 - (1..AGES).rev().take_while(|bin| age < start(*bin)).count();
        let seconds = Finite::new(there * span.as_secs_f64()).get();
        if let Some(bin) = self.bins.get_mut(bin)
            && left.is_finite()
        {
            bin.left += left;
            bin.there += seconds;
        }
    }

    /// Forgets for `span`, and settles what is believed.
    pub fn settle(&mut self, span: Duration) {
        let kept = libm::exp2(-span.as_secs_f64() / HAZARD_HALF);
        let (mut left, mut there) = (0.0, 0.0);
        for bin in &mut self.bins {
            bin.left *= kept;
            bin.there *= kept;
            left += bin.left;
            there += bin.there;
        }
        // An age that nobody has reached yet is believed to be like the one before.
        let believed = left + LEAVES_AT_FIRST * AGE_PRIOR;
        let mut believed = Finite::new(believed / (there + AGE_PRIOR)).get();
        for bin in &mut self.bins {
            let rate = (bin.left + believed * AGE_PRIOR) / (bin.there + AGE_PRIOR);
            bin.rate = Finite::new(rate).get();
            believed = bin.rate;
        }
    }

    /// The share of those who were there at the age `from` who are still there at `to`; ages in
    /// seconds.
    #[must_use]
    pub fn stays(&self, from: f64, to: f64) -> f64 {
        let (from, to) = (from.max(0.0), to.max(0.0));
        let hazards = self.bins.iter().enumerate().map(|(bin, seen)| {
            let end = if bin + 1 < AGES {
                start(bin + 1)
            } else {
                f64::INFINITY
            };
            seen.rate * (to.min(end) - from.max(start(bin))).max(0.0)
        });
        libm::exp(-hazards.sum::<f64>())
    }

    /// What is believed, in millionths a second by age, for a snapshot.
    #[must_use]
    pub fn rates_micro(&self) -> [u64; AGES] {
        self.bins.map(|bin| Finite::new(bin.rate * 1e3).milli())
    }

    /// Takes up what a snapshot kept, as firmly as an age that was never seen.
    pub fn resume(&mut self, rates_micro: [u64; AGES]) {
        for (bin, micro) in self.bins.iter_mut().zip(rates_micro) {
            bin.rate = Finite::from_milli(micro).get() / 1e3;
            bin.there = AGE_PRIOR;
            bin.left = bin.rate * AGE_PRIOR;
        }
    }
}

/// Where an age's bin begins, in seconds.
fn start(bin: usize) -> f64 {
    match bin {
        0 => 0.0,
        _ => AGE_FIRST * libm::exp2(bin as f64 - 1.0),
    }
}

/// How long it takes until `ahead` are gone, when `speed` a second are called and each of them
/// gives up with the probability `leaving` a second. `None` when nobody is called.
///
/// From `dn/dt = -speed - leaving * n`: `t = ln(1 + leaving * n / speed) / leaving`.
#[must_use]
pub fn wait(ahead: u64, speed: Finite, leaving: Finite) -> Option<Duration> {
    if speed.get() <= 0.0 {
        return None;
    }
    let plain = ahead as f64 / speed.get();
    let hazard = leaving.get();
    let seconds = if hazard * plain < 1e-6 {
        plain
    } else {
        libm::log1p(hazard * plain) / hazard
    };
    Some(Duration::from_secs_f64(
        Finite::new(seconds).get().min(WAIT_MAX_SECONDS),
    ))
}

/// Nobody is told more than a year.
const WAIT_MAX_SECONDS: f64 = 31_536_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_second_is_believed_and_later_ones_are_smoothed() {
        let mut rate = Smooth::new(SECOND * 10);
        rate.count(40, SECOND);
        assert_eq!(rate.get().milli(), 40_000);
        rate.count(20, SECOND);
        assert_eq!(rate.get().milli(), 30_000);
        for _ in 0..200 {
            rate.count(5, SECOND);
        }
        assert_eq!(rate.get().milli(), 5_000);
    }

    #[test]
    fn nothing_infinite_gets_in() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            assert_eq!(Finite::new(value).get(), 0.0);
        }
        let mut rate = Smooth::new(Duration::ZERO);
        rate.count(u64::MAX, Duration::from_nanos(1));
        rate.count(1, Duration::ZERO);
        assert!(rate.get().get().is_finite());
    }

    #[test]
    fn a_ratio_starts_at_its_prior_and_follows_what_is_seen() {
        let mut share = Ratio::new(Finite::new(1.0));
        assert_eq!(share.milli(), 1_000);
        share.count(9_999);
        assert!(
            share.milli() < 2,
            "a flood that never returns counts for nothing"
        );
        share.forget(SECOND * 100, SECOND * 5);
        share.count(1_000);
        share.hit(1_000);
        assert!(share.milli() > 990);
    }

    #[test]
    fn how_soon_people_give_up_is_learnt_for_each_age() {
        let mut hazard = Hazard::default();
        assert!(hazard.stays(0.0, 600.0) > 0.7, "before anybody was seen");
        for _ in 0..60 {
            hazard.see(10.0, 50.0, 1_000.0, SECOND * 5);
            hazard.see(300.0, 5.0, 1_000.0, SECOND * 5);
            hazard.settle(SECOND * 5);
        }
        let young = hazard.stays(0.0, 30.0);
        assert!((0.72..0.76).contains(&young), "exp(-0.3), found {young}");
        let old = hazard.stays(240.0, 480.0);
        assert!((0.75..0.81).contains(&old), "exp(-0.24), found {old}");
        let oldest = hazard.stays(480.0, 960.0);
        assert!(
            (0.50..0.66).contains(&oldest),
            "like the one before: {oldest}"
        );
        let mut resumed = Hazard::default();
        resumed.resume(hazard.rates_micro());
        assert!((resumed.stays(0.0, 30.0) - young).abs() < 1e-3);
    }

    #[test]
    fn those_who_give_up_shorten_the_wait() {
        let speed = Finite::new(10.0);
        assert_eq!(wait(600, speed, Finite::default()), Some(SECOND * 60));
        let shorter = wait(600, speed, Finite::new(0.01)).unwrap();
        assert!(
            shorter > SECOND * 40 && shorter < SECOND * 50,
            "{shorter:?}"
        );
        assert_eq!(wait(600, Finite::default(), Finite::default()), None);
    }
}

//! What the adaptive limit learns from: counted only while no permit is free, so that the
//! unsaturated path pays nothing for it.
//!
//! Everything here is kept under the queue's lock, which is taken anyway at the limit: whoever
//! takes the last permit, waits for one, or gives one back while none was free.

use std::time::Duration;

use forebay_admission::limit::Exposure;
use forebay_admission::time::Timestamp;

/// The grain in which ages are told apart.
const GRAIN: Duration = Duration::from_millis(50);

/// Grains that are kept: nobody is young for longer than 51 seconds.
const GRAINS: usize = 1_024;

/// When a request began, if it did so under pressure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun(u64);

/// Totals under pressure, integrated from change to change.
#[derive(Debug)]
pub(super) struct Pressure {
    pressed: bool,
    in_flight: u32,
    since: Timestamp,
    exposure: Exposure,
    young: Young,
}

impl Pressure {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            pressed: false,
            in_flight: 0,
            since: now,
            exposure: Exposure::default(),
            young: Young::new(now),
        }
    }

    /// The time until `now` was spent as it stood; from here on it stands thus.
    pub(super) fn change(&mut self, now: Timestamp, in_flight: u32, pressed: bool) {
        let span = now.saturating_since(self.since);
        if self.pressed {
            let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
            let area = |count: u32| nanos.wrapping_mul(u64::from(count));
            let exposure = &mut self.exposure;
            exposure.pressed += span;
            exposure.area = exposure.area.wrapping_add(area(self.in_flight));
            exposure.young_area = exposure.young_area.wrapping_add(area(self.young.total));
        }
        self.since = self.since.max(now);
        self.in_flight = in_flight;
        self.pressed = pressed;
    }

    /// A request begins, under pressure or not; only then its age is kept.
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<Begun> {
        self.pressed.then(|| self.young.begin(now))
    }

    /// One that began under pressure will not be sent.
    pub(super) fn undo(&mut self, begun: Begun) {
        self.young.end(begun);
    }

    /// A request ended, well or not.
    pub(super) fn end(&mut self, begun: Option<Begun>, good: bool) {
        let young = begun.is_some_and(|begun| self.young.end(begun));
        if good && self.pressed {
            self.exposure.pressed_good += 1;
            self.exposure.young_good += u64::from(young);
        }
    }

    /// The totals at `now`, with `good` and `failed` answers in all; nobody older than `youth`
    /// counts as young from here on.
    pub(super) fn exposure(
        &mut self,
        now: Timestamp,
        good: u64,
        failed: u64,
        youth: Duration,
    ) -> Exposure {
        self.change(now, self.in_flight, self.pressed);
        self.young.age(now, youth);
        Exposure {
            good,
            failed,
            in_flight: self.in_flight,
            ..self.exposure
        }
    }
}

/// How many of those who began in each of the last grains are still there.
#[derive(Debug)]
struct Young {
    counts: Vec<u32>,
    /// The grain that is filled now.
    grain: u64,
    /// The oldest grain that counts as young.
    oldest: u64,
    total: u32,
}

impl Young {
    fn new(now: Timestamp) -> Self {
        let grain = grain(now);
        Self {
            counts: vec![0; GRAINS],
            grain,
            oldest: grain,
            total: 0,
        }
    }

    fn begin(&mut self, now: Timestamp) -> Begun {
        self.advance(grain(now));
        self.counts[self.grain as usize % GRAINS] += 1;
        self.total += 1;
        Begun(self.grain)
    }

    /// Whether it was still young.
    fn end(&mut self, Begun(grain): Begun) -> bool {
        if grain + GRAINS as u64 <= self.grain {
            return false;
        }
        let count = &mut self.counts[grain as usize % GRAINS];
        *count = count.saturating_sub(1);
        let young = grain >= self.oldest;
        self.total -= u32::from(young && self.total > 0);
        young
    }

    fn age(&mut self, now: Timestamp, youth: Duration) {
        self.advance(grain(now));
        let grains = (youth.as_nanos() / GRAIN.as_nanos()).clamp(1, GRAINS as u128 - 1);
        self.oldest = self.grain.saturating_sub(grains as u64);
        self.total = (self.oldest..=self.grain)
            .map(|grain| self.counts[grain as usize % GRAINS])
            .sum();
    }

    fn advance(&mut self, grain: u64) {
        while self.grain < grain.min(self.grain + GRAINS as u64) {
            self.grain += 1;
            let reused = &mut self.counts[self.grain as usize % GRAINS];
            if self.oldest + GRAINS as u64 <= self.grain {
                self.total = self.total.saturating_sub(*reused);
                self.oldest += 1;
            }
            *reused = 0;
        }
        self.grain = self.grain.max(grain);
        self.oldest = self
            .oldest
            .max(self.grain.saturating_sub(GRAINS as u64 - 1));
    }
}

fn grain(now: Timestamp) -> u64 {
    now.as_nanos() / GRAIN.as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn time_and_requests_are_summed_only_while_no_permit_is_free() {
        let mut pressure = Pressure::new(at(0));
        pressure.change(at(1_000), 4, true);
        pressure.change(at(1_500), 3, false);
        pressure.change(at(9_000), 4, true);
        let seen = pressure.exposure(at(9_250), 7, 1, Duration::from_secs(1));
        assert_eq!(seen.pressed, Duration::from_millis(750));
        assert_eq!(seen.area, 4 * 750_000_000);
        assert_eq!((seen.good, seen.failed, seen.in_flight), (7, 1, 4));
    }

    #[test]
    fn who_began_long_ago_is_no_longer_young() {
        let mut pressure = Pressure::new(at(0));
        assert_eq!(pressure.begin(at(0)), None, "no pressure, no age");
        pressure.change(at(0), 2, true);
        let first = pressure.begin(at(0));
        let second = pressure.begin(at(900));
        let seen = pressure.exposure(at(1_000), 0, 0, Duration::from_millis(500));
        assert_eq!(
            seen.young_area,
            2 * 1_000_000_000,
            "both were young until now"
        );
        let later = pressure.exposure(at(1_200), 0, 0, Duration::from_millis(500));
        assert_eq!(
            later.young_area - seen.young_area,
            200_000_000,
            "one still is"
        );
        pressure.end(first, true);
        pressure.end(second, true);
        let ended = pressure.exposure(at(1_200), 2, 0, Duration::from_millis(500));
        assert_eq!((ended.pressed_good, ended.young_good), (2, 1));
    }

    #[test]
    fn a_long_pause_and_very_old_requests_leave_the_counts_right() {
        let mut pressure = Pressure::new(at(0));
        pressure.change(at(0), 2, true);
        let old = pressure.begin(at(0));
        pressure.exposure(at(600_000), 0, 0, Duration::from_secs(60));
        let young = pressure.begin(at(600_000));
        pressure.end(old, true);
        assert_eq!(pressure.young.total, 1);
        pressure.end(young, true);
        assert_eq!((pressure.young.total, pressure.exposure.young_good), (0, 1));
    }
}

//! What the law does with what it is told, against an origin that is a formula.

use super::*;

const BOUNDS: Bounds = Bounds { min: 3, max: 1_000 };

/// An origin that is always pressed and answers at the rate `throughput(n)`.
struct Bench {
    law: Adaptive,
    exposure: Exposure,
    now: Timestamp,
    good: f64,
}

impl Bench {
    fn new() -> Self {
        let now = Timestamp::default();
        let exposure = Exposure::default();
        Self {
            law: Adaptive::new(BOUNDS, exposure, now),
            exposure,
            now,
            good: 0.0,
        }
    }

    fn run(&mut self, ticks: u32, throughput: impl Fn(f64) -> f64) {
        let tick = Duration::from_millis(50);
        for _ in 0..ticks {
            let n = self.law.current();
            self.now = self.now.plus(tick);
            self.good += throughput(f64::from(n)) * tick.as_secs_f64();
            let area = tick.as_nanos() as u64 * u64::from(n);
            self.exposure.pressed += tick;
            self.exposure.area += area;
            self.exposure.young_area += area;
            self.exposure.good = self.good as u64;
            self.exposure.pressed_good = self.exposure.good;
            self.exposure.young_good = self.exposure.good;
            self.exposure.in_flight = n;
            self.law.tick(self.exposure, self.now);
        }
    }
}

/// Best at 80 at once.
fn usual(n: f64) -> f64 {
    10.0 * n.min(80.0) * (80.0 / n.max(80.0))
}

#[test]
fn the_knee_is_found_and_kept() {
    let mut bench = Bench::new();
    bench.run(1_200, usual);
    let limit = bench.law.current();
    assert!((55..=110).contains(&limit), "{limit}");
}

#[test]
fn a_saved_limit_is_gone_on_from() {
    let mut bench = Bench::new();
    bench.law.restore(80);
    assert_eq!(
        (bench.law.current(), bench.law.starting(), bench.law.moved()),
        (80, false, Moved::Restored)
    );
    for _ in 0..40 {
        bench.run(10, usual);
        let limit = bench.law.current();
        assert!((55..=110).contains(&limit), "{limit}");
    }
}

#[test]
fn a_saved_limit_stays_within_todays_bounds() {
    for (saved, expected) in [(0, 3), (80, 80), (5_000, 1_000)] {
        let mut law = Bench::new().law;
        law.restore(saved);
        assert_eq!(law.current(), expected);
    }
}

#[test]
fn a_foreign_clamp_teaches_nothing() {
    let mut bench = Bench::new();
    bench.run(1_200, usual);
    let before = bench.law.clone();
    bench.law.clamped(true);
    // Under the clamp all looks as if more bought nothing at all.
    bench.run(1_200, |_| 20.0);
    assert_eq!(bench.law.current(), before.current());
    assert_eq!(bench.law.moved(), before.moved());
    bench.law.clamped(false);
    bench.run(200, usual);
    let limit = bench.law.current();
    assert!((55..=110).contains(&limit), "{limit}");
}

#[test]
fn a_clamp_does_not_hide_errors() {
    let mut bench = Bench::new();
    bench.run(1_200, usual);
    let before = bench.law.learned();
    bench.law.clamped(true);
    bench.exposure.failed += 1_000;
    bench.run(1, usual);
    assert_eq!(bench.law.moved(), Moved::Congested);
    assert!(bench.law.learned() < before);
}

#[test]
fn what_is_doubted_is_learned_anew_within_seconds() {
    let mut bench = Bench::new();
    bench.run(1_200, usual);
    bench.law.unsure();
    bench.run(400, |n| usual(4.0 * n) / 4.0);
    let limit = bench.law.current();
    assert!((10..=32).contains(&limit), "{limit} where 20 is best");
}

#[test]
fn a_loss_that_is_seen_and_then_told_is_given_once() {
    let mut bench = Bench::new();
    bench.run(1_200, usual);
    let whole = f64::from(bench.law.learned().unwrap());
    let quarter = |n: f64| usual(4.0 * n) / 4.0;
    for _ in 0..200 {
        bench.run(1, quarter);
        if bench.law.moved() == Moved::Lost {
            break;
        }
    }
    let seen = f64::from(bench.law.learned().unwrap());
    assert!(seen < 0.7 * whole, "{seen} after {whole}");
    bench.law.scale(0.25);
    let told = f64::from(bench.law.learned().unwrap());
    assert!(
        (0.2..0.3).contains(&(told / whole)),
        "{told} of {whole}, {seen} in between"
    );
}

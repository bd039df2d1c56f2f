//! When they come: a Poisson process of a curve's rate, the same for the same seed.
//!
//! Exact, by inversion: a process of rate one is stretched by the curve's
//! integral, so no arrival is thinned out or rounded to a tick.

use std::time::Duration;

use super::curve::Curve;
use crate::dice::Dice;

/// The planned instants of one group, from the run's begin, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Arrivals {
    curve: Curve,
    lasts: Duration,
    dice: Dice,
    /// Which stretch of the curve the last arrival lies in.
    stretch: usize,
    /// How many come in that stretch before the last arrival, on average.
    spent: f64,
}

impl Arrivals {
    /// Those of `curve` before `lasts`.
    pub(crate) const fn new(curve: Curve, lasts: Duration, dice: Dice) -> Self {
        Self {
            curve,
            lasts,
            dice,
            stretch: 0,
            spent: 0.0,
        }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.spent += self.dice.exponential();
        let mut stretch = self.curve.stretch(self.stretch)?;
        while self.spent > stretch.total() {
            self.spent -= stretch.total();
            self.stretch += 1;
            stretch = self.curve.stretch(self.stretch)?;
        }
        let planned = stretch.begins + Duration::from_secs_f64(stretch.seconds_to(self.spent));
        (planned < self.lasts).then_some(planned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::curve::{Point, Step};

    const LASTS: Duration = Duration::from_secs(100);

    fn arrivals(curve: Curve, seed: u64) -> Vec<Duration> {
        Arrivals::new(curve, LASTS, Dice::new(seed)).collect()
    }

    fn rising() -> Curve {
        let point = |seconds, rate| Point {
            at: Duration::from_secs(seconds),
            rate,
        };
        Curve::new(vec![
            point(0, 0.0),
            point(50, 200.0),
            point(50, 20.0),
            point(200, 20.0),
        ])
        .unwrap()
    }

    #[test]
    fn as_many_come_in_every_part_as_the_curve_says() {
        let all = arrivals(rising(), 1);
        assert!(all.windows(2).all(|pair| pair[0] <= pair[1]));
        for (from, to) in [(0, 10), (10, 25), (25, 50), (50, 100)] {
            let (from, to) = (Duration::from_secs(from), Duration::from_secs(to));
            let came = all.iter().filter(|at| (from..to).contains(at)).count() as f64;
            let expected = rising().total(to) - rising().total(from);
            let error = (came - expected) / expected.sqrt();
            assert!(error.abs() < 4.0, "{from:?}: {came} for {expected}");
        }
    }

    #[test]
    fn gaps_at_one_rate_vary_as_those_of_people_do() {
        let all = arrivals(Curve::steady(100.0, LASTS), 2);
        let gaps: Vec<_> = all
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_secs_f64())
            .collect();
        let count = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / count;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
        assert!(
            (variance.sqrt() / mean - 1.0).abs() < 0.05,
            "coefficient of variation one"
        );
    }

    #[test]
    fn nobody_comes_at_rate_zero_and_the_seed_decides_the_rest() {
        let step = |seconds, rate| Step {
            lasts: Duration::from_secs(seconds),
            rate,
        };
        let pause = Curve::steps(&[step(10, 5.0), step(10, 0.0), step(10, 5.0)]);
        let all = arrivals(pause.clone(), 3);
        let (from, to) = (Duration::from_secs(10), Duration::from_secs(20));
        assert!(all.iter().all(|at| !(from..to).contains(at)));
        assert!(all.iter().any(|at| *at >= to));
        assert_eq!(all, arrivals(pause.clone(), 3));
        assert_ne!(all, arrivals(pause, 4));
        assert_eq!(arrivals(Curve::steps(&[]), 1), []);
    }
}

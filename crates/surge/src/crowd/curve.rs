//! How many come per second, over time: straight lines between points.
//!
//! Two points at one instant are a step. Before the first point and after the
//! last nobody comes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Most points of one curve.
pub const POINTS_MAX: usize = 10_000;

/// Highest rate, per second.
pub const RATE_MAX: f64 = 1_000_000.0;

/// A rate at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Since the begin of the run.
    pub at: Duration,
    /// Per second.
    pub rate: f64,
}

/// A stretch of time with one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// How long it lasts.
    pub lasts: Duration,
    /// Per second.
    pub rate: f64,
}

/// A rate over time. Written as `[["0s", 10], ["30s", 50]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Written>", into = "Vec<Written>")]
pub struct Curve(Vec<Point>);

/// Why points are no curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotACurve {
    /// One point says nothing about what comes after it.
    #[error("a curve has at least two points")]
    TooFew,
    /// More than [`POINTS_MAX`].
    #[error("a curve has at most 10000 points")]
    TooMany,
    /// A point lies before the one that is written before it.
    #[error("the points of a curve follow one another in time")]
    Backwards,
    /// Negative, above [`RATE_MAX`], or no number.
    #[error("a rate is 0 or more a second, and at most a million")]
    Rate,
}

/// A point as it stands in a file.
#[derive(Clone, Serialize, Deserialize)]
struct Written(#[serde(with = "crate::span")] Duration, f64);

impl TryFrom<Vec<Written>> for Curve {
    type Error = NotACurve;

    fn try_from(written: Vec<Written>) -> Result<Self, NotACurve> {
        let points = written
            .into_iter()
            .map(|Written(at, rate)| Point { at, rate });
        Self::new(points.collect())
    }
}

impl From<Curve> for Vec<Written> {
    fn from(curve: Curve) -> Self {
        let points = curve.0.into_iter();
        points.map(|point| Written(point.at, point.rate)).collect()
    }
}

impl Curve {
    /// The curve through `points`.
    ///
    /// # Errors
    /// Says which rule they break.
    pub fn new(points: Vec<Point>) -> Result<Self, NotACurve> {
        match points.len() {
            0 | 1 => return Err(NotACurve::TooFew),
            count if count > POINTS_MAX => return Err(NotACurve::TooMany),
            _ => {}
        }
        if points.windows(2).any(|pair| pair[1].at < pair[0].at) {
            return Err(NotACurve::Backwards);
        }
        let possible = |point: &Point| (0.0..=RATE_MAX).contains(&point.rate);
        if !points.iter().all(possible) {
            return Err(NotACurve::Rate);
        }
        Ok(Self(points))
    }

    /// One rate for `lasts`. What is no rate is taken for the nearest that is one.
    #[must_use]
    pub fn steady(rate: f64, lasts: Duration) -> Self {
        Self::steps(&[Step { lasts, rate }])
    }

    /// One rate after the other. What is no rate is taken for the nearest that is one.
    #[must_use]
    pub fn steps(steps: &[Step]) -> Self {
        let mut points = Vec::with_capacity(2 * steps.len());
        let mut at = Duration::ZERO;
        for step in steps {
            let rate = possible(step.rate);
            points.push(Point { at, rate });
            at += step.lasts;
            points.push(Point { at, rate });
        }
        Self(points)
    }

    /// The points, in time.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    /// When the last point is.
    #[must_use]
    pub fn ends(&self) -> Duration {
        self.0.last().map_or(Duration::ZERO, |point| point.at)
    }

    /// The rate at `at`; at a step, that after it.
    #[must_use]
    pub fn rate_at(&self, at: Duration) -> f64 {
        let after = self.0.partition_point(|point| point.at <= at);
        match (self.0.get(after.wrapping_sub(1)), self.0.get(after)) {
            (Some(from), Some(to)) => {
                Stretch::new(*from, *to).rate_after((at - from.at).as_secs_f64())
            }
            // At the very end, the rate that it ends with.
            (Some(last), None) if last.at == at => last.rate,
            _ => 0.0,
        }
    }

    /// The same shape, `factor` times as high.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let scaled = |point: &Point| Point {
            rate: possible(point.rate * factor),
            ..*point
        };
        Self(self.0.iter().map(scaled).collect())
    }

    /// How many come up to `until`, on average.
    #[must_use]
    pub fn total(&self, until: Duration) -> f64 {
        let come = |stretch: Stretch| {
            let seconds = until.saturating_sub(stretch.begins).as_secs_f64();
            stretch.total_after(seconds.min(stretch.seconds))
        };
        self.stretches().map(come).sum()
    }

    /// From point to point.
    pub(super) fn stretches(&self) -> impl Iterator<Item = Stretch> {
        self.0.windows(2).map(|pair| Stretch::new(pair[0], pair[1]))
    }

    /// The stretch after the `index`-th point.
    pub(super) fn stretch(&self, index: usize) -> Option<Stretch> {
        Some(Stretch::new(*self.0.get(index)?, *self.0.get(index + 1)?))
    }
}

/// The nearest rate to `rate` that is one.
const fn possible(rate: f64) -> f64 {
    // Also what is no number: `max` takes the other.
    rate.max(0.0).min(RATE_MAX)
}

/// The straight line between two points.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) begins: Duration,
    seconds: f64,
    rate: f64,
    /// By how much the rate grows, per second.
    slope: f64,
}

impl Stretch {
    fn new(from: Point, to: Point) -> Self {
        let seconds = (to.at - from.at).as_secs_f64();
        let slope = if seconds > 0.0 {
            (to.rate - from.rate) / seconds
        } else {
            0.0
        };
        Self {
            begins: from.at,
            seconds,
            rate: from.rate,
            slope,
        }
    }

    fn rate_after(&self, seconds: f64) -> f64 {
        self.rate + self.slope * seconds
    }

    /// How many come in its first `seconds`: the line's integral.
    fn total_after(&self, seconds: f64) -> f64 {
        seconds * (self.rate + self.slope * seconds / 2.0)
    }

    /// How many come in all of it.
    pub(super) fn total(&self) -> f64 {
        self.total_after(self.seconds)
    }

    /// After how many seconds `total` have come: the integral, inverted.
    pub(super) fn seconds_to(&self, total: f64) -> f64 {
        // The root of slope/2 s² + rate s - total, in the form that does not cancel and
        // that holds for a level line as well.
        let root = (self.rate * self.rate + 2.0 * self.slope * total)
            .max(0.0)
            .sqrt();
        let seconds = 2.0 * total / (self.rate + root);
        if seconds.is_finite() {
            seconds.min(self.seconds)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn curve(points: &[(u64, f64)]) -> Result<Curve, NotACurve> {
        let point = |(seconds, rate): &(u64, f64)| Point {
            at: at(*seconds),
            rate: *rate,
        };
        Curve::new(points.iter().map(point).collect())
    }

    #[test]
    fn the_rate_is_a_straight_line_between_points_and_zero_outside() {
        let curve = curve(&[(10, 0.0), (20, 10.0), (20, 40.0), (30, 40.0)]).unwrap();
        for (seconds, rate, total) in [
            (0, 0.0, 0.0),
            (10, 0.0, 0.0),
            (15, 5.0, 12.5),
            (20, 40.0, 50.0),
            (25, 40.0, 250.0),
            (30, 40.0, 450.0),
            (31, 0.0, 450.0),
        ] {
            assert_eq!(curve.rate_at(at(seconds)), rate, "{seconds} s");
            assert_eq!(curve.total(at(seconds)), total, "{seconds} s");
        }
        assert_eq!(curve.scaled(0.5).total(at(60)), 225.0);
    }

    #[test]
    fn the_instant_at_which_so_many_have_come_is_the_integral_inverted() {
        for (from, to) in [(5.0, 5.0), (0.0, 10.0), (10.0, 0.0), (3.0, 90.0)] {
            let curve = curve(&[(0, from), (7, to)]).unwrap();
            let stretch = curve.stretch(0).unwrap();
            for share in [0.0, 0.001, 0.4, 0.999, 1.0] {
                let total = share * stretch.total();
                let back = stretch.total_after(stretch.seconds_to(total));
                assert!(
                    (back - total).abs() < 1e-6,
                    "{from} to {to}: {total} {back}"
                );
            }
        }
    }

    #[test]
    fn points_that_are_no_curve_are_refused_and_read_from_a_file_alike() {
        assert_eq!(curve(&[(0, 1.0)]), Err(NotACurve::TooFew));
        assert_eq!(curve(&[(2, 1.0), (1, 1.0)]), Err(NotACurve::Backwards));
        for rate in [-1.0, f64::NAN, f64::INFINITY, 2e6] {
            assert_eq!(curve(&[(0, 1.0), (1, rate)]), Err(NotACurve::Rate));
        }
        let read: Curve = serde_json::from_str(r#"[["0s", 10], ["90s", 50.5]]"#).unwrap();
        assert_eq!(read, curve(&[(0, 10.0), (90, 50.5)]).unwrap());
        let wrong = serde_json::from_str::<Curve>(r#"[["9s", 1], ["8s", 1]]"#).unwrap_err();
        assert!(wrong.to_string().contains("follow one another"), "{wrong}");
    }
}

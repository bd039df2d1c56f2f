//! Axes: from figures to places in a plot, and the few round figures to write beside it.

use super::text::number;

/// How figures become heights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Axis {
    /// From 0 to `top`.
    Linear {
        /// A round figure at or above every value.
        top: f64,
        /// Between two figures beside the plot.
        step: f64,
    },
    /// Powers of ten, in microseconds.
    Times {
        /// Exponent at the bottom.
        from: i32,
        /// Exponent at the top.
        to: i32,
    },
}

impl Axis {
    /// An axis from 0 that holds `highest`.
    pub(super) fn linear(highest: f64) -> Self {
        let step = step(highest.max(1.0) / 4.0);
        let top = (highest.max(1.0) / step - 1e-9).ceil() * step;
        Self::Linear { top, step }
    }

    /// An axis of times that holds `lowest` to `highest`, of at least two powers of ten.
    pub(super) fn times(lowest: f64, highest: f64) -> Self {
        let from = lowest.max(1.0).log10().floor() as i32;
        let to = highest.max(1.0).log10().ceil() as i32;
        Self::Times {
            from,
            to: to.max(from + 2),
        }
    }

    /// Height of `value` as a share of the plot's, from the bottom.
    pub(super) fn height(self, value: f64) -> f64 {
        let share = match self {
            Self::Linear { top, .. } => value / top,
            Self::Times { from, to } => {
                (value.max(1.0).log10() - f64::from(from)) / f64::from(to - from)
            }
        };
        share.clamp(0.0, 1.0)
    }

    /// The figures beside the plot, and what is written.
    pub(super) fn ticks(self) -> Vec<(f64, String)> {
        match self {
            Self::Linear { top, step } => {
                let count = (top / step).round() as u32;
                let ticks = (0..=count).map(|tick| f64::from(tick) * step);
                ticks.map(|value| (value, number(value))).collect()
            }
            Self::Times { from, to } => {
                let ticks = (from..=to).map(|exponent| 10_f64.powi(exponent));
                ticks.map(|value| (value, power(value))).collect()
            }
        }
    }
}

/// Whole seconds between two figures under the plot.
pub(super) fn seconds_step(lasts: u64) -> u64 {
    let steps = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600];
    let fits = |step: &u64| lasts / step <= 6;
    steps.into_iter().find(fits).unwrap_or(900)
}

/// The next of 1, 2, 5 and their tenfolds.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let found = steps.into_iter().find(|step| *step >= least * (1.0 - 1e-9));
    found.unwrap_or(10.0 * power)
}

/// A power of ten of microseconds.
fn power(micros: f64) -> String {
    if micros < 1e3 {
        format!("{micros} µs")
    } else if micros < 1e6 {
        format!("{} ms", micros / 1e3)
    } else {
        format!("{} s", micros / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(axis: Axis) -> Vec<String> {
        axis.ticks()
            .into_iter()
            .map(|(_value, text)| text)
            .collect()
    }

    #[test]
    fn an_axis_holds_its_highest_value_and_is_written_in_round_figures() {
        for (highest, ticks) in [
            (0.0, vec!["0", "0.5", "1"]),
            (3.0, vec!["0", "1", "2", "3"]),
            (199.0, vec!["0", "50", "100", "150", "200"]),
            (200.0, vec!["0", "50", "100", "150", "200"]),
            (4_210.0, vec!["0", "2,000", "4,000", "6,000"]),
        ] {
            let axis = Axis::linear(highest);
            assert_eq!(written(axis), ticks, "{highest}");
            assert!(axis.height(highest) <= 1.0 && axis.height(0.0) == 0.0);
        }
    }

    #[test]
    fn times_are_shown_by_powers_of_ten() {
        let axis = Axis::times(4_200.0, 2_300_000.0);
        assert_eq!(written(axis), ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(
            (axis.height(1e3), axis.height(1e5), axis.height(1e7)),
            (0.0, 0.5, 1.0)
        );
        assert_eq!(
            written(Axis::times(5_000.0, 6_000.0)),
            ["1 ms", "10 ms", "100 ms"]
        );
    }
}

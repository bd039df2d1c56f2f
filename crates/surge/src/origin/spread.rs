//! How unequal the work of requests is around its mean.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::dice::Dice;

/// The largest Pareto work as a multiple of the smallest. Without an end, one request
/// could occupy the origin for longer than any run.
const PARETO_RANGE: f64 = 1_000.0;

/// The distribution of work around its mean. Each has mean 1.
///
/// Web work is heavy-tailed: M. Harchol-Balter, *Performance Modeling and Design of
/// Computer Systems* (2013), chapter 20.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Spread {
    /// Exponential: standard deviation as large as the mean.
    #[default]
    Exponential,
    /// Log-normal.
    Lognormal {
        /// Standard deviation ÷ mean, more than 0.
        cv: f64,
    },
    /// Pareto, cut off where work is a thousand times the smallest.
    Pareto {
        /// Tail exponent `α`, more than 0; the smaller, the heavier.
        alpha: f64,
    },
    /// Every request the mean.
    Fixed,
}

impl Spread {
    /// One request's work, as a multiple of the mean.
    pub(crate) fn draw(self, dice: &mut Dice) -> f64 {
        match self {
            Self::Exponential => dice.exponential(),
            Self::Lognormal { cv } => {
                let variance = (1.0 + cv * cv).ln();
                (variance.sqrt() * normal(dice) - variance / 2.0).exp()
            }
            Self::Pareto { alpha } => {
                let cut = 1.0 - PARETO_RANGE.powf(-alpha);
                (1.0 - dice.unit() * cut).powf(-1.0 / alpha) / pareto_mean(alpha)
            }
            Self::Fixed => 1.0,
        }
    }

    /// What is wrong with its number, if anything.
    pub(crate) fn problem(self) -> Option<&'static str> {
        let (number, problem) = match self {
            Self::Lognormal { cv } => (cv, "spread.lognormal.cv is more than 0, at most 100"),
            Self::Pareto { alpha } => (alpha, "spread.pareto.alpha is more than 0, at most 100"),
            Self::Exponential | Self::Fixed => return None,
        };
        (!(number > 0.0 && number <= 100.0)).then_some(problem)
    }
}

/// Mean of the Pareto distribution on `[1, PARETO_RANGE]`.
fn pareto_mean(alpha: f64) -> f64 {
    let cut = 1.0 - PARETO_RANGE.powf(-alpha);
    if (alpha - 1.0).abs() < 1e-9 {
        return PARETO_RANGE.ln() / cut;
    }
    alpha / (alpha - 1.0) * (1.0 - PARETO_RANGE.powf(1.0 - alpha)) / cut
}

/// A standard normal number (Box and Muller 1958).
fn normal(dice: &mut Dice) -> f64 {
    let length = (2.0 * dice.exponential()).sqrt();
    length * (TAU * dice.unit()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spread_has_mean_one_and_the_deviation_it_says() {
        for (spread, deviation, tolerance) in [
            (Spread::Exponential, 1.0, 0.02),
            (Spread::Lognormal { cv: 2.0 }, 2.0, 0.1),
            // Second moment of the cut-off distribution, by integration.
            (Spread::Pareto { alpha: 2.5 }, 0.85, 0.1),
            (Spread::Fixed, 0.0, 0.0),
        ] {
            let mut dice = Dice::new(3);
            let drawn: Vec<f64> = (0..200_000).map(|_| spread.draw(&mut dice)).collect();
            let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
            let variance =
                drawn.iter().map(|work| (work - mean).powi(2)).sum::<f64>() / drawn.len() as f64;
            assert!((mean - 1.0).abs() < 0.015, "{spread:?}: mean {mean}");
            let off = (variance.sqrt() - deviation).abs();
            assert!(
                off <= tolerance,
                "{spread:?}: deviation {}",
                variance.sqrt()
            );
        }
    }

    #[test]
    fn a_pareto_tail_ends_a_thousand_times_above_its_beginning() {
        for alpha in [0.9, 1.0, 1.1, 1.5] {
            let spread = Spread::Pareto { alpha };
            let mut dice = Dice::new(5);
            let drawn: Vec<f64> = (0..100_000).map(|_| spread.draw(&mut dice)).collect();
            let least = drawn.iter().copied().fold(f64::MAX, f64::min);
            let most = drawn.iter().copied().fold(0.0, f64::max);
            assert!(
                (900.0..=1_001.0).contains(&(most / least)) || alpha > 1.1,
                "{alpha}"
            );
            assert!(most / least <= 1_001.0, "{alpha}: {}", most / least);
        }
    }
}

//! A figure over the rounds: its median, and how far the rounds lie apart.

use serde::{Deserialize, Serialize};

/// Median, lowest and highest of what the rounds gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The middle value, or the mean of the two in the middle.
    pub median: f64,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

impl Spread {
    /// Of `values`; none of none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<_> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (&lowest, &highest) = (sorted.first()?, sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self {
            median,
            lowest,
            highest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_the_middle_and_nothing_has_none() {
        for (values, expected) in [
            (vec![], None),
            (vec![4.0], Some((4.0, 4.0, 4.0))),
            (vec![9.0, 1.0], Some((5.0, 1.0, 9.0))),
            (vec![7.0, 100.0, -1.0], Some((7.0, -1.0, 100.0))),
        ] {
            let spread = Spread::of(values.clone());
            let found = spread.map(|spread| (spread.median, spread.lowest, spread.highest));
            assert_eq!(found, expected, "{values:?}");
        }
    }
}

//! Time in line: how long people waited, who was overtaken, and whether they
//! had been told the truth.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::tally::{Line, Told};

/// Somebody who joined so much earlier than another should have got in before.
const OVERTAKING: Duration = Duration::from_secs(5);

/// Times in line above this are written down as this.
const WAIT_MAX_MS: u64 = 24 * 3_600 * 1_000;

/// Errors above this, in thousandths, are written down as this.
const ERROR_MAX: u64 = 1_000_000;

/// Shortest wait by which an error is measured, in milliseconds: a browser asks no oftener.
const WAIT_MIN_MS: u64 = 1_000;

/// How long the wait was said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// Likely (the median).
    pub(crate) likely: Duration,
    /// Hardly more than (the 90th percentile).
    pub(crate) hardly_more: Duration,
}

/// One visitor's time in line, at its end inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    /// When the visitor joined, from the run's begin.
    pub(crate) joined: Duration,
    /// When the visitor got in.
    pub(crate) entered: Duration,
    /// The first time told, and when.
    pub(crate) told: Option<(Duration, Estimate)>,
}

/// All of them, in the order in which they got in, and who is still in line.
#[derive(Debug)]
pub(crate) struct Waits {
    millis: Histogram<u64>,
    error: Histogram<u64>,
    below: u64,
    /// When those who are in line joined, and how many at that instant.
    line: BTreeMap<Duration, u32>,
    /// The last to join of those who got in.
    youngest: Duration,
    overtaken: u64,
    overtaking_max: Duration,
}

impl Waits {
    pub(crate) fn new() -> Self {
        let histogram = |max| {
            Histogram::new_with_bounds(1, max, 2)
                .expect("1 and far more are bounds to count within")
        };
        Self {
            millis: histogram(WAIT_MAX_MS),
            error: histogram(ERROR_MAX),
            below: 0,
            line: BTreeMap::new(),
            youngest: Duration::ZERO,
            overtaken: 0,
            overtaking_max: Duration::ZERO,
        }
    }

    /// Somebody joined.
    pub(crate) fn join(&mut self, joined: Duration) {
        *self.line.entry(joined).or_default() += 1;
    }

    /// Somebody who had joined at `joined` left without getting in.
    pub(crate) fn leave(&mut self, joined: Duration) {
        self.stand_no_more(joined);
        self.overtake(joined);
    }

    /// Somebody got in.
    pub(crate) fn note(&mut self, wait: &Wait) {
        self.millis
            .saturating_record(millis(wait.entered.saturating_sub(wait.joined)));
        self.stand_no_more(wait.joined);
        self.overtake(wait.joined);
        self.youngest = self.youngest.max(wait.joined);
        if let Some((at, estimate)) = wait.told {
            let waited = millis(wait.entered.saturating_sub(at));
            let wrong_by = waited.abs_diff(millis(estimate.likely));
            self.error
                .saturating_record(1_000 * wrong_by / waited.max(WAIT_MIN_MS));
            self.below += u64::from(waited <= millis(estimate.hardly_more));
        }
    }

    /// Whoever joined at `joined` was overtaken, if one who joined much later is in already.
    fn overtake(&mut self, joined: Duration) {
        let ahead = self.youngest.saturating_sub(joined);
        if ahead > OVERTAKING {
            self.overtaken += 1;
            self.overtaking_max = self.overtaking_max.max(ahead);
        }
    }

    fn stand_no_more(&mut self, joined: Duration) {
        if let Some(standing) = self.line.get_mut(&joined) {
            *standing -= 1;
            if *standing == 0 {
                self.line.remove(&joined);
            }
        }
    }

    /// Fills in what is known here; the rest stands as it is. Who still stands in line may
    /// have been overtaken too: else a room that never lets the first ones in would look fair.
    pub(crate) fn fill(&self, line: &mut Line) {
        let before = self.youngest.saturating_sub(OVERTAKING);
        let standing = self.line.range(..before);
        line.overtaken = self.overtaken + standing.map(|(_, many)| u64::from(*many)).sum::<u64>();
        let longest = self.line.range(..before).next();
        let longest = longest.map_or(Duration::ZERO, |(joined, _)| self.youngest - *joined);
        line.overtaking_max_ms = millis(self.overtaking_max.max(longest));
        line.wait_p50_ms = self.millis.value_at_quantile(0.5);
        line.wait_p90_ms = self.millis.value_at_quantile(0.9);
        line.wait_max_ms = self.millis.max();
        let count = self.error.len();
        line.told = Told {
            count,
            median_error_permille: self.error.value_at_quantile(0.5),
            below_p90_permille: (1_000 * self.below).checked_div(count).unwrap_or(0),
        };
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Joined, entered, and what was told on joining, all in seconds.
    type Case = (u64, u64, Option<(u64, u64)>);

    fn line(cases: &[Case]) -> Line {
        let mut waits = Waits::new();
        for (joined, entered, told) in cases {
            let joined = Duration::from_secs(*joined);
            let estimate = told.map(|(likely, hardly_more)| Estimate {
                likely: Duration::from_secs(likely),
                hardly_more: Duration::from_secs(hardly_more),
            });
            waits.note(&Wait {
                joined,
                entered: Duration::from_secs(*entered),
                told: estimate.map(|estimate| (joined, estimate)),
            });
        }
        let mut line = Line::default();
        waits.fill(&mut line);
        line
    }

    #[test]
    fn who_gets_in_after_a_much_later_comer_was_overtaken() {
        for (cases, overtaken, by_ms) in [
            (&[(0, 10, None), (1, 11, None), (9, 12, None)][..], 0, 0),
            (&[(5, 10, None), (0, 11, None)], 0, 0),
            (&[(6, 10, None), (0, 11, None)], 1, 6_000),
            (
                &[(20, 21, None), (0, 22, None), (1, 23, None), (19, 24, None)],
                2,
                20_000,
            ),
        ] {
            let line = line(cases);
            assert_eq!((line.overtaken, line.overtaking_max_ms), (overtaken, by_ms));
        }
    }

    #[test]
    fn who_never_gets_in_can_be_overtaken_too() {
        let at = Duration::from_secs;
        let mut waits = Waits::new();
        // The last in line is let in first; the two at the front are not.
        for joined in [0, 0, 1, 9, 20] {
            waits.join(at(joined));
        }
        waits.note(&Wait {
            joined: at(20),
            entered: at(21),
            told: None,
        });
        let mut line = Line::default();
        waits.fill(&mut line);
        assert_eq!((line.overtaken, line.overtaking_max_ms), (4, 20_000));
        // Leaving makes it no better, and it is counted once.
        waits.leave(at(0));
        waits.fill(&mut line);
        assert_eq!((line.overtaken, line.overtaking_max_ms), (4, 20_000));
    }

    #[test]
    fn who_leaves_a_fair_line_was_overtaken_by_nobody() {
        let at = Duration::from_secs;
        let mut waits = Waits::new();
        for joined in [0, 10, 20] {
            waits.join(at(joined));
        }
        waits.note(&Wait {
            joined: at(0),
            entered: at(30),
            told: None,
        });
        waits.leave(at(10));
        let mut line = Line::default();
        waits.fill(&mut line);
        assert_eq!(line.overtaken, 0);
    }

    #[test]
    fn what_was_told_is_held_against_the_true_time() {
        let line = line(&[
            (0, 10, Some((10, 15))),
            (0, 20, Some((10, 15))),
            (0, 40, Some((30, 50))),
            (0, 40, None),
        ]);
        let told = Told {
            count: 3,
            median_error_permille: 250,
            below_p90_permille: 666,
        };
        // Two digits are kept.
        assert!(
            line.told.median_error_permille.abs_diff(250) <= 2,
            "{line:?}"
        );
        assert_eq!(
            (line.told.count, line.told.below_p90_permille),
            (told.count, told.below_p90_permille)
        );
        assert!(line.wait_max_ms.abs_diff(40_000) < 500);
    }

    #[test]
    fn nobody_in_line_is_no_error() {
        assert_eq!(line(&[]), Line::default());
    }
}

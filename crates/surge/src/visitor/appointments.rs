//! When the waiting page's script asks next: the arithmetic of the page's own.
//!
//! It keeps to what the room says, a little early; after failures it waits longer
//! and longer, and a little late.

use crate::dice::Dice;

/// From "your turn" to the reload that goes in, in seconds; the page says first that it leaves.
pub(super) const LEAVES_AFTER: f64 = 3.0;

/// Where the room names no time, in seconds.
const UNSAID: f64 = 5.0;

/// Longest wait after failures, in seconds.
const FAILED_MAX: f64 = 60.0;

/// Seconds from the page to the script's first question.
pub(super) fn first(counting: bool, poll: Option<f64>, dice: &mut Dice) -> f64 {
    if counting {
        // The second contact makes the place count.
        0.3 + dice.unit()
    } else {
        poll.unwrap_or(UNSAID).max(1.0)
    }
}

/// Seconds from an answer to the next question.
pub(super) fn next(poll_after: Option<f64>, dice: &mut Dice) -> f64 {
    let asked = poll_after.filter(|seconds| *seconds > 0.0);
    asked.unwrap_or(UNSAID).max(1.0) * (1.0 - dice.unit() / 20.0)
}

/// Seconds to the next question after so many failures in a row.
pub(super) fn after_failure(failures: u32, retry_after: Option<f64>, dice: &mut Dice) -> f64 {
    let doubled = 2_f64.powi(failures.min(10).cast_signed()).min(FAILED_MAX);
    retry_after.unwrap_or(0.0).max(doubled) * (1.0 + dice.unit() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least and the most of many throws.
    fn range(mut throw: impl FnMut(&mut Dice) -> f64) -> (f64, f64) {
        let mut dice = Dice::new(1);
        let throws = (0..1_000).map(|_| throw(&mut dice));
        throws.fold((f64::MAX, 0.0), |(least, most), seconds| {
            (least.min(seconds), most.max(seconds))
        })
    }

    #[test]
    fn appointments_are_those_of_the_page() {
        type Throw = fn(&mut Dice) -> f64;
        let cases: [(Throw, f64, f64); 7] = [
            (|dice| first(true, Some(9.0), dice), 0.3, 1.3),
            (|dice| first(false, Some(9.0), dice), 9.0, 9.0),
            (|dice| next(Some(20.0), dice), 19.0, 20.0),
            (|dice| next(Some(0.2), dice), 0.95, 1.0),
            (|dice| next(None, dice), 4.75, 5.0),
            (|dice| after_failure(1, Some(10.0), dice), 10.0, 15.0),
            (|dice| after_failure(9, None, dice), 60.0, 90.0),
        ];
        for (case, (throw, low, high)) in cases.into_iter().enumerate() {
            let (least, most) = range(throw);
            assert!(
                low <= least && most <= high,
                "case {case}: {least} to {most}"
            );
            assert!(
                most - least >= 0.9 * (high - low),
                "case {case}: {least} to {most}"
            );
        }
    }
}

//! Goodput: what was done in time, of what could have been done of what was wanted.

use std::ops::Range;

use crate::report::Moment;
use crate::tally::Second;

/// What could have been done in each second: no more than the peak, no more than is
/// wanted newly or was still wanted at the end of the second before.
///
/// Of the latter, `at_work` are no arrears: an origin that keeps up with everything has
/// some of it in its hands at any instant, at its best so many, and they are done in the
/// next second while as many others are begun.
pub(super) fn possible(origin: &[Moment], crowd: &[Second], at_work: u64) -> Vec<f64> {
    let mut arrears = 0;
    let possible = origin.iter().zip(crowd).map(|(moment, second)| {
        let wanted = second.wanted + arrears;
        arrears = second.outstanding.saturating_sub(at_work);
        moment.peak.min(wanted as f64)
    });
    possible.collect()
}

/// Over the seconds `from` up to and without `to`; none where nothing could be done.
pub(super) fn between(
    origin: &[Moment],
    crowd: &[Second],
    at_work: u64,
    seconds: Range<usize>,
) -> Option<f64> {
    let possible = possible(origin, crowd, at_work);
    let to = seconds.end.min(possible.len());
    let from = seconds.start.min(to);
    let done: u64 = origin[from..to].iter().map(|moment| moment.in_time).sum();
    let possible: f64 = possible[from..to].iter().sum();
    (possible > 0.0).then(|| done as f64 / possible)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each second: done in time, peak, wanted anew, outstanding at its end.
    fn run(seconds: &[(u64, f64, u64, u64)], from: usize, to: usize) -> Option<f64> {
        let origin = seconds.iter().map(|&(in_time, peak, ..)| Moment {
            in_time,
            peak,
            ..Moment::default()
        });
        let crowd = seconds.iter().map(|&(_, _, wanted, outstanding)| Second {
            wanted,
            outstanding,
            ..Second::default()
        });
        let (origin, crowd): (Vec<_>, Vec<_>) = (origin.collect(), crowd.collect());
        between(&origin, &crowd, 5, from..to)
    }

    #[test]
    fn an_origin_that_does_all_that_is_wanted_is_at_one_however_little_that_is() {
        assert_eq!(
            run(&[(10, 100.0, 10, 0), (5, 100.0, 5, 0)], 0, 9),
            Some(1.0)
        );
    }

    #[test]
    fn what_is_in_its_hands_at_the_end_of_a_second_is_no_arrears() {
        let calm = [(45, 100.0, 50, 5), (50, 100.0, 50, 5), (50, 100.0, 50, 5)];
        assert_eq!(run(&calm, 0, 9), Some(145.0 / 150.0));
        assert_eq!(run(&calm, 1, 9), Some(1.0));
    }

    #[test]
    fn what_was_still_wanted_can_be_done_in_the_next_second() {
        // 305 want at once; 100 a second is all that can be, and 5 are at work.
        let night = [
            (100, 100.0, 305, 205),
            (100, 100.0, 0, 105),
            (0, 100.0, 0, 105),
        ];
        assert_eq!(run(&night, 0, 2), Some(1.0));
        assert_eq!(run(&night, 0, 3), Some(200.0 / 300.0));
        assert_eq!(run(&night, 2, 3), Some(0.0));
    }

    #[test]
    fn a_dead_origin_owes_nothing_and_half_of_one_owes_half() {
        let night = [(50, 50.0, 200, 150), (0, 0.0, 10, 160)];
        assert_eq!(run(&night, 0, 2), Some(1.0));
        assert_eq!(run(&night, 1, 2), None);
        assert_eq!(run(&[], 0, 5), None);
    }
}

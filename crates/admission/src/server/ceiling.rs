//! What the servers of an origin allow at most, beside what was learned: their own word, and half
//! of what was good before they were all gone.

use core::time::Duration;

/// How long a hint holds.
pub const HINT_KEPT: Duration = Duration::from_secs(10);

/// How long the whole limit takes to come back after an origin was down.
const RECOVERY: Duration = Duration::from_secs(10);

/// The ceiling of an origin of whose live servers some gave a hint: their sum, and for those that
/// are silent as much as for the others. `None`: nobody gave one.
#[must_use]
pub fn hinted(hints: impl IntoIterator<Item = Option<u32>>) -> Option<u32> {
    let (mut sum, mut known, mut all) = (0_u64, 0_u64, 0_u64);
    for hint in hints {
        all += 1;
        if let Some(hint) = hint {
            known += 1;
            sum += u64::from(hint);
        }
    }
    let whole = (sum * all).checked_div(known)?;
    Some(u32::try_from(whole).unwrap_or(u32::MAX))
}

/// The ceiling for so long after an origin came back whose limit was `good` before: it begins
/// with half, so that the origin is not killed again, and is gone after ten seconds.
#[must_use]
pub fn recovering(good: u32, back_for: Duration) -> Option<u32> {
    if back_for >= RECOVERY {
        return None;
    }
    let half = good / 2;
    let grown = u128::from(good - half) * back_for.as_millis() / RECOVERY.as_millis();
    let grown = u32::try_from(grown).unwrap_or(u32::MAX);
    Some(half.saturating_add(grown).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_add_up_and_the_silent_count_like_the_others() {
        type Hints = &'static [Option<u32>];
        for (hints, expected) in [
            (&[] as Hints, None),
            (&[None, None], None),
            (&[Some(40)], Some(40)),
            (&[Some(40), Some(20)], Some(60)),
            (&[Some(40), None, None, None], Some(160)),
            (&[Some(0), Some(0)], Some(0)),
            (&[Some(u32::MAX), Some(u32::MAX)], Some(u32::MAX)),
        ] {
            assert_eq!(hinted(hints.iter().copied()), expected, "{hints:?}");
        }
    }

    #[test]
    fn recovery_begins_with_half_of_what_was_good() {
        for (good, millis, expected) in [
            (100, 0, Some(50)),
            (100, 5_000, Some(75)),
            (100, 9_999, Some(99)),
            (100, 10_000, None),
            (1, 0, Some(1)),
            (0, 0, Some(1)),
        ] {
            let seen = recovering(good, Duration::from_millis(millis));
            assert_eq!(seen, expected, "{good} after {millis} ms");
        }
    }
}

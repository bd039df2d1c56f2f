//! When keys change: the newest signs for a while, the older ones verify for as long as anything
//! that they signed can be worth something, and then go.
//!
//! Keys are named here by the time since which each signed, the newest first; a key stopped
//! signing when the next newer one began.

use core::time::Duration;

use crate::credential::AGE_MAX;
use crate::time::WallTime;

/// Keys that are alive at the same time. With one of them new each [`PERIOD_MIN`] all of the
/// others are still needed.
pub const KEYS_MAX: usize = 8;

/// The shortest time between two changes by the clock.
pub const PERIOD_MIN: Duration = Duration::from_secs(5 * 24 * 3_600);

/// So long after a key signed for the last time it verifies. Nothing is opened [`AGE_MAX`] after
/// it was last of use, and a ticket is of use until its next poll: that is the day.
pub const KEPT: Duration = AGE_MAX.saturating_add(Duration::from_secs(24 * 3_600));

/// How many of the keys, counted from the newest, are still needed; at most [`KEYS_MAX`].
#[must_use]
pub fn needed(since: &[WallTime], now: WallTime) -> usize {
    let older = since
        .iter()
        .skip(1)
        .zip(since)
        .take_while(|(_, ended)| now.saturating_since(**ended) <= KEPT)
        .count();
    (older + since.len().min(1)).min(KEYS_MAX)
}

/// Whether a new key is to sign from `now` on: the newest has signed for `period`, and there is
/// room for one more. `None`: keys change by command only.
#[must_use]
pub fn is_due(since: &[WallTime], period: Option<Duration>, now: WallTime) -> bool {
    let (Some(newest), Some(period)) = (since.first(), period) else {
        return false;
    };
    now.saturating_since(*newest) >= period && needed(since, now) < KEYS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const DAY: u64 = 24 * 3_600 * 1_000;
    const PERIOD: Option<Duration> = Some(Duration::from_secs(30 * 24 * 3_600));

    fn days(of: &[u64]) -> Vec<WallTime> {
        let times = of.iter().map(|day| WallTime::from_millis(day * DAY));
        times.collect()
    }

    #[test]
    fn an_older_key_goes_when_nothing_that_it_signed_is_opened_any_more() {
        for (since, now, expected) in [
            (&[][..], 5, 0),
            (&[0], 1_000, 1),
            (&[100, 0], 100, 2),
            (&[100, 0], 132, 2),
            (&[100, 0], 133, 1),
            // The middle one signed until day 110, the oldest until day 100.
            (&[110, 100, 0], 133, 2),
            // A clock that went back ends nothing.
            (&[100, 0], 90, 2),
            (&[20, 19, 18, 17, 16, 15, 14, 13, 12, 11], 21, KEYS_MAX),
        ] {
            let found = needed(&days(since), WallTime::from_millis(now * DAY));
            assert_eq!(found, expected, "since {since:?}, day {now}");
        }
    }

    #[test]
    fn a_new_key_signs_after_the_period_when_there_is_room_for_it() {
        for (since, period, now, expected) in [
            (&[0][..], PERIOD, 29, false),
            (&[0], PERIOD, 30, true),
            (&[0], None, 3_000, false),
            (&[], PERIOD, 30, false),
            (&[100], PERIOD, 90, false),
            // Eight are needed until the oldest has not signed for 32 days.
            (&[8, 7, 6, 5, 4, 3, 2, 1], Some(PERIOD_MIN), 34, false),
            (&[8, 7, 6, 5, 4, 3, 2, 1], Some(PERIOD_MIN), 35, true),
        ] {
            let now = WallTime::from_millis(now * DAY);
            assert_eq!(is_due(&days(since), period, now), expected, "{since:?}");
        }
    }

    #[test]
    fn at_the_shortest_period_a_new_key_never_waits_for_an_old_one() {
        let mut since = days(&[0]);
        for turn in 1..40 {
            let now = WallTime::default().plus(PERIOD_MIN * turn);
            assert!(is_due(&since, Some(PERIOD_MIN), now), "turn {turn}");
            since.truncate(needed(&since, now));
            since.insert(0, now);
        }
    }
}

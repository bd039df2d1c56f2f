//! Those who came for their turn and found no token: they enter first, in order of arrival.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::time::WallTime;
use crate::watermark::Place;

/// At most so many are remembered; beyond it they still enter, in the order in which they ask.
pub(super) const PRESENT_MAX: usize = 65_536;

/// Who was not seen for so long (two of their polls and a slow network) no longer holds others.
const AWAY: Duration = Duration::from_secs(3);

/// Called visitors who wait for a token.
#[derive(Debug, Default)]
pub(super) struct Present {
    /// By place, then id; when each was seen last.
    seen: BTreeMap<(Place, u64), WallTime>,
}

impl Present {
    /// Somebody asked for a token and got none.
    pub(super) fn note(&mut self, who: (Place, u64), now: WallTime) {
        if self.seen.len() < PRESENT_MAX || self.seen.contains_key(&who) {
            self.seen.insert(who, now);
        }
        debug_assert!(self.seen.len() <= PRESENT_MAX, "a bounded list");
    }

    /// Somebody entered.
    pub(super) fn remove(&mut self, who: (Place, u64)) {
        self.seen.remove(&who);
    }

    /// How many are before `who`, counted no further than `most`.
    pub(super) fn before(&self, who: (Place, u64), most: u64) -> u64 {
        self.seen.range(..who).zip(0..most).count() as u64
    }

    /// Forgets those who are away.
    pub(super) fn sweep(&mut self, now: WallTime) {
        self.seen
            .retain(|_, seen| now.saturating_since(*seen) <= AWAY);
    }

    pub(super) fn len(&self) -> u64 {
        self.seen.len() as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// The place of the first.
    pub(super) fn first(&self) -> Option<Place> {
        self.seen.keys().next().map(|(place, _)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn who(second: u64, id: u64) -> (Place, u64) {
        (Place::start_of(second), id)
    }

    #[test]
    fn those_before_are_counted_in_order_of_arrival() {
        let mut present = Present::default();
        for (second, id) in [(3, 1), (1, 2), (2, 3)] {
            present.note(who(second, id), WallTime::default());
        }
        assert_eq!(present.first(), Some(Place::start_of(1)));
        for (asking, most, expected) in [
            (who(1, 2), 9, 0),
            (who(2, 3), 9, 1),
            (who(9, 9), 9, 3),
            (who(9, 9), 2, 2),
        ] {
            assert_eq!(present.before(asking, most), expected);
        }
    }

    #[test]
    fn who_went_away_holds_nobody_up() {
        let (mut present, start) = (Present::default(), WallTime::default());
        present.note(who(1, 1), start);
        present.note(who(2, 2), start.plus(SECOND * 2));
        present.sweep(start.plus(SECOND * 4));
        assert_eq!(
            (present.len(), present.first()),
            (1, Some(Place::start_of(2)))
        );
    }

    #[test]
    fn the_list_is_bounded() {
        let mut present = Present::default();
        for id in 0..PRESENT_MAX as u64 + 10 {
            present.note(who(1, id), WallTime::default());
        }
        assert_eq!(present.len(), PRESENT_MAX as u64);
    }
}

//! Those who came for their turn and found no token: they enter first, in order of arrival.
//!
//! A token that comes free is set aside for the first of them, by name, until they ask again; so
//! nobody who stands behind and asks in between can take it. Who stands before and asks now can.

use alloc::collections::BTreeMap;
use core::ops::Bound;
use core::time::Duration;

use crate::time::WallTime;
use crate::watermark::Place;

/// At most so many are remembered; beyond it they still enter, in the order in which they ask.
pub(super) const PRESENT_MAX: usize = 65_536;

/// Who did not ask for so long no longer holds others, and loses a token that was set aside, but
/// not the place. The page says for three seconds that it goes in before it does: a second try
/// comes after a little more than that.
const AWAY: Duration = Duration::from_secs(4);

/// A visitor: the place, and the ticket's id.
pub(super) type Who = (Place, u64);

/// Called visitors who came, and when each was seen last.
#[derive(Debug, Default)]
pub(super) struct Present {
    waiting: BTreeMap<Who, WallTime>,
    /// Whose token somebody took who stands before: the next ones are theirs, for good.
    owed: BTreeMap<Who, WallTime>,
    served: BTreeMap<Who, Served>,
}

/// A token that is set aside.
#[derive(Clone, Copy, Debug)]
struct Served {
    seen: WallTime,
    /// Nobody may take it over.
    firm: bool,
}

impl Present {
    /// Somebody asked for a token and got none.
    pub(super) fn note(&mut self, who: Who, now: WallTime) {
        if let Some(seen) = self.owed.get_mut(&who) {
            *seen = now;
        } else if self.waiting() < PRESENT_MAX as u64 || self.waiting.contains_key(&who) {
            self.waiting.insert(who, now);
        }
        debug_assert!(self.waiting() <= PRESENT_MAX as u64, "a bounded list");
    }

    /// The first who waits has a token set aside.
    pub(super) fn serve(&mut self) {
        let firm = !self.owed.is_empty();
        let next = self.owed.pop_first().or_else(|| self.waiting.pop_first());
        if let Some((who, seen)) = next {
            self.served.insert(who, Served { seen, firm });
        }
    }

    /// Somebody comes for a token that was set aside; false when there is none.
    pub(super) fn redeem(&mut self, who: Who) -> bool {
        self.served.remove(&who).is_some()
    }

    /// Somebody who is here now takes the token of the last who stands behind and is not, and who
    /// is served again before others; false when there is none. Nobody gives way twice.
    pub(super) fn take_over(&mut self, who: Who) -> bool {
        let behind = self.served.range((Bound::Excluded(who), Bound::Unbounded));
        let Some((&last, &Served { seen, .. })) = behind.rev().find(|(_, served)| !served.firm)
        else {
            return false;
        };
        self.served.remove(&last);
        self.owed.insert(last, seen);
        true
    }

    /// Somebody entered.
    pub(super) fn remove(&mut self, who: Who) {
        self.waiting.remove(&who);
        self.owed.remove(&who);
    }

    /// Whether nobody who waits for a token was there before.
    pub(super) fn is_first(&self, who: Who) -> bool {
        let next = self.owed.keys().next().or(self.waiting.keys().next());
        next.is_none_or(|first| *first >= who)
    }

    /// Forgets those who are away; says for how many of them a token was set aside.
    pub(super) fn sweep(&mut self, now: WallTime) -> usize {
        let here = |seen: WallTime| now.saturating_since(seen) <= AWAY;
        let before = self.served.len();
        self.waiting.retain(|_, seen| here(*seen));
        self.owed.retain(|_, seen| here(*seen));
        self.served.retain(|_, served| here(served.seen));
        before - self.served.len()
    }

    /// How many wait for a token.
    pub(super) fn waiting(&self) -> u64 {
        (self.waiting.len() + self.owed.len()) as u64
    }

    /// For how many a token is set aside.
    pub(super) fn served(&self) -> u64 {
        self.served.len() as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting() == 0 && self.served.is_empty()
    }

    /// The place of the first who waits.
    pub(super) fn first(&self) -> Option<Place> {
        let waiting = self.waiting.keys().next();
        let owed = self.owed.keys().next();
        waiting
            .into_iter()
            .chain(owed)
            .min()
            .map(|(place, _)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn who(second: u64, id: u64) -> Who {
        (Place::start_of(second), id)
    }

    #[test]
    fn a_token_set_aside_is_for_the_first_and_nobody_else() {
        let mut present = Present::default();
        for (second, id) in [(3, 1), (1, 2), (2, 3)] {
            present.note(who(second, id), WallTime::default());
        }
        assert!(present.is_first(who(1, 2)));
        assert!(!present.is_first(who(2, 3)));
        present.serve();
        assert!(present.is_first(who(2, 3)));
        assert!(!present.redeem(who(2, 3)));
        assert!(present.redeem(who(1, 2)));
        assert!(!present.redeem(who(1, 2)), "once");
    }

    #[test]
    fn who_went_away_holds_nobody_up() {
        let (mut present, start) = (Present::default(), WallTime::default());
        present.note(who(1, 1), start);
        present.serve();
        present.note(who(2, 2), start);
        present.note(who(3, 3), start.plus(SECOND * 2));
        assert_eq!(present.sweep(start.plus(SECOND * 4)), 0, "on the way");
        assert_eq!(
            present.sweep(start.plus(SECOND * 5)),
            1,
            "its token is free again"
        );
        assert_eq!((present.waiting(), present.served()), (1, 0));
        assert_eq!(present.first(), Some(Place::start_of(3)));
    }

    #[test]
    fn who_stands_before_takes_the_token_of_somebody_behind_who_is_not_here() {
        let mut present = Present::default();
        for id in [2, 3] {
            present.note(who(id, id), WallTime::default());
            present.serve();
        }
        assert!(!present.take_over(who(4, 4)), "nobody stands behind");
        assert!(present.take_over(who(1, 1)));
        assert_eq!((present.served(), present.waiting()), (1, 1));
        assert!(present.redeem(who(2, 2)), "the last one gave way");
        present.note(who(0, 5), WallTime::default());
        present.serve();
        assert!(!present.take_over(who(0, 6)), "nobody gives way twice");
        assert!(present.redeem(who(3, 3)), "and is served next");
    }

    #[test]
    fn the_list_is_bounded() {
        let mut present = Present::default();
        for id in 0..PRESENT_MAX as u64 + 10 {
            present.note(who(1, id), WallTime::default());
        }
        assert_eq!(present.waiting(), PRESENT_MAX as u64);
    }
}

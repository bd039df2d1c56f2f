//! Those who are here: on a poll that is held until their turn, or come for their turn and waiting
//! for a token. They enter first, in order of place.
//!
//! A token is promised to the first of them, by name; so nobody who stands behind and asks in
//! between can take it. Who stands before and asks now can. Who was told and does not come loses the
//! promise, but not the place: the turn stays, and nobody is kept waiting for it.

use alloc::collections::BTreeMap;
use core::ops::Bound;
use core::time::Duration;

use super::HALF;
use crate::estimate::{Finite, Ratio};
use crate::inlet::{Credit, RESERVE};
use crate::time::WallTime;
use crate::watermark::Place;

/// At most so many are remembered in each list; beyond it they still enter, in the order in which
/// they ask.
pub(super) const PRESENT_MAX: usize = 65_536;

/// A network, and a page that is busy, make an answer so late at most.
pub(super) const LATE: Duration = Duration::from_millis(2_500);

/// Who was told that the turn has come is waited for so long: the page says for three seconds that
/// it goes in before it does.
pub(super) const COMING: Duration = Duration::from_millis(5_500);

/// How fast the share of those who come is forgotten.
const COME_HALF: Duration = Duration::from_secs(30);

/// So often the time without another promise grows fourfold.
const LAPSES_MOST: u32 = 3;

/// A visitor: the place, and the ticket's id.
pub(super) type Who = (Place, u64);

/// Who is here, and until when that is believed.
#[derive(Debug)]
pub(super) struct Present {
    /// Not called yet, on a poll that is held.
    held: BTreeMap<Who, WallTime>,
    /// Called, and waiting for a token.
    waiting: BTreeMap<Who, WallTime>,
    /// Whose token somebody took who stands before: the next ones are theirs, for good.
    owed: BTreeMap<Who, Served>,
    served: BTreeMap<Who, Served>,
    /// Who did not come for a token, until when none is promised again.
    lapsed: BTreeMap<Who, Lapsed>,
    /// The share of those who were promised a token and came for it.
    come: Ratio,
}

impl Default for Present {
    fn default() -> Self {
        Self {
            held: BTreeMap::new(),
            waiting: BTreeMap::new(),
            owed: BTreeMap::new(),
            served: BTreeMap::new(),
            lapsed: BTreeMap::new(),
            come: Ratio::new(Finite::new(1.0)),
        }
    }
}

/// Somebody did not come for a token.
#[derive(Clone, Copy, Debug)]
struct Lapsed {
    until: WallTime,
    times: u32,
}

/// A token that is promised.
#[derive(Clone, Copy, Debug)]
struct Served {
    /// From when on it is there.
    due: WallTime,
    /// Until when the visitor is waited for.
    until: WallTime,
    /// The visitor was told.
    told: bool,
    /// Nobody may take it over.
    firm: bool,
}

impl Present {
    /// Somebody is on a poll that is held, and is not called yet.
    pub(super) fn hold(&mut self, who: Who, until: WallTime) {
        insert(&mut self.held, who, until);
    }

    /// Everybody who is held and called is here for the turn.
    pub(super) fn call(&mut self, called: Place) {
        while let Some(entry) = self.held.first_entry()
            && entry.key().0 <= called
        {
            let (who, until) = entry.remove_entry();
            insert(&mut self.waiting, who, until);
        }
    }

    /// Somebody who is called asked for a token and got none.
    pub(super) fn note(&mut self, who: Who, until: WallTime) {
        self.held.remove(&who);
        if let Some(owed) = self.owed.get_mut(&who) {
            owed.until = until;
        } else if let Some(served) = self.served.get_mut(&who) {
            served.until = served.until.max(until);
        } else {
            insert(&mut self.waiting, who, until);
        }
        debug_assert!(self.waiting.len() <= PRESENT_MAX, "a bounded list");
    }

    /// The first who waits is promised a token that is there at `due`.
    pub(super) fn serve(&mut self, now: WallTime, due: WallTime) {
        if let Some((who, owed)) = self.owed.pop_first() {
            let served = Served {
                due: owed.due.min(due),
                firm: true,
                ..owed
            };
            self.served.insert(who, served);
        } else if let Some((who, until)) = self.waiting.pop_first() {
            let served = Served {
                due,
                until: until.max(now.plus(LATE)),
                told: false,
                firm: false,
            };
            self.served.insert(who, served);
        }
    }

    /// Somebody is told that the turn has come, when a token is promised.
    pub(super) fn tell(&mut self, who: Who, now: WallTime) -> bool {
        let Some(served) = self.served.get_mut(&who) else {
            return false;
        };
        if !served.told {
            (served.told, served.until) = (true, now.plus(COMING));
        }
        true
    }

    /// Whether this visitor is here and waits for a token.
    pub(super) fn waits(&self, who: Who) -> bool {
        self.waiting.contains_key(&who) || self.owed.contains_key(&who)
    }

    /// Whether this visitor is here, with a token or without.
    pub(super) fn knows(&self, who: Who) -> bool {
        self.waits(who) || self.is_served(who)
    }

    /// Whether a token is promised to this visitor.
    pub(super) fn is_served(&self, who: Who) -> bool {
        self.served.contains_key(&who)
    }

    /// Whether the token that is promised to this visitor is to be there now. Who comes a little
    /// early takes one of the reserve.
    pub(super) fn is_due(&self, who: Who, now: WallTime) -> bool {
        let served = self.served.get(&who);
        served.is_some_and(|served| served.due <= now.plus(RESERVE))
    }

    /// How many stand before this visitor and were promised a token; at most `most` are counted.
    pub(super) fn before(&self, who: Who, most: u64) -> u64 {
        let before = self.served.range(..who);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        before.take(most).count() as u64
    }

    /// Somebody came for a token that was not there.
    pub(super) fn miss(&mut self, who: Who, now: WallTime) {
        if let Some(served) = self.served.get_mut(&who) {
            served.until = now.plus(COMING);
        }
    }

    /// Whether this visitor did not come for a token: the turn stays, without a promise.
    pub(super) fn has_lapsed(&self, who: Who, now: WallTime) -> bool {
        self.lapsed
            .get(&who)
            .is_some_and(|lapsed| lapsed.until >= now)
    }

    /// Somebody who is here now and stands before others to whom a token is promised steps in: the
    /// last of them who was not told gives way, and is served again before others. False when there
    /// is none; nobody gives way twice.
    pub(super) fn step_in(&mut self, who: Who, now: WallTime) -> bool {
        let mut behind = self.served.range((Bound::Excluded(who), Bound::Unbounded));
        let Some(due) = behind.clone().next().map(|(_, next)| next.due) else {
            return false;
        };
        let Some(last) = behind.rfind(|(_, served)| !served.firm && !served.told) else {
            return false;
        };
        let (last, owed) = (*last.0, *last.1);
        self.served.remove(&last);
        self.owed.insert(last, owed);
        let served = Served {
            due,
            until: now.plus(COMING),
            told: false,
            firm: false,
        };
        self.waiting.remove(&who);
        self.served.insert(who, served);
        true
    }

    /// Somebody entered.
    pub(super) fn remove(&mut self, who: Who) {
        self.held.remove(&who);
        self.waiting.remove(&who);
        self.owed.remove(&who);
        if self.served.remove(&who).is_some() {
            self.come.count(1);
            self.come.hit(1);
        }
        self.lapsed.remove(&who);
    }

    /// Whether nobody who is here for a token was there before.
    pub(super) fn is_first(&self, who: Who) -> bool {
        let next = self.owed.keys().next().or(self.waiting.keys().next());
        next.is_none_or(|first| *first >= who)
    }

    /// Forgets those who are away. Who did not come for a token is promised none again for `call`,
    /// and for longer each time; says how many did not.
    pub(super) fn sweep(&mut self, now: WallTime, call: Duration, span: Duration) -> u64 {
        let here = |until: WallTime| until >= now;
        let mut away = 0;
        for (who, served) in &self.served {
            if here(served.until) {
                continue;
            }
            away += 1;
            let times = self.lapsed.get(who).map_or(0, |lapsed| lapsed.times);
            let until = now.plus(call.saturating_mul(1 << (2 * times)));
            let lapsed = Lapsed {
                until,
                times: (times + 1).min(LAPSES_MOST),
            };
            insert(&mut self.lapsed, *who, lapsed);
        }
        self.come.forget(span, COME_HALF);
        self.come.count(away);
        self.held.retain(|_, until| here(*until));
        self.waiting.retain(|_, until| here(*until));
        self.owed.retain(|_, owed| here(owed.until));
        self.served.retain(|_, served| here(served.until));
        // For some time it is known how often.
        self.lapsed
            .retain(|_, lapsed| here(lapsed.until.plus(call * 2)));
        away
    }

    /// How many wait for a token.
    pub(super) fn waiting(&self) -> u64 {
        (self.waiting.len() + self.owed.len()) as u64
    }

    /// How many were promised a token.
    pub(super) fn served(&self) -> u64 {
        self.served.len() as u64
    }

    /// How many of them will come for it, if as many do as lately: the tokens of the others are
    /// promised to somebody else, or they would be lost.
    pub(super) fn coming(&self) -> u64 {
        let served = Credit::from_whole(self.served());
        served.milli(self.come.milli()).plus(HALF).whole()
    }

    /// Nobody is here for a token.
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

    /// Who was told that the turn has come, and has not come for it yet.
    pub(super) fn told(&self) -> impl Iterator<Item = Who> {
        let told = self.served.iter().filter(|(_, served)| served.told);
        told.map(|(who, _)| *who)
    }

    /// Somebody was told by an earlier process that the turn has come: it has, and nobody takes
    /// it over.
    pub(super) fn resume(&mut self, who: Who, now: WallTime) {
        let served = Served {
            due: now,
            until: now.plus(COMING).plus(LATE),
            told: true,
            firm: true,
        };
        insert(&mut self.served, who, served);
    }
}

/// Into a bounded list.
fn insert<T>(list: &mut BTreeMap<Who, T>, who: Who, entry: T) {
    if list.len() < PRESENT_MAX || list.contains_key(&who) {
        list.insert(who, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const START: WallTime = WallTime::from_millis(0);

    fn who(second: u64, id: u64) -> Who {
        (Place::start_of(second), id)
    }

    fn soon() -> WallTime {
        START.plus(SECOND * 4)
    }

    #[test]
    fn a_token_is_promised_to_the_first_and_nobody_else() {
        let mut present = Present::default();
        for (second, id) in [(3, 1), (1, 2), (2, 3)] {
            present.note(who(second, id), soon());
        }
        assert!(present.is_first(who(1, 2)));
        assert!(!present.is_first(who(2, 3)));
        for _ in 0..2 {
            assert!(!present.is_served(who(2, 3)));
            present.serve(START, START.plus(SECOND));
        }
        assert!(present.is_first(who(3, 1)) && !present.is_served(who(3, 1)));
        assert_eq!(present.before(who(2, 3), 9), 1);
        assert!(!present.is_due(who(2, 3), START));
        assert!(present.is_due(who(2, 3), START.plus(SECOND)));
        present.remove(who(1, 2));
        assert!(!present.is_served(who(1, 2)), "once");
    }

    #[test]
    fn who_is_held_is_here_when_called() {
        let mut present = Present::default();
        for second in [3, 1, 2] {
            present.hold(who(second, second), soon());
        }
        assert!(present.is_empty());
        present.call(Place::start_of(2));
        assert_eq!((present.waiting(), present.held.len()), (2, 1));
        assert_eq!(present.first(), Some(Place::start_of(1)));
    }

    #[test]
    fn who_went_away_holds_nobody_up() {
        let mut present = Present::default();
        present.note(who(1, 1), START);
        present.serve(START, START);
        present.note(who(2, 2), START);
        present.note(who(3, 3), soon());
        let _away = present.sweep(START.plus(SECOND * 2), SECOND, SECOND);
        assert_eq!(present.served(), 1, "on the way");
        let _away = present.sweep(soon(), SECOND, SECOND);
        assert_eq!(present.served(), 0, "its token is free");
        assert_eq!((present.waiting(), present.served()), (1, 0));
        assert_eq!(present.first(), Some(Place::start_of(3)));
    }

    #[test]
    fn who_was_told_and_does_not_come_is_promised_nothing_for_a_while() {
        let (mut present, call) = (Present::default(), SECOND * 120);
        present.note(who(1, 1), START);
        present.serve(START, START);
        assert!(present.tell(who(1, 1), START));
        for told_again in 1..6 {
            present.tell(who(1, 1), START.plus(SECOND * told_again));
        }
        let _away = present.sweep(START.plus(COMING), call, SECOND);
        assert_eq!(present.served(), 1);
        let _away = present.sweep(START.plus(COMING + SECOND), call, SECOND);
        assert!(present.has_lapsed(who(1, 1), START) && present.is_empty());
        let _away = present.sweep(START.plus(COMING + SECOND * 2 + call), call, SECOND);
        let later = START.plus(COMING + SECOND * 2 + call);
        assert!(!present.has_lapsed(who(1, 1), later));
        present.note(who(1, 1), later);
        present.serve(later, later);
        let _away = present.sweep(later.plus(SECOND * 6), call, SECOND);
        assert!(
            present.has_lapsed(who(1, 1), later.plus(call * 3)),
            "longer"
        );
    }

    #[test]
    fn who_stands_before_takes_the_token_of_somebody_behind_who_is_not_here() {
        let mut present = Present::default();
        for id in [2, 3] {
            present.note(who(id, id), soon());
            present.serve(START, START);
        }
        assert!(!present.step_in(who(4, 4), START), "nobody stands behind");
        assert!(present.step_in(who(1, 1), START));
        assert!(present.is_due(who(1, 1), START));
        assert!(present.waits(who(3, 3)), "the last one gave way");
        present.remove(who(1, 1));
        present.note(who(0, 5), soon());
        present.serve(START, START);
        assert!(present.is_served(who(3, 3)), "and is served next");
        assert!(present.tell(who(2, 2), START));
        assert!(
            !present.step_in(who(0, 6), START),
            "one was told, one gave way"
        );
    }

    #[test]
    fn of_those_who_were_promised_a_token_so_many_are_expected_as_came_lately() {
        let mut present = Present::default();
        for id in 0..40 {
            present.note(who(1, id), START);
            present.serve(START, START);
        }
        assert_eq!(present.coming(), 40, "nobody knows better");
        (0..20).for_each(|id| present.remove(who(1, id)));
        let away = present.sweep(soon(), SECOND, SECOND);
        assert_eq!((away, present.served()), (20, 0));
        for id in 0..40 {
            present.note(who(2, id), soon());
            present.serve(soon(), soon());
        }
        assert!((19..=22).contains(&present.coming()), "one in two");
    }

    #[test]
    fn the_lists_are_bounded() {
        let mut present = Present::default();
        for id in 0..PRESENT_MAX as u64 + 10 {
            present.note(who(1, id), soon());
            present.hold(who(2, id), soon());
        }
        assert_eq!(present.waiting(), PRESENT_MAX as u64);
        present.call(Place::start_of(9));
        assert_eq!(
            (present.waiting(), present.held.len()),
            (PRESENT_MAX as u64, 0)
        );
    }
}

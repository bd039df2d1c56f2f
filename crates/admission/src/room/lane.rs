//! The lane of those whom the operator invited. It takes tokens as they are earned, at most its
//! share of them while anybody else waits, so nobody's place in line changes and the line moves at
//! worst by that share more slowly; what the invited do not use, the line has.
//!
//! An invitation is rare and issued by hand, so unlike the line the lane may know who is in it.

use alloc::collections::BTreeMap;
use core::time::Duration;

use super::present::Who;
use super::recent::Recent;
use super::turn::CLAIM;
use super::{Asked, Mode, Room, Told, Turn, TurnState};
use crate::inlet::{Credit, Inlet, PROMISE};
use crate::ticket::Ticket;
use crate::time::WallTime;
use crate::watermark::Place;

/// So many invited visitors are known at once; further ones still enter, in the order in which
/// they ask.
pub(super) const LANE_MAX: usize = 4_096;
/// Who asked within this is here: the front of the lane asks every second.
const HERE: Duration = Duration::from_millis(2_500);
/// Who did not ask for so long after the appointment is gone.
const GONE: Duration = Duration::from_secs(75);
/// No more of the share is saved up than this, as time, or one visitor's.
const SAVED: Duration = Duration::from_secs(1);
/// From this time on the invited ask every second.
const NEAR: Duration = Duration::from_secs(4);
const POLL: Duration = Duration::from_secs(1);
const POLL_MOST: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);

/// The invited who wait.
#[derive(Debug, Default)]
pub(super) struct Lane {
    known: BTreeMap<Who, Seen>,
    /// What the share has earned and not used.
    credit: Credit,
    earned_at: WallTime,
    /// Tokens taken from the inlet, for the first of those who are here.
    tokens: u64,
    /// How many are here, as of the last tick and since.
    here: u64,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: WallTime,
    due: WallTime,
}

impl Lane {
    /// How many are known.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether somebody is here and has no token yet.
    pub(super) const fn is_wanted(&self) -> bool {
        self.tokens < self.here
    }

    /// Takes tokens for those who are here, within the share; without a line everything it can
    /// get.
    pub(super) fn take(&mut self, inlet: &mut Inlet, share: Share, now: WallTime) {
        let span = now.saturating_since(self.earned_at);
        self.earned_at = now;
        let share_of = |span| inlet.pace().over(span).milli(share.milli);
        let most = share_of(SAVED).max(Credit::ONE);
        self.credit = self.credit.plus(share_of(span)).min(most);
        while self.tokens < self.here.min(share.places) {
            if !share.alone && self.credit < Credit::ONE || !inlet.take() {
                break;
            }
            // The line is called for what is left.
            inlet.spend(Credit::ONE);
            self.credit = self.credit.minus(Credit::ONE);
            self.tokens += 1;
        }
    }

    /// How many tokens the lane will take within [`PROMISE`]: they are promised to nobody else.
    pub(super) fn coming(&self, inlet: &Inlet, milli: u32) -> u64 {
        let share = inlet.pace().over(PROMISE).milli(milli).whole() + 1;
        self.here.saturating_sub(self.tokens).min(share)
    }

    /// Gives back what nobody here waits for, and forgets who is gone.
    pub(super) fn sweep(&mut self, inlet: &mut Inlet, now: WallTime) {
        if self.known.is_empty() && self.tokens == 0 {
            return;
        }
        self.known
            .retain(|_, seen| now.saturating_since(seen.due) <= GONE);
        let here = self.known.values().filter(|seen| is_here(seen, now));
        self.here = here.count() as u64;
        while self.tokens > self.here {
            self.tokens -= 1;
            inlet.put_back();
            inlet.give_back(Credit::ONE);
        }
        debug_assert!(self.known.len() <= LANE_MAX, "a bounded lane");
    }

    /// Somebody asks, and is to ask again at `due`.
    fn note(&mut self, who: Who, now: WallTime, due: WallTime) {
        let seen = Seen { at: now, due };
        if self.known.len() >= LANE_MAX && !self.known.contains_key(&who) {
            return;
        }
        let before = self.known.insert(who, seen);
        if !before.is_some_and(|before| is_here(&before, now)) {
            self.here += 1;
        }
    }

    /// How many of the lane stand before.
    fn ahead(&self, who: Who) -> u64 {
        self.known.range(..who).count() as u64
    }

    /// Takes a token, when there is one for this visitor after those before who are here.
    fn redeem(&mut self, who: Who, now: WallTime) -> bool {
        let before = self.known.range(..who).map(|(_, seen)| seen);
        let before = before.filter(|seen| is_here(seen, now)).count() as u64;
        let enough = self.tokens > before;
        self.tokens -= u64::from(enough);
        enough
    }

    fn leave(&mut self, who: Who, now: WallTime) {
        if let Some(seen) = self.known.remove(&who)
            && is_here(&seen, now)
        {
            self.here = self.here.saturating_sub(1);
        }
    }
}

fn is_here(seen: &Seen, now: WallTime) -> bool {
    now.saturating_since(seen.at) <= HERE
}

/// What the lane may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// Thousandths of the tokens.
    milli: u32,
    /// Nobody else waits.
    alone: bool,
    /// Free places inside that nobody else was promised.
    places: u64,
}

impl Room {
    /// Somebody opened an invitation: a place in the lane of the invited. The same `id` is the
    /// same visitor, who gets one pass.
    #[must_use]
    pub fn invite(&self, now: WallTime, id: u64) -> Ticket {
        let now = self.now.max(now);
        Ticket {
            room: self.id,
            id,
            arrived: now,
            confirmed: true,
            due: now.plus(POLL),
            least_ahead: None,
            first_told: None,
            late: false,
            invited: true,
        }
    }

    /// What the lane may take now.
    pub(super) fn share(&self) -> Share {
        let alone = self.line.waiting() < Credit::ONE && self.present.is_empty();
        let places = self.places().map_or(u64::MAX, |places| {
            places.saturating_sub(self.present.served())
        });
        let places = if self.is_shut() { 0 } else { places };
        Share {
            milli: self.settings.invite_milli,
            alone,
            places,
        }
    }

    /// Nobody enters, invited or not.
    fn is_shut(&self) -> bool {
        self.settings.mode.holds() || self.is_before_opening()
    }

    /// An invited visitor comes back; the clock has been touched.
    pub(super) fn poll_invited(&mut self, now: WallTime, ticket: &Ticket) -> Turn {
        let who = whereabouts(ticket);
        if self.claims.knows(Recent::key(ticket.id, CLAIM)) && !self.settings.mode.holds() {
            return Turn::Enter(self.pass(now, ticket.id));
        }
        let free = match self.settings.mode {
            Mode::Off => true,
            Mode::Auto => self.is_free(),
            _ => false,
        };
        if free || self.has_invited_turn(who, now) {
            self.lane.leave(who, now);
            self.claims.note(Recent::key(ticket.id, CLAIM));
            self.inside.enter(now);
            self.admitted += 1;
            self.check();
            return Turn::Enter(self.pass(now, ticket.id));
        }
        let mut kept = *ticket;
        let told = self.tell_invited(now, ticket);
        kept.due = now.plus(told.poll_after);
        kept.least_ahead = told.ahead.or(ticket.least_ahead);
        self.lane.note(who, now, kept.due);
        self.check();
        Turn::Wait(kept, told)
    }

    /// An invited visitor asks how it stands. Unlike in line, whose turn it is is let in by
    /// asking, and gets the pass with the page: there are few of them.
    pub(super) fn ask_invited(&mut self, now: WallTime, ticket: &Ticket) -> Asked {
        let (ticket, told) = match self.poll_invited(now, ticket) {
            Turn::Wait(kept, told) => (kept, told),
            Turn::Enter(_) | Turn::Through => {
                let told = Told {
                    state: TurnState::Called,
                    ahead: Some(0),
                    eta: None,
                    ..self.tell_invited(now, ticket)
                };
                (*ticket, told)
            }
        };
        Asked {
            ticket,
            told,
            hold: None,
        }
    }

    fn has_invited_turn(&mut self, who: Who, now: WallTime) -> bool {
        let share = self.share();
        if share.places == 0 {
            return false;
        }
        // Who comes is here, and may have what is there at once.
        self.lane.note(who, now, now);
        self.lane.take(&mut self.inlet, share, now);
        self.lane.redeem(who, now)
    }

    /// What an invited visitor is told.
    pub(super) fn tell_invited(&self, now: WallTime, ticket: &Ticket) -> Told {
        let state = match self.settings.mode {
            Mode::Off => TurnState::Open,
            Mode::Hold => TurnState::Closed,
            Mode::Maintenance => TurnState::Maintenance,
            _ => TurnState::Queueing,
        };
        let opens_in = self.orders.opening(now);
        let opens_in = opens_in.map(|opens| opens.saturating_since(now));
        let ahead = self.lane.ahead(whereabouts(ticket));
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        let ahead = ticket.least_ahead.map_or(ahead, |least| least.min(ahead));
        let way = (state == TurnState::Queueing && opens_in.is_none())
            .then(|| self.lane_time(ahead))
            .flatten();
        let poll_after = match way {
            Some(way) if way <= NEAR => POLL,
            Some(way) => (way / 2).min(POLL_MOST),
            None => POLL_MOST,
        };
        Told {
            state,
            ahead: (state != TurnState::Open).then_some(ahead),
            eta: way.map(|p50| super::Eta {
                p50,
                p90: p50.saturating_mul(2).saturating_add(SECOND),
            }),
            opens_in,
            poll_after: poll_after.max(self.settings.poll_min),
            reference: ticket.id,
        }
    }

    /// How long the lane takes for so many and one; `None` while nothing moves.
    fn lane_time(&self, ahead: u32) -> Option<Duration> {
        let share = self.share();
        let milli = if share.alone { 1_000 } else { share.milli };
        let second = self.inlet.pace().over(SECOND).milli(milli);
        let wanted = Credit::from_whole(u64::from(ahead) + 1);
        let millis = wanted.as_nano().checked_mul(1_000)? / second.as_nano().max(1);
        (second > Credit::ZERO).then(|| Duration::from_millis(millis))
    }
}

/// By arrival: no draw moves the lane.
fn whereabouts(ticket: &Ticket) -> Who {
    (Place::of(ticket.arrived, ticket.id), ticket.id)
}

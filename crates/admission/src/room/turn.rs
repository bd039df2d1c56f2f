//! The verbs of a visit: arriving, coming back, entering, going on, leaving.

use core::time::Duration;

use super::present::{COMING, Who};
use super::recent::Recent;
use super::{InletRule, Mode, Room, State, Told, Turn, TurnState};
use crate::inlet::{Credit, PROMISE};
use crate::pass::Pass;
use crate::quota::ClientKey;
use crate::ticket::Ticket;
use crate::time::WallTime;

/// What a ticket is noted under when it is claimed; due epochs are far below.
pub(super) const CLAIM: u64 = u64::MAX;
/// What a ticket is noted under when it comes back for the first time.
const FIRST: u64 = u64::MAX - 1;

impl Room {
    /// Somebody without a credential. `id` is fresh randomness.
    pub fn arrive(&mut self, now: WallTime, id: u64) -> Turn {
        self.come(now, id, false)
    }

    /// The same, of a client: in an event's pre-queue it takes part in the draw with so many
    /// tickets as the event allows, and with further ones stands behind.
    pub fn arrive_from(&mut self, now: WallTime, id: u64, client: ClientKey) -> Turn {
        let late = self.is_beyond_share(now, client);
        self.come(now, id, late)
    }

    fn come(&mut self, now: WallTime, id: u64, late: bool) -> Turn {
        let now = self.touch(now);
        let through = match self.settings.mode {
            Mode::Off => true,
            Mode::Hold | Mode::Maintenance | Mode::QueueAll => false,
            Mode::Auto => self.lets_through(now),
        };
        if through {
            if self.settings.active.is_some() {
                self.inside.let_through(now);
            }
            self.check();
            return Turn::Through;
        }
        let (ticket, told) = self.issue(now, id, late);
        Turn::Wait(ticket, told)
    }

    /// The inner layers shed this stranger: a place in line, and a sign of pressure.
    pub fn shed(&mut self, now: WallTime, id: u64) -> (Ticket, Told) {
        let now = self.touch(now);
        if self.settings.mode == Mode::Auto {
            // It was let through before, and now comes to wait instead.
            if self.settings.active.is_some() {
                self.inside.turned_back();
            }
            if matches!(self.settings.inlet, InletRule::Rate(_)) {
                self.inlet.put_back();
                self.inlet.give_back(Credit::ONE);
            }
        }
        self.issue(now, id, false)
    }

    /// A pass for somebody whom the room let through; counts as seen once.
    pub fn grant(&mut self, now: WallTime, id: u64) -> Pass {
        let now = self.touch(now);
        if self.settings.active.is_some() {
            self.inside.turned_back();
        }
        self.inside.enter(now);
        self.admitted += 1;
        self.check();
        self.pass(now, id)
    }

    /// A ticket comes back: it is counted, and its holder enters when the turn has come and a
    /// token is there. The same ticket always yields the same pass, and one count.
    pub fn poll(&mut self, now: WallTime, ticket: &Ticket) -> Turn {
        let now = self.touch(now);
        if ticket.invited {
            return self.poll_invited(now, ticket);
        }
        if self.claims.knows(Recent::key(ticket.id, CLAIM)) && !self.settings.mode.holds() {
            return Turn::Enter(self.pass(now, ticket.id));
        }
        if self.is_lost(now, ticket) {
            return self.come(now, ticket.id, ticket.late);
        }
        let place = self.place(ticket);
        let called = self.watermark.calls(place);
        let (free, may_enter) = match self.settings.mode {
            Mode::Off => (true, true),
            Mode::Hold | Mode::Maintenance => (false, false),
            Mode::QueueAll => (false, called),
            Mode::Auto => (self.is_free(), called),
        };
        if free || (may_enter && self.has_turn(now, (place, ticket.id))) {
            return self.enter(now, ticket, free);
        }
        if may_enter {
            self.present.note((place, ticket.id), now.plus(COMING));
        }
        self.keep_waiting(now, ticket, called)
    }

    /// A pass is signed anew. Parallel renewals of one pass move its count once.
    pub fn renew(&mut self, now: WallTime, pass: &Pass) -> Pass {
        let now = self.touch(now);
        let counted = self.inside.renew(pass, now);
        if counted && !pass.confirmed {
            self.auto.came_back(now.saturating_since(pass.seen));
        }
        self.check();
        Pass {
            seen: now,
            confirmed: true,
            ..*pass
        }
    }

    /// The visit is over, as the origin says: its place is free.
    pub fn end(&mut self, pass: &Pass) {
        let _now = self.touch(self.now);
        self.inside.end(pass);
        self.check();
    }

    /// A newcomer passes at once only when that takes nothing from anybody who waits.
    fn lets_through(&mut self, now: WallTime) -> bool {
        let empty = self.line.waiting() < Credit::ONE && self.present.waiting() == 0;
        if !empty || self.is_before_opening() {
            return false;
        }
        // Who was promised a token is on the way.
        let promised = self.present.served();
        let out = self.line.out.whole().max(promised);
        if self.places().is_some_and(|places| places <= out) {
            return false;
        }
        let nobody = self.line.expected(now) < Credit::ONE;
        match self.settings.inlet {
            // A place that is free now is not kept for somebody who may come back with a ticket
            // later. A short queue absorbs a burst; before a long one a line is the better place
            // to wait, from the first one on.
            InletRule::Auto if self.auto.is_probing() => nobody && self.inlet.take(),
            InletRule::Auto => {
                let idle = u64::from(self.idle) > promised;
                self.idle = self.idle.saturating_sub(u32::from(idle));
                idle || (nobody && (!self.auto.is_crowded(self.load) || self.inlet.take()))
            }
            InletRule::Shadow => nobody,
            InletRule::Rate(_) => {
                let tokens = self.inlet.tokens();
                let spare = (nobody && tokens > out) || self.inlet.is_full();
                let through = spare && tokens > promised && self.inlet.take();
                if through {
                    self.inlet.spend(Credit::ONE);
                }
                through
            }
        }
    }

    /// Nobody waits, nothing presses and no number is to be kept: a ticket is not needed.
    pub(super) fn is_free(&self) -> bool {
        self.state() == State::Open && self.settings.is_uncounted()
    }

    /// Whether a called visitor may enter now, and takes the token for it: the one that was
    /// promised, or a free one, when nobody waits who was there before.
    fn has_turn(&mut self, now: WallTime, who: Who) -> bool {
        self.serve(now);
        if self.places() == Some(0) {
            return false;
        }
        let promised = self.present.is_served(who);
        if promised || self.present.step_in(who, now) {
            // Who steps in leaves those who were told what is kept for them.
            let taken = if promised {
                self.redeem(now, who)
            } else {
                self.inlet.take()
            };
            if !taken {
                self.present.miss(who, now);
            }
            return taken;
        }
        let spare = self.inlet.tokens() > self.present.served();
        spare && self.present.is_first(who) && self.inlet.take()
    }

    /// Takes the token that was promised: in time, whoever comes first, for one that is kept for
    /// somebody who came in vain would make everybody behind come in vain, too; earlier, when there
    /// are enough for all before.
    fn redeem(&mut self, now: WallTime, who: Who) -> bool {
        let free = self.inlet.tokens();
        let enough = self.present.is_due(who, now) || self.present.before(who, free) < free;
        enough && self.inlet.redeem()
    }

    /// Promises tokens to those who came for their turn, in order of arrival.
    pub(super) fn serve(&mut self, now: WallTime) {
        while self.present.waiting() > 0 && !self.settings.mode.holds() && self.promise(now) {
            self.present.serve(now, now.plus(PROMISE));
        }
    }

    /// Promises a token, and a place, to one more.
    fn promise(&mut self, now: WallTime) -> bool {
        let promised = self.present.coming();
        let place = |places| promised < places + self.leaving(PROMISE, now);
        let invited = self.lane.coming(&self.inlet, self.settings.invite_milli);
        self.places().is_none_or(place) && self.inlet.promise(promised + invited)
    }

    /// How many visitors will probably leave within `span`.
    pub(super) fn leaving(&self, span: Duration, now: WallTime) -> u64 {
        // Most whose time is over have left without a word; others say so and come as by chance.
        let said = self.pulse.exits.get().milli().saturating_mul(4) / 5;
        let said = said.saturating_mul(span.as_millis() as u64) / 1_000_000;
        self.inside.leaving(now.plus(span)).max(said)
    }

    /// Free places under the cap on visitors inside; `None` without one.
    pub(super) fn places(&self) -> Option<u64> {
        let cap = u64::from(self.settings.active?.get());
        Some(cap.saturating_sub(self.inside.count()))
    }

    fn enter(&mut self, now: WallTime, ticket: &Ticket, free: bool) -> Turn {
        self.claims.note(Recent::key(ticket.id, CLAIM));
        self.accuracy.entered(ticket, now);
        let place = self.place(ticket);
        self.present.remove((place, ticket.id));
        let unpaid = self.line.claim(place, ticket);
        if !free {
            self.inlet.spend(unpaid);
        }
        self.inside.enter(now);
        self.admitted += 1;
        self.claimed += 1;
        self.check();
        Turn::Enter(self.pass(now, ticket.id))
    }

    fn keep_waiting(&mut self, now: WallTime, ticket: &Ticket, called: bool) -> Turn {
        let state = match self.settings.mode {
            Mode::Hold => TurnState::Closed,
            Mode::Maintenance => TurnState::Maintenance,
            _ if called => TurnState::Called,
            _ => TurnState::Queueing,
        };
        let mut kept = Ticket {
            confirmed: true,
            ..*ticket
        };
        let told = self.tell(now, &kept, state);
        kept.due = now.plus(told.poll_after);
        kept.hear(now, &told);
        self.count(now, ticket, kept.due);
        self.check();
        Turn::Wait(kept, told)
    }

    /// Moves the ticket's count to where it is due next, once for each signature.
    pub(super) fn count(&mut self, now: WallTime, ticket: &Ticket, due: WallTime) {
        let (before, after) = (super::bucket::epoch(ticket.due), super::bucket::epoch(due));
        let part = if ticket.confirmed { before } else { FIRST };
        if ticket.confirmed && before == after {
            return;
        }
        if !self.polls.note(Recent::key(ticket.id, part)) {
            self.line.count(self.place(ticket), ticket, due, now);
            // The next ticket is due there, however often it was due there before.
            self.polls.forget(Recent::key(ticket.id, after));
        }
    }

    /// Whether the ticket's count was moved already: it is an older one than its holder has.
    pub(super) fn was_counted(&self, ticket: &Ticket) -> bool {
        let part = if ticket.confirmed {
            super::bucket::epoch(ticket.due)
        } else {
            FIRST
        };
        self.polls.knows(Recent::key(ticket.id, part))
    }

    pub(super) fn issue(&mut self, now: WallTime, id: u64, late: bool) -> (Ticket, Told) {
        // Where the inlet only looks on, who was turned away at the gate comes back a moment later.
        if !(self.settings.inlet == InletRule::Shadow && self.settings.is_uncounted()) {
            self.open(now);
        }
        self.calm_since = now;
        let (room, confirmed, least_ahead) = (self.id, false, None);
        let mut ticket = Ticket {
            room,
            id,
            arrived: now,
            confirmed,
            due: now,
            least_ahead,
            first_told: None,
            late,
            invited: false,
        };
        let called = self.watermark.pending();
        self.orders.join(self.settings.order, called, now);
        self.line.issue(self.place(&ticket));
        let told = self.look(now, &ticket);
        let state = match told.state {
            held @ (TurnState::Closed | TurnState::Maintenance) => held,
            _ => TurnState::Queueing,
        };
        let told = Told {
            state,
            ahead: None,
            ..told
        };
        ticket.due = now.plus(told.poll_after);
        self.check();
        (ticket, told)
    }

    pub(super) const fn pass(&self, now: WallTime, ticket: u64) -> Pass {
        let id = Pass::id_of(ticket);
        Pass {
            room: self.id,
            id,
            began: now,
            seen: now,
            confirmed: false,
        }
    }
}

//! Asking how it stands: counts and confirms, but claims nothing; the page enters by asking for
//! itself again. "Your turn" is told only with a token promised by name, so that it is told once.

use core::time::Duration;

use super::line::GONE_SECONDS;
use super::present::{LATE, Who};
use super::recent::Recent;
use super::turn::CLAIM;
use super::{Mode, Room, State, Told, TurnState};
use crate::ticket::Ticket;
use crate::time::WallTime;

/// How somebody asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Asking {
    /// From a tab that nobody sees: its timers fire once a minute (Chrome, after five minutes in
    /// the background), and it does not enter by itself.
    pub hidden: bool,
    /// The answer may be kept back until it is a better one.
    pub can_wait: bool,
}

/// What somebody who asks is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The place, signed anew; as it was for somebody who has entered.
    pub ticket: Ticket,
    /// What to answer now, or when [`hold`](Self::hold) is over. Its `poll_after` is a short one
    /// then: for whoever cannot be held after all.
    pub told: Told,
    /// For how long the answer may be kept back, in the hope of a better one: until
    /// [`Room::is_due`]. Then this ticket asks again, in the order of places. Only when the
    /// asker can wait; at most 6 s for a tab that somebody sees, and 50 s for others.
    pub hold: Option<Duration>,
}

/// Who was told that the turn has come, and has not come yet, asks again after this: the page goes
/// in before.
const CALLED_POLL: Duration = Duration::from_secs(5);

/// Who comes so long after the appointment was taken for gone, and may be a cookie that somebody
/// sends again; whoever it is enters first when coming.
const GONE: Duration = Duration::from_secs(GONE_SECONDS);

impl Room {
    /// A ticket comes back to ask how it stands. It is counted, and a token is promised to it by
    /// name when its turn has come; nothing is claimed. [`TurnState::Called`] means: a token is
    /// there, or will be when the page has said that it goes in; who does not come within some
    /// seconds loses the token to others, but not the turn.
    pub fn ask(&mut self, now: WallTime, ticket: &Ticket, how: Asking) -> Asked {
        let now = self.touch(now);
        if ticket.invited {
            return self.ask_invited(now, ticket);
        }
        let who = (self.place(ticket), ticket.id);
        let claimed = self.claims.knows(Recent::key(ticket.id, CLAIM));
        let asked = match self.settings.mode {
            Mode::Off => self.answer(now, ticket, TurnState::Open),
            Mode::Hold => self.wait_on(now, ticket, TurnState::Closed, how),
            Mode::Maintenance => self.wait_on(now, ticket, TurnState::Maintenance, how),
            _ if claimed => Asked {
                ticket: *ticket,
                ..self.answer(now, ticket, TurnState::Called)
            },
            _ if self.is_lost(now, ticket) => self.ask_anew(now, ticket),
            Mode::Auto if self.is_free() => self.answer(now, ticket, TurnState::Open),
            _ if self.watermark.calls(who.0) => self.ask_called(now, ticket, who, how),
            _ => {
                let away = how.hidden || self.is_doubtful(now, ticket);
                let asked = self.wait_on(now, ticket, TurnState::Queueing, how);
                if let (Some(hold), false) = (asked.hold, away) {
                    self.present.hold(who, now.plus(hold).plus(LATE));
                }
                asked
            }
        };
        self.check();
        asked
    }

    /// Whether somebody whose answer is kept back would be told something better now: that it is
    /// their turn, or that there is no line any more.
    #[must_use]
    pub fn is_due(&self, ticket: &Ticket) -> bool {
        let who = (self.place(ticket), ticket.id);
        match self.settings.mode {
            Mode::Off => true,
            Mode::Hold | Mode::Maintenance => false,
            Mode::Auto if self.is_free() => true,
            // Who is called and here waits for a token; who is called and not known to be asks.
            _ => self.watermark.calls(who.0) && !self.present.waits(who),
        }
    }

    /// Whether nothing was heard of the ticket for longer than places are kept.
    pub(super) fn is_lost(&self, now: WallTime, ticket: &Ticket) -> bool {
        now.saturating_since(self.orders.last_due(ticket)) > self.settings.keep
    }

    /// Whether it may not be the ticket's holder who asks, or not for long: an older one than its
    /// holder has, or one of which nothing was heard for so long that it was taken for gone.
    fn is_doubtful(&self, now: WallTime, ticket: &Ticket) -> bool {
        let late = now.saturating_since(self.orders.last_due(ticket)) > GONE;
        late || self.was_counted(ticket)
    }

    fn ask_called(&mut self, now: WallTime, ticket: &Ticket, who: Who, how: Asking) -> Asked {
        // Nobody is kept waiting for who does not come by itself: it is told, and enters first
        // when coming.
        let late = now.saturating_since(self.orders.last_due(ticket)) > GONE;
        let away =
            how.hidden || late || self.was_counted(ticket) || self.present.has_lapsed(who, now);
        if !away {
            if !self.present.knows(who) {
                self.present.note(who, now.plus(LATE));
            }
            self.serve(now);
        }
        if self.present.tell(who, now) || away {
            return self.answer(now, ticket, TurnState::Called);
        }
        let asked = self.wait_on(now, ticket, TurnState::Queueing, how);
        let stays = asked.hold.unwrap_or(asked.told.poll_after);
        self.present.note(who, now.plus(stays).plus(LATE));
        asked
    }

    /// A place that was not kept: a new one, at the end of the line.
    fn ask_anew(&mut self, now: WallTime, ticket: &Ticket) -> Asked {
        if self.state() == State::Open {
            return self.answer(now, ticket, TurnState::Open);
        }
        let (ticket, told) = self.issue(now, ticket.id, ticket.late);
        Asked {
            ticket,
            told,
            hold: None,
        }
    }

    /// Tells what needs no more waiting; the place is kept as it is, and counted no more.
    fn answer(&self, now: WallTime, ticket: &Ticket, state: TurnState) -> Asked {
        let mut told = self.tell(now, ticket, state);
        if state == TurnState::Called {
            told.poll_after = told.poll_after.max(CALLED_POLL);
        }
        let due = now.plus(told.poll_after);
        let mut kept = Ticket { due, ..*ticket };
        kept.hear(now, &told);
        Asked {
            ticket: kept,
            told,
            hold: None,
        }
    }

    fn wait_on(&mut self, now: WallTime, ticket: &Ticket, state: TurnState, how: Asking) -> Asked {
        let mut kept = Ticket {
            confirmed: true,
            ..*ticket
        };
        // The second contact is answered at once: the number appears with it.
        let how = Asking {
            can_wait: how.can_wait && ticket.confirmed,
            ..how
        };
        let (told, hold) = self.tell_who_asks(now, &kept, state, how);
        kept.due = now.plus(hold.unwrap_or(told.poll_after));
        kept.hear(now, &told);
        self.count(now, ticket, kept.due);
        Asked {
            ticket: kept,
            told,
            hold,
        }
    }
}

//! What visitors are told, and when they are asked to come back: an appointment, sooner the
//! nearer the turn, and never so often that the crowd outgrows the budget of polls.

use core::time::Duration;

use super::forecast::WAIT_MAX;
use super::order::Await;
use super::{Asking, Eta, Mode, Room, Told, TurnState};
use crate::estimate::{Finite, wait};
use crate::inlet::Pace;
use crate::mix::mix;
use crate::ticket::Ticket;
use crate::time::WallTime;
use crate::watermark::Place;

/// The second contact, by the page itself: before it the ticket is not counted.
const FIRST_POLL: Duration = Duration::from_secs(1);
/// Who is called and waits for a token asks again after this. Whole, because it is told in whole
/// seconds, rounded up; who asks adds a jitter of its own.
const PRESENT_POLL: Duration = Duration::from_secs(1);
/// In a line that has just opened; nobody knows yet how fast it will move.
const YOUNG_POLL: Duration = Duration::from_secs(2);
/// When the time is not known.
pub(super) const UNKNOWN_POLL: Duration = Duration::from_secs(5);
/// While the operator holds everybody.
const HELD_POLL: Duration = Duration::from_secs(30);
/// From here on the appointment is close to the turn.
const NEAR: Duration = Duration::from_secs(20);
/// From so short a time on the answer to a tab that somebody sees is held, and for how long.
const SEEN: (Duration, Duration) = (Duration::from_secs(8), Duration::from_secs(6));
/// The same for a hidden tab, whose timers fire once a minute; a network answer is not a timer.
const HIDDEN: (Duration, Duration) = (Duration::from_secs(75), Duration::from_secs(50));
/// So late a hidden tab's timer fires at most, and its poll comes.
const SLEEPY: Duration = Duration::from_secs(65);
/// The front of the line may use one in so many of all polls.
const FRONT_SHARE: u32 = 8;
/// Nine of ten enter before so much more than what is told for half of them, in hundredths of it.
const UPPER_CENTI: u32 = 112;

impl Room {
    /// Looks at a ticket without claiming or counting: for a HEAD or a prefetch.
    #[must_use]
    pub fn look(&self, now: WallTime, ticket: &Ticket) -> Told {
        let now = self.now.max(now);
        if ticket.invited {
            return self.tell_invited(now, ticket);
        }
        let place = self.place(ticket);
        let state = match self.settings.mode {
            Mode::Off => TurnState::Open,
            Mode::Hold => TurnState::Closed,
            Mode::Maintenance => TurnState::Maintenance,
            _ if self.watermark.calls(place) => TurnState::Called,
            _ => TurnState::Queueing,
        };
        self.tell(now, ticket, state)
    }

    pub(super) fn tell(&self, now: WallTime, ticket: &Ticket, state: TurnState) -> Told {
        self.tell_who_asks(now, ticket, state, Asking::default()).0
    }

    /// What to tell, and for how long the answer may be kept back.
    pub(super) fn tell_who_asks(
        &self,
        now: WallTime,
        ticket: &Ticket,
        state: TurnState,
        how: Asking,
    ) -> (Told, Option<Duration>) {
        let place = self.place(ticket);
        let waits = self.orders.waits_for(ticket, now);
        let opens = waits.and_then(Await::opening);
        let opens = opens.map(|opens| opens.saturating_since(now));
        let ahead = match state {
            TurnState::Open | TurnState::Called => Some(0),
            _ if !ticket.confirmed || waits.is_some() => None,
            // Here, and next.
            TurnState::Queueing if self.watermark.calls(place) => Some(0),
            _ => {
                let ahead = self.line.ahead(place, self.watermark.published(), now);
                let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
                Some(ticket.least_ahead.map_or(ahead, |least| least.min(ahead)))
            }
        };
        // Those of a lottery's draw stand in one second, and the time is known by seconds.
        let timed = state == TurnState::Queueing && !self.orders.is_lottery(ticket);
        let eta = timed
            .then(|| ahead.and_then(|_| self.eta(now, place)))
            .flatten();
        let (poll_after, hold) = self.appointment(now, ticket, (state, ahead), how);
        let told = Told {
            state,
            ahead,
            eta,
            opens_in: opens.filter(|_| state != TurnState::Open),
            poll_after,
            reference: ticket.id,
        };
        (told, hold)
    }

    /// The band in which the time until the turn of `place` lies; `None` while it is not known.
    fn eta(&self, now: WallTime, place: Place) -> Option<Eta> {
        let p50 = self.forecast.wait(place, now)?;
        let p90 = (p50 / 100 * UPPER_CENTI)
            .saturating_add(Duration::from_secs(2))
            .min(WAIT_MAX);
        Some(Eta { p50, p90 })
    }

    fn appointment(
        &self,
        now: WallTime,
        ticket: &Ticket,
        (state, ahead): (TurnState, Option<u32>),
        how: Asking,
    ) -> (Duration, Option<Duration>) {
        let luck = mix(ticket.id ^ now.as_millis()) % 1_000;
        let (least, most) = (self.settings.poll_min, self.poll_most());
        let (asked, hold) = match (state, ahead) {
            (TurnState::Open | TurnState::Called, _) => {
                return (PRESENT_POLL.max(least), None);
            }
            _ if !ticket.confirmed => return (FIRST_POLL, None),
            (TurnState::Closed | TurnState::Maintenance, _) => (earlier(HELD_POLL, luck), None),
            (TurnState::Queueing, Some(ahead)) => self.approach(now, ahead, luck, how),
            // Those who wait for a draw come when it has been held, and not all at once.
            (TurnState::Queueing, None) => {
                let wait = self.meanwhile(now, ticket, luck).max(least);
                // A hidden tab's timer may come a minute late; an answer does not.
                let held = how.can_wait && how.hidden && wait <= HIDDEN.1;
                return (wait, held.then_some(wait));
            }
        };
        (asked.max(least).min(most.max(least)), hold)
    }

    /// Half of the way while it is long, most of it when it is short, and the last seconds on a
    /// poll that is held; not far ahead while the line is young, for its speed may still change
    /// much.
    fn approach(
        &self,
        now: WallTime,
        ahead: u32,
        luck: u64,
        how: Asking,
    ) -> (Duration, Option<Duration>) {
        // What is promised may lag behind a rate that has just grown; appointments must not.
        let pace = Finite::new(self.inlet.pace().over(SECOND).as_nano() as f64 / 1e9);
        let learnt = self.pulse.speed.get();
        let twice = Finite::new(learnt.get() * 2.0);
        let speed = if learnt.get() > 0.0 {
            learnt.max(pace.min(twice))
        } else {
            pace
        };
        let known = match self.inlet.pace() {
            Pace::Fixed(_) => Duration::MAX,
            Pace::Measured(_) => YOUNG_POLL + now.saturating_since(self.opened) / 3,
        };
        let left = wait(u64::from(ahead), speed, self.pulse.leaving.get());
        let (reach, hold) = if how.hidden { HIDDEN } else { SEEN };
        let front = known < Duration::MAX && ahead <= self.front();
        if how.can_wait && (front || left.is_some_and(|left| left <= reach)) {
            return (PRESENT_POLL, Some(hold));
        }
        if front {
            return (PRESENT_POLL, None);
        }
        let asked = match left {
            Some(left) if left <= NEAR => (left * 3 / 5).min(known),
            left => {
                // A hidden tab's timer may fire a minute late.
                let late = if how.hidden && how.can_wait {
                    SLEEPY
                } else {
                    Duration::ZERO
                };
                let crowd = self.crowd_poll();
                let half = left.map_or(UNKNOWN_POLL.max(crowd), |left| {
                    left.saturating_sub(late) / 2
                });
                earlier(half.min(known.max(crowd)), luck)
            }
        };
        (asked, None)
    }

    /// How many at the front of a line of measured speed ask every second: free places show
    /// themselves all at once, and an origin that has to wait for people who sleep stands idle.
    /// They get their share of the budget of polls.
    fn front(&self) -> u32 {
        self.settings.poll_budget / FRONT_SHARE
    }

    /// The time between two polls at which everybody who waits stays within the budget.
    pub(super) fn crowd_poll(&self) -> Duration {
        let coming = 7 * self.pulse.speed.get().milli() + 2 * self.pulse.arrivals.get().milli();
        let budget = u64::from(self.settings.poll_budget.max(1)) * 1_000;
        // However many come and go, a quarter of the budget is for those who wait.
        let budget = budget.saturating_sub(coming).max(budget / 4);
        let millis = self.line.believed().saturating_mul(1_000_000) / budget.max(1);
        Duration::from_millis(millis.saturating_mul(1_000) / 925)
    }

    pub(super) fn poll_most(&self) -> Duration {
        // Beyond half of `keep` a single missed poll would cost the place.
        let bound = self.settings.keep / 2;
        self.settings
            .poll_max
            .max(self.crowd_poll())
            .min(bound.max(self.settings.poll_min))
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Up to 15 % earlier, so that those who came together do not come back together.
pub(super) fn earlier(span: Duration, luck: u64) -> Duration {
    let permille = u32::try_from(luck * 150 / 1_000).unwrap_or(0);
    span - span * permille / 1_000
}

//! The order of the line: by arrival, or by draws.
//!
//! A draw is among all who arrived within its span of time. It gives each of them a place behind
//! everybody who was there before and before everybody who came later; which one, its seed
//! decides. So a draw changes nothing about counters, watermark and tokens, and nobody's place
//! depends on when within the span, or how often, they came to look.
//!
//! - An *event's* span is its pre-queue, and it is drawn at the opening. Nobody of it is called
//!   before.
//! - A *lottery* holds a draw among all who wait as soon as those drawn before have all been
//!   called. Nobody waits longer than for the rest of one draw and the whole of the next, and
//!   whoever begins anew with a fresh ticket falls back into a later draw.
//!
//! Seeds are kept with the room, so a restart or a change of keys shuffles nobody anew.

use alloc::collections::VecDeque;
use core::num::NonZeroU32;
use core::time::Duration;

use super::bucket::second;
use super::tell::{UNKNOWN_POLL, earlier};
use super::{Room, Settings};
use crate::draw::Seed;
use crate::estimate::wait;
use crate::quota::ClientKey;
use crate::ticket::Ticket;
use crate::time::WallTime;
use crate::watermark::Place;

/// In which order those who wait are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// First come, first served.
    #[default]
    Arrival,
    /// Draw after draw among all who wait; the seed is the room's for good.
    Lottery(Seed),
}

/// An opening with a pre-queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When the first are let in; whole seconds count.
    pub opens: WallTime,
    /// How long before that everybody who comes takes part in the draw.
    pub prequeue: Duration,
    /// Tickets of one client that take part; further ones stand behind. `None`: all.
    pub per_client: Option<NonZeroU32>,
    /// What decides the draw, unless the room has a seed for this event already.
    pub seed: Seed,
}

/// What may be known of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// When the pre-queue began, or begins.
    pub since: WallTime,
    /// When the draw was held, or will be: the opening.
    pub opens: WallTime,
    /// Whether that time has come: from then on the seed may be told.
    pub is_open: bool,
    /// The seed; before the opening only its commitment is anybody's business.
    pub seed: Seed,
}

/// Draws that are remembered. The people of an old one have long been called, and enter first
/// when they come; so a forgotten draw costs nobody a place.
pub(super) const DRAWS_MAX: usize = 64;

/// The drawn of an event are spread over so many seconds of the line at most, and over a quarter
/// of the pre-queue: it may still be moved to an earlier time.
const EVENT_SECONDS: u64 = 120;

/// An event planned within so many seconds is the one whose pre-queue runs, moved; a later one is
/// another, and the first was called off.
const MOVED: u64 = 24 * 3_600;

/// The end of a lottery's draw that has not been held: nobody knows yet when that will be.
pub(super) const OPEN: u64 = (1 << 53) - 1;

/// One draw. All times are seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Draw {
    /// Who arrives from here on takes part.
    pub(super) since: u64,
    /// Who arrives from here on does not.
    pub(super) until: u64,
    /// The drawn stand within so many seconds of the line from `since` on.
    pub(super) width: u64,
    /// An event's; else a lottery's.
    pub(super) is_event: bool,
    pub(super) seed: Seed,
}

impl Draw {
    const fn takes(&self, arrived: u64) -> bool {
        self.since <= arrived && arrived < self.until
    }

    /// Whether the places are drawn: an event's at its opening, a lottery's when it was its turn.
    const fn is_held(&self, now: u64) -> bool {
        if self.is_event {
            self.until <= now
        } else {
            self.until < OPEN
        }
    }

    /// The earliest end at which who is late still stands before who comes after it.
    const fn earliest(&self) -> u64 {
        self.since + 2 * self.width
    }

    fn place(&self, ticket: &Ticket) -> Place {
        let start = Place::start_of(self.since).as_micros();
        let drawn = self.width.saturating_mul(1_000_000);
        let way = if ticket.late {
            let arrived = Place::of(ticket.arrived, ticket.id).as_micros();
            drawn.saturating_add(arrived.saturating_sub(start) / 2)
        } else {
            let part = u128::from(self.seed.rank_of(ticket.id)) * u128::from(drawn);
            (part >> 64) as u64
        };
        Place::from_micros(start.saturating_add(way))
    }
}

/// The draws of a room by time. Only an event's may begin before an earlier draw has ended, and
/// then it takes who comes.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    pub(super) draws: VecDeque<Draw>,
    /// Seconds before this one are by arrival, whatever the order is now.
    from: u64,
}

impl Orders {
    /// The draws of a room of which nothing else is known: if a pre-queue runs, others before it
    /// was lost may have come for it, and they take part like those who come from now on.
    pub(super) fn after_loss(event: Option<Event>, now: WallTime) -> Self {
        let mut orders = Self::default();
        orders.plan(event, second(now), 0);
        orders
    }

    /// Takes new settings. Who has come for a draw stays in it.
    pub(super) fn configure(&mut self, order: Order, event: Option<Event>, now: WallTime) {
        let now = second(now);
        if order == Order::Arrival {
            self.hold_lottery(now + 1);
            // Tickets of this second may have been issued by arrival.
            self.from = now + 1;
        }
        // Who came until now, and was told a place, keeps it.
        self.plan(event, now, now + 1);
    }

    /// Plans the next event, moves the one whose pre-queue runs, or opens it when it was called
    /// off. A new pre-queue begins at `soonest`.
    fn plan(&mut self, event: Option<Event>, now: u64, soonest: u64) {
        let before = self.draws.iter().find(|draw| draw.since > now).copied();
        self.draws.retain(|draw| draw.since <= now);
        let planned = event.map(|event| {
            let opens = second(event.opens);
            (opens.saturating_sub(event.prequeue.as_secs()), opens, event)
        });
        if let Some(running) = self.running_mut(now) {
            let moved = planned.filter(|(_, opens, _)| (now..now + MOVED).contains(opens));
            let opens = moved.map_or(now + 1, |(_, opens, _)| opens);
            running.until = opens.max(running.earliest());
            if moved.is_some() {
                return;
            }
        }
        let Some((begins, opens, event)) = planned else {
            return;
        };
        let events = self.draws.iter().filter(|draw| draw.is_event);
        let taken = events.map(|draw| draw.until).max().unwrap_or(0);
        let since = begins.max(soonest).max(taken);
        // Too late for a draw, or held already.
        if since >= opens || opens <= now {
            return;
        }
        self.add(Draw {
            since,
            until: opens,
            width: ((opens - since) / 4).clamp(1, EVENT_SECONDS),
            is_event: true,
            seed: before
                .filter(|draw| draw.until == opens)
                .map_or(event.seed, |draw| draw.seed),
        });
    }

    fn add(&mut self, draw: Draw) {
        if self.draws.len() >= DRAWS_MAX {
            self.draws.pop_front();
        }
        let at = self
            .draws
            .partition_point(|other| other.since <= draw.since);
        self.draws.insert(at, draw);
    }

    /// The event whose pre-queue takes people now.
    fn running(&self, now: u64) -> Option<&Draw> {
        let mut draws = self.draws.iter();
        draws.find(|draw| draw.is_event && draw.takes(now))
    }

    fn running_mut(&mut self, now: u64) -> Option<&mut Draw> {
        let mut draws = self.draws.iter_mut();
        draws.find(|draw| draw.is_event && draw.takes(now))
    }

    /// When the event opens for whose pre-queue somebody comes now.
    pub(super) fn opening(&self, now: WallTime) -> Option<WallTime> {
        let draw = self.running(second(now))?;
        Some(Place::start_of(draw.until).time())
    }

    /// Somebody gets a ticket: in a lottery they take part in the next draw, as soon as there is
    /// a line to draw for.
    pub(super) fn join(&mut self, order: Order, called: Place, now: WallTime) {
        let now = second(now);
        if let Some(event) = self.running(now).copied() {
            self.hold_lottery(event.since);
        }
        let Order::Lottery(seed) = order else {
            return;
        };
        if now < self.from || called >= Place::start_of(now) || self.of(now).is_some() {
            return;
        }
        self.add(Draw {
            since: now,
            until: OPEN,
            width: 1,
            is_event: false,
            seed,
        });
    }

    /// Holds a lottery's draw when all before it are called, and who came for it is `known` or
    /// an event takes those who come.
    pub(super) fn hold(&mut self, called: Place, known: WallTime, now: WallTime) {
        let now = second(now);
        if let Some(event) = self.running(now).copied() {
            self.hold_lottery(event.since);
        }
        let waits = |draw: &Draw| draw.until == OPEN && draw.since <= second(known);
        let next = self.draws.iter().find(|draw| waits(draw));
        if next.is_some_and(|draw| called >= before(draw.since)) {
            self.hold_lottery(now + 1);
        }
    }

    fn hold_lottery(&mut self, until: u64) {
        let open = self.draws.iter_mut().filter(|draw| draw.until == OPEN);
        for draw in open {
            draw.until = until.max(draw.since + 1);
        }
    }

    /// Nobody behind this place is to be called yet.
    pub(super) fn bound(&self, now: WallTime) -> Option<Place> {
        let now = second(now);
        let open = self.draws.iter().filter(|draw| !draw.is_held(now));
        open.map(|draw| before(draw.since)).min()
    }

    /// The draw that somebody who arrived in this second takes part in.
    fn of(&self, arrived: u64) -> Option<&Draw> {
        self.draws.iter().rev().find(|draw| draw.takes(arrived))
    }

    /// Where a ticket stands.
    pub(super) fn place(&self, ticket: &Ticket) -> Place {
        self.of(second(ticket.arrived)).map_or_else(
            || Place::of(ticket.arrived, ticket.id),
            |draw| draw.place(ticket),
        )
    }

    /// Whether a lottery's draw decides where a ticket stands.
    pub(super) fn is_lottery(&self, ticket: &Ticket) -> bool {
        self.of(second(ticket.arrived))
            .is_some_and(|draw| !draw.is_event)
    }

    /// What a ticket waits for before it has a place that could be told.
    pub(super) fn waits_for(&self, ticket: &Ticket, now: WallTime) -> Option<Await> {
        let draw = self.of(second(ticket.arrived))?;
        if draw.is_held(second(now)) {
            return None;
        }
        let from = Place::start_of(draw.since);
        Some(if draw.is_event {
            Await::Opening(Place::start_of(draw.until).time())
        } else {
            Await::Draw(from)
        })
    }

    /// When a ticket was of use last: who came for an event need not be seen again before it
    /// opens.
    pub(super) fn last_due(&self, ticket: &Ticket) -> WallTime {
        let event = self.of(second(ticket.arrived)).filter(|draw| draw.is_event);
        let opens = event.map(|draw| Place::start_of(draw.until).time());
        let due = ticket.due.max(ticket.arrived);
        opens.map_or(due, |opens| due.max(opens))
    }

    /// What may be told of the events' draws.
    pub(super) fn drawn(&self, now: WallTime) -> impl Iterator<Item = Drawn> {
        let time = |second| Place::start_of(second).time();
        let events = self.draws.iter().filter(|draw| draw.is_event);
        events.map(move |draw| Drawn {
            since: time(draw.since),
            opens: time(draw.until),
            is_open: draw.is_held(second(now)),
            seed: draw.seed,
        })
    }

    /// What holds at any time.
    pub(super) fn holds(&self) -> bool {
        let sound = |draw: &Draw| {
            let spans = draw.since + draw.width <= draw.until;
            spans && draw.width > 0 && draw.until <= OPEN
        };
        self.draws.len() <= DRAWS_MAX
            && self.draws.iter().all(sound)
            && self.draws.iter().is_sorted_by_key(|draw| draw.since)
    }
}

/// Those who wait for a draw come back within this after it at the soonest.
const SPREAD: Duration = Duration::from_secs(2);

/// What comes before somebody has a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Await {
    /// The opening of an event, at this time.
    Opening(WallTime),
    /// The next draw of a lottery, whose people stand behind all before this place.
    Draw(Place),
}

impl Await {
    /// When the event opens, if it is one.
    pub(super) const fn opening(self) -> Option<WallTime> {
        match self {
            Self::Opening(opens) => Some(opens),
            Self::Draw(_) => None,
        }
    }
}

/// The last place before a second.
const fn before(second: u64) -> Place {
    Place::from_micros(Place::start_of(second).as_micros().saturating_sub(1))
}

impl Room {
    /// Where a ticket stands: the one place that says what the order is.
    #[must_use]
    pub fn place(&self, ticket: &Ticket) -> Place {
        self.orders.place(ticket)
    }

    /// Whether lots decide where a ticket stands, or will, and not its arrival.
    #[must_use]
    pub fn is_drawn(&self, ticket: &Ticket) -> bool {
        !ticket.late && self.orders.of(second(ticket.arrived)).is_some()
    }

    /// The events' draws, planned and held, by time.
    pub fn draws(&self, now: WallTime) -> impl Iterator<Item = Drawn> {
        self.orders.drawn(self.now.max(now))
    }

    /// Changes the next event; a pre-queue that runs keeps its people and its seed.
    pub fn set_event(&mut self, event: Option<Event>, now: WallTime) {
        self.configure(
            Settings {
                event,
                ..self.settings
            },
            now,
        );
    }

    /// Whether the pre-queue of an event runs: nobody of it enters yet.
    pub(super) fn is_before_opening(&self) -> bool {
        self.orders.opening(self.now).is_some()
    }

    /// Whether a client has had its share of the tickets of the draw that somebody comes for now.
    pub(super) fn is_beyond_share(&mut self, now: WallTime, client: ClientKey) -> bool {
        let now = self.now.max(now);
        let most = self.settings.event.and_then(|event| event.per_client);
        match most.filter(|_| self.orders.opening(now).is_some()) {
            Some(most) => !self.shares.take(client.get(), most),
            None => {
                self.shares.forget();
                false
            }
        }
    }

    /// When to come back while a draw is ahead that everybody waits for alike: not at once when
    /// it is held, but over the time in which all of them can be answered. It tells nothing of a
    /// place.
    pub(super) fn meanwhile(&self, now: WallTime, ticket: &Ticket, luck: u64) -> Duration {
        let left = match self.orders.waits_for(ticket, now) {
            Some(Await::Opening(opens)) => opens.saturating_since(now),
            Some(Await::Draw(from)) => {
                let ahead = self.line.ahead(from, self.watermark.published(), now);
                wait(ahead, self.pulse.speed.get(), self.pulse.leaving.get())
                    .unwrap_or(UNKNOWN_POLL)
            }
            None => UNKNOWN_POLL,
        };
        let most = self.poll_most();
        if left > most {
            return earlier(most, luck);
        }
        let crowd = self.crowd_poll().max(SPREAD);
        left + crowd * u32::try_from(luck).unwrap_or(0) / 1_000
    }

    /// How far the watermark may go when who arrived before `known` is known.
    pub(super) fn reach(&mut self, known: WallTime, now: WallTime) -> Place {
        self.orders.hold(self.watermark.pending(), known, now);
        let bound = self.orders.bound(now);
        bound.map_or(Place::at(known), |bound| bound.min(Place::at(known)))
    }
}

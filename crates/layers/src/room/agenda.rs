//! A room's events, one after the other, and what is said of their draws.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forebay_admission::room::{Drawn, Event};
use forebay_admission::ticket::Ticket;
use forebay_admission::time::WallTime;

use super::Desk;

/// What is planned, and what was told of it.
#[derive(Debug, Default)]
pub struct Agenda {
    /// By time.
    events: Mutex<Vec<Event>>,
    draws: Mutex<Arc<[Drawn]>>,
}

/// What these locks guard stays whole when a thread panics while it holds one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Agenda {
    /// Takes what the configuration plans, by time; returns the next event.
    pub fn plan(&self, events: Vec<Event>, now: WallTime) -> Option<Event> {
        *lock(&self.events) = events;
        self.next(now)
    }

    fn next(&self, now: WallTime) -> Option<Event> {
        let events = lock(&self.events);
        events.iter().find(|event| event.opens > now).copied()
    }

    /// How long a ticket's event opens after the ticket was due: so much longer it is kept.
    pub(super) fn ahead(&self, ticket: &Ticket) -> Duration {
        let draws = lock(&self.draws);
        let mine = |draw: &&Drawn| draw.since <= ticket.arrived && ticket.arrived < draw.opens;
        let mine = draws.iter().find(mine);
        mine.map_or(Duration::ZERO, |draw| {
            draw.opens.saturating_since(ticket.due)
        })
    }

    /// The draws of the room's events, as of the last tick.
    #[must_use]
    pub fn draws(&self) -> Arc<[Drawn]> {
        Arc::clone(&lock(&self.draws))
    }
}

impl Desk {
    /// Goes on to the next event when one has opened, and logs each draw when it is planned, moved
    /// or held. A pre-queue that runs is changed by a new configuration only.
    pub fn keep_agenda(&self, now: WallTime) {
        let mut room = self.room();
        let running = |draw: Drawn| draw.since <= now && !draw.is_open;
        if !room.draws(now).any(running) {
            let next = self.agenda.next(now);
            if next != room.settings().event {
                room.set_event(next, now);
            }
        }
        let known = self.agenda.draws();
        if room.draws(now).eq(known.iter().copied()) {
            return;
        }
        let draws: Arc<[Drawn]> = room.draws(now).collect();
        drop(room);
        for draw in draws.iter().filter(|draw| !known.contains(draw)) {
            self.announce(draw);
        }
        *lock(&self.agenda.draws) = draws;
    }

    fn announce(&self, draw: &Drawn) {
        let room = &*self.name;
        let opens = draw.opens.as_millis() / 1_000;
        let commitment = hex(&draw.seed.commitment());
        if draw.is_open {
            let seed = hex(&draw.seed.expose());
            tracing::info!(room, opens, commitment, seed, "an event has opened");
        } else {
            tracing::info!(room, opens, commitment, "an event is planned");
        }
    }
}

/// Bytes as lower-case hexadecimal digits, as `sha256sum` writes them.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

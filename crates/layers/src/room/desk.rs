//! The room as the layers meet it: the pure [`Room`] behind one short lock, and beside it what is
//! read without it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use forebay_admission::credential::{Credential, RoomId};
use forebay_admission::pass::{Pass, PassRules};
use forebay_admission::room::{Mode, Room, Shadow, State};
use forebay_admission::ticket::Ticket;
use forebay_telemetry::metrics::RoomMetrics;
use http::HeaderValue;

use super::{Agenda, Held, PollPace, Register};
use crate::cookie::CookieNames;
use crate::keyring::Keyring;
use crate::page::Pages;

/// Gives fresh random bits.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What requests need to know of a room without its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeskRules {
    /// How long passes last.
    pub pass: PassRules,
    /// How long a silent visitor's place is kept.
    pub keep: Duration,
    /// The status of a held answer.
    pub status: u16,
    /// How many polls may be kept back at once.
    pub held: u32,
}

/// Newcomers pass.
const OPEN: u8 = 1;
/// Newcomers pass without being counted.
const FREE: u8 = 2;
/// Nobody new enters.
const CLOSED: u8 = 4;
/// Nobody goes on.
const SHUT: u8 = 8;

/// One room at work.
pub struct Desk {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Its name in tickets and passes.
    pub id: RoomId,
    /// Its cookie's names.
    pub cookies: CookieNames,
    /// Its metrics.
    pub metrics: Arc<RoomMetrics>,
    /// What was revoked and opened.
    pub register: Register,
    /// Its events.
    pub agenda: Agenda,
    /// How often those in line ask.
    pub polls: PollPace,
    /// The polls that are kept back until their turn.
    pub held: Held,
    random: Random,
    door: AtomicU8,
    rules: ArcSwap<DeskRules>,
    pages: Mutex<Arc<Pages>>,
    room: Mutex<Room>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk for a room.
    #[must_use]
    pub fn new(
        name: Arc<str>,
        room: Room,
        rules: DeskRules,
        pages: Arc<Pages>,
        random: Random,
        metrics: Arc<RoomMetrics>,
        register: Register,
    ) -> Arc<Self> {
        let desk = Self {
            id: RoomId::of(&name),
            cookies: CookieNames::of(&name),
            name,
            metrics,
            register,
            agenda: Agenda::default(),
            polls: PollPace::default(),
            held: Held::new(rules.held),
            random,
            door: AtomicU8::new(0),
            rules: ArcSwap::from_pointee(rules),
            pages: Mutex::new(pages),
            room: Mutex::new(room),
        };
        desk.refresh();
        Arc::new(desk)
    }

    /// The room, locked. Every verb is short; never held across an await.
    pub fn room(&self) -> MutexGuard<'_, Room> {
        // A verb that panicked left counts behind, and counts heal; a closed room would not.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known without the room's lock.
    #[must_use]
    pub fn rules(&self) -> DeskRules {
        **self.rules.load()
    }

    /// The room's pages.
    #[must_use]
    pub fn pages(&self) -> Arc<Pages> {
        Arc::clone(&self.pages.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// New rules and pages after a reload.
    pub fn replace(&self, rules: DeskRules, pages: Arc<Pages>) {
        self.held.set_max(rules.held);
        self.rules.store(Arc::new(rules));
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) = pages;
    }

    /// Whether newcomers pass; one atomic load.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.door(OPEN)
    }

    /// Whether newcomers pass without being counted: open, and neither a rate nor a cap has to
    /// see each of them; one atomic load.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.door(FREE)
    }

    /// Whether nobody goes on, not even who is inside (mode `maintenance`); one atomic load.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.door(SHUT)
    }

    fn door(&self, bit: u8) -> bool {
        self.door.load(Ordering::Acquire) & bit != 0
    }

    /// Takes over the room's state for [`is_open`](Self::is_open), [`is_free`](Self::is_free) and
    /// [`is_shut`](Self::is_shut), after anything that may have changed it.
    pub fn refresh(&self) {
        let room = self.room();
        let settings = room.settings();
        let mut door = 0;
        if room.state() == State::Open {
            door |= OPEN;
            if settings.is_uncounted() || settings.mode == Mode::Off {
                door |= FREE;
            }
        }
        if room.state() == State::Closed {
            door |= CLOSED;
        }
        if settings.mode == Mode::Maintenance {
            door |= SHUT;
        }
        // Under the lock: of two who take over, the later has the later state.
        let before = self.door.swap(door, Ordering::AcqRel);
        drop(room);
        if before != door {
            self.held.wake_all();
        }
    }

    /// Wakes the polls that are kept back and would be told something better now, in order of
    /// place; after what was pending has been published.
    pub fn wake_due(&self) {
        let woken = {
            let room = self.room();
            self.held.due(|ticket| room.is_due(ticket))
        };
        woken.wake();
    }

    /// What the inlet would do, where it only looks on.
    #[must_use]
    pub fn shadow(&self) -> Option<Shadow> {
        self.room().shadow()
    }

    /// Counts how long somebody waited who enters now.
    pub fn waited(&self, wait: Duration) {
        self.metrics
            .waited(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Random bits for a new ticket or pass.
    #[must_use]
    pub fn fresh_id(&self) -> u64 {
        (self.random)()
    }

    /// The cookie that keeps a place in line.
    #[must_use]
    pub fn ticket_cookie(
        &self,
        keyring: &Keyring,
        ticket: &Ticket,
        https: bool,
    ) -> Option<HeaderValue> {
        let value = Credential::Ticket(*ticket).seal(keyring);
        let age = self.rules().keep + self.agenda.ahead(ticket);
        self.cookies.set(&value, https, age)
    }

    /// The cookie that keeps a place inside.
    #[must_use]
    pub fn pass_cookie(&self, keyring: &Keyring, pass: &Pass, https: bool) -> Option<HeaderValue> {
        let value = Credential::Pass(*pass).seal(keyring);
        let rules = self.rules().pass;
        self.cookies
            .set(&value, https, rules.lifetime + rules.form_grace)
    }
}

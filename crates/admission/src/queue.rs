//! The short queue in front of an origin: bounded in length and in time, in two modes.
//!
//! **Calm**, it is patient: strangers too are served in the order of their coming, so that a burst
//! or a cold start is absorbed. It **stands** once the oldest has waited for half of what a
//! stranger may wait, or when it is full: more come than leave, and waiting helps nobody. Then
//! strangers are served last in first out and wait a moment only, because whoever waited long in
//! an overload has often gone; bots leave at once. It is calm again after 50 ms with a free permit
//! and nobody waiting.
//!
//! Visitors inside never feel the mode: they are served by class and by the time of the *first*
//! try of their page, so that nobody who was turned away once starts over.
//!
//! What is guaranteed to whom, at every permit that comes free:
//! - **operators** go first, always;
//! - **a class with a floor** (unsafe methods 15 % of the limit, pages 10 %, their parts 5 %, each
//!   at least one permit) goes before better ones while it holds less than its floor, the one that
//!   lacks most first: no crowd of one kind keeps another from being served at all;
//! - **else the better class**, so the whole origin is for whoever is there: what a class does not
//!   use, others have.
//! - Strangers and bots have no floor: they have the waiting room.
//!
//! The same shares hold for the places of a full queue, or a class would keep its permits and lose
//! everybody who could use them.
//!
//! Nobody is lost, served twice, or served past the end of the own patience. Nobody leaves for a
//! worse one, but where a class holds less than its share of a full queue.

mod floor;
mod lane;
mod patience;

use alloc::vec::Vec;
use core::time::Duration;

use floor::{furthest_below, share_of};
use lane::{Lane, Place};
pub use patience::Settings;

use crate::priority::{PerClass, Priority};
use crate::time::Timestamp;

/// So long nobody waits and a permit is free before the queue is calm again.
const CALM_AFTER: Duration = Duration::from_millis(50);

/// Of those with a pass the worst leaves first, operators last.
const WORST_FIRST: [Priority; 4] = [
    Priority::SubResource,
    Priority::Navigation,
    Priority::Submit,
    Priority::Operator,
];

/// What the gate knows when it asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauge {
    /// Permits there are.
    pub limit: u32,
    /// The origin's response time under pressure; `None`: not known yet.
    pub response: Option<Duration>,
    /// The law still looks for the limit: a queue says nothing yet.
    pub starting: bool,
    /// A permit is free.
    pub free: bool,
}

/// Waiters of type `W`, which the shell wakes when their turn comes.
#[derive(Clone, Debug)]
pub struct Queue<W> {
    settings: Settings,
    gauge: Gauge,
    lanes: PerClass<Lane<W>>,
    length: usize,
    sequence: u64,
    latest: Timestamp,
    standing: bool,
    busy_at: Timestamp,
}

/// Names one who waits; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    priority: Priority,
    place: Place,
}

/// Who had to go at a [`tick`](Queue::tick), with their classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shed<W> {
    /// Their patience is over.
    pub late: Vec<(Priority, W)>,
    /// There is no place for them any more.
    pub crowded: Vec<(Priority, W)>,
}

/// What came of a [`push`](Queue::push) that found a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed<W> {
    /// Names the newcomer.
    pub entry: Entry,
    /// Who had to leave for it, and of which class.
    pub evicted: Option<(Priority, W)>,
}

impl<W> Queue<W> {
    /// An empty queue in front of a gate of which nothing but its `limit` is known yet.
    #[must_use]
    pub fn new(settings: Settings, limit: u32) -> Self {
        Self {
            settings,
            gauge: Gauge {
                limit,
                ..Gauge::default()
            },
            lanes: PerClass::from_fn(|_| Lane::default()),
            length: 0,
            sequence: 0,
            latest: Timestamp::default(),
            standing: false,
            busy_at: Timestamp::default(),
        }
    }

    /// Other numbers of the operator; who no longer fits leaves at the next [`tick`](Self::tick).
    pub const fn set(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Takes a waiter in at `now`. `first_try` is when this page was first asked for, which may
    /// be before it came here.
    ///
    /// # Errors
    /// The waiter itself, when the queue is full of others who are no worse, or stands and this
    /// is a bot.
    pub fn push(
        &mut self,
        priority: Priority,
        first_try: Timestamp,
        now: Timestamp,
        waiter: W,
    ) -> Result<Pushed<W>, W> {
        // Order of coming and time of coming agree, even where two clocks were read out of order.
        self.latest = self.latest.max(now);
        self.busy_at = self.latest;
        let place = Place {
            first_try,
            sequence: self.sequence,
        };
        let full = self.length >= self.bound();
        self.standing |= full;
        if self.standing && priority == Priority::Bot {
            return Err(waiter);
        }
        let evicted = if full {
            let Some(evicted) = self.take_worst(Some((priority, place))) else {
                return Err(waiter);
            };
            Some(evicted)
        } else if priority == Priority::Stranger && self.crowded(1) {
            self.take_oldest(Priority::Stranger)
        } else {
            None
        };
        self.sequence = self.sequence.saturating_add(1);
        self.lanes
            .get_mut(priority)
            .insert(place, self.latest, waiter);
        self.length = self.length.saturating_add(1);
        self.invariants();
        Ok(Pushed {
            entry: Entry { priority, place },
            evicted,
        })
    }

    /// Takes out whose turn it is, given the permits that each class holds (`held`). Who is past
    /// the own patience is passed over and stays for [`tick`](Self::tick); after a tick at `now`
    /// there is nobody to pass over.
    pub fn pop(&mut self, now: Timestamp, held: &PerClass<u32>) -> Option<(Priority, W)> {
        self.latest = self.latest.max(now);
        self.busy_at = self.latest;
        let next = PerClass::from_fn(|priority| self.next_of(priority, now));
        let waits = |priority| next.get(priority).is_some();
        let below = || furthest_below(held, self.gauge.limit, waits);
        let strict = || Priority::ALL.into_iter().find(|class| waits(*class));
        let priority = if waits(Priority::Operator) {
            Priority::Operator
        } else {
            below().or_else(strict)?
        };
        let waiter = self.take(priority, (*next.get(priority))?)?;
        Some((priority, waiter))
    }

    /// Takes out one who waits, `None` when it has left already.
    pub fn remove(&mut self, entry: Entry) -> Option<W> {
        self.take(entry.priority, entry.place)
    }

    /// Takes in what the gate knows, changes the mode, and takes out who has to go: those whose
    /// patience is over, and those who no longer fit. Called about every 50 ms.
    #[must_use]
    pub fn tick(&mut self, gauge: Gauge, now: Timestamp) -> Shed<W> {
        self.gauge = gauge;
        self.latest = self.latest.max(now);
        self.change_mode();
        let late = self.expire(now);
        let mut crowded = Vec::new();
        while self.length > self.bound() {
            self.standing = true;
            let Some(evicted) = self.take_worst(None) else {
                break;
            };
            crowded.push(evicted);
        }
        while self.standing && !self.lanes.get(Priority::Bot).is_empty() {
            crowded.extend(self.take_oldest(Priority::Bot));
        }
        while self.crowded(0) {
            crowded.extend(self.take_oldest(Priority::Stranger));
        }
        self.invariants();
        Shed { late, crowded }
    }

    /// Takes out everyone whose patience is over at `now`, class by class, oldest first.
    #[must_use]
    pub fn expire(&mut self, now: Timestamp) -> Vec<(Priority, W)> {
        let mut left = Vec::new();
        for priority in Priority::ALL {
            while let Some(oldest) = self.lanes.get(priority).oldest()
                && self.is_late(priority, oldest.at, now)
            {
                left.extend(
                    self.take(priority, oldest.place)
                        .map(|waiter| (priority, waiter)),
                );
            }
        }
        left
    }

    /// Whether the queue stands.
    #[must_use]
    pub const fn standing(&self) -> bool {
        self.standing
    }

    /// How many wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether nobody waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many of each class wait.
    #[must_use]
    pub fn waiting(&self) -> PerClass<usize> {
        PerClass::from_fn(|priority| self.lanes.get(priority).len())
    }

    /// The time since the first of those who wait came; zero when nobody does.
    #[must_use]
    pub fn longest_wait(&self, now: Timestamp) -> Duration {
        let oldest = self.lanes.iter().filter_map(|(_, lane)| lane.oldest());
        let first = oldest.map(|coming| coming.at).min();
        first.map_or(Duration::ZERO, |first| now.saturating_since(first))
    }

    /// How long one of this class waits at most, however things turn out.
    #[must_use]
    pub fn patience_max(&self, priority: Priority) -> Duration {
        self.settings.patience(priority, None, false)
    }

    /// How long one of this class waits at most, as things stand.
    #[must_use]
    pub fn patience(&self, priority: Priority) -> Duration {
        self.settings
            .patience(priority, self.gauge.response, self.standing)
    }

    fn change_mode(&mut self) {
        if !self.is_empty() || !self.gauge.free {
            self.busy_at = self.latest;
        }
        let half = self.settings.long(self.gauge.response) / 2;
        if self.longest_wait(self.latest) > half && !self.gauge.starting {
            self.standing = true;
        } else if self.latest.saturating_since(self.busy_at) >= CALM_AFTER {
            self.standing = false;
        }
    }

    fn bound(&self) -> usize {
        self.settings.length(self.gauge.limit)
    }

    /// Whether strangers, with `more` of them, are too many for a queue that stands.
    fn crowded(&self, more: usize) -> bool {
        let strangers = self.lanes.get(Priority::Stranger).len();
        self.standing && strangers.saturating_add(more) > Settings::strangers(self.gauge.limit)
    }

    fn is_late(&self, priority: Priority, came: Timestamp, now: Timestamp) -> bool {
        now.saturating_since(came) >= self.patience(priority)
    }

    /// Whose turn it is within a class.
    fn next_of(&self, priority: Priority, now: Timestamp) -> Option<Place> {
        let lane = self.lanes.get(priority);
        let oldest = lane.oldest()?;
        if priority == Priority::Stranger && self.standing {
            let newest = lane.newest()?;
            return (!self.is_late(priority, newest.at, now)).then_some(newest.place);
        }
        if !self.is_late(priority, oldest.at, now) {
            return lane.first_since(None);
        }
        let patience = u64::try_from(self.patience(priority).as_nanos()).unwrap_or(u64::MAX);
        let since = Timestamp::from_nanos(now.as_nanos().saturating_sub(patience));
        lane.first_since(Some(since))
    }

    /// Who leaves when one is too many: a bot, else the stranger who came first, else of those
    /// inside the last in order of the worst class that has more than its floor's share of the
    /// places. `None` when the `newcomer` has no better claim than anybody.
    fn take_worst(&mut self, newcomer: Option<(Priority, Place)>) -> Option<(Priority, W)> {
        for priority in [Priority::Bot, Priority::Stranger] {
            if newcomer.is_none_or(|newcomer| newcomer.0 <= priority)
                && let Some(evicted) = self.take_oldest(priority)
            {
                return Some(evicted);
            }
        }
        let worst = WORST_FIRST.into_iter().find_map(|priority| {
            let last = self.lanes.get(priority).last()?;
            let leaves = match newcomer {
                None => self.over(priority, 0),
                Some((class, place)) if class == priority => place < last,
                Some((class, _)) if class < priority => self.over(priority, 0),
                Some((class, _)) => {
                    priority != Priority::Operator && !self.over(class, 1) && self.over(priority, 0)
                }
            };
            leaves.then_some((priority, last))
        });
        let (priority, place) = worst?;
        self.take(priority, place).map(|waiter| (priority, waiter))
    }

    /// Whether this class, with `more` of it, has more places than its floor's share.
    fn over(&self, priority: Priority, more: usize) -> bool {
        let places = share_of(priority).saturating_mul(self.bound()) / 100;
        self.lanes.get(priority).len().saturating_add(more) > places
    }

    fn take_oldest(&mut self, priority: Priority) -> Option<(Priority, W)> {
        let oldest = self.lanes.get(priority).oldest()?;
        let waiter = self.take(priority, oldest.place)?;
        Some((priority, waiter))
    }

    fn take(&mut self, priority: Priority, place: Place) -> Option<W> {
        let waiter = self.lanes.get_mut(priority).take(place)?;
        self.length = self.length.saturating_sub(1);
        Some(waiter)
    }

    fn invariants(&self) {
        debug_assert_eq!(
            self.length,
            self.lanes.iter().map(|(_, lane)| lane.len()).sum::<usize>(),
            "each is in one lane"
        );
    }
}

#[cfg(test)]
mod tests;

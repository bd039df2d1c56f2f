//! The gate before an origin: one count of permits for the whole process, and the short queue.
//!
//! The unsaturated path is one compare-and-swap and takes no lock. The queue has a lock, taken
//! only at the limit. A [`Permit`] that was used is never given back by its drop: it counts until
//! `abort_grace` has passed, because an origin goes on working when a client leaves.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forebay_admission::limit::{Adaptive, Exposure, Outcome};
use forebay_admission::priority::{PerClass, Priority};
use forebay_admission::queue::{Entry, Gauge, Queue};
use forebay_admission::room::Load;
use forebay_admission::time::Timestamp;
use tokio::sync::oneshot;

use crate::clock::Clock;

mod counts;
mod latency;
mod limit;
mod permit;
mod pressure;
mod rules;
mod status;

use counts::Counts;
use latency::Latency;
use limit::WHOLE;
use permit::Kept;
pub use permit::Permit;
use pressure::Pressure;
pub use rules::{GateRules, LimitRule};
pub use status::{GateStatus, Holds, ShedCounts};

type Waiter = oneshot::Sender<Permit>;

/// The gate of one origin.
#[derive(Debug)]
pub struct Gate {
    clock: Clock,
    counts: Counts,
    waiters: Mutex<Waiting>,
    abandoned: Mutex<VecDeque<(Timestamp, Kept)>>,
    rules: Mutex<GateRules>,
    latency: Latency,
    given_up: AtomicU64,
    turned_away: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    queue: Queue<Waiter>,
    /// Permits held by each class, of those that waited for theirs.
    held: PerClass<u32>,
    shed: PerClass<ShedCounts>,
    pressure: Pressure,
    law: Option<Adaptive>,
    /// What others allow at most: the origin's own word, or servers that have just come back.
    ceiling: Option<u32>,
    /// Servers that are alive: an adaptive limit leaves each at least one request.
    live: u32,
    /// Thousandths of the servers, by weight, that the limit was last told of.
    alive: u32,
    ticked: Timestamp,
    pressed_since: Option<Timestamp>,
    pressed: Duration,
}

impl Waiting {
    fn give_back(&mut self, class: Option<Priority>) {
        if let Some(class) = class {
            let held = self.held.get_mut(class);
            *held = held.saturating_sub(1);
        }
    }
}

/// A tick that comes so long after the one before came late.
const LATE: Duration = Duration::from_millis(250);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held left counts that are still counts; going on is better than
    // closing the gate for ever.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    /// A gate with nobody at it.
    #[must_use]
    pub fn new(rules: GateRules, clock: Clock) -> Arc<Self> {
        let now = clock.now();
        let law = rules.limit.law(Exposure::default(), now);
        let limit = rules.limit.first(law.as_ref());
        Arc::new(Self {
            clock,
            counts: Counts::new(limit),
            waiters: Mutex::new(Waiting {
                queue: Queue::new(rules.queue, limit),
                held: PerClass::default(),
                shed: PerClass::default(),
                pressure: Pressure::new(now),
                law,
                ceiling: None,
                live: 1,
                alive: WHOLE,
                ticked: now,
                pressed_since: None,
                pressed: Duration::ZERO,
            }),
            abandoned: Mutex::new(VecDeque::new()),
            rules: Mutex::new(rules),
            latency: Latency::default(),
            given_up: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
        })
    }

    /// New rules after a reload; whoever is in flight or waits stays.
    pub fn configure(self: &Arc<Self>, rules: GateRules) {
        *lock(&self.rules) = rules;
        let mut waiting = lock(&self.waiters);
        let live = waiting.live;
        match (rules.limit, &mut waiting.law) {
            (LimitRule::Adaptive(bounds), Some(law)) => {
                law.set_bounds(bounds.leaving_each_one(live));
            }
            (rule, _) => {
                let now = self.clock.now();
                let exposure = self.exposure(&mut waiting, now);
                waiting.law = rule.law(exposure, now);
            }
        }
        waiting.queue.set(rules.queue);
        self.settle(&mut waiting);
        self.set_limit(&mut waiting, rules.limit);
        drop(waiting);
        self.wake();
    }

    /// Lets an adaptive limit learn from the time since the last call, and turns away who waited
    /// too long: about every 50 ms. When this process is itself short of processor (`starved`), or
    /// the call comes late, what was measured says more about the proxy than about the origin, and
    /// teaches nothing.
    pub fn tick(self: &Arc<Self>, starved: bool) {
        let now = self.clock.now();
        let rule = lock(&self.rules).limit;
        let mut waiting = lock(&self.waiters);
        let exposure = self.exposure(&mut waiting, now);
        let late = now.saturating_since(waiting.ticked) > LATE;
        waiting.ticked = now;
        let ceiling = waiting.ceiling;
        if let Some(law) = &mut waiting.law {
            let foreign = ceiling.is_some_and(|most| most < law.current());
            law.clamped(foreign || late || starved);
            law.tick(exposure, now);
        }
        self.set_limit(&mut waiting, rule);
        let gauge = self.gauge(&waiting);
        let gone = waiting.queue.tick(gauge, now);
        for (class, _) in &gone.late {
            waiting.shed.get_mut(*class).late += 1;
        }
        for (class, _) in &gone.crowded {
            waiting.shed.get_mut(*class).crowded += 1;
        }
        self.count(&mut waiting);
        drop(waiting);
        // Each sees its channel close.
        drop(gone);
        self.wake();
    }

    /// What the queue has to know of the gate.
    fn gauge(&self, waiting: &Waiting) -> Gauge {
        let limit = self.counts.limit();
        let law = waiting.law.as_ref();
        let seen = law.and_then(Adaptive::response);
        Gauge {
            limit,
            response: seen.or_else(|| self.latency.median()),
            starting: law.is_some_and(Adaptive::starting),
            free: self.counts.in_flight() < limit,
        }
    }

    /// A permit, if one is free and nobody waits for it.
    #[must_use]
    pub fn try_acquire(self: &Arc<Self>) -> Option<Permit> {
        if self.counts.queued() > 0 {
            return None;
        }
        let taken = self.counts.take()?;
        if taken >= self.counts.limit() {
            // The last permit is gone: from here on time is under pressure.
            self.settle(&mut lock(&self.waiters));
        }
        Some(Permit::new(Arc::clone(self), Kept::default()))
    }

    /// A permit, now or within the patience of the class; `None`: shed.
    pub async fn acquire(
        self: &Arc<Self>,
        priority: Priority,
        first_try: Timestamp,
    ) -> Option<Permit> {
        if let Some(permit) = self.try_acquire() {
            return Some(permit);
        }
        let (receiver, entry, deadline) = self.enqueue(priority, first_try)?;
        let place = Place {
            gate: self,
            entry: Some(entry),
        };
        // A permit may have come free between the first look and the push.
        self.wake();
        // The tick turns away who waited too long. This is for when it does not come.
        let permit = tokio::time::timeout_at(self.clock.instant(deadline), receiver).await;
        let Ok(Ok(permit)) = permit else {
            if place.left() {
                lock(&self.waiters).shed.get_mut(priority).late += 1;
            }
            return None;
        };
        place.served();
        Some(permit)
    }

    /// One request of a visitor inside, for the inlet's estimate of demand: all but the one with
    /// which the visitor entered.
    pub fn tried(&self) {
        self.counts.tried();
    }

    /// Nobody was there to ask, because the origin is down: a failure for the room, and nothing
    /// that a limit could be learned from.
    pub fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// The totals that the inlet reads.
    #[must_use]
    pub fn load(&self) -> Load {
        let now = self.clock.now();
        let waiting = lock(&self.waiters);
        let open = waiting
            .pressed_since
            .map_or(Duration::ZERO, |since| now.saturating_since(since));
        Load {
            limit: self.counts.limit(),
            starting: waiting.law.as_ref().is_some_and(Adaptive::starting),
            in_flight: self.counts.in_flight(),
            queued: self.counts.queued(),
            completed: self.counts.completed(),
            tries: self.counts.tries(),
            failed: self.counts.failed() + self.turned_away.load(Ordering::Relaxed),
            shed: waiting.shed.iter().map(|(_, shed)| shed.total()).sum(),
            pressed: waiting.pressed + open,
        }
    }

    /// Permits there are.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.counts.limit()
    }

    /// Whether no permit is free, or somebody waits for one.
    #[must_use]
    pub fn is_pressed(&self) -> bool {
        self.counts.queued() > 0 || self.counts.in_flight() >= self.counts.limit()
    }

    /// What stands at the gate now.
    #[must_use]
    pub fn status(&self) -> GateStatus {
        let rule = lock(&self.rules).limit;
        let (holds, waiting, standing, shed) = {
            let state = lock(&self.waiters);
            let (waiting, standing) = (state.queue.waiting(), state.queue.standing());
            (Self::holds(&state, rule), waiting, standing, state.shed)
        };
        GateStatus {
            limit: self.counts.limit(),
            holds,
            in_flight: self.counts.in_flight(),
            queued: self.counts.queued(),
            abandoned: lock(&self.abandoned).len(),
            completed: self.counts.completed(),
            waiting,
            standing,
            shed,
            given_up: self.given_up.load(Ordering::Relaxed),
        }
    }

    /// Gives back the permits whose `abort_grace` is over. Called about every 50 ms.
    pub fn sweep(self: &Arc<Self>) {
        let now = self.clock.now();
        loop {
            let mut abandoned = lock(&self.abandoned);
            if abandoned.front().is_none_or(|(until, _)| *until > now) {
                return;
            }
            let kept = abandoned.pop_front().map(|(_, kept)| kept);
            drop(abandoned);
            self.release(kept.unwrap_or_default(), false);
        }
    }

    /// How long work that was given up is taken to go on.
    #[must_use]
    pub fn abort_grace(&self) -> Duration {
        let fixed = lock(&self.rules).abort_grace;
        fixed.unwrap_or_else(|| {
            self.latency
                .p90()
                .clamp(Duration::from_secs(1), Duration::from_secs(30))
        })
    }

    fn observe(&self, outcome: Outcome, latency: Duration) {
        self.counts.ended(outcome);
        if outcome == Outcome::Success {
            self.latency.record(latency);
        }
    }

    /// The totals that the law learns from.
    fn exposure(&self, waiting: &mut Waiting, now: Timestamp) -> Exposure {
        let (good, failed) = (self.counts.good(), self.counts.failed());
        let youth = waiting.law.as_ref().map_or(Duration::ZERO, Adaptive::youth);
        waiting.pressure.exposure(now, good, failed, youth)
    }

    /// Writes down how it stands from here on.
    fn settle(&self, waiting: &mut Waiting) {
        let in_flight = self.counts.in_flight();
        let full = in_flight >= self.counts.limit();
        let pressed = full || !waiting.queue.is_empty();
        waiting
            .pressure
            .change(self.clock.now(), in_flight, pressed);
    }

    fn abandon(&self, mut kept: Kept) {
        if let Some(begun) = kept.begun.take() {
            lock(&self.waiters).pressure.undo(begun);
        }
        let until = self.clock.now().plus(self.abort_grace());
        self.given_up.fetch_add(1, Ordering::Relaxed);
        let mut abandoned = lock(&self.abandoned);
        // The grace may have shrunk since: the list stays in order, at worst by waiting longer.
        let last = abandoned.back().map(|(last, _)| *last);
        abandoned.push_back((until.max(last.unwrap_or_default()), kept));
    }

    fn release(self: &Arc<Self>, kept: Kept, good: bool) {
        let before = self.counts.put_back();
        let was_full = before >= self.counts.limit();
        let waited_for = self.counts.queued() > 0;
        if was_full || waited_for || kept.any() {
            let mut waiting = lock(&self.waiters);
            waiting.pressure.end(kept.begun, good);
            waiting.give_back(kept.class);
            self.settle(&mut waiting);
        }
        if waited_for {
            self.wake();
        }
    }

    /// Somebody waits; `None`: there is no place.
    fn enqueue(
        &self,
        priority: Priority,
        first_try: Timestamp,
    ) -> Option<(oneshot::Receiver<Permit>, Entry, Timestamp)> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = lock(&self.waiters);
        let now = self.clock.now();
        let pushed = waiting.queue.push(priority, first_try, now, sender);
        let Ok(pushed) = pushed else {
            waiting.shed.get_mut(priority).crowded += 1;
            return None;
        };
        if let Some((class, _)) = &pushed.evicted {
            // It sees its channel close.
            waiting.shed.get_mut(*class).crowded += 1;
        }
        self.count(&mut waiting);
        let deadline = now.plus(waiting.queue.patience_max(priority));
        Some((receiver, pushed.entry, deadline))
    }

    /// Hands free permits to those whose turn it is.
    fn wake(self: &Arc<Self>) {
        while self.counts.queued() > 0 {
            let mut waiting = lock(&self.waiters);
            if self.counts.take().is_none() {
                return;
            }
            let now = self.clock.now();
            let Waiting { queue, held, .. } = &mut *waiting;
            let Some((class, waiter)) = queue.pop(now, held) else {
                // Whoever waits is past the own patience.
                self.put_back(&mut waiting, Kept::default());
                return;
            };
            *held.get_mut(class) += 1;
            let kept = Kept {
                begun: waiting.pressure.begin(now),
                class: Some(class),
            };
            self.count(&mut waiting);
            drop(waiting);
            // Its drop would come back here, once for each who has left.
            let sent = waiter.send(Permit::new(Arc::clone(self), kept));
            if let Err(kept) = sent.map_err(Permit::void) {
                self.put_back(&mut lock(&self.waiters), kept);
            }
        }
    }

    /// Gives one place back without looking who waits for it.
    fn put_back(&self, waiting: &mut Waiting, kept: Kept) {
        self.counts.put_back();
        if let Some(begun) = kept.begun {
            waiting.pressure.undo(begun);
        }
        waiting.give_back(kept.class);
        self.settle(waiting);
    }

    fn count(&self, waiting: &mut Waiting) {
        let length = u32::try_from(waiting.queue.len()).unwrap_or(u32::MAX);
        self.counts.set_queued(length);
        self.settle(waiting);
        match (length > 0, waiting.pressed_since) {
            (true, None) => waiting.pressed_since = Some(self.clock.now()),
            (false, Some(since)) => {
                waiting.pressed += self.clock.now().saturating_since(since);
                waiting.pressed_since = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
}

/// A place in the queue, left when the client goes.
struct Place<'a> {
    gate: &'a Arc<Gate>,
    entry: Option<Entry>,
}

impl Place<'_> {
    /// The permit came.
    fn served(mut self) {
        self.entry = None;
    }

    /// Gives up the place; whether it was still held.
    fn left(mut self) -> bool {
        self.leave()
    }

    fn leave(&mut self) -> bool {
        let Some(entry) = self.entry.take() else {
            return false;
        };
        let mut waiting = lock(&self.gate.waiters);
        let waiter = waiting.queue.remove(entry);
        self.gate.count(&mut waiting);
        drop(waiting);
        waiter.is_some()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests;

//! The gate before an origin: one count of permits for the whole process, and the short queue.
//!
//! The unsaturated path is one compare-and-swap and takes no lock. The queue has a lock, taken
//! only at the limit. A [`Permit`] that was used is never given back by its drop: it counts until
//! `abort_grace` has passed, because an origin goes on working when a client leaves.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forebay_admission::limit::Outcome;
use forebay_admission::priority::Priority;
use forebay_admission::queue::{Entry, Queue};
use forebay_admission::room::Load;
use forebay_admission::time::Timestamp;
use tokio::sync::oneshot;

use crate::clock::Clock;

mod latency;

use latency::Latency;

/// How many permits an origin has, and what waits for them. Durations are upper bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateRules {
    /// Exchanges in flight at the origin at the same time.
    pub limit: u32,
    /// Requests that may wait for a permit; what is over it is shed, worst class first.
    pub length: NonZeroUsize,
    /// How long an unsafe method of a visitor inside waits.
    pub submit: Duration,
    /// How long a visitor inside waits for a page or its parts.
    pub visitor: Duration,
    /// How long a request without a pass waits.
    pub stranger: Duration,
    /// How long abandoned work is taken to go on; `None`: the last p90, within 1 to 30 s.
    pub abort_grace: Option<Duration>,
}

impl GateRules {
    /// How long a request of this class may wait.
    #[must_use]
    pub const fn patience(&self, priority: Priority) -> Duration {
        match priority {
            Priority::Operator | Priority::Submit => self.submit,
            Priority::Navigation | Priority::SubResource => self.visitor,
            Priority::Stranger | Priority::Bot => self.stranger,
        }
    }
}

/// Permission to be in flight at the origin.
#[derive(Debug)]
pub struct Permit {
    gate: Arc<Gate>,
    state: PermitState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PermitState {
    /// The origin has got nothing yet.
    Unused,
    /// The origin may be working.
    Used,
    /// Nothing hangs on it any more.
    Void,
}

impl Permit {
    /// From here on the origin may be working for us.
    pub const fn begin(&mut self) {
        self.state = PermitState::Used;
    }

    /// The origin is done: its last byte has arrived, or it never got a byte.
    pub fn finish(mut self, outcome: Outcome, latency: Duration) {
        self.state = PermitState::Unused;
        self.gate.observe(outcome, latency);
    }

    /// Takes its place out of the permit, which then stands for nothing.
    fn void(mut self) {
        self.state = PermitState::Void;
    }

    /// How long work that was given up is taken to go on.
    #[must_use]
    pub fn abort_grace(&self) -> Duration {
        self.gate.abort_grace()
    }

    /// The gate that gave it.
    #[must_use]
    pub const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.state {
            PermitState::Unused => self.gate.release(),
            PermitState::Used => self.gate.abandon(),
            PermitState::Void => {}
        }
    }
}

type Waiters = Queue<oneshot::Sender<Permit>>;

/// The gate of one origin.
#[derive(Debug)]
pub struct Gate {
    clock: Clock,
    in_flight: AtomicU32,
    limit: AtomicU32,
    queued: AtomicU32,
    waiters: Mutex<Waiting>,
    abandoned: Mutex<VecDeque<Timestamp>>,
    rules: Mutex<GateRules>,
    latency: Latency,
    completed: AtomicU64,
    tries: AtomicU64,
    shed: AtomicU64,
    given_up: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    queue: Waiters,
    pressed_since: Option<Timestamp>,
    pressed: Duration,
}

/// What a gate did so far, and what stands at it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateStatus {
    /// Permits there are.
    pub limit: u32,
    /// Permits taken.
    pub in_flight: u32,
    /// Requests that wait for one.
    pub queued: u32,
    /// Permits whose client left and whose origin may still be working.
    pub abandoned: usize,
    /// Exchanges the origin finished.
    pub completed: u64,
    /// Requests turned away at the queue.
    pub shed: u64,
    /// Exchanges that were given up while the origin worked.
    pub given_up: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held left counts that are still counts; going on is better than
    // closing the gate for ever.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    /// A gate with nobody at it.
    #[must_use]
    pub fn new(rules: GateRules, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            in_flight: AtomicU32::new(0),
            limit: AtomicU32::new(rules.limit),
            queued: AtomicU32::new(0),
            waiters: Mutex::new(Waiting {
                queue: Queue::new(rules.length),
                pressed_since: None,
                pressed: Duration::ZERO,
            }),
            abandoned: Mutex::new(VecDeque::new()),
            rules: Mutex::new(rules),
            latency: Latency::default(),
            completed: AtomicU64::new(0),
            tries: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
        })
    }

    /// New rules after a reload; whoever is in flight or waits stays.
    pub fn configure(self: &Arc<Self>, rules: GateRules) {
        *lock(&self.rules) = rules;
        self.limit.store(rules.limit, Ordering::SeqCst);
        let shed = lock(&self.waiters).queue.set_length(rules.length);
        drop(shed);
        self.wake();
    }

    /// A permit, if one is free and nobody waits for it.
    #[must_use]
    pub fn try_acquire(self: &Arc<Self>) -> Option<Permit> {
        if self.queued.load(Ordering::SeqCst) > 0 {
            return None;
        }
        self.take().then(|| self.permit())
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
        let deadline = self.clock.now().plus(lock(&self.rules).patience(priority));
        let Some((receiver, entry)) = self.enqueue(priority, first_try, deadline) else {
            self.shed.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let place = Place {
            gate: self,
            entry: Some(entry),
        };
        // A permit may have come free between the first look and the push.
        self.wake();
        let permit = tokio::time::timeout_at(self.clock.instant(deadline), receiver).await;
        let Ok(Ok(permit)) = permit else {
            drop(place);
            self.shed.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        place.leave();
        Some(permit)
    }

    /// One page asked for by a visitor inside, for the inlet's estimate of demand.
    pub fn tried(&self) {
        self.tries.fetch_add(1, Ordering::Relaxed);
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
            limit: self.limit.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            queued: self.queued.load(Ordering::Relaxed),
            completed: self.completed.load(Ordering::Relaxed),
            tries: self.tries.load(Ordering::Relaxed),
            shed: self.shed.load(Ordering::Relaxed),
            pressed: waiting.pressed + open,
        }
    }

    /// What stands at the gate now.
    #[must_use]
    pub fn status(&self) -> GateStatus {
        GateStatus {
            limit: self.limit.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            queued: self.queued.load(Ordering::Relaxed),
            abandoned: lock(&self.abandoned).len(),
            completed: self.completed.load(Ordering::Relaxed),
            shed: self.shed.load(Ordering::Relaxed),
            given_up: self.given_up.load(Ordering::Relaxed),
        }
    }

    /// Gives back the permits whose `abort_grace` is over. Called about every 50 ms.
    pub fn sweep(self: &Arc<Self>) {
        let now = self.clock.now();
        loop {
            let mut abandoned = lock(&self.abandoned);
            if abandoned.front().is_none_or(|until| *until > now) {
                return;
            }
            abandoned.pop_front();
            drop(abandoned);
            self.release();
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

    fn permit(self: &Arc<Self>) -> Permit {
        Permit {
            gate: Arc::clone(self),
            state: PermitState::Unused,
        }
    }

    /// Takes one place under the limit.
    fn take(&self) -> bool {
        let limit = self.limit.load(Ordering::SeqCst);
        let more = |taken: u32| (taken < limit).then_some(taken + 1);
        self.in_flight
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
            .is_ok()
    }

    fn observe(&self, outcome: Outcome, latency: Duration) {
        self.completed.fetch_add(1, Ordering::Relaxed);
        if outcome == Outcome::Success {
            self.latency.record(latency);
        }
    }

    fn abandon(&self) {
        let until = self.clock.now().plus(self.abort_grace());
        self.given_up.fetch_add(1, Ordering::Relaxed);
        let mut abandoned = lock(&self.abandoned);
        // The grace may have shrunk since: the list stays in order, at worst by waiting longer.
        let until = abandoned.back().map_or(until, |last| until.max(*last));
        abandoned.push_back(until);
    }

    fn release(self: &Arc<Self>) {
        self.put_back();
        if self.queued.load(Ordering::SeqCst) > 0 {
            self.wake();
        }
    }

    fn enqueue(
        &self,
        priority: Priority,
        first_try: Timestamp,
        deadline: Timestamp,
    ) -> Option<(oneshot::Receiver<Permit>, Entry)> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = lock(&self.waiters);
        // Whoever is evicted sees its channel close, and is shed.
        let pushed = waiting
            .queue
            .push(priority, first_try, deadline, sender)
            .ok()?;
        self.count(&mut waiting);
        Some((receiver, pushed.entry))
    }

    /// Hands free permits to those who wait, best first.
    fn wake(self: &Arc<Self>) {
        loop {
            let mut waiting = lock(&self.waiters);
            if waiting.queue.is_empty() || !self.take() {
                return;
            }
            let next = waiting.queue.pop(self.clock.now());
            // Whoever waits behind nobody is past the deadline, and sees its channel close.
            let late = match &next {
                Some(_) => Vec::new(),
                None => waiting.queue.expire(self.clock.now()),
            };
            self.count(&mut waiting);
            drop(waiting);
            drop(late);
            let Some(waiter) = next else {
                self.put_back();
                return;
            };
            if let Err(permit) = waiter.send(self.permit()) {
                // Its drop would come back here, once for each who has left.
                permit.void();
                self.put_back();
            }
        }
    }

    /// Gives one place back without looking who waits for it.
    fn put_back(&self) {
        let before = self.in_flight.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(before > 0, "a permit is given back once");
    }

    fn count(&self, waiting: &mut Waiting) {
        let length = u32::try_from(waiting.queue.len()).unwrap_or(u32::MAX);
        self.queued.store(length, Ordering::SeqCst);
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
    fn leave(mut self) {
        self.entry = None;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            let mut waiting = lock(&self.gate.waiters);
            let waiter = waiting.queue.remove(entry);
            self.gate.count(&mut waiting);
            drop(waiting);
            drop(waiter);
        }
    }
}

#[cfg(test)]
mod tests;

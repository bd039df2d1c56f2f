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

use forebay_admission::limit::{Adaptive, Bounds, Exposure, Moved, Outcome};
use forebay_admission::priority::Priority;
use forebay_admission::queue::{Entry, Queue};
use forebay_admission::room::Load;
use forebay_admission::time::Timestamp;
use tokio::sync::oneshot;

use crate::clock::Clock;

mod latency;
mod pressure;

use latency::Latency;
use pressure::{Begun, Pressure};

/// How many permits an origin has, and what waits for them. Durations are upper bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateRules {
    /// Exchanges in flight at the origin at the same time.
    pub limit: LimitRule,
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

/// Who sets the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitRule {
    /// The operator.
    Fixed(u32),
    /// What the origin does, within these.
    Adaptive(Bounds),
}

impl LimitRule {
    /// The law that follows from it, at its start.
    fn law(self, exposure: Exposure, now: Timestamp) -> Option<Adaptive> {
        match self {
            Self::Fixed(_) => None,
            Self::Adaptive(bounds) => Some(Adaptive::new(bounds, exposure, now)),
        }
    }

    fn first(self, law: Option<&Adaptive>) -> u32 {
        match (self, law) {
            (Self::Fixed(limit), _) => limit,
            (Self::Adaptive(_), Some(law)) => law.current(),
            (Self::Adaptive(bounds), None) => bounds.min,
        }
    }
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
    begun: Option<Begun>,
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
        self.state = PermitState::Void;
        self.gate.observe(outcome, latency);
        self.gate
            .release(self.begun.take(), outcome == Outcome::Success);
    }

    /// There was no whole answer; what its drop does stays as it was.
    pub fn failed(&self, outcome: Outcome) {
        if outcome == Outcome::Congested {
            self.gate.congested.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes its place out of the permit, which then stands for nothing.
    fn void(mut self) -> Option<Begun> {
        self.state = PermitState::Void;
        self.begun.take()
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
            PermitState::Unused => self.gate.release(self.begun.take(), false),
            PermitState::Used => self.gate.abandon(self.begun.take()),
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
    good: AtomicU64,
    congested: AtomicU64,
    completed: AtomicU64,
    tries: AtomicU64,
    shed: AtomicU64,
    given_up: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    queue: Waiters,
    pressure: Pressure,
    law: Option<Adaptive>,
    /// What others allow at most: the origin's own word, or servers that have just come back.
    ceiling: Option<u32>,
    /// Servers that are alive: an adaptive limit leaves each at least one request.
    live: u32,
    ticked: Timestamp,
    pressed_since: Option<Timestamp>,
    pressed: Duration,
}

/// What holds the limit where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The operator's number.
    Operator,
    /// What was learned, and why that last moved.
    Learned(Moved),
    /// What the origin or its servers allow at most.
    Ceiling,
}

impl Holds {
    /// Its name in `/api/status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Learned(_) => "learned",
            Self::Ceiling => "ceiling",
        }
    }
}

/// What a gate did so far, and what stands at it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateStatus {
    /// Permits there are.
    pub limit: u32,
    /// What holds the limit where it is.
    pub holds: Holds,
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
        Arc::new(Self {
            clock,
            in_flight: AtomicU32::new(0),
            limit: AtomicU32::new(rules.limit.first(law.as_ref())),
            queued: AtomicU32::new(0),
            waiters: Mutex::new(Waiting {
                queue: Queue::new(rules.length),
                pressure: Pressure::new(now),
                law,
                ceiling: None,
                live: 1,
                ticked: now,
                pressed_since: None,
                pressed: Duration::ZERO,
            }),
            abandoned: Mutex::new(VecDeque::new()),
            rules: Mutex::new(rules),
            latency: Latency::default(),
            good: AtomicU64::new(0),
            congested: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            tries: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
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
        let shed = waiting.queue.set_length(rules.length);
        self.settle(&mut waiting);
        self.set_limit(waiting, rules.limit);
        drop(shed);
        self.wake();
    }

    /// Lets an adaptive limit learn from the time since the last call: about every 50 ms. When
    /// this process is itself short of processor (`starved`), or the call comes late, what was
    /// measured says more about the proxy than about the origin, and teaches nothing.
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
        if self.set_limit(waiting, rule) {
            self.wake();
        }
    }

    /// What the origin, or servers that have just come back, allow at most; `None`: anything.
    pub fn ceiling(self: &Arc<Self>, most: Option<u32>) {
        let rule = lock(&self.rules).limit;
        let mut waiting = lock(&self.waiters);
        waiting.ceiling = most;
        if self.set_limit(waiting, rule) {
            self.wake();
        }
    }

    /// So many servers are alive now; the limit leaves each at least one request.
    pub fn servers(&self, live: u32) {
        let rule = lock(&self.rules).limit;
        let mut waiting = lock(&self.waiters);
        waiting.live = live;
        if let (LimitRule::Adaptive(bounds), Some(law)) = (rule, &mut waiting.law) {
            law.set_bounds(bounds.leaving_each_one(live));
        }
    }

    /// Goes on from a limit that an earlier process had found.
    pub fn restore(&self, limit: u32) {
        let rule = lock(&self.rules).limit;
        let mut waiting = lock(&self.waiters);
        if let Some(law) = &mut waiting.law {
            law.restore(limit);
        }
        self.set_limit(waiting, rule);
    }

    /// The limit that was found, once it was; what [`restore`](Self::restore) takes.
    #[must_use]
    pub fn learned(&self) -> Option<u32> {
        lock(&self.waiters).law.as_ref()?.learned()
    }

    /// A server was ejected or came back: what the limit rests on is doubted.
    pub fn unsure(&self) {
        if let Some(law) = &mut lock(&self.waiters).law {
            law.unsure();
        }
    }

    /// Puts the limit in force; whether there is more room than before.
    fn set_limit(&self, mut waiting: MutexGuard<'_, Waiting>, rule: LimitRule) -> bool {
        let own = rule.first(waiting.law.as_ref());
        let limit = waiting.ceiling.map_or(own, |most| own.min(most)).max(1);
        let before = self.limit.swap(limit, Ordering::SeqCst);
        if limit != before {
            self.settle(&mut waiting);
        }
        limit > before
    }

    fn holds(&self) -> Holds {
        let rule = lock(&self.rules).limit;
        let waiting = lock(&self.waiters);
        let own = rule.first(waiting.law.as_ref());
        match &waiting.law {
            _ if waiting.ceiling.is_some_and(|most| most < own) => Holds::Ceiling,
            Some(law) => Holds::Learned(law.moved()),
            None => Holds::Operator,
        }
    }

    /// A permit, if one is free and nobody waits for it.
    #[must_use]
    pub fn try_acquire(self: &Arc<Self>) -> Option<Permit> {
        if self.queued.load(Ordering::SeqCst) > 0 {
            return None;
        }
        let taken = self.take()?;
        if taken >= self.limit.load(Ordering::Relaxed) {
            // The last permit is gone: from here on time is under pressure.
            self.settle(&mut lock(&self.waiters));
        }
        Some(self.permit(None))
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

    /// Permits there are.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// What stands at the gate now.
    #[must_use]
    pub fn status(&self) -> GateStatus {
        GateStatus {
            limit: self.limit.load(Ordering::Relaxed),
            holds: self.holds(),
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
            self.release(None, false);
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

    fn permit(self: &Arc<Self>, begun: Option<Begun>) -> Permit {
        Permit {
            gate: Arc::clone(self),
            state: PermitState::Unused,
            begun,
        }
    }

    /// Takes one place under the limit; how many are taken then.
    fn take(&self) -> Option<u32> {
        let limit = self.limit.load(Ordering::SeqCst);
        let more = |taken: u32| (taken < limit).then_some(taken + 1);
        let before = self
            .in_flight
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        before.ok().map(|before| before + 1)
    }

    fn observe(&self, outcome: Outcome, latency: Duration) {
        self.completed.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Outcome::Success => {
                self.good.fetch_add(1, Ordering::Relaxed);
                self.latency.record(latency);
            }
            Outcome::Congested => {
                self.congested.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Failed | Outcome::Ignored => {}
        }
    }

    /// The totals that the law learns from.
    fn exposure(&self, waiting: &mut Waiting, now: Timestamp) -> Exposure {
        let good = self.good.load(Ordering::Relaxed);
        let congested = self.congested.load(Ordering::Relaxed);
        let youth = waiting.law.as_ref().map_or(Duration::ZERO, Adaptive::youth);
        waiting.pressure.exposure(now, good, congested, youth)
    }

    /// Writes down how it stands from here on.
    fn settle(&self, waiting: &mut Waiting) {
        let in_flight = self.in_flight.load(Ordering::SeqCst);
        let full = in_flight >= self.limit.load(Ordering::SeqCst);
        let pressed = full || !waiting.queue.is_empty();
        waiting
            .pressure
            .change(self.clock.now(), in_flight, pressed);
    }

    fn abandon(&self, begun: Option<Begun>) {
        if let Some(begun) = begun {
            lock(&self.waiters).pressure.undo(begun);
        }
        let until = self.clock.now().plus(self.abort_grace());
        self.given_up.fetch_add(1, Ordering::Relaxed);
        let mut abandoned = lock(&self.abandoned);
        // The grace may have shrunk since: the list stays in order, at worst by waiting longer.
        let until = abandoned.back().map_or(until, |last| until.max(*last));
        abandoned.push_back(until);
    }

    fn release(self: &Arc<Self>, begun: Option<Begun>, good: bool) {
        let before = self.in_flight.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(before > 0, "a permit is given back once");
        let was_full = before >= self.limit.load(Ordering::SeqCst);
        let waited_for = self.queued.load(Ordering::SeqCst) > 0;
        if was_full || waited_for || begun.is_some() {
            let mut waiting = lock(&self.waiters);
            waiting.pressure.end(begun, good);
            self.settle(&mut waiting);
        }
        if waited_for {
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
            if waiting.queue.is_empty() || self.take().is_none() {
                return;
            }
            let next = waiting.queue.pop(self.clock.now());
            // Whoever waits behind nobody is past the deadline, and sees its channel close.
            let late = match &next {
                Some(_) => Vec::new(),
                None => waiting.queue.expire(self.clock.now()),
            };
            let begun = waiting.pressure.begin(self.clock.now());
            self.count(&mut waiting);
            drop(waiting);
            drop(late);
            // Its drop would come back here, once for each who has left.
            let left = match next {
                Some(waiter) => waiter.send(self.permit(begun)).map_err(Permit::void),
                None => Err(begun),
            };
            if let Err(begun) = left {
                self.put_back(begun);
            }
        }
    }

    /// Gives one place back without looking who waits for it.
    fn put_back(&self, begun: Option<Begun>) {
        let before = self.in_flight.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(before > 0, "a permit is given back once");
        let mut waiting = lock(&self.waiters);
        if let Some(begun) = begun {
            waiting.pressure.undo(begun);
        }
        self.settle(&mut waiting);
    }

    fn count(&self, waiting: &mut Waiting) {
        let length = u32::try_from(waiting.queue.len()).unwrap_or(u32::MAX);
        self.queued.store(length, Ordering::SeqCst);
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

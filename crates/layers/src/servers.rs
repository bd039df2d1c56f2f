//! The servers of one origin: which of them gets a request, and what its end says about them.
//!
//! One for the process, kept across reloads. With a single server there is no choice and nothing
//! is measured; only that nobody accepts connections is noticed. What is out is tried again by
//! one request per pause, or by active probes where the operator wants them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forebay_admission::balance::{self, Pick};
use forebay_admission::retry::{Budget, RetryRules};
use forebay_admission::server::{Fault, Health, Peers, hinted, recovering};
use forebay_admission::time::Timestamp;

use crate::clock::Clock;
use crate::gate::Gate;
use crate::server::{Server, ServerStatus};

/// What a reload may change about how servers are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServersRules {
    /// How much is asked a second time.
    pub retry: RetryRules,
    /// Whether active probes bring back what is out; else requests do.
    pub probed: bool,
}

/// Servers that one request may be tried on.
pub const TRIES_MAX: usize = 3;

/// Where a request was tried already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried([Option<SocketAddr>; TRIES_MAX]);

impl Tried {
    /// Remembers one more; whether there was room for it.
    pub fn add(&mut self, address: SocketAddr) -> bool {
        let free = self.0.iter_mut().find(|place| place.is_none());
        free.map(|place| *place = Some(address)).is_some()
    }

    fn contains(&self, address: SocketAddr) -> bool {
        self.0.contains(&Some(address))
    }

    const fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }
}

/// Why no server was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nobody {
    /// Every live one was tried, or none is known.
    Left,
    /// All are out: the origin is down.
    Down,
}

/// The servers of one origin.
#[derive(Debug)]
pub struct Servers {
    name: Arc<str>,
    clock: Clock,
    gate: Arc<Gate>,
    roll: Mutex<Arc<Roll>>,
    count: AtomicU32,
    rules: Mutex<ServersRules>,
    budget: Mutex<Budget>,
    ceiling: Mutex<Ceiling>,
    /// Any number, for the spread of pauses.
    random: fn() -> u32,
}

/// Who there is, and who of them is not out.
#[derive(Debug)]
struct Roll {
    all: Arc<[Arc<Server>]>,
    live: Vec<Arc<Server>>,
}

/// What the servers allow at most, and since when.
#[derive(Debug, Default)]
struct Ceiling {
    /// The limit before the origin was down.
    good: u32,
    down: bool,
    back: Option<Timestamp>,
    told: Option<u32>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Servers {
    /// Those of the origin of that name, not resolved yet. `random` gives any number; it spreads
    /// the pauses of what is out.
    #[must_use]
    pub fn new(
        name: Arc<str>,
        gate: Arc<Gate>,
        rules: ServersRules,
        clock: Clock,
        random: fn() -> u32,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            clock,
            gate,
            roll: Mutex::new(Arc::new(Roll::of(Arc::from([])))),
            count: AtomicU32::new(0),
            rules: Mutex::new(rules),
            budget: Mutex::new(Budget::new(0, clock.now())),
            ceiling: Mutex::default(),
            random,
        })
    }

    /// New rules after a reload.
    pub fn configure(&self, rules: ServersRules) {
        *lock(&self.rules) = rules;
    }

    /// All of them, as last resolved.
    #[must_use]
    pub fn all(&self) -> Arc<[Arc<Server>]> {
        Arc::clone(&self.roll().all)
    }

    /// Replaces them; whoever is in flight at a former one goes on.
    pub fn replace(&self, all: Arc<[Arc<Server>]>) {
        for server in &*all {
            server.set_alone(all.len() == 1);
            server.settle(self.clock.now());
        }
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        self.count.store(count, Ordering::Relaxed);
        *lock(&self.roll) = Arc::new(Roll::of(all));
        self.tell_gate();
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether all are out.
    #[must_use]
    pub fn are_down(&self) -> bool {
        let roll = self.roll();
        roll.live.is_empty() && !roll.all.is_empty()
    }

    /// What is told about each.
    #[must_use]
    pub fn status(&self) -> Vec<ServerStatus> {
        let now = self.clock.now();
        let all = self.all();
        all.iter().map(|server| server.status(now)).collect()
    }

    /// The server for a request that was `tried` there already: one that is out and to be tried
    /// again, else the cheaper of two. What is not `repeatable` tries only what nobody else came
    /// to try. `random` gives any number.
    ///
    /// # Errors
    /// Nobody is left, or the origin is down.
    pub fn choose(
        &self,
        tried: &Tried,
        repeatable: bool,
        random: impl FnOnce() -> u64,
    ) -> Result<Arc<Server>, Nobody> {
        let roll = self.roll();
        if roll.live.len() < roll.all.len()
            && let Some(server) = self.to_be_tried(&roll, tried, repeatable)
        {
            return Ok(server);
        }
        let chosen = match &*roll.live {
            [] if !roll.all.is_empty() => return Err(Nobody::Down),
            [only] => (!tried.contains(only.address)).then(|| Arc::clone(only)),
            live if tried.is_empty() => self.cheaper(live, random()),
            live => {
                let left = live.iter().filter(|server| !tried.contains(server.address));
                let left: Vec<_> = left.map(Arc::clone).collect();
                self.cheaper(&left, random())
            }
        };
        chosen.ok_or(Nobody::Left)
    }

    /// Whether a request that `server` failed may be asked of another one: there is one that
    /// answers, and the budget has something left.
    #[must_use]
    pub fn may_retry(&self, tried: &Tried) -> bool {
        let rules = lock(&self.rules).retry;
        let roll = self.roll();
        let another = roll
            .live
            .iter()
            .any(|server| !tried.contains(server.address) && server.answers());
        another && {
            let requests = self.gate.status().completed;
            lock(&self.budget).take(rules, requests, self.clock.now())
        }
    }

    /// Whether anybody waits at the gate: then nothing is asked twice because of its status.
    #[must_use]
    pub fn is_pressed(&self) -> bool {
        self.gate.status().queued > 0
    }

    /// An answer came after that time (`None`: not comparable, because of a long upload).
    pub fn answered(&self, server: &Arc<Server>, status: u16, took: Option<Duration>) {
        match Fault::of_status(status) {
            None => {
                server.well(took, || self.clock.now());
                if server.is_out() {
                    let down = self.are_down();
                    self.change(server, |health, now| health.answered(down, now));
                }
            }
            Some(fault) => {
                server.ill(true, took.unwrap_or_default(), self.clock.now());
                if server.is_out() {
                    self.tried(server, fault);
                }
            }
        }
    }

    /// No answer came.
    pub fn failed(&self, server: &Arc<Server>, fault: Fault, took: Duration) {
        let row = server.ill(false, took, self.clock.now());
        let peers = self.peers(server);
        let jitter = (self.random)();
        self.change(server, |health, now| {
            health.failed(fault, row, peers, now, jitter);
        });
    }

    /// Active probes failed as often as it takes; `well`: those of another server go well.
    pub fn probes_failed(&self, server: &Arc<Server>, fault: Fault, well: bool) {
        let peers = self.peers(server);
        let jitter = (self.random)();
        self.change(server, |health, now| {
            health.probes_failed(fault, (peers, well), now, jitter);
        });
    }

    /// Active probes of a server that is out went well as often as it takes.
    pub fn probes_passed(&self, server: &Arc<Server>) {
        let down = self.are_down();
        self.change(server, |health, now| health.probed(down, now));
    }

    /// The server asked for a rest.
    pub fn rest(&self, server: &Arc<Server>, wait: Duration) {
        let peers = self.peers(server);
        self.change(server, |health, now| health.rest(wait, peers, now));
    }

    /// The server said how much the origin should get from all of us through it.
    pub fn hint(&self, server: &Server, most: u32) {
        server.set_hint(most, self.clock.now());
    }

    /// The regular look, about every 50 ms.
    pub fn tick(&self) {
        let roll = self.roll();
        let now = self.clock.now();
        let mut changed = false;
        for server in &*roll.all {
            let peers = self.peers(server);
            let more = server.take_counts();
            server.health().tick(more, peers, now, (self.random)());
            changed |= self.settle(server, now);
        }
        if changed {
            self.turn_over();
        }
        self.gate.alive(alive(&roll.all));
        self.set_ceiling(&roll, now);
    }

    fn roll(&self) -> Arc<Roll> {
        Arc::clone(&lock(&self.roll))
    }

    fn to_be_tried(&self, roll: &Roll, tried: &Tried, repeatable: bool) -> Option<Arc<Server>> {
        let down = roll.live.is_empty();
        if lock(&self.rules).probed && !down {
            return None;
        }
        let now = self.clock.now();
        let due = |server: &&Arc<Server>| {
            server.is_out()
                && !tried.contains(server.address)
                && server.health().may_try(down, !repeatable, now)
        };
        roll.all.iter().find(due).map(Arc::clone)
    }

    fn cheaper(&self, servers: &[Arc<Server>], random: u64) -> Option<Arc<Server>> {
        let count = u32::try_from(servers.len()).unwrap_or(u32::MAX);
        let (first, second) = balance::pair(count, random)?;
        let (first, second) = (&servers[first as usize], &servers[second as usize]);
        if count == 1 {
            return Some(Arc::clone(first));
        }
        let now = self.clock.now();
        // The halves of one number chose the pair; its middle is as good as another one.
        let coin = u32::try_from(random >> 16 & u64::from(u32::MAX)).unwrap_or(0);
        Some(Arc::clone(
            match balance::cheaper(first.candidate(now), second.candidate(now), coin) {
                Pick::First => first,
                Pick::Second => second,
            },
        ))
    }

    fn peers(&self, own: &Arc<Server>) -> Peers {
        let all = self.all();
        let others = all.iter().filter(|server| !Arc::ptr_eq(server, own));
        others.fold(Peers::none(), |peers, server| {
            let health = server.health();
            peers.and(health.state().is_live(), health.recent())
        })
    }

    /// A trial got an answer that is a failure. When everybody is out it still says that somebody
    /// is there; what comes of that is the limit's to learn.
    fn tried(&self, server: &Arc<Server>, fault: Fault) {
        let peers = self.peers(server);
        let jitter = (self.random)();
        self.change(server, |health, now| {
            if peers.live == 0 {
                health.answered(true, now);
            } else {
                health.failed(fault, 1, peers, now, jitter);
            }
        });
    }

    fn change(&self, server: &Server, change: impl FnOnce(&mut Health, Timestamp)) {
        let now = self.clock.now();
        change(&mut server.health(), now);
        if self.settle(server, now) {
            self.turn_over();
        }
    }

    fn settle(&self, server: &Server, now: Timestamp) -> bool {
        let changed = server.settle(now);
        if changed {
            let status = server.status(now);
            tracing::info!(
                origin = &*self.name,
                server = &*server.name,
                state = status.state,
                why = status.why.unwrap_or_default(),
                "server"
            );
        }
        changed
    }

    /// Somebody is out, or in again.
    fn turn_over(&self) {
        let mut roll = lock(&self.roll);
        *roll = Arc::new(Roll::of(Arc::clone(&roll.all)));
        drop(roll);
        self.gate.unsure();
        self.tell_gate();
    }

    fn tell_gate(&self) {
        let roll = self.roll();
        let live = u32::try_from(roll.live.len()).unwrap_or(u32::MAX);
        self.gate.servers(live.max(1));
        let mut ceiling = lock(&self.ceiling);
        let down = roll.live.is_empty() && !roll.all.is_empty();
        match (ceiling.down, down) {
            (false, true) => {
                // One that dies again while it recovers was no better than before.
                if ceiling.back.is_none() {
                    ceiling.good = self.gate.limit();
                }
                tracing::error!(origin = &*self.name, "down: every server is out");
            }
            (true, false) => ceiling.back = Some(self.clock.now()),
            (false, false) | (true, true) => {}
        }
        ceiling.down = down;
        drop(ceiling);
        self.set_ceiling(&roll, self.clock.now());
    }

    fn set_ceiling(&self, roll: &Roll, now: Timestamp) {
        let hint = hinted(roll.live.iter().map(|server| server.hint(now)));
        let mut ceiling = lock(&self.ceiling);
        let recovery = ceiling
            .back
            .and_then(|back| recovering(ceiling.good, now.saturating_since(back)));
        if recovery.is_none() && !ceiling.down {
            ceiling.back = None;
        }
        let most = [hint, recovery].into_iter().flatten().min();
        if most != ceiling.told {
            ceiling.told = most;
            self.gate.ceiling(most);
        }
    }
}

/// The servers that are there, in thousandths of all, by weight; slow ones as far as they are.
fn alive(all: &[Arc<Server>]) -> u32 {
    let sum = |part: fn(&Server) -> u32| {
        all.iter()
            .map(|server| u64::from(part(server)))
            .sum::<u64>()
    };
    let whole = sum(Server::weight).max(1);
    u32::try_from(sum(Server::share) * 1_000 / whole).unwrap_or(1_000)
}

impl Roll {
    fn of(all: Arc<[Arc<Server>]>) -> Self {
        let live = all.iter().filter(|server| !server.is_out());
        Self {
            live: live.map(Arc::clone).collect(),
            all,
        }
    }
}

#[cfg(test)]
mod tests;

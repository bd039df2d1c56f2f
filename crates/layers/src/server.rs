//! One address of an origin: what is in flight there, how slow it is, and whether it is alive.
//!
//! What each exchange touches are atomics side by side; the lock around the [`Health`] is taken by
//! a failure, a trial and the regular look.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forebay_admission::balance::{Candidate, PeakEwma, WEIGHT_ONE};
use forebay_admission::server::{Counts, HINT_KEPT, Health};
use forebay_admission::time::Timestamp;

/// One address of an origin.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The address as text, for logs and `Host` where the client sent none.
    pub name: Arc<str>,
    in_flight: AtomicU32,
    connections: AtomicU32,
    connections_max: AtomicU32,
    /// Its weight by the configuration, in thousandths of that of the heaviest.
    weight: AtomicU32,
    /// How many in a thousand choices may fall on it: 0 when it is out, growing in slow start.
    ramp: AtomicU32,
    /// Failures without an answer between them.
    row: AtomicU32,
    /// Whether it is the only one; then nothing is measured, for there is no choice.
    alone: AtomicBool,
    latency: AtomicU64,
    answers: AtomicU32,
    faults: AtomicU32,
    /// The last hint in the upper half, the second after which it was given in the lower; 0: none.
    hint: AtomicU64,
    health: Mutex<Health>,
}

/// What is told about a server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerStatus {
    /// The address.
    pub name: Arc<str>,
    /// `live`, `slow-start`, `ejected`, `half-open` or `resting`.
    pub state: &'static str,
    /// Exchanges at it now.
    pub in_flight: u32,
    /// Connections open to it.
    pub connections: u32,
    /// Its peak latency; `None`: unknown, or it is the only server, of which none is taken.
    pub latency: Option<Duration>,
    /// How often it was ejected.
    pub ejections: u64,
    /// Why it is or was out last.
    pub why: Option<&'static str>,
}

impl Server {
    /// A server with no connection yet, at most `connections_max` at the same time, and a weight
    /// in thousandths of that of the heaviest.
    #[must_use]
    pub fn new(
        address: SocketAddr,
        connections_max: u32,
        weight: u32,
        now: Timestamp,
    ) -> Arc<Self> {
        Arc::new(Self {
            address,
            name: Arc::from(address.to_string()),
            in_flight: AtomicU32::new(0),
            connections: AtomicU32::new(0),
            connections_max: AtomicU32::new(connections_max),
            weight: AtomicU32::new(weight),
            ramp: AtomicU32::new(WEIGHT_ONE),
            row: AtomicU32::new(0),
            alone: AtomicBool::new(false),
            latency: AtomicU64::new(0),
            answers: AtomicU32::new(0),
            faults: AtomicU32::new(0),
            hint: AtomicU64::new(0),
            health: Mutex::new(Health::new(now)),
        })
    }

    /// What a reload may change.
    pub fn configure(&self, connections_max: u32, weight: u32) {
        self.connections_max
            .store(connections_max, Ordering::Relaxed);
        self.weight.store(weight, Ordering::Relaxed);
    }

    /// Counts one exchange while the guard lives.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// A place for one more connection; `None` at the bound.
    #[must_use]
    pub fn connect(self: &Arc<Self>) -> Option<ConnectionSlot> {
        let max = self.connections_max();
        let more = |open: u32| (open < max).then_some(open + 1);
        self.connections
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(ConnectionSlot(Arc::clone(self)))
    }

    /// Connections open now.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Connections that may be open at the same time.
    #[must_use]
    pub fn connections_max(&self) -> u32 {
        self.connections_max.load(Ordering::Relaxed)
    }

    /// What is told about it at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> ServerStatus {
        let health = self.health();
        ServerStatus {
            name: Arc::clone(&self.name),
            state: health.state().name(),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            connections: self.connections(),
            latency: self.latency().at(now),
            ejections: health.ejections(),
            why: health.why().map(forebay_admission::server::Why::name),
        }
    }

    /// As the choice of two sees it.
    pub(crate) fn candidate(&self, now: Timestamp) -> Candidate {
        Candidate {
            latency: self.latency().at(now),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            weight: self.weight(),
            ramp: self.ramp.load(Ordering::Relaxed),
        }
    }

    /// Its weight by the configuration.
    pub(crate) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }

    /// Its weight as far as it is alive.
    pub(crate) fn share(&self) -> u32 {
        let ramp = u64::from(self.ramp.load(Ordering::Relaxed));
        let share = u64::from(self.weight()) * ramp / u64::from(WEIGHT_ONE);
        u32::try_from(share).unwrap_or(u32::MAX)
    }

    /// Whether it gets none but a trial.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.ramp.load(Ordering::Relaxed) == 0
    }

    /// Whether its last exchange had an answer.
    pub(crate) fn answers(&self) -> bool {
        self.row.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_alone(&self, alone: bool) {
        self.alone.store(alone, Ordering::Relaxed);
    }

    /// Puts in force what its health says; whether it is out or in again by that.
    pub(crate) fn settle(&self, now: Timestamp) -> bool {
        let ramp = self.health().ramp(now);
        let before = self.ramp.swap(ramp, Ordering::Relaxed);
        let came_back = before == 0 && ramp > 0;
        if came_back {
            // What it was slow at before it was out says nothing about it now.
            self.latency.store(0, Ordering::Relaxed);
            self.row.store(0, Ordering::Relaxed);
        }
        came_back || (before > 0 && ramp == 0)
    }

    /// An answer came, and it was no failure.
    pub(crate) fn well(&self, took: Option<Duration>, now: impl FnOnce() -> Timestamp) {
        if self.row.load(Ordering::Relaxed) != 0 {
            self.row.store(0, Ordering::Relaxed);
        }
        if !self.alone.load(Ordering::Relaxed) {
            self.answers.fetch_add(1, Ordering::Relaxed);
            if let Some(took) = took {
                let latency = self.latency().observe(took, now());
                self.latency.store(latency.to_bits(), Ordering::Relaxed);
            }
        }
    }

    /// A failure, with an answer or without; how many without one came in a row.
    pub(crate) fn ill(&self, answered: bool, took: Duration, now: Timestamp) -> u32 {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.faults.fetch_add(1, Ordering::Relaxed);
        let latency = self.latency().fail(took, now);
        self.latency.store(latency.to_bits(), Ordering::Relaxed);
        if answered {
            self.row.store(0, Ordering::Relaxed);
            0
        } else {
            self.row.fetch_add(1, Ordering::Relaxed) + 1
        }
    }

    /// What came since this was asked last.
    pub(crate) fn take_counts(&self) -> Counts {
        Counts {
            answers: self.answers.swap(0, Ordering::Relaxed),
            faults: self.faults.swap(0, Ordering::Relaxed),
        }
    }

    pub(crate) fn set_hint(&self, most: u32, now: Timestamp) {
        let bits = u64::from(most) << 32 | u64::from(seconds(now));
        self.hint.store(bits, Ordering::Relaxed);
    }

    /// The last hint, while it holds.
    pub(crate) fn hint(&self, now: Timestamp) -> Option<u32> {
        let bits = self.hint.load(Ordering::Relaxed);
        let given = bits & u64::from(u32::MAX);
        let age = u64::from(seconds(now)).saturating_sub(given);
        let holds = bits != 0 && age <= HINT_KEPT.as_secs();
        holds.then(|| u32::try_from(bits >> 32).ok()).flatten()
    }

    fn latency(&self) -> PeakEwma {
        PeakEwma::from_bits(self.latency.load(Ordering::Relaxed))
    }
}

/// Never 0, which stands for no hint.
fn seconds(now: Timestamp) -> u32 {
    u32::try_from(now.as_nanos() / 1_000_000_000 + 1).unwrap_or(u32::MAX)
}

/// One exchange at a server, counted while it lives.
#[derive(Debug)]
pub struct InFlight(Arc<Server>);

impl InFlight {
    /// Where.
    #[must_use]
    pub const fn server(&self) -> &Arc<Server> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection to a server, counted while it lives.
#[derive(Debug)]
pub struct ConnectionSlot(Arc<Server>);

impl ConnectionSlot {
    /// Where.
    #[must_use]
    pub const fn server(&self) -> &Arc<Server> {
        &self.0
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

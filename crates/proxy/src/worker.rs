//! A worker: one thread, one single-threaded runtime, its own listeners, connections, pools and
//! pen. What workers share is in the [`Site`] and in budgets; a request never changes its worker.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use forebay_layers::budget::Budget;
use forebay_layers::clock::Clock;
use forebay_layers::request_id::RequestIds;
use forebay_layers::site::Site;
use forebay_layers::trace::SharedPen;
use forebay_telemetry::metrics::Metrics;
use tokio_rustls::TlsAcceptor;

use crate::connection::{ConnectionRules, ConnectionState};
use crate::linger::Lingering;
use crate::stack::{Stack, stack};
use crate::upstream::Pools;

/// What one worker works with.
pub struct Worker {
    /// The process's clock.
    pub clock: Clock,
    /// Names for requests.
    pub ids: RequestIds,
    /// The counters.
    pub metrics: Metrics,
    /// The budget of clients' connections; the process's.
    pub connections: Arc<Budget>,
    /// The budget of short answers over that; the process's.
    pub reserve: Arc<Budget>,
    /// The lingering closes; the process's.
    pub lingering: Arc<Lingering>,
    site: ArcSwap<Site>,
    edge: Mutex<Edge>,
    pools: Arc<Pools>,
    pen: SharedPen,
    listed: Mutex<Listed>,
}

/// What a reload may change about connections.
#[derive(Clone)]
pub struct Edge {
    /// Bounds of a connection.
    pub rules: ConnectionRules,
    /// The listeners' TLS, by index.
    pub acceptors: Vec<Option<TlsAcceptor>>,
    /// How long idle connections to origins are kept, at most.
    pub keep_alive: Duration,
}

#[derive(Default)]
struct Listed {
    next: u64,
    open: HashMap<u64, Arc<ConnectionState>>,
}

/// The parts from which a worker is made.
pub struct Parts {
    /// The process's clock.
    pub clock: Clock,
    /// The counters.
    pub metrics: Metrics,
    /// Two random words for request ids.
    pub random: (u64, u64),
    /// The budget of clients' connections.
    pub connections: Arc<Budget>,
    /// The budget of short answers.
    pub reserve: Arc<Budget>,
    /// The lingering closes.
    pub lingering: Arc<Lingering>,
    /// The first site.
    pub site: Arc<Site>,
    /// The first edge.
    pub edge: Edge,
    /// The pen of the access log.
    pub pen: SharedPen,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worker {
    /// A worker with nothing to do yet.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            clock,
            metrics,
            random,
            connections,
            reserve,
            lingering,
            ..
        } = parts;
        Arc::new(Self {
            clock,
            ids: RequestIds::new(random.0, random.1),
            metrics,
            connections,
            reserve,
            lingering,
            site: ArcSwap::new(parts.site),
            edge: Mutex::new(parts.edge),
            pools: Pools::new(clock, RequestIds::new(random.1, random.0)),
            pen: parts.pen,
            listed: Mutex::default(),
        })
    }

    /// The configuration in force.
    pub(crate) fn site(&self) -> Arc<Site> {
        self.site.load_full()
    }

    /// Puts a new configuration in force; requests under way keep theirs.
    pub fn replace(&self, site: Arc<Site>, edge: Edge) {
        self.site.store(site);
        *lock(&self.edge) = edge;
    }

    pub(crate) fn rules(&self) -> ConnectionRules {
        lock(&self.edge).rules
    }

    pub(crate) fn acceptor(&self, index: usize) -> Option<TlsAcceptor> {
        lock(&self.edge).acceptors.get(index).cloned().flatten()
    }

    pub(crate) fn stack(&self) -> Stack {
        stack(Arc::clone(&self.pools), self.clock, Arc::clone(&self.pen))
    }

    /// Lists a connection while the guard lives.
    pub(crate) fn list(&self, state: &Arc<ConnectionState>) -> Listing<'_> {
        let mut listed = lock(&self.listed);
        let key = listed.next;
        listed.next += 1;
        listed.open.insert(key, Arc::clone(state));
        Listing { worker: self, key }
    }

    /// Connections that are open, and how many of them are idle.
    #[must_use]
    pub fn open(&self) -> (usize, usize) {
        let listed = lock(&self.listed);
        let idle = listed
            .open
            .values()
            .filter(|state| state.idle_since().is_some())
            .count();
        (listed.open.len(), idle)
    }

    /// Ends up to `count` idle connections, the longest idle first, and none that has been idle
    /// for less than `least`.
    pub fn end_idle(&self, count: usize, least: Duration) {
        let now = self.clock.now();
        let listed = lock(&self.listed);
        let mut idle: Vec<_> = listed
            .open
            .values()
            .filter_map(|state| Some((state.idle_since()?, state)))
            .filter(|(since, _)| now.saturating_since(*since) >= least)
            .collect();
        idle.sort_unstable_by_key(|(since, _)| *since);
        for (_, state) in idle.into_iter().take(count) {
            state.finish();
        }
    }

    /// The small work of a few times a second.
    pub fn housekeep(&self) {
        let keep_alive = lock(&self.edge).keep_alive;
        self.pools.sweep(keep_alive);
        if let Some(pen) = &mut *lock(&self.pen) {
            pen.flush();
        }
    }
}

/// A connection's entry in its worker's list.
pub(crate) struct Listing<'a> {
    worker: &'a Worker,
    key: u64,
}

impl Drop for Listing<'_> {
    fn drop(&mut self) {
        lock(&self.worker.listed).open.remove(&self.key);
    }
}

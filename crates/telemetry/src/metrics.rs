//! Everything that is counted, under names that stand in one place.
//!
//! Whoever counts fetches a handle once ([`Metrics::route`] and its like) and keeps it; counting
//! is then a relaxed atomic addition. Handles live as long as the process: the same name gives
//! the same handle, so a reload continues the counts.

mod cell;
mod connection;
mod exposition;
mod names;
mod origin;
mod process;
mod room;
mod route;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::registry::Registry;

pub use cell::{Counter, Gauge, Kind, Table};
pub use connection::{BadRequest, Close, ConnectionMetrics, Doing, Timeout};
pub use names::NAMES;
pub use origin::{Abandoned, ConnectError, OriginMetrics};
pub use process::{ProcessMetrics, Reload};
pub use room::{Rejection, RoomMetrics, RoomState};
pub use route::{Decision, RouteMetrics, StatusClass};

/// What runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build {
    /// The version, as in `Cargo.toml`.
    pub version: &'static str,
}

/// All counters of the process; a clone is the same counters.
#[derive(Clone, Debug)]
pub struct Metrics {
    all: Arc<All>,
    registry: Arc<Registry>,
}

/// What is counted.
#[derive(Debug)]
struct All {
    build: Build,
    reasons: &'static [&'static str],
    started_seconds: u64,
    routes: Mutex<BTreeMap<String, Arc<RouteMetrics>>>,
    origins: Mutex<BTreeMap<String, Arc<OriginMetrics>>>,
    rooms: Mutex<BTreeMap<String, Arc<RoomMetrics>>>,
    connections: ConnectionMetrics,
    process: ProcessMetrics,
}

impl Metrics {
    /// All counters at zero. `reasons` are the names for the indices that
    /// [`RouteMetrics::shed`] and [`RouteMetrics::held`] are given.
    #[must_use]
    pub fn new(build: Build, reasons: &'static [&'static str]) -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let all = Arc::new(All {
            build,
            reasons,
            started_seconds: since.as_secs(),
            routes: Mutex::default(),
            origins: Mutex::default(),
            rooms: Mutex::default(),
            connections: ConnectionMetrics::default(),
            process: ProcessMetrics::default(),
        });
        let mut registry = Registry::default();
        registry.register_collector(Box::new(exposition::Exposition(Arc::clone(&all))));
        Self {
            all,
            registry: Arc::new(registry),
        }
    }

    /// The counters of the route of this name.
    #[must_use]
    pub fn route(&self, name: &str) -> Arc<RouteMetrics> {
        let reasons = self.all.reasons;
        handle(&self.all.routes, name, || RouteMetrics::new(reasons))
    }

    /// The counters of the origin of this name.
    #[must_use]
    pub fn origin(&self, name: &str) -> Arc<OriginMetrics> {
        handle(&self.all.origins, name, OriginMetrics::default)
    }

    /// The counters of the room of this name.
    #[must_use]
    pub fn room(&self, name: &str) -> Arc<RoomMetrics> {
        handle(&self.all.rooms, name, RoomMetrics::default)
    }

    /// The counters of all connections of clients.
    #[must_use]
    pub fn connections(&self) -> &ConnectionMetrics {
        &self.all.connections
    }

    /// The counters of the process.
    #[must_use]
    pub fn process(&self) -> &ProcessMetrics {
        &self.all.process
    }

    /// Everything as OpenMetrics text
    /// (`application/openmetrics-text; version=1.0.0; charset=utf-8`).
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing to a string cannot fail");
        text
    }
}

fn handle<M>(
    named: &Mutex<BTreeMap<String, Arc<M>>>,
    name: &str,
    make: impl FnOnce() -> M,
) -> Arc<M> {
    let mut named = lock(named);
    if let Some(found) = named.get(name) {
        return Arc::clone(found);
    }
    let made = Arc::new(make());
    named.insert(name.to_owned(), Arc::clone(&made));
    made
}

/// A map of handles stays whole when a thread panics while it holds the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

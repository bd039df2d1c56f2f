//! The protected site as the layers see it: its gate, its deadlines, its servers' addresses and
//! how loaded each is. The connections themselves belong to the proxy.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use forebay_admission::balance::least_loaded;
use forebay_telemetry::metrics::OriginMetrics;
use http::HeaderValue;

use crate::gate::Gate;

/// One address of an origin.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The address as text, for logs and `Host` where the client sent none.
    pub name: Arc<str>,
    in_flight: AtomicU32,
    connections: AtomicU32,
    connections_max: u32,
}

impl Server {
    /// A server with no connection yet; at most `connections_max` at the same time.
    #[must_use]
    pub fn new(address: SocketAddr, connections_max: u32) -> Arc<Self> {
        Arc::new(Self {
            address,
            name: Arc::from(address.to_string()),
            in_flight: AtomicU32::new(0),
            connections: AtomicU32::new(0),
            connections_max,
        })
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
        let max = self.connections_max;
        let more = |open: u32| (open < max).then_some(open + 1);
        self.connections
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(ConnectionSlot(Arc::clone(self)))
    }

    /// Exchanges in flight, or `None` when no connection can be had.
    fn load(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Connections open now.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }
}

/// One exchange at a server, counted while it lives.
#[derive(Debug)]
pub struct InFlight(Arc<Server>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection to a server, counted while it lives.
#[derive(Debug)]
pub struct ConnectionSlot(Arc<Server>);

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a reload may change about an origin.
#[derive(Clone, Debug)]
pub struct OriginRules {
    /// How long one connect may take.
    pub connect_timeout: Duration,
    /// How long the origin may take until its response's head.
    pub response_timeout: Duration,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// A fixed `Host`; `None` preserves the client's.
    pub host: Option<HeaderValue>,
}

/// One origin.
#[derive(Debug)]
pub struct Origin {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Its permits and its queue.
    pub gate: Arc<Gate>,
    /// Deadlines and `Host`.
    pub rules: OriginRules,
    /// Its metrics.
    pub metrics: Arc<OriginMetrics>,
    servers: Mutex<Arc<[Arc<Server>]>>,
    turn: AtomicUsize,
}

impl Origin {
    /// An origin whose names have not been resolved yet.
    #[must_use]
    pub fn new(
        name: Arc<str>,
        gate: Arc<Gate>,
        rules: OriginRules,
        metrics: Arc<OriginMetrics>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            gate,
            rules,
            metrics,
            servers: Mutex::new(Arc::from([])),
            turn: AtomicUsize::new(0),
        })
    }

    /// The servers as last resolved.
    #[must_use]
    pub fn servers(&self) -> Arc<[Arc<Server>]> {
        Arc::clone(&self.servers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the servers; whoever is in flight at a former one goes on.
    pub fn set_servers(&self, servers: Arc<[Arc<Server>]>) {
        *self.servers.lock().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    /// Whether a connection to this server is worth keeping when its exchange is over. All
    /// together no more are kept than twice the permits, for which descriptors are set aside, and
    /// no more than leave every permit a fresh one.
    #[must_use]
    pub fn keeps(&self, server: &Server) -> bool {
        let servers = u32::try_from(self.servers().len().max(1)).unwrap_or(u32::MAX);
        let permits = self.gate.limit();
        let most = permits.saturating_mul(2) / servers;
        server.connections()
            <= most
                .max(1)
                .min(server.connections_max.saturating_sub(permits))
    }

    /// The server with the fewest exchanges in flight, other than the one in `avoid`; ties in
    /// turn.
    #[must_use]
    pub fn choose(&self, avoid: Option<SocketAddr>) -> Option<Arc<Server>> {
        let servers = self.servers();
        if let [only] = &*servers {
            return (avoid != Some(only.address)).then(|| Arc::clone(only));
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let loads = servers
            .iter()
            .map(|server| (avoid != Some(server.address)).then(|| server.load()));
        let index = least_loaded(loads, turn % servers.len().max(1))?;
        servers.get(index).map(Arc::clone)
    }
}

//! The protected site as the layers see it: its gate, its deadlines, its servers. The connections
//! themselves belong to the proxy.

use std::sync::Arc;
use std::time::Duration;

use forebay_telemetry::metrics::OriginMetrics;
use http::{HeaderName, HeaderValue};

use crate::gate::Gate;
use crate::server::Server;
use crate::servers::Servers;

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
    /// The response header by which a server states a ceiling; `None`: none is read.
    pub hint: Option<HeaderName>,
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
    /// Its servers.
    pub servers: Arc<Servers>,
}

impl Origin {
    /// Whether a connection to this server is worth keeping when its exchange is over. All
    /// together no more are kept than twice the permits, for which descriptors are set aside, and
    /// no more than leave every permit a fresh one.
    #[must_use]
    pub fn keeps(&self, server: &Server) -> bool {
        let servers = self.servers.count().max(1);
        let permits = self.gate.limit();
        let most = permits.saturating_mul(2) / servers;
        server.connections()
            <= most
                .max(1)
                .min(server.connections_max().saturating_sub(permits))
    }
}

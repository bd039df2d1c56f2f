//! Names of servers become addresses, at start and every 30 s, off the workers. A failure keeps
//! the last answer; an address that stays keeps its counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use forebay_layers::clock::Clock;
use forebay_layers::server::Server;
use forebay_layers::servers::Servers;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// How often names are resolved again.
pub const INTERVAL: Duration = Duration::from_secs(30);

/// How long one look-up may take; then the last answer stays.
const LOOKUP_MAX: Duration = Duration::from_secs(5);

/// What is to be resolved for one origin.
#[derive(Clone, Debug)]
pub struct Names {
    /// The origin's name.
    pub origin: Arc<str>,
    /// Its servers.
    pub servers: Arc<Servers>,
    /// Those of the configuration.
    pub hosts: Vec<Named>,
    /// Connections per server.
    pub connections: u32,
    /// The process's clock.
    pub clock: Clock,
}

/// One server of the configuration.
#[derive(Clone, Debug)]
pub struct Named {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// In thousandths of that of the heaviest.
    pub weight: u32,
}

impl Names {
    /// Resolves every name once. All addresses of a name are servers.
    pub async fn resolve(&self) {
        let known = self.servers.all();
        let mut servers: Vec<Arc<Server>> = Vec::new();
        for named in &self.hosts {
            let host = named.host.as_str();
            let looked_up = timeout(LOOKUP_MAX, lookup_host((host, named.port))).await;
            let Ok(Ok(found)) = looked_up else {
                tracing::warn!(origin = &*self.origin, host, "name not resolved");
                continue;
            };
            for address in found {
                if !servers.iter().any(|server| server.address == address) {
                    servers.push(self.server(&known, address, named.weight));
                }
            }
        }
        if !servers.is_empty() {
            self.servers.replace(servers.into());
        }
    }

    fn server(&self, known: &[Arc<Server>], address: SocketAddr, weight: u32) -> Arc<Server> {
        let found = known.iter().find(|server| server.address == address);
        found.map_or_else(
            || Server::new(address, self.connections, weight, self.clock.now()),
            |server| {
                server.configure(self.connections, weight);
                Arc::clone(server)
            },
        )
    }
}

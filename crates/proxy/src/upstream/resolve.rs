//! Names of servers become addresses, at start and every 30 s, off the workers. A failure keeps
//! the last answer; an address that stays keeps its counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use forebay_layers::origin::{Origin, Server};
use tokio::net::lookup_host;
use tokio::time::timeout;

/// How often names are resolved again.
pub const INTERVAL: Duration = Duration::from_secs(30);

/// How long one look-up may take; then the last answer stays.
const LOOKUP_MAX: Duration = Duration::from_secs(5);

/// What is to be resolved for one origin.
#[derive(Clone, Debug)]
pub struct Names {
    /// The origin whose servers they are.
    pub origin: Arc<Origin>,
    /// Host and port of each.
    pub hosts: Vec<(String, u16)>,
    /// Connections per server.
    pub connections: u32,
}

impl Names {
    /// Resolves every name once. All addresses of a name are servers.
    pub async fn resolve(&self) {
        let known = self.origin.servers();
        let mut servers: Vec<Arc<Server>> = Vec::new();
        for (host, port) in &self.hosts {
            let Ok(Ok(found)) = timeout(LOOKUP_MAX, lookup_host((host.as_str(), *port))).await
            else {
                tracing::warn!(origin = &*self.origin.name, host, "name not resolved");
                continue;
            };
            for address in found {
                if !servers.iter().any(|server| server.address == address) {
                    servers.push(self.server(&known, address));
                }
            }
        }
        if !servers.is_empty() {
            self.origin.set_servers(servers.into());
        }
    }

    fn server(&self, known: &[Arc<Server>], address: SocketAddr) -> Arc<Server> {
        known
            .iter()
            .find(|server| server.address == address)
            .map_or_else(|| Server::new(address, self.connections), Arc::clone)
    }
}

//! The model origin: a small portal of limited capacity that collapses when overrun.
//!
//! Its work is simulated by timers and burns no CPU, so that what is measured
//! is the model and not the machine. Work is never cancelled: a page whose
//! visitor has left is finished all the same, as thread-per-request servers do.
//! When threads and backlog are full, connections are reset.

mod class;
mod condition;
mod connection;
mod pages;
mod peak;
mod portal;
mod settings;
mod socket;
mod spread;
mod stats;
mod tokens;
mod usl;
mod work;
mod written;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpSocket;
use tokio::task::JoinSet;

pub use condition::Condition;
use portal::Portal;
pub use settings::{Database, OriginSettings};
pub use spread::Spread;
pub use stats::{ClassStats, OriginStats};

/// Connections that the kernel holds until they are accepted, as far as it allows.
const KERNEL_BACKLOG: u32 = 4096;

/// The model origin; [`Origin::start`] makes it run.
#[derive(Debug)]
pub struct Origin;

impl Origin {
    /// Binds and serves on the current tokio runtime until the handle is stopped or dropped.
    ///
    /// # Errors
    /// The address cannot be bound.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(settings: OriginSettings) -> io::Result<Running> {
        let socket = if settings.address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        socket.set_reuseaddr(true)?;
        socket.bind(settings.address)?;
        let listener = socket.listen(KERNEL_BACKLOG)?;
        let address = listener.local_addr()?;
        let portal = Arc::new(Portal::new(settings));
        let mut tasks = JoinSet::new();
        tasks.spawn(connection::accept(listener, Arc::clone(&portal)));
        let working = Arc::clone(&portal);
        tasks.spawn(async move { working.run().await });
        Ok(Running {
            address,
            portal,
            tasks,
        })
    }
}

/// A running origin. Dropping it stops it.
pub struct Running {
    address: SocketAddr,
    portal: Arc<Portal>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where each of its servers listens.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        vec![self.address]
    }

    /// Switches what is wrong with it.
    pub fn set(&self, condition: Condition) {
        self.portal.set(condition);
    }

    /// What is wrong with it now.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.portal.condition()
    }

    /// What it was started with.
    #[must_use]
    pub fn settings(&self) -> &OriginSettings {
        self.portal.settings()
    }

    /// What it has counted so far: the ground truth.
    #[must_use]
    pub fn stats(&self) -> OriginStats {
        self.portal.stats()
    }

    /// Stops at once, whatever is in flight, and returns the last counts.
    pub async fn stop(mut self) -> OriginStats {
        let stats = self.stats();
        self.tasks.shutdown().await;
        stats
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Running")
            .field("address", &self.address)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

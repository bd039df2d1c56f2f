//! The model origin: a small portal of limited capacity that collapses when overrun.
//!
//! Its work is simulated by timers and burns no CPU, so that what is measured
//! is the model and not the machine. Work is never cancelled: a page whose
//! visitor has left is finished all the same, as thread-per-request servers do.
//! When threads and backlog are full, connections are reset. What else can go wrong
//! is a [`Condition`], switched while it runs. Its [peak](OriginSettings::peak) is
//! computed from its parameters, so that what a proxy in front makes of it can be
//! held against the truth.

mod answer;
mod ask;
mod class;
mod condition;
mod connection;
mod counts;
mod database;
mod demand;
mod door;
mod machine;
#[cfg(test)]
mod overrun;
mod pages;
mod peak;
mod portal;
mod server;
mod session;
mod settings;
mod sharing;
mod socket;
mod spread;
mod stats;
mod sweep;
mod tokens;
mod usl;
mod work;
mod written;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;

pub use condition::Condition;
use door::Door;
use portal::Portal;
pub use settings::{Database, OriginSettings};
pub use spread::Spread;
pub use stats::{ClassStats, OriginStats};
pub use sweep::{SweepPoint, sweep};

/// The model origin; [`Origin::start`] makes it run.
#[derive(Debug)]
pub struct Origin;

impl Origin {
    /// Binds and serves on the current tokio runtime until the handle is stopped or dropped.
    ///
    /// # Errors
    /// The settings make no sense ([`OriginSettings::problem`]), or an address cannot be bound.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(settings: OriginSettings) -> io::Result<Running> {
        if let Some(problem) = settings.problem() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let doors = (0..settings.servers).map(|server| Door::open(address(&settings, server)?));
        let doors = doors.collect::<io::Result<Vec<_>>>()?;
        let addresses = doors.iter().map(Door::address).collect();
        let portal = Arc::new(Portal::new(settings));
        let mut tasks = JoinSet::new();
        for (server, door) in doors.into_iter().enumerate() {
            tasks.spawn(door.serve(server, Arc::clone(&portal)));
        }
        let working = Arc::clone(&portal);
        tasks.spawn(async move { working.machine.run().await });
        Ok(Running {
            addresses,
            portal,
            tasks,
        })
    }
}

/// Where `server` listens.
fn address(settings: &OriginSettings, server: u32) -> io::Result<SocketAddr> {
    let mut address = settings.address;
    if address.port() != 0 {
        let port = u32::from(address.port()) + server;
        let too_high = |_| io::Error::new(io::ErrorKind::InvalidInput, "ports end at 65535");
        address.set_port(u16::try_from(port).map_err(too_high)?);
    }
    Ok(address)
}

/// A running origin. Dropping it stops it.
pub struct Running {
    addresses: Vec<SocketAddr>,
    portal: Arc<Portal>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Where its first server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Where each of its servers listens.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What it was started with.
    #[must_use]
    pub fn settings(&self) -> &OriginSettings {
        self.portal.machine.settings()
    }

    /// What it has counted so far: the ground truth.
    #[must_use]
    pub fn stats(&self) -> OriginStats {
        self.portal.stats()
    }

    /// Switches what is wrong with it from now on. Listeners close and open, and
    /// connections are reset, as soon as the runtime comes to it.
    ///
    /// # Panics
    /// [`Condition::problem`] has something to say.
    pub fn set(&self, condition: Condition) {
        assert_eq!(condition.problem(), None, "a condition that makes sense");
        self.portal.machine.set(condition);
    }

    /// What is wrong with it now.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.portal.machine.condition()
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
            .field("addresses", &self.addresses)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

//! The model origin: a small portal of limited capacity that collapses when overrun.
//!
//! Its work is simulated by timers and burns no CPU, so that what is measured
//! is the model and not the machine. Work is never cancelled: a page whose
//! visitor has left is finished all the same, as thread-per-request servers do.

mod settings;

use std::io;
use std::net::SocketAddr;

use serde::Serialize;

pub use settings::OriginSettings;

/// The model origin; [`Origin::start`] makes it run.
#[derive(Debug)]
pub struct Origin;

impl Origin {
    /// Binds and serves on the current tokio runtime until the handle is stopped or dropped.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub fn start(settings: OriginSettings) -> io::Result<Running> {
        let stats = OriginStats::default();
        Ok(Running {
            address: settings.address,
            settings,
            stats,
        })
    }
}

/// A running origin. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    settings: OriginSettings,
    stats: OriginStats,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was started with.
    #[must_use]
    pub const fn settings(&self) -> &OriginSettings {
        &self.settings
    }

    /// What it has counted so far: the ground truth.
    #[must_use]
    pub fn stats(&self) -> OriginStats {
        self.stats.clone()
    }

    /// Stops at once, whatever is in flight.
    pub async fn stop(self) -> OriginStats {
        self.stats
    }
}

/// What the origin counted. Also the JSON of `GET /__origin/stats`, which is itself not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OriginStats {
    /// Requests at work or queued now.
    pub in_flight: u64,
    /// The most there ever were at once.
    pub in_flight_max: u64,
    /// Requests whose work is done.
    pub completed: u64,
    /// Completed while the visitor was still there.
    pub useful: u64,
    /// Completed for nobody.
    pub wasted: u64,
    /// Connections reset because threads and backlog were full.
    pub reset: u64,
    /// Forms sent to the end, each counted once.
    pub forms: u64,
    /// Form pages that were posted again with the same token.
    pub duplicates: u64,
    /// Connections open now.
    pub connections: u64,
}

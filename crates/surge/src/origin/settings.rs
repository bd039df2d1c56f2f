//! What the model origin can take: its parameters.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;

use super::condition::Condition;
use super::peak;
use super::spread::Spread;
use super::usl::Usl;
use super::written::Written;

/// Parameters of the model origin.
///
/// With `n` requests at work in a server of `cores` cores, each core holds
/// `m = n / cores` of them and each request advances at
/// `1 / (S (1 + σ(m−1) + κ m(m−1)))`: processor sharing degraded by Gunther's Universal
/// Scalability Law. A request that asks the database keeps its thread meanwhile.
///
/// In TOML every key may be left out; `capacity` sets the speed so that
/// [`peak`](Self::peak) is so many requests a second, as [`with_peak`](Self::with_peak).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct OriginSettings {
    /// Where the first server listens, the others on the ports that follow; port 0
    /// takes a free one for each.
    pub address: SocketAddr,
    /// Servers, at least 1. Each has its own cores, threads and backlog.
    pub servers: u32,
    /// Mean work of one page on an idle server (`S`).
    pub service: Duration,
    /// Cores of a server that share its work, at least 1.
    pub cores: u32,
    /// Contention `σ`, in `[0, 1)`.
    pub sigma: f64,
    /// Crosstalk `κ`, 0 or more. With 0 the origin slows down but never collapses.
    pub kappa: f64,
    /// Requests at work at once in a server, those that wait for the database with
    /// them; the next ones queue.
    pub threads: usize,
    /// Requests that may queue at a server; beyond, connections are reset.
    pub backlog: usize,
    /// Connections open at once to a server, idle ones with them; beyond, new ones are reset.
    pub connections_max: usize,
    /// How unequal the work of requests of one kind is.
    pub spread: Spread,
    /// Mean work of a heavy page, as a multiple of an ordinary one's.
    pub heavy: f64,
    /// Share of heavy pages among the requests that [`peak`](Self::peak) is computed for.
    pub heavy_share: f64,
    /// Share of assets among the requests that [`peak`](Self::peak) is computed for.
    pub asset_share: f64,
    /// The database behind all servers, if there is one.
    pub database: Option<Database>,
    /// An answer later than this after its request is of no use to anybody.
    pub deadline: Duration,
    /// How many times the work is of the first request after a restart: caches are cold.
    pub cold: f64,
    /// After so many requests the excess of a cold start has fallen to `1/e`.
    pub warm: u32,
    /// Pages of the form under `/apply/`, at least 1.
    pub pages: u32,
    /// Seed of the pages' individual amounts of work.
    pub seed: u64,
}

/// A database behind the servers: a pool of connections, and a row that every form's
/// last page must change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// Mean work of one page's queries on an idle database.
    #[serde(with = "crate::span")]
    pub service: Duration,
    /// Cores that share its work, at least 1.
    pub cores: u32,
    /// Contention `σ`, in `[0, 1)`.
    pub sigma: f64,
    /// Crosstalk `κ`, 0 or more.
    pub kappa: f64,
    /// Connections of all servers together, at least 1; requests wait for one first in
    /// first out, and keep their thread meanwhile.
    pub pool: usize,
    /// Mean time for which the last page of a form holds the hot row, alone and with
    /// its connection; zero if there is no such row.
    #[serde(with = "crate::span")]
    pub row: Duration,
}

impl Default for Database {
    /// About twice as strong as the default origin in front of it, the row a little more
    /// than that: healthy, neither is the bottleneck.
    fn default() -> Self {
        Self {
            service: Duration::from_millis(20),
            cores: 4,
            sigma: 0.02,
            kappa: 0.0005,
            pool: 50,
            row: Duration::from_millis(15),
        }
    }
}

impl Default for OriginSettings {
    /// A small portal: about 200 requests a second at best, with 87 in flight.
    ///
    /// Its 400 threads are Apache's default (`MaxRequestWorkers`), its backlog is
    /// Linux's (`somaxconn`). Both matter for how it breaks: 400 at work halve its
    /// throughput, and who then queues behind 4,096 others waits longer than anybody
    /// stays. As nothing is cancelled, all its work is for people who have left.
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            servers: 1,
            service: Duration::from_millis(148),
            cores: 4,
            sigma: 0.05,
            kappa: 0.002,
            threads: 400,
            backlog: 4_096,
            connections_max: 10_000,
            spread: Spread::Exponential,
            heavy: 20.0,
            heavy_share: 0.0,
            asset_share: 0.0,
            database: None,
            deadline: Duration::from_secs(10),
            cold: 3.0,
            warm: 1_000,
            pages: 3,
            seed: 1,
        }
    }
}

impl OriginSettings {
    /// The same origin made faster or slower, its database with it, so that
    /// [`peak`](Self::peak) is `rate` requests a second.
    #[must_use]
    pub fn with_peak(self, rate: f64) -> Self {
        let faster = rate / self.peak();
        let database = self.database.map(|database| Database {
            service: database.service.div_f64(faster),
            row: database.row.div_f64(faster),
            ..database
        });
        Self {
            service: self.service.div_f64(faster),
            database,
            ..self
        }
    }

    /// Requests a second with `in_flight` of them at work in all servers together, evenly.
    #[must_use]
    pub fn throughput(&self, in_flight: f64) -> f64 {
        peak::throughput(self, &Condition::default(), in_flight)
    }

    /// The highest throughput this origin can have, in requests a second.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.peak_under(&Condition::default())
    }

    /// The highest throughput of useful answers, in requests a second, that this origin
    /// can have for as long as `condition` lasts.
    #[must_use]
    pub fn peak_under(&self, condition: &Condition) -> f64 {
        peak::peak(self, condition).rate
    }

    /// How many requests in flight, in all servers together, give the highest throughput;
    /// never more than all threads.
    #[must_use]
    pub fn best_concurrency(&self) -> u32 {
        peak::peak(self, &Condition::default()).in_flight
    }

    /// The law of one server, for pages.
    pub(crate) fn server(&self) -> Usl {
        Usl {
            service: self.service.as_secs_f64(),
            cores: f64::from(self.cores),
            sigma: self.sigma,
            kappa: self.kappa,
        }
    }

    /// What is wrong with its numbers, and what to write instead, if anything.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        let coefficients =
            |sigma: f64, kappa: f64| (0.0..1.0).contains(&sigma) && (0.0..=1.0).contains(&kappa);
        let share = |share: f64| (0.0..=1.0).contains(&share);
        if self.cores == 0 || self.threads == 0 || self.pages == 0 {
            Some("cores, threads and pages are 1 or more")
        } else if !(1..=MOST_SERVERS).contains(&self.servers) {
            Some("servers is 1 to 64")
        } else if self.threads > MOST_THREADS {
            Some("threads is at most 10000")
        } else if !coefficients(self.sigma, self.kappa) {
            Some("sigma is at least 0 and below 1, kappa 0 to 1")
        } else if !(self.heavy > 0.0 && self.heavy <= 1e4) {
            Some("heavy is how many times the work is of a heavy page: more than 0, at most 10000")
        } else if self.service.is_zero() {
            Some("service is more than 0")
        } else if !share(self.heavy_share) || !share(self.asset_share) {
            Some("heavy_share and asset_share are shares of the requests, 0 to 1")
        } else if self.heavy_share + self.asset_share > 1.0 {
            Some("heavy_share and asset_share are at most 1 together")
        } else if !(1.0..=1_000.0).contains(&self.cold) || self.warm == 0 {
            Some("cold is how many times the work is, 1 to 1000; warm is 1 request or more")
        } else {
            self.spread
                .problem()
                .or_else(|| self.database.as_ref()?.problem())
        }
    }
}

/// More would only be more sockets.
const MOST_SERVERS: u32 = 64;

/// The computation of the peak looks at every number of threads at work.
const MOST_THREADS: usize = 10_000;

impl Database {
    /// The law of its machine, for one page's queries.
    pub(crate) fn machine(&self) -> Usl {
        Usl {
            service: self.service.as_secs_f64(),
            cores: f64::from(self.cores),
            sigma: self.sigma,
            kappa: self.kappa,
        }
    }

    fn problem(&self) -> Option<&'static str> {
        if self.cores == 0 || self.pool == 0 {
            Some("database.cores and database.pool are 1 or more")
        } else if !(0.0..1.0).contains(&self.sigma) || !(0.0..=1.0).contains(&self.kappa) {
            Some("database.sigma is at least 0 and below 1, database.kappa 0 to 1")
        } else if self.service.is_zero() {
            Some("database.service is more than 0")
        } else {
            None
        }
    }
}

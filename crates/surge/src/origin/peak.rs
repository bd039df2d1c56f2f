//! The highest throughput, computed from the parameters.
//!
//! **Without a database** each server is one processor-sharing station, whose throughput
//! depends on the number at work and on mean work alone, however unequal the work is
//! (F. Baskett, K. M. Chandy, R. R. Muntz, F. G. Palacios, *Open, closed, and mixed
//! networks of queues with different classes of customers*, J. ACM 22, 1975). So the
//! peak is the closed form of [`Usl`], once per server.
//!
//! **With a database** a request is at its server or at the database. The network is
//! closed: `N` requests, a new one for each that ends. Norton's theorem for queueing
//! networks (K. M. Chandy, U. Herzog, L. Woo, *Parametric analysis of queuing networks*,
//! IBM J. Res. Dev. 19, 1975) puts one station with a rate that depends on its number in
//! place of each part: all servers, evenly loaded, are one with all their cores; `j`
//! requests that hold connections give the throughput `b(j)` of a closed network of the
//! database's machine and its hot row; and as more than `pool` cannot hold one,
//! `b(j) = b(pool)` beyond. What remains are two stations, whose number of requests at the
//! second is a birth-and-death chain with the stationary distribution
//! `p(j) ∝ Π v a(N−i+1) / b(i)`, `i = 1..j`, with `a` the servers' rate and `v` the share of
//! requests that ask the database; the throughput is `X(N) = Σ p(j) a(N−j)`, and the peak
//! the largest of `X(1..threads)`. Exact when what waits first in first out is exponential
//! and of one mean; a full pool and a queue at the row depend on means alone, so at its
//! peak it is close for others too. The sweep confirms it.
//!
//! `X(N)` is a mean over a very long time. With more in flight than the best number, the
//! network can have two states that each keep themselves up: most at the servers, which
//! then are too slow to fill the database, or most waiting for the database. What one
//! run sees there depends on how it began.

use super::class::Mix;
use super::condition::Condition;
use super::settings::{Database, OriginSettings};
use super::usl::Usl;

/// Behind a bottleneck more in flight hardly gives more, and risks more: the fewest
/// that give this share of the highest throughput are the best.
const NEARLY: f64 = 0.999;

/// Where the throughput is highest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Peak {
    /// Useful requests a second.
    pub(super) rate: f64,
    /// With so many in flight, in all servers together.
    pub(super) in_flight: u32,
}

/// The peak while `condition` lasts.
pub(super) fn peak(settings: &OriginSettings, condition: &Condition) -> Peak {
    let parts = Parts::new(settings, condition);
    let useful = if condition.is_stopped() || condition.errors {
        0.0
    } else {
        let failing = f64::from(condition.failing.min(settings.servers));
        (1.0 - condition.truncate) * (1.0 - failing / f64::from(settings.servers))
    };
    let best = match &parts.database {
        None => parts.best_of_servers(),
        Some(_database) => parts.best_of_network(),
    };
    Peak {
        rate: best.rate * useful,
        ..best
    }
}

/// Requests a second, useful or not, with `in_flight` spread evenly.
pub(super) fn throughput(settings: &OriginSettings, condition: &Condition, in_flight: f64) -> f64 {
    let parts = Parts::new(settings, condition);
    match &parts.database {
        None => parts.servers.throughput(in_flight),
        Some(database) => {
            let rates = database.rates(in_flight as usize);
            two_stations(
                in_flight as usize,
                |n| parts.servers.throughput(n as f64),
                |n| rates[n],
                database.asks,
            )
        }
    }
}

/// The stations of the network.
struct Parts {
    /// All servers that are alive as one, per mean request of the mix.
    servers: Usl,
    /// Cores of each server that is alive.
    alive: Vec<f64>,
    threads: u32,
    database: Option<Behind>,
}

impl Parts {
    fn new(settings: &OriginSettings, condition: &Condition) -> Self {
        let mix = Mix::of(settings);
        let page = settings.server();
        let alive: Vec<f64> = alive(settings.servers, condition.dead)
            .map(|share| share * page.cores)
            .filter(|cores| *cores > 0.0)
            .collect();
        let servers = Usl {
            service: page.service * mix.weight() * condition.slow,
            cores: alive.iter().sum(),
            ..page
        };
        let database = settings
            .database
            .as_ref()
            .filter(|_database| mix.asks_database() > 0.0)
            .map(|database| Behind::new(database, &mix, condition));
        Self {
            servers,
            alive,
            threads: u32::try_from(settings.threads).unwrap_or(u32::MAX),
            database,
        }
    }

    fn best_of_servers(&self) -> Peak {
        let mut peak = Peak {
            rate: 0.0,
            in_flight: 0,
        };
        for cores in &self.alive {
            let server = Usl {
                cores: *cores,
                ..self.servers
            };
            let in_flight = server.best(self.threads);
            peak.in_flight += in_flight;
            peak.rate += server.throughput(f64::from(in_flight));
        }
        peak
    }

    fn best_of_network(&self) -> Peak {
        let mut best = Peak {
            rate: 0.0,
            in_flight: 0,
        };
        let Some(database) = &self.database else {
            return best;
        };
        let most = self.threads.saturating_mul(self.alive.len() as u32);
        let rates = database.rates(most as usize);
        let at_servers: Vec<f64> = (0..=most)
            .map(|n| self.servers.throughput(f64::from(n)))
            .collect();
        let rate = |in_flight: u32| {
            let all = in_flight as usize;
            two_stations(all, |n| at_servers[n], |n| rates[n], database.asks)
        };
        let all: Vec<f64> = (0..=most).map(rate).collect();
        best.rate = all.iter().copied().fold(0.0, f64::max);
        let enough = all.iter().position(|rate| *rate >= NEARLY * best.rate);
        best.in_flight = enough.map_or(0, |in_flight| in_flight as u32);
        best
    }
}

/// The database and its row, per mean request that asks it.
struct Behind {
    machine: Usl,
    pool: usize,
    /// Seconds for which a request that changes the row holds it.
    row: f64,
    /// Share of requests that ask the database.
    asks: f64,
    /// Share of those that change the row.
    takes_row: f64,
}

impl Behind {
    fn new(database: &Database, mix: &Mix, condition: &Condition) -> Self {
        let slower = condition.slow * condition.database;
        let page = database.machine();
        Self {
            machine: Usl {
                service: page.service * mix.database_weight() * slower,
                ..page
            },
            pool: database.pool,
            row: database.row.as_secs_f64() * slower,
            asks: mix.asks_database(),
            takes_row: mix.takes_row(),
        }
    }

    /// Requests a second with `0..=most` at the database, those that wait with them.
    fn rates(&self, most: usize) -> Vec<f64> {
        let holding = (0..=most.min(self.pool)).map(|holding| self.rate(holding));
        let mut rates: Vec<f64> = holding.collect();
        let full = rates.last().copied().unwrap_or(0.0);
        rates.resize(most + 1, full);
        rates
    }

    /// Requests a second with `holding` connections in use.
    fn rate(&self, holding: usize) -> f64 {
        let machine = |n: usize| self.machine.throughput(n as f64);
        if self.row <= 0.0 || self.takes_row <= 0.0 {
            return machine(holding);
        }
        two_stations(holding, machine, |_waiting| 1.0 / self.row, self.takes_row)
    }
}

/// Throughput of the first station of a closed network of two with `all` requests in it.
/// `first` and `second` are the stations' rates by their number; `share` of the requests
/// visit the second.
fn two_stations(
    all: usize,
    first: impl Fn(usize) -> f64,
    second: impl Fn(usize) -> f64,
    share: f64,
) -> f64 {
    // Unnormalised: the weight of one state more at the second station, kept in range.
    let (mut weight, mut sum, mut throughput) = (1.0, 0.0, 0.0);
    for at_second in 0..=all {
        if at_second > 0 {
            weight *= first(all - at_second + 1) * share / second(at_second);
        }
        if weight > 1e100 {
            (sum, throughput, weight) = (sum / weight, throughput / weight, 1.0);
        }
        sum += weight;
        throughput += weight * first(all - at_second);
    }
    throughput / sum
}

/// What share of each server is alive when `dead` of all of them are not.
pub(super) fn alive(servers: u32, dead: f64) -> impl Iterator<Item = f64> {
    let dead = dead * f64::from(servers);
    (0..servers).map(move |server| {
        let share = 1.0 - (dead - f64::from(server)).clamp(0.0, 1.0);
        // A third of three is not quite one.
        if share < 1e-9 { 0.0 } else { share }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn origin(service: u64, cores: u32, sigma: f64, kappa: f64) -> OriginSettings {
        let service = Duration::from_millis(service);
        OriginSettings {
            service,
            cores,
            sigma,
            kappa,
            ..OriginSettings::default()
        }
    }

    #[test]
    fn peaks_are_those_of_the_three_reference_origins() {
        // Requests a second, and in flight: a fast, a slow and a tiny one.
        for (settings, peak, best) in [
            (origin(50, 4, 0.05, 0.002), 592.0, 87),
            (origin(600, 4, 0.05, 0.002), 49.3, 87),
            (origin(200, 1, 0.1, 0.01), 17.9, 9),
        ] {
            let computed = settings.peak();
            assert!((computed / peak - 1.0).abs() < 0.01, "{computed}");
            assert_eq!(settings.best_concurrency(), best);
        }
    }

    #[test]
    fn a_wanted_peak_is_reached_by_changing_the_speed_alone() {
        for database in [None, Some(Database::default())] {
            let settings = OriginSettings {
                database,
                ..OriginSettings::default()
            };
            let scaled = settings.clone().with_peak(50.0);
            assert!((scaled.peak() - 50.0).abs() < 0.01, "{}", scaled.peak());
            assert_eq!(scaled.best_concurrency(), settings.best_concurrency());
        }
    }

    #[test]
    fn four_times_the_best_concurrency_costs_nearly_half_of_the_throughput() {
        let origin = OriginSettings::default();
        let overrun = origin.throughput(4.0 * f64::from(origin.best_concurrency()));
        assert!(overrun < 0.6 * origin.peak(), "{overrun}");
    }

    #[test]
    fn a_condition_lowers_the_peak_by_what_it_takes_away() {
        let three = OriginSettings {
            servers: 3,
            ..OriginSettings::default()
        };
        for (condition, share) in [
            (Condition::but(|wrong| wrong.slow = 3.0), 1.0 / 3.0),
            (Condition::but(|wrong| wrong.dead = 1.0 / 3.0), 2.0 / 3.0),
            (Condition::but(|wrong| wrong.dead = 0.5), 0.5),
            (Condition::but(|wrong| wrong.dead = 1.0), 0.0),
            (Condition::but(|wrong| wrong.truncate = 0.25), 0.75),
            (Condition::but(|wrong| wrong.failing = 1), 2.0 / 3.0),
            (Condition::but(|wrong| wrong.failing = 9), 0.0),
            (Condition::but(|wrong| wrong.hang = true), 0.0),
            (Condition::but(|wrong| wrong.silent = true), 0.0),
            (Condition::but(|wrong| wrong.down = true), 0.0),
            (Condition::but(|wrong| wrong.errors = true), 0.0),
            (Condition::but(|wrong| wrong.database = 3.0), 1.0),
        ] {
            let computed = three.peak_under(&condition) / three.peak();
            assert!(
                (computed - share).abs() < 0.002,
                "{condition:?}: {computed}"
            );
        }
    }

    #[test]
    fn the_slowest_part_is_the_bottleneck() {
        let behind = |database: Database| OriginSettings {
            database: Some(database),
            ..OriginSettings::default()
        };
        let bare = OriginSettings::default().peak();
        let quick = behind(Database {
            service: Duration::from_micros(10),
            row: Duration::ZERO,
            ..Database::default()
        });
        assert!((quick.peak() / bare - 1.0).abs() < 0.01, "{}", quick.peak());
        // One request in eight holds the row for a second, one after the other.
        let hot = behind(Database {
            row: Duration::from_secs(1),
            ..Database::default()
        });
        assert!((hot.peak() - 8.0).abs() < 0.1, "{}", hot.peak());
        // Ten connections, each for a second.
        let few = behind(Database {
            service: Duration::from_secs(1),
            cores: 100,
            pool: 10,
            row: Duration::ZERO,
            ..Database::default()
        });
        assert!((few.peak() - 10.0).abs() < 0.1, "{}", few.peak());
    }
}

//! The peak as it is measured: the origin's own engine in virtual time, with so many
//! requests in flight that a new one comes for each that ends.
//!
//! What [`OriginSettings::peak`] says is mathematics about the engine; this asks the
//! engine itself, so that a mistake in either is seen.

use std::time::Duration;

use super::class::Mix;
use super::condition::Condition;
use super::peak::alive;
use super::settings::OriginSettings;
use super::work::{Demand, Work};
use crate::dice::Dice;

/// Throughput at one number of requests in flight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SweepPoint {
    /// Requests in flight, in all servers together.
    pub in_flight: u32,
    /// Requests a second that the parameters say.
    pub computed: f64,
    /// Requests a second that the engine had.
    pub measured: f64,
}

/// Compares computed and measured throughput around the best number in flight: from 1 to
/// all threads, `points` steps that grow, the best one among them. Each is measured over
/// `completions` requests.
///
/// # Panics
/// [`OriginSettings::problem`] has something to say.
#[must_use]
pub fn sweep(settings: &OriginSettings, points: u32, completions: u32) -> Vec<SweepPoint> {
    assert_eq!(settings.problem(), None, "settings that make sense");
    let best = settings.best_concurrency();
    let threads = settings.threads as f64 * f64::from(settings.servers);
    let grown = |step: u32| threads.powf(f64::from(step) / f64::from(points.max(2) - 1));
    let mut numbers: Vec<u32> = (0..points.max(2))
        .map(|step| grown(step).round() as u32)
        .chain([best])
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let healthy = Condition::default();
    let point = |in_flight: u32| SweepPoint {
        in_flight,
        computed: settings.throughput(f64::from(in_flight)),
        measured: closed_loop(settings, &healthy, in_flight, completions),
    };
    numbers.into_iter().map(point).collect()
}

/// Requests a second that end while `in_flight` are kept in the servers that are alive,
/// as many in each as its cores allow for, over `completions` of them.
pub(super) fn closed_loop(
    settings: &OriginSettings,
    condition: &Condition,
    in_flight: u32,
    completions: u32,
) -> f64 {
    let mut work = Work::new(settings.clone());
    // Each number in flight has throws of its own, so that one seed's luck is not everywhere.
    let mut dice = Dice::new(settings.seed).fork(u64::from(in_flight));
    let nothing = work.set(condition.clone(), &mut dice);
    debug_assert!(nothing.is_empty(), "nothing is there to be lost");
    let mix = Mix::of(settings);
    let mut arrive = |work: &mut Work<usize>, server: usize| {
        let class = mix.at(dice.unit());
        let demand = Demand::draw(settings, class, &mut dice);
        let arrived = work.arrive(server, demand, server);
        debug_assert!(arrived.is_ok(), "one has just left");
    };
    for server in places(settings, condition, in_flight) {
        arrive(&mut work, server);
    }
    // Until everybody who was first has been followed by somebody else, it is no steady state.
    let warm = completions / 4 + 4 * in_flight;
    let (mut ended, mut began, mut now) = (0, Duration::ZERO, Duration::ZERO);
    while ended < warm + completions
        && let Some(next) = work.next()
    {
        for (at, server) in work.advance(next) {
            ended += 1;
            now = at;
            if ended == warm {
                began = at;
            }
            arrive(&mut work, server);
        }
    }
    f64::from(completions) / (now.saturating_sub(began)).as_secs_f64()
}

/// The server of each of so many requests.
fn places(settings: &OriginSettings, condition: &Condition, in_flight: u32) -> Vec<usize> {
    let alive: Vec<f64> = alive(settings.servers, condition.dead).collect();
    let all: f64 = alive.iter().sum();
    let mut places = Vec::new();
    let mut upto = 0.0;
    for (server, share) in alive.iter().enumerate() {
        upto += share;
        let wanted = (f64::from(in_flight) * upto / all).round() as usize;
        places.resize(wanted, server);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::super::settings::Database;
    use super::super::spread::Spread;
    use super::*;

    /// The computed peak, and what the engine does at that number in flight, ÷ it.
    fn measured(settings: &OriginSettings, condition: &Condition, completions: u32) -> f64 {
        let peak = super::super::peak::peak(settings, condition);
        closed_loop(settings, condition, peak.in_flight, completions) / peak.rate
    }

    fn origin(service: u64, cores: u32, sigma: f64, kappa: f64) -> OriginSettings {
        OriginSettings {
            service: Duration::from_millis(service),
            cores,
            sigma,
            kappa,
            ..OriginSettings::default()
        }
    }

    fn fast() -> OriginSettings {
        origin(50, 4, 0.05, 0.002)
    }

    /// The row is no bottleneck: few requests in a queue of one need many more to be exact.
    fn with_database() -> OriginSettings {
        OriginSettings {
            database: Some(Database {
                row: Duration::from_millis(5),
                ..Database::default()
            }),
            ..fast()
        }
    }

    fn assert_within_one_per_cent(cases: Vec<(&str, OriginSettings, Condition, u32)>) {
        for (name, settings, condition, completions) in cases {
            let share = measured(&settings, &condition, completions);
            assert!(
                (share - 1.0).abs() < 0.01,
                "{name}: measured ÷ computed {share:.4}"
            );
        }
    }

    #[test]
    fn the_computed_peak_is_the_measured_one_within_one_per_cent() {
        let healthy = Condition::default;
        let slow = Condition::but(|wrong| wrong.slow = 3.0);
        let half = Condition::but(|wrong| wrong.dead = 0.5);
        let three = OriginSettings {
            servers: 3,
            ..fast()
        };
        let four = OriginSettings {
            servers: 4,
            ..fast()
        };
        let tailed = OriginSettings {
            spread: Spread::Lognormal { cv: 2.0 },
            ..fast()
        };
        assert_within_one_per_cent(vec![
            ("fast", fast(), healthy(), 60_000),
            ("slow", origin(600, 4, 0.05, 0.002), healthy(), 60_000),
            ("tiny", origin(200, 1, 0.1, 0.01), healthy(), 60_000),
            ("slow three times", fast(), slow, 60_000),
            ("three servers", three, healthy(), 60_000),
            (
                "half of four servers dead",
                four.clone(),
                half.clone(),
                60_000,
            ),
            ("half of one server dead", fast(), half, 60_000),
            ("heavy-tailed", tailed, healthy(), 200_000),
        ]);
    }

    #[test]
    fn with_a_database_the_computed_peak_is_the_measured_one_within_one_per_cent() {
        let healthy = Condition::default;
        let slow = Condition::but(|wrong| wrong.database = 3.0);
        let row = |millis| Database {
            row: Duration::from_millis(millis),
            ..Database::default()
        };
        let few = Database { pool: 6, ..row(0) };
        // One page of form: a quarter of the requests change the row.
        let behind = |database| OriginSettings {
            database: Some(database),
            pages: 1,
            ..fast()
        };
        let three = OriginSettings {
            servers: 3,
            ..behind(few.clone())
        };
        assert_within_one_per_cent(vec![
            ("a database, no row", behind(row(0)), healthy(), 100_000),
            ("three times slower", behind(row(0)), slow, 100_000),
            ("a row", behind(row(5)), healthy(), 200_000),
            ("a hot row", behind(row(20)), healthy(), 200_000),
            ("few connections", behind(few), healthy(), 100_000),
            ("of three servers", three, healthy(), 100_000),
        ]);
    }

    #[test]
    fn no_other_number_in_flight_is_better_than_the_computed_best() {
        for settings in [fast(), with_database()] {
            let (peak, best) = (settings.peak(), settings.best_concurrency());
            let points = sweep(&settings, 6, 20_000);
            for point in &points {
                assert!(point.measured < 1.02 * peak, "{point:?}, peak {peak}");
                let off = (point.measured / point.computed - 1.0).abs();
                assert!(off < 0.03 || point.in_flight > best, "{point:?}");
            }
            let last = points.last().unwrap();
            assert!(last.measured < 0.6 * peak, "overrun: {last:?}, peak {peak}");
        }
    }
}

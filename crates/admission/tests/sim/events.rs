//! The origin becomes another one under load, and the old one again.
//!
//! The bars are a new peak's 80 % within 3 s or 20 response times down, and within 10 s or 40 up,
//! whichever is longer, response times as they are at the new best limit.

use super::*;

/// The step in which answers are counted, in seconds.
const STEP: f64 = 0.25;

/// Useful answers in each step of the next `seconds`.
fn steps(world: &mut World, rate: f64, seconds: f64) -> Vec<f64> {
    (0..(seconds / STEP) as usize)
        .map(|_| {
            let before = world.totals().useful;
            world.run(STEP, rate);
            (world.totals().useful - before) as f64
        })
        .collect()
}

/// Seconds until 80 % of `peak` was had over the next 2 s, or over 40 answers of a small origin;
/// and the share of `peak` that was had in all.
fn recovered(counts: &[f64], peak: f64) -> (f64, f64) {
    let span = ((40.0 / peak).max(2.0) / STEP) as usize;
    let needed = 0.8 * peak * STEP * span as f64;
    let first = counts
        .windows(span)
        .position(|counts| counts.iter().sum::<f64>() >= needed);
    let share = counts.iter().sum::<f64>() / (counts.len() as f64 * STEP) / peak;
    (
        first.map_or(f64::INFINITY, |step| step as f64 * STEP),
        share,
    )
}

fn response(model: Model) -> f64 {
    let (n, peak) = model.peak();
    f64::from(n) / peak
}

#[derive(Clone, Copy)]
enum Event {
    /// Three quarters of the servers die.
    Loss,
    /// The database is three times slower.
    Slower,
}

impl Event {
    fn after(self, model: Model) -> Model {
        match self {
            Self::Loss => Model {
                servers: model.servers / 4.0,
                ..model
            },
            Self::Slower => Model {
                service: 3.0 * model.service,
                ..model
            },
        }
    }
}

#[test]
fn what_is_left_of_an_origin_is_used_within_seconds_and_all_of_it_when_it_is_back() {
    // Least share of the new peak over a minute, down and up.
    for (name, model, event, load, least) in [
        ("fast, loss", FAST, Event::Loss, 2.0, (0.92, 0.94)),
        ("fast, slower", FAST, Event::Slower, 2.0, (0.92, 0.94)),
        ("slow, loss", SLOW, Event::Loss, 2.0, (0.75, 0.85)),
        ("slow, slower", SLOW, Event::Slower, 2.0, (0.7, 0.8)),
        ("tiny, loss", TINY, Event::Loss, 2.0, (0.75, 0.8)),
        ("tiny, loss", TINY, Event::Loss, 10.0, (0.75, 0.8)),
        ("tiny, slower", TINY, Event::Slower, 2.0, (0.75, 0.8)),
    ] {
        let (other, rate) = (event.after(model), load * model.peak().1);
        let runs = SEEDS.map(|seed| {
            let mut world = World::new(model, Control::Adaptive, seed);
            world.run(60.0, rate);
            world.origin.model = other;
            let down = recovered(&steps(&mut world, rate, 60.0), other.peak().1);
            world.origin.model = model;
            let up = recovered(&steps(&mut world, rate, 60.0), model.peak().1);
            (down, up)
        });
        let down = mean(runs.map(|(down, _)| down.0));
        // A tiny origin loses half of its first seconds to finding out: 30 answers take two.
        let slack = if model.servers < 2.0 { 1.5 } else { 1.0 };
        let bar = slack * (20.0 * response(other)).max(3.0);
        assert!(down <= bar, "{name}, {load}: {down:.1} s, at most {bar:.1}");
        let up = mean(runs.map(|(_, up)| up.0));
        let bar = (40.0 * response(model)).max(10.0);
        assert!(
            up <= bar,
            "{name}, {load}: back in {up:.1} s, at most {bar:.1}"
        );
        let share = (mean(runs.map(|(d, _)| d.1)), mean(runs.map(|(_, u)| u.1)));
        assert!(
            share.0 >= least.0 && share.1 >= least.1,
            "{name}, {load}: {share:.3?}"
        );
    }
}

//! The adaptive limit in virtual time: a model origin, the short queue in front of it, and
//! clients that come whether or not they are served. Hours take seconds; every run is seeded.
#![allow(
    clippy::unwrap_used,
    reason = "clippy knows only the test functions, not what they call"
)]

mod dice;
mod events;
mod origin;
mod quiet;
mod small;
mod world;

use dice::Dice;
use forebay_admission::priority::{PerClass, Priority};
use origin::{Model, Work};
use world::{Control, World};

/// Three origins that differ ten-fold in concurrency and in service time.
const FAST: Model = Model::new(0.05, 4.0, 0.05, 0.002);
const SLOW: Model = Model::new(0.6, 4.0, 0.05, 0.002);
const TINY: Model = Model::new(0.2, 1.0, 0.1, 0.01);

const SEEDS: [u64; 3] = [1, 2, 3];

/// Mean over the seeds of useful answers in `seconds` after half a minute, over what could be
/// had of `load` times the peak.
fn goodput(model: Model, control: Control, load: f64, seconds: f64) -> f64 {
    let (_, peak) = model.peak();
    let share = |seed: u64| {
        let mut world = World::new(model, control, seed);
        world.run(30.0, load * peak);
        let before = world.totals();
        world.run(seconds, load * peak);
        (world.totals().useful - before.useful) as f64 / seconds / (peak * load.min(1.0))
    };
    mean(SEEDS.map(share))
}

fn mean<const N: usize>(values: [f64; N]) -> f64 {
    values.iter().sum::<f64>() / N as f64
}

#[test]
fn an_overrun_origin_goes_on_at_its_peak_whatever_its_size() {
    for (name, model, load, least) in [
        ("fast", FAST, 1.0, 0.96),
        ("fast", FAST, 2.0, 0.97),
        ("fast", FAST, 10.0, 0.97),
        ("slow", SLOW, 1.0, 0.94),
        ("slow", SLOW, 2.0, 0.95),
        ("slow", SLOW, 10.0, 0.93),
        ("tiny", TINY, 1.0, 0.91),
        ("tiny", TINY, 2.0, 0.93),
        ("tiny", TINY, 10.0, 0.92),
    ] {
        // So long that some 20,000 answers are counted, or what those of a tiny one allow.
        let seconds = (7_000.0_f64 / model.peak().1).clamp(20.0, 200.0);
        let found = goodput(model, Control::Adaptive, load, seconds);
        assert!(
            found >= least,
            "{name} at {load} times its peak: {found:.3}"
        );
    }
}

#[test]
fn a_number_set_four_times_too_high_or_too_low_does_worse_than_what_is_found() {
    let (best, _) = FAST.peak();
    let found = goodput(FAST, Control::Adaptive, 2.0, 30.0);
    for wrong in [best / 4, best * 4] {
        let set = goodput(FAST, Control::Fixed(wrong), 2.0, 30.0);
        assert!(
            set < 0.8 * found,
            "{wrong}: {set:.3}, found by itself {found:.3}"
        );
    }
    let right = goodput(FAST, Control::Fixed(best), 2.0, 30.0);
    assert!(found >= 0.97 * right, "{found:.3} of {right:.3}");
}

#[test]
fn an_hour_at_twice_the_peak_shows_no_drift() {
    // A fast origin shows in a third of the time what a small one needs an hour for.
    for (name, model, minutes) in [("fast", FAST, 18), ("slow", SLOW, 60), ("tiny", TINY, 60)] {
        let (_, peak) = model.peak();
        let mut world = World::new(model, Control::Adaptive, 1);
        world.run(60.0, 2.0 * peak);
        let minutes: Vec<_> = (0..minutes)
            .map(|_| minute(&mut world, 2.0 * peak, peak))
            .collect();
        let noise = 2.5 / (60.0 * peak).sqrt();
        let low = minutes
            .iter()
            .filter(|share| **share < 0.93 - noise)
            .count();
        assert!(low <= 3, "{name}: {low} minutes below, {minutes:.3?}");
        let third = minutes.len() / 3;
        let last: f64 = minutes[2 * third..].iter().sum::<f64>() / third as f64;
        assert!(last >= 0.92, "{name}: the last third {last:.3}");
    }
}

#[test]
fn neither_heavy_requests_nor_tails_nor_equal_work_lead_the_limit_astray() {
    for (what, work) in [
        ("one in a hundred a hundred times heavier", Work::Heavy),
        ("a heavy tail", Work::Tailed),
        ("all the same", Work::Equal),
    ] {
        let model = Model { work, ..FAST };
        let (best, peak) = model.peak();
        let mut world = World::new(model, Control::Adaptive, 1);
        world.run(240.0, 2.0 * peak);
        let before = world.totals().useful;
        world.run(240.0, 2.0 * peak);
        let share = (world.totals().useful - before) as f64 / 240.0 / peak;
        let limit = world.mean_limit() / f64::from(best);
        assert!(share >= 0.92, "{what}: {share:.3} of the peak");
        assert!(
            (0.5..2.0).contains(&limit),
            "{what}: {limit:.2} of the best limit"
        );
    }
}

#[test]
fn visitors_inside_are_served_whatever_comes_with_them() {
    use Priority::{Bot, Navigation, Stranger, SubResource, Submit};
    // Shares of the requests in hundredths, how many times the peak comes in all, and the least
    // share of each class that is served in the end.
    for (name, load, mix, least) in [
        (
            "a form's visitors among a crowd of strangers",
            10.0,
            (|dice| among(dice, [(Submit, 2), (Navigation, 3), (Stranger, 90)])) as fn(&mut _) -> _,
            [(Submit, 0.999), (Navigation, 0.995)],
        ),
        (
            "more forms than the origin can take, and a few who read",
            3.0,
            |dice| among(dice, [(Submit, 97), (Navigation, 2), (SubResource, 1)]),
            [(Navigation, 0.98), (SubResource, 0.98)],
        ),
        (
            "more pages than the origin can take, and a few forms",
            3.0,
            |dice| among(dice, [(Submit, 4), (Navigation, 90), (Bot, 6)]),
            [(Submit, 0.999), (Navigation, 0.25)],
        ),
    ] {
        let mut world = World::new(FAST, Control::Adaptive, 1);
        world.mix = mix;
        world.run(30.0, load * FAST.peak().1);
        let before = world.totals();
        world.run(60.0, load * FAST.peak().1);
        let after = world.totals();
        let share = PerClass::from_fn(|class| {
            let served = after.served.get(class) - before.served.get(class);
            let lost = after.lost.get(class) - before.lost.get(class);
            served as f64 / (served + lost).max(1) as f64
        });
        for (class, least) in least {
            let found = *share.get(class);
            assert!(found >= least, "{name}: {class:?} {found:.4}");
        }
    }
}

/// One of these classes, each with its hundredths; bots have the rest.
fn among<const N: usize>(dice: &mut Dice, shares: [(Priority, u64); N]) -> Priority {
    let mut left = dice.next() % 100;
    for (class, share) in shares {
        if left < share {
            return class;
        }
        left -= share;
    }
    Priority::Bot
}

/// Useful answers in a minute, over what the origin could give.
fn minute(world: &mut World, rate: f64, peak: f64) -> f64 {
    let before = world.totals().useful;
    world.run(60.0, rate);
    (world.totals().useful - before) as f64 / 60.0 / peak
}

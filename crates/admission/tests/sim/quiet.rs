//! Below its capacity an origin is not to turn anybody away, nor at a start that knows nothing.

use super::*;

/// Those turned away in hundredths of those who asked, in `seconds` after the first `warm`.
fn shed(model: Model, load: f64, seed: u64, warm: f64, seconds: f64) -> f64 {
    let rate = load * model.peak().1;
    let mut world = World::new(model, Control::Adaptive, seed);
    world.run(warm, rate);
    let before = world.totals();
    world.run(seconds, rate);
    let after = world.totals();
    100.0 * (after.shed - before.shed) as f64 / (after.asked - before.asked) as f64
}

#[test]
fn on_a_quiet_day_nobody_is_turned_away() {
    for (name, model, load, most) in [
        ("fast", FAST, 0.5, 0.0),
        ("fast", FAST, 0.8, 0.01),
        ("slow", SLOW, 0.5, 0.0),
        ("slow", SLOW, 0.8, 0.01),
        ("tiny", TINY, 0.5, 0.01),
        ("tiny", TINY, 0.8, 1.0),
    ] {
        // A quarter of a million requests over the seeds.
        let seconds = 83_000.0 / (load * model.peak().1);
        let found = mean(SEEDS.map(|seed| shed(model, load, seed, 60.0, seconds)));
        assert!(found <= most, "{name} at {load}: {found:.4} %");
    }
}

#[test]
fn a_cold_start_turns_nobody_away() {
    for (name, model) in [("fast", FAST), ("slow", SLOW), ("tiny", TINY)] {
        for load in [0.5, 0.65, 0.8] {
            for seed in 1..=10 {
                let found = shed(model, load, seed, 0.0, 30.0);
                assert!(found <= 0.1, "{name} at {load}, seed {seed}: {found:.2} %");
            }
        }
    }
}

//! What tells little: a few answers a second, work that is anything but alike, a hundred times more
//! than can be served.

use super::*;

/// Three answers a second at best.
const DROWSY: Model = Model::new(1.2, 1.0, 0.1, 0.01);

#[test]
fn little_and_uneven_evidence_is_enough() {
    for (name, model, load, least) in [
        ("three a second", DROWSY, 2.0, 0.83),
        ("three a second", DROWSY, 10.0, 0.79),
        ("tiny, a heavy tail", TINY.of(Work::Tailed), 2.0, 0.93),
        ("tiny, all the same", TINY.of(Work::Equal), 2.0, 0.93),
        ("tiny, some heavy", TINY.of(Work::Heavy), 2.0, 0.85),
        ("slow, a heavy tail", SLOW.of(Work::Tailed), 2.0, 0.95),
        ("tiny, a hundredfold", TINY, 100.0, 0.92),
    ] {
        // Some thousands of answers.
        let seconds = (3_600.0_f64 / model.peak().1).clamp(60.0, 1_200.0);
        let found = goodput(model, Control::Adaptive, load, seconds);
        assert!(
            found >= least,
            "{name}, {load} times its peak: {found:.3} of {least}"
        );
    }
}

#[test]
fn a_heavy_tail_on_a_quiet_day_turns_few_away() {
    // A fixed limit at the optimum turns away some 0.4 % here: what is heavy fills it by chance.
    let model = TINY.of(Work::Tailed);
    let rate = 0.8 * model.peak().1;
    let shed = mean(SEEDS.map(|seed| {
        let mut world = World::new(model, Control::Adaptive, seed);
        world.run(1_200.0, rate);
        world.totals().shed as f64 / world.totals().asked as f64
    }));
    assert!(shed <= 0.06, "{:.2} %", 100.0 * shed);
}

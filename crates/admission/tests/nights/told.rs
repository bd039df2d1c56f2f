//! The time told against the time that it took, over many nights that have little in common.

use super::account::{Promise, accuracy};
use super::dice::Dice;
use super::night::{Kinds, MINUTE, Night, SECOND};
use super::world::World;

const NIGHTS: u64 = 44;
/// Of each night so many promises count: a large night weighs no more than a small one.
const OF_EACH: usize = 400;

/// A night that nobody foresaw.
fn any(seed: u64) -> Night {
    let mut dice = Dice(seed ^ 0x5eed);
    let mut between = |low: f64, high: f64| low * (high / low).powf(dice.unit());
    let rate = between(4.0, 20.0);
    let minutes = between(3.0, 10.0);
    let wave = between(1.5, 5.0) * rate;
    let after = between(0.3, 2.0) * rate;
    let turn = (minutes * 0.6) as u64 * MINUTE;
    let arrivals = vec![
        (0, wave),
        (turn, after),
        ((minutes * 60.0) as u64 * SECOND, 0.0),
    ];
    let mut rates = vec![(0, rate as u32)];
    let changes = between(0.5, 5.0) as u64;
    for nth in 1..=changes {
        let at = between(60.0, minutes * 120.0) as u64 * SECOND;
        rates.push((at, between(0.6, 1.5).mul_add(rate, nth as f64) as u32));
    }
    rates.sort_unstable();
    // In one night of six a number of visitors inside holds them, and no rate.
    let visit = between(20.0, 120.0);
    let active = (seed % 6 == 5).then_some(((rate * visit) as u32 + 1, visit));
    if active.is_some() {
        rates = vec![(0, 10_000)];
    }
    let patience = (between(1.0, 4.0) > 1.5).then(|| between(150.0, 1_500.0));
    Night {
        seed,
        arrivals,
        rates,
        active,
        patience,
        patience_shape: between(0.6, 1.6),
        ghosts: between(0.1, 1.0),
        kinds: Kinds {
            hidden: 30,
            plain: 10,
            unheld: 50,
            sleepy: 20,
        },
        ..Night::a()
    }
}

/// What was told in all nights, and what became of it.
fn all() -> Vec<Promise> {
    let mut promises = Vec::new();
    for seed in 0..NIGHTS {
        let account = World::new(any(seed)).run();
        let step = (account.promises.len() / OF_EACH).max(1);
        let some: Vec<Promise> = account.promises.iter().copied().step_by(step).collect();
        let (error, below) = accuracy(&some);
        println!(
            "night {seed}: {} people; error {error:.3}, below p90 {below:.3}",
            account.people
        );
        promises.extend(some);
    }
    promises
}

#[test]
fn over_many_nights_the_time_told_is_the_time_it_takes() {
    let promises = all();
    let (error, below) = accuracy(&promises);
    println!(
        "{} promises: error {error:.3}, below p90 {below:.3}",
        promises.len()
    );
    assert!(error <= 0.15, "median error {error}");
    assert!((0.85..=0.95).contains(&below), "below p90 {below}");
}

#[test]
fn the_room_knows_how_right_it_was_how_long_they_waited_and_how_many_were_ghosts() {
    let night = Night {
        rates: vec![(0, 12), (300 * SECOND, 18)],
        ..Night::new(10_000, 8, 12).patience(600.0).half_ghosts()
    };
    let account = World::new(night).run();
    let status = account.status;
    // It remembers the last quarter of an hour best; so does this.
    let last = account.promises.len() / 2;
    let mut late = account.promises.clone();
    late.sort_by_key(|one| one.entered);
    let (error, below) = accuracy(&late[last..]);
    println!("{status:?}; true: error {error:.3}, below p90 {below:.3}");
    let near = |said: Option<u32>, is: f64| (f64::from(said.unwrap()) / 1e3 - is).abs() < 0.08;
    assert!(near(status.told_error_milli, error), "{error}");
    assert!(near(status.told_below_p90_milli, below), "{below}");
    assert!(status.wait_p50 < status.wait_p90);
    let ghosts = status.ghosts as f64 / account.ghosts as f64;
    assert!((0.95..1.05).contains(&ghosts), "{ghosts}");
}

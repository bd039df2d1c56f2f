//! Both loops in virtual time: visitors with a form of many pages, the room with its page, the
//! gate with its queue and a model origin; beside it an oracle that knows the capacity.
#![allow(
    clippy::unwrap_used,
    reason = "clippy knows only the test functions, not what they call"
)]
#![allow(clippy::print_stdout, reason = "what was measured, for whoever asks")]

#[path = "../sim/dice.rs"]
mod dice;
#[path = "../sim/origin.rs"]
#[allow(dead_code, reason = "shared with the inner loop's simulation")]
mod origin;
mod scene;
mod visitor;
mod world;

use std::num::NonZeroU32;
use std::time::Duration;

use forebay_admission::rate::Rate;
use forebay_admission::room::{InletRule, State};

use origin::Model;
use scene::{Inlet, Limit, Scene};
use world::{Seen, World};

const MIDDLE: Model = Model::new(0.3, 4.0, 0.05, 0.002);
const SLOW: Model = Model::new(0.6, 4.0, 0.05, 0.002);
const TINY: Model = Model::new(0.2, 1.0, 0.1, 0.01);

fn rate(visits: f64) -> Inlet {
    let milli = NonZeroU32::new((visits * 1e3) as u32).unwrap();
    Inlet::Room(InletRule::Rate(
        Rate::new(milli.get(), Duration::from_secs(1_000)).unwrap(),
    ))
}

/// What the bars are about.
struct Account {
    name: &'static str,
    /// Whole visits, and those in progress at the end by the pages they have: counted as whole
    /// ones, whoever crams people in at the end would win.
    visits: f64,
    completed: f64,
    /// Thrown out of a form, of all visits.
    lost: f64,
    /// "One moment" pages a visit.
    moments: f64,
    /// How far the number inside strays from its mean, in the last hundred seconds.
    swing: f64,
    /// What the origin did of what it could, from the tenth second of the surge on: the mean, and
    /// the worst ten seconds.
    served: f64,
    worst: f64,
}

fn account(name: &'static str, scene: &Scene, seen: &Seen) -> Account {
    let end = scene.seconds as usize - 1;
    let visits = seen.completed as f64 + seen.begun;
    let last = &seen.inside[end - 100..];
    let mean = last.iter().sum::<u64>() as f64 / last.len() as f64;
    let strays = last
        .iter()
        .map(|inside| (*inside as f64 / mean - 1.0).abs());
    let tens = (70..end - 10).step_by(10).map(|from| {
        let could: f64 = (from..from + 10).map(|at| scene.peak(at as f64)).sum();
        seen.served[from..from + 10].iter().sum::<u64>() as f64 / could.max(1.0)
    });
    let tens: Vec<f64> = tens.collect();
    let account = Account {
        name,
        visits,
        completed: seen.completed as f64,
        lost: seen.lost as f64 / visits,
        moments: seen.one_moment as f64 / visits,
        swing: strays.fold(0.0, f64::max),
        served: tens.iter().sum::<f64>() / tens.len() as f64,
        worst: tens.iter().copied().fold(f64::INFINITY, f64::min),
    };
    account.print();
    account
}

impl Account {
    fn print(&self) {
        println!(
            "{:22} visits {:6.0}, whole {:6.0}; lost {:.4}, one moment {:.3} a visit; inside ±{:.3}; \
             origin {:.3}, worst ten seconds {:.3}",
            self.name,
            self.visits,
            self.completed,
            self.lost,
            self.moments,
            self.swing,
            self.served,
            self.worst
        );
    }
}

fn run(name: &'static str, scene: &Scene) -> Account {
    account(name, scene, &World::new(scene.clone()).run())
}

/// Runs the oracle, the rate that somebody set right and the room; of what the oracle reaches at
/// least `least`, and at most `moments` "one moment" pages a visit.
fn holds(name: &'static str, scene: &Scene, least: f64, moments: f64) {
    let oracle = run("oracle", &scene.clone().by(Inlet::Oracle));
    let right = run("right rate", &scene.clone().by(rate(scene.visits())));
    let auto = run(name, scene);
    assert!(auto.visits >= least * oracle.visits, "{name}: visits");
    assert!(auto.completed >= least * oracle.completed, "{name}: whole");
    assert!(auto.visits >= right.visits, "{name}: the right rate");
    assert!(auto.lost <= 0.001, "{name}: {} lost", auto.lost);
    assert!(auto.moments <= moments, "{name}: {}", auto.moments);
}

#[test]
fn a_tenfold_surge_completes_what_an_oracle_would_and_more_than_the_right_rate() {
    for (name, model) in [("middle", MIDDLE), ("tiny", TINY)] {
        holds(name, &Scene::surge(model, 1), 0.94, 0.1);
    }
}

#[test]
fn an_origin_that_loses_half_of_itself_for_three_minutes_throws_nobody_out_of_a_form() {
    let half = Model {
        servers: SLOW.servers / 2.0,
        ..SLOW
    };
    let slower = Model {
        service: 3.0 * SLOW.service,
        ..SLOW
    };
    for (name, model, moments) in [("half dead", half, 0.5), ("database slower", slower, 0.9)] {
        let scene = Scene::surge(SLOW, 1).changed(200.0, 380.0, model, false);
        holds(name, &scene, 0.94, moments);
    }
}

#[test]
fn it_does_not_matter_how_soon_visitors_come_back_nor_of_what_a_page_is_made() {
    let quick = Scene {
        think: (1.5, 0.6),
        pages: 7,
        seconds: 200.0,
        ..Scene::surge(SLOW, 1)
    };
    let parts = Scene {
        parts: 9,
        ..Scene::surge(SLOW, 1)
    };
    holds("quick pages", &quick, 0.95, 0.1);
    holds("pages with parts", &parts, 0.95, 0.1);
}

#[test]
fn clients_without_cookies_take_nothing_from_those_with() {
    let scene = Scene {
        ghosts: 500,
        ..Scene::surge(SLOW, 1)
    };
    holds("half without cookies", &scene, 0.95, 0.1);
}

#[test]
fn on_a_quiet_day_nobody_notices_that_there_is_a_room() {
    for (name, model, limit) in [
        ("middle", MIDDLE, Limit::Known),
        ("middle, limit found", MIDDLE, Limit::Found),
        ("slow", SLOW, Limit::Known),
    ] {
        let scene = Scene {
            arrivals: vec![(0.0, 0.2), (60.0, 0.7)],
            limit,
            seconds: 400.0,
            ..Scene::surge(model, 1)
        };
        let seen = World::new(scene).run();
        assert_eq!(seen.held, 0, "{name}: nobody sees the waiting page");
        assert_eq!((seen.one_moment, seen.lost), (0, 0), "{name}");
    }
}

#[test]
fn an_election_night_comes_in_waves_and_the_room_comes_and_goes_with_them() {
    let scene = Scene {
        arrivals: vec![
            (0.0, 0.3),
            (60.0, 6.0),
            (120.0, 0.3),
            (300.0, 10.0),
            (330.0, 0.3),
        ],
        seconds: 700.0,
        pages: 3,
        ..Scene::surge(SLOW, 1)
    };
    let seen = World::new(scene).run();
    let open: Vec<bool> = seen
        .status
        .iter()
        .map(|status| status.state == State::Open)
        .collect();
    let turns = open.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(open[50] && !open[70] && !open[320] && open[680], "{turns}");
    assert!(turns <= 6, "it does not flutter: {turns} changes");
    assert_eq!(seen.lost, 0);
    assert!(
        seen.one_moment * 10 <= seen.completed,
        "{}",
        seen.one_moment
    );
}

#[test]
fn once_it_is_full_the_number_inside_hardly_swings() {
    let mut swings = Vec::new();
    for seed in 1..4 {
        let scene = Scene {
            seconds: 600.0,
            ..Scene::surge(SLOW, seed)
        };
        let account = run("swing", &scene);
        swings.push(account.swing);
    }
    let mean = swings.iter().sum::<f64>() / swings.len() as f64;
    assert!(mean <= 0.1, "{swings:?}");
}

#[test]
fn a_dead_origin_gets_probes_and_is_busy_again_soon_after_it_is_back() {
    let scene = Scene::surge(SLOW, 1).changed(240.0, 300.0, SLOW, true);
    let seen = World::new(scene.clone()).run();
    let entered: u64 = seen.entries[245..300].iter().sum();
    assert!(entered <= 90, "{entered} entered in 55 s");
    let served: u64 = seen.served[305..335].iter().sum();
    let share = served as f64 / 30.0 / scene.peak(305.0);
    assert!(share >= 0.9, "{share:.3} in the half minute after");
}

#[test]
fn a_cold_start_into_a_full_day_opens_no_room() {
    for seed in 1..4 {
        let scene = Scene {
            arrivals: vec![(0.0, 0.7)],
            limit: Limit::Found,
            seconds: 200.0,
            ..Scene::surge(MIDDLE, seed)
        };
        let seen = World::new(scene).run();
        assert_eq!((seen.held, seen.one_moment), (0, 0), "seed {seed}");
    }
}

#[test]
fn at_eight_tenths_a_short_queue_takes_the_bursts_and_nobody_sees_a_line() {
    for (name, model, limit) in [
        ("middle", MIDDLE, Limit::Known),
        ("slow", SLOW, Limit::Known),
        ("tiny", TINY, Limit::Known),
        ("middle, limit found", MIDDLE, Limit::Found),
        ("slow, limit found", SLOW, Limit::Found),
    ] {
        let scene = Scene {
            arrivals: vec![(0.0, 0.8)],
            limit,
            seconds: 300.0,
            pages: 1,
            leaving: 0,
            ..Scene::surge(model, 1)
        };
        let seen = World::new(scene).run();
        assert_eq!(seen.held, 0, "{name}: of {}", seen.arrived);
    }
}

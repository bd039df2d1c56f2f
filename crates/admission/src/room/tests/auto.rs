//! The automatic inlet before a model origin: it finds the pace by itself.

use super::origin::{Model, Scene, Seen};
use super::*;

fn scene(limit: u32, service_ms: u64, pages: u32) -> Scene {
    Scene {
        seed: 1,
        limit,
        service_ms,
        pages,
        think_ms: (1_000, 3_000),
        overload: 10.0,
        crowd_ms: 90_000,
        until_ms: 90_000,
        ghosts: 0,
        slow_ms: (0, 0),
        dead_ms: (0, 0),
        crash_ms: None,
        settings: Settings::default(),
    }
}

fn capacity(scene: &Scene) -> f64 {
    f64::from(scene.limit) * 1_000.0 / scene.service_ms as f64
}

/// The share of what the origin could have served in these seconds.
fn goodput(scene: &Scene, seen: &Seen, from: usize, to: usize) -> f64 {
    let served: u64 = seen.served[from..to].iter().sum();
    served as f64 / (capacity(scene) * (to - from) as f64)
}

/// The share of seconds in which the queue of visitors inside was longer than a second's work,
/// and four for a tiny origin.
fn crowded(scene: &Scene, seen: &Seen) -> f64 {
    let second = capacity(scene) + 4.0;
    let long = seen
        .queued_inside
        .iter()
        .filter(|queued| f64::from(**queued) > second);
    long.count() as f64 / seen.queued_inside.len() as f64
}

#[test]
fn a_tenfold_crowd_keeps_the_origin_busy_and_the_inside_quick() {
    let origins = [
        (16, 200, 5),
        (16, 200, 1),
        (32, 200, 9),
        (64, 200, 1),
        (4, 500, 5),
        (8, 1_000, 3),
    ];
    for (limit, service_ms, pages) in origins {
        let scene = scene(limit, service_ms, pages);
        let seen = Model::new(scene.clone()).run();
        let (goodput, crowded) = (goodput(&scene, &seen, 10, 90), crowded(&scene, &seen));
        let name = format!("limit {limit}, {service_ms} ms, {pages} pages");
        println!(
            "{name}: goodput {goodput:.3}, crowded {crowded:.3}, busy {}",
            seen.busy
        );
        assert!(goodput >= 0.9, "{name}: {goodput}");
        assert!(crowded <= 0.1, "{name}: {crowded}");
        assert_eq!(seen.busy, 0, "{name}: nobody inside is sent away");
    }
}

#[test]
fn clients_without_cookies_leave_no_place_unused() {
    for ghosts in [50, 90, 100] {
        let scene = Scene {
            ghosts,
            ..scene(16, 200, 2)
        };
        let seen = Model::new(scene.clone()).run();
        let goodput = goodput(&scene, &seen, 10, 90);
        println!("{ghosts} % ghosts: goodput {goodput:.3}");
        assert!(goodput >= 0.9, "{ghosts} % ghosts: {goodput}");
    }
}

#[test]
fn when_the_crowd_is_gone_so_is_the_room() {
    let scene = Scene {
        crowd_ms: 20_000,
        overload: 3.0,
        until_ms: 120_000,
        ..scene(16, 200, 2)
    };
    let seen = Model::new(scene).run();
    assert_eq!(seen.last_state, State::Open);
    assert!(seen.finished_visits > 0);
}

#[test]
fn a_slower_origin_gets_fewer_and_a_recovered_one_more() {
    let scene = Scene {
        slow_ms: (30_000, 60_000),
        until_ms: 120_000,
        crowd_ms: 120_000,
        ..scene(16, 200, 3)
    };
    let seen = Model::new(scene.clone()).run();
    let (slow, after) = (
        goodput(&scene, &seen, 40, 60),
        goodput(&scene, &seen, 80, 120),
    );
    println!("slow {slow:.3}, after {after:.3}, busy {}", seen.busy);
    assert!(slow >= 0.45, "of a possible half: {slow}");
    assert!(after >= 0.9, "{after}");
    assert!(crowded(&scene, &seen) < 0.25, "{}", crowded(&scene, &seen));
}

#[test]
fn a_dead_origin_gets_no_crowd() {
    let scene = Scene {
        dead_ms: (30_000, 60_000),
        until_ms: 120_000,
        crowd_ms: 120_000,
        ..scene(16, 200, 3)
    };
    let seen = Model::new(scene.clone()).run();
    let after = goodput(&scene, &seen, 80, 120);
    println!("entered {}, after {after:.3}", seen.entered_dead);
    assert!(
        seen.entered_dead <= 200,
        "a few seconds of the pace and then probes: {}",
        seen.entered_dead
    );
    assert!(after >= 0.9, "{after}");
}

#[test]
fn a_restart_in_the_surge_costs_a_few_seconds() {
    let scene = Scene {
        crash_ms: Some(45_000),
        ..scene(16, 200, 3)
    };
    let seen = Model::new(scene.clone()).run();
    let after = goodput(&scene, &seen, 50, 90);
    println!("after {after:.3}");
    assert!(after >= 0.9, "{after}");
}

#[test]
fn the_cap_on_visitors_inside_holds_and_is_used() {
    // A visit of one page counts for half a minute: two, and ten, places come free each second.
    for cap in [60, 300] {
        let settings = Settings {
            active: NonZeroU32::new(cap),
            ..Settings::default()
        };
        let seen = Model::new(Scene {
            settings,
            ..scene(16, 200, 1)
        })
        .run();
        assert!(seen.most_active <= u64::from(cap), "{}", seen.most_active);
        let used = seen.active_sum as f64 / (seen.served.len() - 10) as f64 / f64::from(cap);
        println!("cap {cap}: used {used:.3}");
        // Until polls can be held, a place stands empty for half the time between two.
        assert!(used >= 0.9, "{used}");
    }
}

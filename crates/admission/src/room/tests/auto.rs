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
        until_ms: 120_000,
        settings: Settings::default(),
    }
}

/// The share of what the origin could have served, from the tenth second on.
fn goodput(scene: &Scene, seen: &Seen) -> f64 {
    let capacity = f64::from(scene.limit) * 1_000.0 / scene.service_ms as f64;
    let served: u64 = seen.served.iter().skip(10).sum();
    served as f64 / (capacity * (seen.served.len() - 10) as f64)
}

/// The share of seconds in which the queue of visitors inside was longer than a second's work.
fn crowded(scene: &Scene, seen: &Seen) -> f64 {
    let second = (f64::from(scene.limit) * 1_000.0 / scene.service_ms as f64).max(4.0);
    let long = seen
        .queued_inside
        .iter()
        .filter(|queued| f64::from(**queued) > second)
        .count();
    long as f64 / seen.queued_inside.len() as f64
}

#[test]
fn a_tenfold_crowd_keeps_the_origin_busy_and_the_inside_quick() {
    for (limit, service_ms, pages) in [
        (16, 200, 5),
        (16, 200, 1),
        (64, 200, 5),
        (64, 100, 1),
        (4, 500, 5),
        (8, 1_000, 3),
    ] {
        let scene = scene(limit, service_ms, pages);
        let seen = Model::new(scene.clone()).run();
        let (goodput, crowded) = (goodput(&scene, &seen), crowded(&scene, &seen));
        let name = format!("limit {limit}, {service_ms} ms, {pages} pages");
        println!(
            "{name}: goodput {goodput:.3}, crowded {crowded:.3}, busy {}, visits {}, wait {} s",
            seen.busy,
            seen.finished_visits,
            seen.longest_wait_ms / 1_000
        );
        println!("   served {:?}", seen.served);
        println!("   queued {:?}", seen.queued_inside);
        assert!(goodput >= 0.9, "{name}: {goodput}");
        assert!(crowded <= 0.1, "{name}: {crowded}");
    }
}

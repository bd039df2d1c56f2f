//! One place in line in many hands, and one change before many connections.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use forebay_testkit::wait_until;

use crate::house::{House, PAGE, SOON, Visitor, echo};

const MANY: usize = 100;

#[test]
fn a_ticket_in_a_hundred_hands_is_one_visitor_and_one_quota_and_all_are_answered() {
    let origin = echo();
    let house = House::start(
        origin.address,
        "[room.main]\nmode = \"hold\"\n[quota.pass]\nrate = \"1/min\"\nburst = 30\n",
    );
    let visitor = Visitor::queued(&house);
    house.must(&["room", "main", "queue-all"]);
    house.must(&["room", "main", "rate", "10/s"]);
    wait_until(SOON, || visitor.clone().place()["state"] == "called");

    let start = Barrier::new(MANY);
    let claims: Vec<Visitor> = thread::scope(|scope| {
        let claim = || {
            let mut one = visitor.clone();
            start.wait();
            wait_until(SOON, || one.visit("/").status == 200);
            one
        };
        let claims: Vec<_> = (0..MANY).map(|_| scope.spawn(claim)).collect();
        let claim = |one: thread::ScopedJoinHandle<'_, _>| one.join().expect("an answer");
        claims.into_iter().map(claim).collect()
    });
    let room = house.room();
    assert_eq!(room["claimed"], 1, "{room}");
    assert_eq!(room["admitted_total"], 1, "{room}");
    let references: BTreeSet<String> = claims
        .iter()
        .map(|one| one.clone().place()["reference"].to_string())
        .collect();
    assert_eq!(references.len(), 1, "{references:?}");

    let statuses: Vec<u16> = claims
        .iter()
        .map(|one| one.clone().visit("/on").status)
        .collect();
    let served = statuses.iter().filter(|status| **status == 200).count();
    assert!((1..=31).contains(&served), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 429)),
        "{statuses:?}"
    );
    assert!(house.room()["active"].as_u64() <= Some(1));
}

#[test]
fn a_new_mode_is_in_force_on_every_connection_within_a_second() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let all = |status: u16| (0..32).all(|_| house.get("/", &[PAGE]).status == status);
    assert!(all(200));
    for (mode, status) in [("hold", 503), ("off", 200), ("maintenance", 503)] {
        house.must(&["room", "main", mode]);
        let told = Instant::now();
        wait_until(SOON, || house.get("/", &[PAGE]).status == status);
        assert!(told.elapsed() < Duration::from_secs(1), "{mode}");
        assert!(all(status), "{mode}: both workers");
    }
}

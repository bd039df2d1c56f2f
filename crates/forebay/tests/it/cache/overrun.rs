//! Many at once, and an origin that is slow, full, failing or gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use forebay_testkit::recorder::Step;
use forebay_testkit::{Gate, Raw, Recorder, Reply, wait_until};

use super::{KEEPS, is_hit, said};
use crate::house::{House, SOON, ask};

/// So many ask at once.
const CROWD: usize = 100;

fn crowd(house: &House) -> Vec<thread::JoinHandle<(u16, String)>> {
    let address = house.address;
    (0..CROWD)
        .map(|_| {
            thread::spawn(move || {
                let answer = ask(address, None, "GET", "/", &[], "");
                (answer.status, answer.text())
            })
        })
        .collect()
}

fn active(house: &House) -> f64 {
    house.metric("forebay_connections", &["state=\"active\""])
}

#[test]
fn of_a_hundred_at_once_one_reaches_the_origin() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |_| Reply::ok("one answer").first(Step::Wait(held.clone())));
    let house = House::start(origin.address, KEEPS);
    let crowd = crowd(&house);
    wait_until(SOON, || active(&house) >= CROWD as f64);
    gate.open();
    for asking in crowd {
        assert_eq!(
            asking.join().expect("an answer"),
            (200, "one answer".to_owned())
        );
    }
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn when_who_fetches_leaves_the_next_one_fetches() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |_| Reply::ok("one answer").first(Step::Wait(held.clone())));
    let house = House::start(origin.address, KEEPS);
    let mut leaves = Raw::connect(house.address);
    leaves
        .send("GET / HTTP/1.1\r\nHost: site.test\r\n\r\n")
        .expect("it is open");
    wait_until(SOON, || origin.in_flight() == 1);
    let address = house.address;
    let stays = thread::spawn(move || ask(address, None, "GET", "/", &[], "").text());
    wait_until(SOON, || active(&house) >= 2.0);
    drop(leaves);
    wait_until(SOON, || origin.requests().len() == 2);
    gate.open();
    assert_eq!(stays.join().expect("an answer"), "one answer");
    assert!(is_hit(&house.get("/", &[])));
}

#[test]
fn a_fetch_that_fails_costs_the_others_nothing_but_their_own() {
    let gate = Gate::closed();
    let held = gate.clone();
    let count = Arc::new(AtomicUsize::new(0));
    let origin = Recorder::start(move |_| {
        if count.fetch_add(1, Ordering::Relaxed) == 0 {
            Reply::ok("cut off in the middle")
                .cut_after(60, Step::Reset)
                .first(Step::Wait(held.clone()))
        } else {
            Reply::ok("one answer")
        }
    });
    let wide = "limit = { mode = \"fixed\", concurrency = 200 }\n";
    let house = House::start(origin.address, &format!("{wide}{KEEPS}"));
    let crowd = crowd(&house);
    wait_until(SOON, || active(&house) >= CROWD as f64);
    gate.open();
    let answers: Vec<_> = crowd
        .into_iter()
        .map(|asking| asking.join().expect("an answer"))
        .collect();
    let whole = (200, "one answer".to_owned());
    let others = answers.iter().filter(|answer| **answer != whole);
    let failed: Vec<u16> = others.map(|answer| answer.0).collect();
    assert!(failed.is_empty() || failed == [502], "{failed:?}");
    wait_until(SOON, || is_hit(&house.get("/", &[])));
}

/// Fresh for a moment.
const BRIEF: &str = "[[route]]\nroom = \"none\"\ncache = { fresh = \"300ms\", stale = \"1h\" }\n";

#[test]
fn a_stale_copy_serves_while_the_origin_is_full_and_says_so() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |request| match request.target.as_str() {
        "/slow" => Reply::ok("slow").first(Step::Wait(held.clone())),
        "/strict" => Reply::ok("strict").header("Cache-Control", "max-age=1, must-revalidate"),
        _ => Reply::ok("page"),
    });
    let full = "limit = { mode = \"fixed\", concurrency = 1 }\nqueue = { stranger = \"200ms\" }\n";
    let house = House::start(origin.address, &format!("{full}{BRIEF}"));
    assert_eq!(house.get("/", &[]).text(), "page");
    assert_eq!(house.get("/strict", &[]).text(), "strict");
    let address = house.address;
    let blocking = thread::spawn(move || ask(address, None, "GET", "/slow", &[], "").status);
    wait_until(SOON, || origin.in_flight() == 1);
    wait_until(SOON, || {
        let answer = house.get("/", &[]);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, "page"),
            "{answer:?}"
        );
        said(&answer).starts_with("forebay; hit; ttl=-")
    });
    let stale = ["decision=\"cache\"", "reason=\"stale\""];
    wait_until(SOON, || {
        house.metric("forebay_decisions_total", &stale) >= 1.0
    });
    // What its origin forbids is not served stale, whatever the need.
    wait_until(SOON, || house.get("/strict", &[]).status == 503);
    assert_eq!(origin.in_flight_max(), 1);
    gate.open();
    assert_eq!(blocking.join().expect("an answer"), 200);
    wait_until(SOON, || {
        let answer = house.get("/", &[]);
        assert_eq!(answer.status, 200);
        origin
            .requests()
            .iter()
            .filter(|one| one.target == "/")
            .count()
            > 1
    });
}

#[test]
fn a_stale_copy_serves_while_the_origin_fails_or_is_gone() {
    let failing = Arc::new(AtomicUsize::new(0));
    let fails = Arc::clone(&failing);
    let origin = Recorder::start(move |_| match fails.load(Ordering::Relaxed) {
        0 => Reply::ok("page").header("ETag", "\"v1\""),
        status => Reply::status(u16::try_from(status).expect("a status"), ""),
    });
    let house = House::start(origin.address, BRIEF);
    assert_eq!(house.get("/", &[]).text(), "page");
    let until = |wanted: &str| {
        wait_until(SOON, || {
            let answer = house.get("/", &[]);
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (200, "page"),
                "{answer:?}"
            );
            said(&answer).starts_with(wanted)
        });
    };
    failing.store(503, Ordering::Relaxed);
    until("forebay; fwd=stale; fwd-status=503; detail=error");
    // Confirmed, it is fresh again.
    failing.store(304, Ordering::Relaxed);
    until("forebay; fwd=stale; fwd-status=304; stored");
    until("forebay; hit");
    let asked = origin.requests();
    assert_eq!(
        asked.last().and_then(|last| last.header("if-none-match")),
        Some("\"v1\"")
    );
    drop(origin);
    until("forebay; fwd=stale; detail=");
}

#[test]
fn a_copy_is_renewed_in_the_background_where_the_origin_allows_it() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |_| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        let reply = Reply::ok(format!("page {number}"))
            .header("Cache-Control", "max-age=1, stale-while-revalidate=600");
        if number == 0 {
            reply
        } else {
            reply.first(Step::Wait(held.clone()))
        }
    });
    let house = House::start(origin.address, KEEPS);
    house.get("/", &[]);
    wait_until(SOON, || {
        let answer = house.get("/", &[]);
        assert_eq!(answer.text(), "page 0", "nobody waits for the next one");
        said(&answer).contains("detail=revalidating")
    });
    wait_until(SOON, || origin.in_flight() == 1);
    gate.open();
    wait_until(Duration::from_secs(20), || {
        house.get("/", &[]).text() != "page 0"
    });
}

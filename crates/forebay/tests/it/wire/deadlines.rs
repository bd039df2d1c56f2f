//! Deadlines of ours: each with its status, its counter, and a FIN.

use std::time::Duration;

use forebay_testkit::recorder::Step;
use forebay_testkit::wire::End;
use forebay_testkit::{Gate, Recorder, Reply, wait_until};

use super::front::{Front, SOON, Setup, ended_well, get};

const SHORT: &str = "header_timeout = \"300ms\"\nidle_timeout = \"400ms\"";

fn short() -> (Recorder, Front) {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let front = Setup {
        limits: SHORT,
        ..Setup::default()
    }
    .before(&[origin.address]);
    (origin, front)
}

#[test]
fn a_slow_header_is_a_408() {
    let (_origin, front) = short();
    for part in [
        "G",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-A: ",
    ] {
        let seen = front.ask_to_end(part);
        ended_well(&seen);
        assert_eq!(seen.answer().status, 408, "{part:?}");
    }
    assert_eq!(front.metric("forebay_timeouts_total", &["\"header\""]), 3.0);
}

#[test]
fn a_header_that_drips_is_a_408_all_the_same() {
    let (_origin, front) = short();
    let mut raw = front.connect();
    raw.send("GET / HTTP/1.1\r\nX: ").unwrap();
    // Drips until the end is seen: a drip restarts no deadline.
    while raw.end(Duration::from_millis(50)) == End::Open {
        if raw.send("a").is_err() {
            break;
        }
    }
    assert!(raw.seen().starts_with(b"HTTP/1.1 408"), "{:?}", raw.seen());
}

#[test]
fn the_header_deadline_begins_anew_with_each_request() {
    let (_origin, front) = short();
    let mut raw = front.connect();
    raw.send(get("/")).unwrap();
    assert_eq!(raw.answer("GET", SOON).status, 200);
    raw.send("GET / HTT").unwrap();
    assert_eq!(raw.answer("GET", SOON).status, 408);
    assert_eq!(raw.end(SOON), End::Fin);
}

#[test]
fn an_idle_connection_ends_by_a_fin_and_without_a_word() {
    let (_origin, front) = short();
    let mut fresh = front.connect();
    assert_eq!(fresh.end(SOON), End::Fin);
    assert!(fresh.seen().is_empty());
    let mut used = front.connect();
    used.send(get("/")).unwrap();
    assert_eq!(used.answer("GET", SOON).status, 200);
    assert_eq!(used.end(SOON), End::Fin);
    assert!(used.rest().is_empty());
    assert_eq!(front.metric("forebay_timeouts_total", &["\"idle\""]), 2.0);
}

#[test]
fn a_slow_body_is_a_408_whether_small_or_large() {
    let (origin, front) = short();
    for length in [1_000, 1_000_000] {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\nabc");
        let seen = front.ask_to_end(head);
        ended_well(&seen);
        assert_eq!(seen.answer().status, 408, "{length}");
    }
    assert_eq!(front.metric("forebay_timeouts_total", &["\"body\""]), 2.0);
    wait_until(SOON, || origin.in_flight() == 0);
}

#[test]
fn a_client_that_does_not_read_is_given_up() {
    let origin = Recorder::start(|_| Reply::ok(vec![b'x'; 30_000_000]));
    let front = Setup {
        limits: SHORT,
        ..Setup::default()
    }
    .before(&[origin.address]);
    let mut raw = front.connect();
    raw.send(get("/")).unwrap();
    wait_until(SOON, || {
        front.metric("forebay_timeouts_total", &["\"write\""]) > 0.0
    });
    assert_ne!(raw.end(SOON), End::Rst);
}

#[test]
fn an_origin_that_does_not_answer_is_a_504_and_keeps_its_permit_for_the_grace() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |_| Reply::ok("late").first(Step::Wait(held.clone())));
    let lines = "response_timeout = \"300ms\"\nabort_grace = \"700ms\"\n\
                 limit = { mode = \"fixed\", concurrency = 1 }\nqueue = { stranger = \"10ms\" }";
    let front = Setup {
        origin: lines,
        ..Setup::default()
    }
    .before(&[origin.address]);
    let seen = front.ask(get("/"));
    assert_eq!(seen.answer().status, 504);
    assert_eq!(
        front.get("/").status,
        503,
        "the origin still works on the first"
    );
    assert_eq!(origin.in_flight_max(), 1);
    assert_eq!(
        front.metric("forebay_timeouts_total", &["\"response\""]),
        1.0
    );
    gate.open();
    wait_until(SOON, || front.get("/").status == 200);
    assert_eq!(origin.in_flight_max(), 1);
}

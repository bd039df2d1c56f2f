//! Polls that are kept back until their visitor's turn, on real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use forebay_testkit::{Recorder, wait_until};
use serde_json::Value;

use crate::house::{House, SOON, Visitor, echo};

/// One who has come is let in, and then nobody for a minute, near enough for a hidden tab to wait.
const STILL: &str = "mode = \"queue-all\"\ninlet = \"1/min\"\n";

/// A room in which the first in line is not called for long.
fn still(origin: &Recorder, more: &str) -> House {
    let house = House::start(origin.address, &format!("[room.main]\n{STILL}{more}"));
    let mut first = Visitor::queued(&house);
    wait_until(SOON, || first.visit("/").status == 200);
    house
}

/// Asks as the page does, and does not read the answer yet.
fn poll(visitor: &Visitor, method: &str, more: &str) -> TcpStream {
    let mut stream = TcpStream::connect(visitor.address).expect("a connection");
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    let cookie = visitor.cookie().expect("a place in line");
    let request = format!(
        "{method} /__forebay/status?room=main{more} HTTP/1.1\r\nHost: site.test\r\n\
         Cookie: forebay-main={cookie}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    stream
}

/// What the answer says.
fn told(mut stream: TcpStream) -> Value {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("HTTP");
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(head.contains("set-cookie: forebay-main="), "{answer}");
    serde_json::from_str(body).expect("JSON")
}

fn wait_for_held(house: &House, polls: u64) {
    wait_until(SOON, || house.room()["held_polls"] == polls);
}

const HIDDEN: &str = "&wait=1&hidden=1";

#[test]
fn a_poll_that_waits_is_answered_by_the_turn() {
    let origin = echo();
    let house = House::start(
        origin.address,
        "[room.main]\nmode = \"queue-all\"\ninlet = \"30/min\"\n",
    );
    let mut first = Visitor::queued(&house);
    wait_until(SOON, || first.visit("/").status == 200);
    let mut line = [Visitor::queued(&house), Visitor::queued(&house)];
    let mut polls = 0;
    for visitor in &mut line {
        let begun = Instant::now();
        loop {
            polls += 1;
            let place = told(poll(visitor, "GET", "&wait=1"));
            if place["state"] == "called" {
                break;
            }
            assert!(begun.elapsed() < SOON, "{place}");
        }
        // The page says so for three seconds before it goes in, so the token may be on its way.
        wait_until(SOON, || visitor.visit("/in").status == 200);
    }
    assert!(polls <= 4, "{polls} polls for two turns, two seconds apart");
}

#[test]
fn only_a_page_that_says_so_is_kept_waiting() {
    let origin = echo();
    let house = still(&origin, "");
    let second = Visitor::queued(&house);
    for more in ["", "&hidden=1", "&wait=0"] {
        let begun = Instant::now();
        assert_eq!(told(poll(&second, "GET", more))["state"], "queueing");
        assert!(begun.elapsed() < Duration::from_secs(5), "{more}");
    }
    // HEAD never waits and moves nothing.
    let mut stream = poll(&second, "HEAD", HIDDEN);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(house.room()["held_polls"], 0);
}

#[test]
fn who_leaves_while_waiting_is_forgotten_at_once() {
    let origin = echo();
    let house = still(&origin, "");
    let second = Visitor::queued(&house);
    let waiting = poll(&second, "GET", HIDDEN);
    wait_for_held(&house, 1);
    wait_until(SOON, || {
        house.metric("forebay_connections", &["\"active\""]) == 1.0
    });
    drop(waiting);
    wait_for_held(&house, 0);
}

#[test]
fn over_the_bound_a_poll_is_answered_at_once() {
    let origin = echo();
    let house = still(&origin, "poll = { held = 1 }\n");
    let line = [Visitor::queued(&house), Visitor::queued(&house)];
    let waiting = poll(&line[0], "GET", HIDDEN);
    wait_for_held(&house, 1);
    let begun = Instant::now();
    let place = told(poll(&line[1], "GET", HIDDEN));
    assert_eq!(place["state"], "queueing");
    assert!(begun.elapsed() < Duration::from_secs(5), "{place}");
    assert_eq!(house.room()["held_polls"], 1);
    drop(waiting);
}

#[test]
fn a_new_mode_is_told_at_once_to_those_who_wait() {
    let origin = echo();
    let house = still(&origin, "");
    let second = Visitor::queued(&house);
    for (mode, state) in [("hold", "closed"), ("off", "open")] {
        let waiting = poll(&second, "GET", HIDDEN);
        wait_for_held(&house, 1);
        house.must(&["room", "main", mode]);
        assert_eq!(told(waiting)["state"], state, "{mode}");
        house.must(&["room", "main", "queue-all"]);
    }
}

#[test]
fn a_drain_answers_those_who_wait() {
    let origin = echo();
    let mut house = still(&origin, "");
    let second = Visitor::queued(&house);
    let waiting = poll(&second, "GET", HIDDEN);
    wait_for_held(&house, 1);
    house.must(&["drain"]);
    assert_eq!(told(waiting)["state"], "queueing");
    assert!(house.program.exit(SOON).success());
}

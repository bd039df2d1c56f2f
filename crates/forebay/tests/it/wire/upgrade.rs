//! WebSocket tunnels: bytes both ways, outside the limit, inside `streams`.

use std::time::Duration;

use forebay_testkit::wire::End;
use forebay_testkit::{Raw, Recorder, Reply, wait_until};

use super::front::{Front, SOON, Setup};

const ASK: &str = "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

fn echoing() -> Recorder {
    Recorder::start(|request| match request.header("upgrade") {
        Some(_) => Reply::upgrade("websocket"),
        None => Reply::ok("fine"),
    })
}

#[track_caller]
fn tunnel(front: &Front) -> Raw {
    let mut raw = front.connect();
    raw.send(ASK).expect("the tunnel is asked for");
    let head = String::from_utf8(raw.read_until("\r\n\r\n", SOON))
        .expect("a head is text")
        .to_ascii_lowercase();
    assert!(
        head.starts_with("http/1.1 101 ") && head.contains("upgrade: websocket"),
        "{head}"
    );
    raw
}

#[test]
fn a_tunnel_passes_bytes_both_ways_until_either_side_ends_it() {
    let origin = echoing();
    let front = Front::before(origin.address);
    let mut raw = tunnel(&front);
    for n in 0..50 {
        let word = format!("word {n};");
        raw.send(&word).unwrap();
        assert_eq!(raw.read_until(";", SOON), word.as_bytes());
    }
    wait_until(SOON, || {
        front.metric("forebay_connections", &["tunnel"]) == 1.0
    });
    raw.half_close().unwrap();
    assert_eq!(raw.end(SOON), End::Fin);
    wait_until(SOON, || {
        front.metric("forebay_connections", &["tunnel"]) == 0.0
    });
}

#[test]
fn a_tunnel_outlives_the_deadlines_of_requests() {
    let origin = echoing();
    let setup = Setup {
        limits: "header_timeout = \"200ms\"\nidle_timeout = \"200ms\"",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let mut raw = tunnel(&front);
    raw.send("first;").unwrap();
    assert_eq!(raw.read_until(";", SOON), b"first;");
    assert_eq!(
        raw.end(Duration::from_secs(1)),
        End::Open,
        "{:?}",
        raw.rest()
    );
    raw.send("second;").unwrap();
    assert_eq!(raw.read_until(";", SOON), b"second;");
}

#[test]
fn tunnels_stand_outside_the_limit_and_inside_streams() {
    let origin = echoing();
    let setup = Setup {
        limits: "streams = 2",
        origin: "limit = { mode = \"fixed\", concurrency = 1 }",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let _tunnels = [tunnel(&front), tunnel(&front)];
    assert_eq!(front.get("/").status, 200, "the limit of 1 is free");
    let full = front.ask(ASK).answer();
    assert_eq!(full.status, 503, "{full:?}");
}

#[test]
fn another_protocol_is_not_switched_to() {
    let origin = echoing();
    let front = Front::before(origin.address);
    let answer = front.ask(ASK.replace("websocket\r\n", "h2c\r\n")).answer();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(origin.only_request().header("upgrade"), None);
}

#[test]
fn an_origin_that_does_not_switch_answers_as_always() {
    let origin = Recorder::start(|_| Reply::status(426, "no"));
    let front = Front::before(origin.address);
    assert_eq!(front.ask(ASK).answer().status, 426);
    wait_until(SOON, || {
        front.metric("forebay_connections", &["tunnel"]) == 0.0
    });
}

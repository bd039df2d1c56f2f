//! The permit ends when the origin is done, whatever the client does meanwhile.

use std::thread;
use std::time::Duration;

use forebay_testkit::recorder::Step;
use forebay_testkit::wire::End;
use forebay_testkit::{Gate, Recorder, Reply, wait_until};

use super::front::{Front, SOON, Setup, get, post};

fn limited(origin: &Recorder, more: &str) -> Front {
    let lines = format!(
        "limit = {{ mode = \"fixed\", concurrency = 2 }}\nqueue = {{ stranger = \"15s\" }}\n{more}"
    );
    Setup {
        origin: &lines,
        ..Setup::default()
    }
    .before(&[origin.address])
}

#[test]
fn impatient_clients_never_push_the_origin_over_its_limit() {
    let origin = Recorder::start(|_| {
        Reply::ok("x".repeat(3_000)).first(Step::Pause(Duration::from_millis(15)))
    });
    let front = limited(&origin, "");
    thread::scope(|scope| {
        for client in 0..12 {
            let front = &front;
            scope.spawn(move || {
                for n in 0..15 {
                    let mut raw = front.connect();
                    raw.send(get("/")).unwrap();
                    match (client + n) % 4 {
                        // Leaves at once, leaves by a reset, leaves after the head, stays.
                        0 => {}
                        1 => raw.reset().unwrap(),
                        2 => drop(raw.read_until("\r\n", SOON)),
                        _ => assert_eq!(raw.answer("GET", SOON).status, 200),
                    }
                }
            });
        }
    });
    assert!(origin.in_flight_max() <= 2, "{}", origin.in_flight_max());
    wait_until(SOON, || {
        front.metric("forebay_origin_in_flight", &[]) == 0.0
    });
    assert_eq!(front.get("/").status, 200);
}

#[test]
fn a_permit_is_held_until_the_last_byte() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin =
        Recorder::start(move |_| Reply::chunked(&["a", "b"]).between(Step::Wait(held.clone())));
    let front = limited(&origin, "");
    let mut open: Vec<_> = (0..2).map(|_| front.connect()).collect();
    for raw in &mut open {
        raw.send(get("/")).unwrap();
        raw.read_until("\r\n\r\n", SOON);
    }
    let mut third = front.connect();
    third.send(get("/")).unwrap();
    wait_until(SOON, || front.metric("forebay_queue_length", &[]) == 1.0);
    assert_eq!(origin.in_flight_max(), 2);
    gate.open();
    assert_eq!(third.answer("GET", SOON).text(), "ab");
    assert_eq!(origin.in_flight_max(), 2);
}

#[test]
fn a_stream_leaves_the_limit_after_the_response_timeout() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |request| match request.target.as_str() {
        "/stream" => Reply::chunked(&["a"]).between(Step::Wait(held.clone())),
        _ => Reply::ok("fine"),
    });
    let front = limited(&origin, "response_timeout = \"300ms\"");
    let mut streams: Vec<_> = (0..2).map(|_| front.connect()).collect();
    for raw in &mut streams {
        raw.send(get("/stream")).unwrap();
        raw.read_until("\r\n\r\n", SOON);
    }
    assert_eq!(
        front.get("/").status,
        200,
        "the streams have left the limit"
    );
    wait_until(SOON, || {
        front.metric("forebay_connections", &["tunnel"]) == 2.0
    });
    gate.open();
    for raw in &mut streams {
        assert!(
            raw.read_until("0\r\n\r\n", SOON)
                .ends_with(b"1\r\na\r\n0\r\n\r\n")
        );
    }
    wait_until(SOON, || {
        front.metric("forebay_connections", &["tunnel"]) == 0.0
    });
}

#[test]
fn a_slow_reader_leaves_the_limit_too() {
    let origin = Recorder::start(|request| match request.target.as_str() {
        "/large" => Reply::ok(vec![b'x'; 40_000_000]),
        _ => Reply::ok("fine"),
    });
    let lines = "limit = { mode = \"fixed\", concurrency = 1 }\nqueue = { stranger = \"15s\" }\nresponse_timeout = \"300ms\"";
    let front = Setup {
        origin: lines,
        ..Setup::default()
    }
    .before(&[origin.address]);
    let mut slow = front.connect();
    slow.send(get("/large")).unwrap();
    slow.read_until("\r\n\r\n", SOON);
    thread::scope(|scope| {
        let other = scope.spawn(|| front.get("/").status);
        // Reads on, a piece at a time, for as long as the other one waits.
        while !other.is_finished() {
            assert_ne!(slow.end(Duration::from_millis(1)), End::Rst);
        }
        assert_eq!(other.join().unwrap(), 200);
    });
}

#[test]
fn a_request_that_was_given_up_in_the_queue_never_reaches_the_origin() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |_| Reply::ok("slow").first(Step::Wait(held.clone())));
    let front = limited(&origin, "");
    let mut busy: Vec<_> = (0..2).map(|_| front.connect()).collect();
    for raw in &mut busy {
        raw.send(get("/busy")).unwrap();
    }
    wait_until(SOON, || origin.in_flight() == 2);
    let mut gone = front.connect();
    gone.send(get("/gone")).unwrap();
    wait_until(SOON, || front.metric("forebay_queue_length", &[]) == 1.0);
    drop(gone);
    wait_until(SOON, || front.metric("forebay_queue_length", &[]) == 0.0);
    gate.open();
    for raw in &mut busy {
        assert_eq!(raw.answer("GET", SOON).status, 200);
    }
    assert!(
        origin
            .requests()
            .iter()
            .all(|request| request.target == "/busy")
    );
}

#[test]
fn uploads_that_break_off_give_their_permits_back() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let front = limited(&origin, "abort_grace = \"100ms\"");
    for _ in 0..6 {
        let mut raw = front.connect();
        raw.send(&post("/", &vec![b'x'; 500_000])[..300_000])
            .unwrap();
        wait_until(SOON, || front.metric("forebay_origin_in_flight", &[]) > 0.0);
        drop(raw);
    }
    wait_until(SOON, || {
        front.metric("forebay_origin_in_flight", &[]) == 0.0
    });
    assert!(origin.in_flight_max() <= 2);
    assert_eq!(front.get("/").status, 200);
}

#[test]
fn visitors_inside_go_before_strangers_at_the_gate() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |request| match request.target.as_str() {
        "/busy" => Reply::ok("slow").first(Step::Wait(held.clone())),
        _ => Reply::ok("fine"),
    });
    let lines = "limit = { mode = \"fixed\", concurrency = 1 }\nqueue = { stranger = \"15s\", visitor = \"15s\" }";
    let front = Setup {
        origin: lines,
        room: true,
        ..Setup::default()
    }
    .before(&[origin.address]);
    let page = "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n";
    let pass = front
        .ask(page)
        .answer()
        .cookie("forebay-main")
        .expect("a pass")
        .to_owned();
    let mut asked: Vec<_> = ["/busy", "/stranger", "/stranger", "/inside"]
        .into_iter()
        .enumerate()
        .map(|(ahead, path)| {
            let cookie = if path == "/inside" {
                format!("Cookie: forebay-main={pass}\r\n")
            } else {
                String::new()
            };
            let mut raw = front.connect();
            raw.send(format!(
                "GET {path} HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n{cookie}\r\n"
            ))
            .unwrap();
            wait_until(SOON, || {
                origin.in_flight() == 1 && front.metric("forebay_queue_length", &[]) == ahead as f64
            });
            raw
        })
        .collect();
    gate.open();
    for raw in &mut asked {
        assert_eq!(raw.answer("GET", SOON).status, 200);
    }
    let order: Vec<_> = origin
        .requests()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert_eq!(order, ["/", "/busy", "/inside", "/stranger", "/stranger"]);
}

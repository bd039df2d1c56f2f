//! Never reset: whatever is refused is answered, and every connection ends by a FIN.

use std::thread;
use std::time::Duration;

use forebay_testkit::recorder::Step;
use forebay_testkit::wire::End;
use forebay_testkit::{Gate, Raw, Recorder, Reply, wait_until};

use super::front::{Front, SOON, Setup, ended_well, get, post};

const TEN_MEGABYTES: usize = 10_000_000;

#[track_caller]
fn many_uploads_see_their_answer(front: &Front, path: &str, status: u16) {
    let request = post(path, &vec![b'x'; TEN_MEGABYTES]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let seen = front.ask_to_end(&request);
                    ended_well(&seen);
                    assert_eq!(seen.answer().status, status, "{seen:?}");
                }
            });
        }
    });
}

#[test]
fn a_413_to_ten_megabytes_is_read_whole() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let setup = Setup {
        limits: "body_size = \"1MiB\"",
        ..Setup::default()
    };
    many_uploads_see_their_answer(&setup.before(&[origin.address]), "/", 413);
}

#[test]
fn a_503_to_ten_megabytes_is_read_whole() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |_| Reply::ok("slow").first(Step::Wait(held.clone())));
    let setup = Setup {
        origin: "limit = { mode = \"fixed\", concurrency = 1 }\nqueue = { stranger = \"10ms\" }",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let mut busy = front.connect();
    busy.send(get("/")).unwrap();
    wait_until(SOON, || origin.in_flight() == 1);
    many_uploads_see_their_answer(&front, "/", 503);
    gate.open();
    assert_eq!(busy.answer("GET", SOON).status, 200);
}

#[test]
fn a_429_to_ten_megabytes_is_read_whole() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let rest = "[quota.client]\nrate = \"1/min\"\nburst = 1";
    let front = Setup {
        rest,
        quota: true,
        ..Setup::default()
    }
    .before(&[origin.address]);
    assert_eq!(front.get("/").status, 200);
    many_uploads_see_their_answer(&front, "/", 429);
}

#[test]
fn a_502_to_ten_megabytes_is_read_whole() {
    let nobody = forebay_testkit::port::free_address();
    many_uploads_see_their_answer(&Front::before(nobody), "/", 502);
}

#[test]
fn connections_over_the_bound_get_a_short_503() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let setup = Setup {
        limits: "connections = 20",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let mut held: Vec<Raw> = (0..20).map(|_| front.connect()).collect();
    for raw in &mut held {
        raw.send(get("/")).unwrap();
        assert_eq!(raw.answer("GET", SOON).status, 200);
    }
    thread::scope(|scope| {
        for n in 0..200 {
            let front = &front;
            scope.spawn(move || {
                let body = vec![b'x'; if n % 2 == 0 { 0 } else { 1_000_000 }];
                let seen = front.ask_to_end(post("/", &body));
                ended_well(&seen);
                let answer = seen.answer();
                // Idle connections end when the bound is near, so some of these find a place.
                assert!([200, 503].contains(&answer.status), "{answer:?}");
                if answer.status == 503 {
                    assert_eq!(answer.header("retry-after"), Some("5"));
                }
            });
        }
    });
    assert!(front.metric("forebay_connections_over_budget_total", &[]) > 0.0);
    assert_eq!(
        front.metric("forebay_connections_closed_total", &["rst", "\"us\""]),
        0.0
    );
}

#[test]
fn idle_connections_are_held_for_longer_than_a_header_may_take() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let setup = Setup {
        limits: "header_timeout = \"300ms\"\nidle_timeout = \"60s\"",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let mut idle: Vec<Raw> = (0..500).map(|_| front.connect()).collect();
    for raw in idle.iter_mut().take(250) {
        raw.send(get("/")).unwrap();
        assert_eq!(raw.answer("GET", SOON).status, 200);
    }
    let late = front.connect();
    let mut late = late;
    late.send("GET / HTTP/1.1\r\n").unwrap();
    assert_eq!(late.end(SOON), End::Fin, "this one's header is late");
    assert_eq!(front.get("/").status, 200, "others are served");
    for raw in &mut idle {
        raw.send(get("/")).unwrap();
        assert_eq!(raw.answer("GET", SOON).status, 200);
    }
}

#[test]
fn whatever_has_an_end_says_fin() {
    let origin = Recorder::start(|request| match request.target.as_str() {
        "/cut" => Reply::ok("whole").cut_after(60, Step::Close),
        _ => Reply::ok("fine"),
    });
    let setup = Setup {
        limits: "idle_timeout = \"300ms\"\nheader_timeout = \"300ms\"",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let requests = [
        "",
        "GET",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /cut HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
        "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        "nonsense\r\n\r\nand more of it",
    ];
    for request in requests {
        let seen = front.ask_to_end(request);
        assert_eq!(
            (seen.end, seen.late_reset),
            (End::Fin, false),
            "{request:?}: {seen:?}"
        );
        assert!(seen.took < Duration::from_secs(8), "{request:?}: {seen:?}");
    }
}

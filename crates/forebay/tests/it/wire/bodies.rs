//! Bodies in both directions: framing, trailers, 100-continue, back-pressure.

use std::io::Write;
use std::time::Duration;

use forebay_testkit::recorder::Step;
use forebay_testkit::wire::End;
use forebay_testkit::{Gate, Recorder, Reply, wait_until};

use super::front::{Front, SOON, Setup, ended_well, post};

#[test]
fn answers_without_content_keep_their_headers_and_the_connection() {
    let origin = Recorder::start(|request| match request.target.as_str() {
        "/204" => Reply::status(204, ""),
        "/304" => Reply::status(304, "").header("ETag", "\"1\""),
        _ => Reply::ok("content"),
    });
    let front = Front::before(origin.address);
    let mut raw = front.connect();
    raw.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let head = raw.answer("HEAD", SOON);
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("7"))
    );
    for (target, status) in [("/204", 204), ("/304", 304), ("/x", 200)] {
        raw.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"))
            .unwrap();
        assert_eq!(raw.answer("GET", SOON).status, status);
    }
}

#[test]
fn chunks_and_trailers_pass_both_ways() {
    let origin = Recorder::start(|_| {
        Reply::chunked(&["ab", "cd"])
            .header("Trailer", "X-Sum")
            .trailer("X-Sum", "4")
    });
    let front = Front::before(origin.address);
    let seen = front.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X-Check\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n2\r\nde\r\n0\r\nX-Check: 5\r\n\r\n",
    );
    let answer = seen.answer();
    assert_eq!(
        (answer.text().as_str(), answer.trailers.as_slice()),
        ("abcd", [("x-sum".into(), "4".into())].as_slice())
    );
    let got = origin.only_request();
    assert_eq!(got.body, b"abcde");
    assert_eq!(got.trailers, [("x-check".into(), "5".into())]);
}

#[test]
fn interim_answers_of_the_origin_do_not_hide_the_final_one() {
    let origin = Recorder::start(|_| Reply::ok("fine").interim(103, "link: </a.css>\r\n"));
    let front = Front::before(origin.address);
    let answer = front.get("/");
    assert_eq!((answer.status, answer.text().as_str()), (200, "fine"));
}

#[test]
fn a_body_is_asked_for_only_once_a_permit_is_held() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |request| match request.method.as_str() {
        "GET" => Reply::ok("slow").first(Step::Wait(held.clone())),
        _ => Reply::ok("got it"),
    });
    let setup = Setup {
        origin: "limit = { mode = \"fixed\", concurrency = 1 }\nqueue = { stranger = \"20s\" }",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let mut busy = front.connect();
    busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    wait_until(SOON, || origin.in_flight() == 1);
    let mut waiting = front.connect();
    waiting
        .send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .unwrap();
    wait_until(SOON, || front.metric("forebay_queue_length", &[]) > 0.0);
    assert_eq!(waiting.end(Duration::from_millis(100)), End::Open);
    assert!(waiting.seen().is_empty(), "no 100 before the permit");
    gate.open();
    assert_eq!(
        waiting.read_until("\r\n\r\n", SOON),
        b"HTTP/1.1 100 Continue\r\n\r\n"
    );
    waiting.send("body").unwrap();
    assert_eq!(waiting.answer("POST", SOON).text(), "got it");
    assert_eq!(origin.requests().last().unwrap().body, b"body");
    assert_eq!(origin.requests().last().unwrap().header("expect"), None);
}

#[test]
fn a_slow_small_body_holds_no_permit() {
    let origin = Recorder::start(|request| Reply::ok(request.method.clone()));
    let setup = Setup {
        origin: "limit = { mode = \"fixed\", concurrency = 1 }",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let mut slow = front.connect();
    slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf")
        .unwrap();
    for _ in 0..20 {
        assert_eq!(front.get("/").text(), "GET");
    }
    assert_eq!(origin.in_flight(), 0);
    slow.send("x".repeat(996)).unwrap();
    assert_eq!(slow.answer("POST", SOON).text(), "POST");
}

#[test]
fn a_large_body_streams_whole_and_a_slow_origin_makes_the_client_wait() {
    let gate = Gate::closed();
    let held = gate.clone();
    // The gate stands before the body is read: early decides with the head alone.
    let origin = Recorder::start_early(
        move |request| {
            request
                .target
                .contains("stuck")
                .then(|| Reply::ok("late").first(Step::Wait(held.clone())))
        },
        |request| Reply::ok(request.body.len().to_string()),
    );
    let setup = Setup {
        limits: "body_size = \"200MiB\"",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let megabytes = vec![b'x'; 3_000_000];
    assert_eq!(front.ask(post("/", &megabytes)).answer().text(), "3000000");

    let before = front.program.resident_kib().unwrap();
    let stuck = front.connect();
    let mut socket = stuck.socket().try_clone().unwrap();
    socket
        .write_all(b"POST /stuck HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        .unwrap();
    socket
        .set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut sent = 0;
    while let Ok(count) = socket.write(&megabytes[..64 * 1024]) {
        sent += count;
    }
    let grown = front.program.resident_kib().unwrap().saturating_sub(before);
    assert!(
        sent < 40_000_000,
        "the client was made to wait after {sent} bytes"
    );
    assert!(
        grown < 16 * 1024,
        "memory grew by {grown} KiB for {sent} bytes"
    );
    gate.open();
}

#[test]
fn an_upload_that_the_origin_does_not_take_is_a_504_and_no_reset() {
    let never = Gate::closed();
    let held = never.clone();
    let origin = Recorder::start_early(
        move |_| Some(Reply::ok("late").first(Step::Wait(held.clone()))),
        |_| Reply::ok(""),
    );
    let setup = Setup {
        origin: "response_timeout = \"500ms\"",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let seen = front.ask_to_end(post("/", &vec![b'x'; 20_000_000]));
    ended_well(&seen);
    assert_eq!(seen.answer().status, 504);
    never.open();
}

#[test]
fn broken_chunks_are_the_clients_fault() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let front = Front::before(origin.address);
    let large = "a".repeat(0x1_8000);
    let cases = [
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"
            .to_owned(),
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n"
            .to_owned(),
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"
            .to_owned(),
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc"
            .to_owned(),
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n18000\r\n{large}\r\nzz\r\n\r\n"
        ),
    ];
    for request in cases {
        let seen = front.ask_to_end(&request);
        ended_well(&seen);
        assert_eq!(seen.answer().status, 400, "{seen:?}");
    }
    assert_eq!(
        front.metric("http_client_request_duration_seconds_count", &["5xx"]),
        0.0
    );
    assert!(
        origin.requests().iter().all(|request| request.truncated),
        "no whole request came of it"
    );
}

#[test]
fn a_half_sent_body_is_a_400_and_a_fin() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let front = Front::before(origin.address);
    let mut raw = front.connect();
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        .unwrap();
    raw.half_close().unwrap();
    assert_eq!(raw.end(SOON), End::Fin);
    assert!(origin.requests().is_empty());
}

#[test]
fn an_origin_that_answers_before_the_body_is_heard_whole() {
    let origin = Recorder::start_early(
        |_| Some(Reply::status(403, "no, thank you")),
        |_| Reply::ok(""),
    );
    let front = Front::before(origin.address);
    for _ in 0..10 {
        let seen = front.ask_to_end(post("/", &vec![b'x'; 5_000_000]));
        ended_well(&seen);
        let status = seen.answer().status;
        // The origin closes with the body unread: what its kernel then resets may be lost on the
        // way to us, but never on the way to the client.
        assert!(status == 403 || status == 502, "{seen:?}");
    }
}

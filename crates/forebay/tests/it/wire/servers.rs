//! Origins that fail: each failure has its status, and none is the client's to pay twice.

use std::net::TcpListener;
use std::thread;

use forebay_testkit::port::free_address;
use forebay_testkit::recorder::Step;
use forebay_testkit::wire::End;
use forebay_testkit::{Gate, Recorder, Reply, wait_until};

use super::front::{Front, SOON, Setup, get, post};

#[test]
fn an_origin_that_closes_idle_connections_at_once_costs_no_request() {
    let origin = Recorder::start(|request| Reply::ok(request.body.clone()).then(Step::Close));
    let front = Front::before(origin.address);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut raw = front.connect();
                for n in 0..150 {
                    if n % 2 == 0 {
                        raw.send(get("/")).unwrap();
                    } else {
                        raw.send(post("/", b"form")).unwrap();
                    }
                    let answer = raw.answer("GET", SOON);
                    assert_eq!(answer.status, 200, "request {n}: {answer:?}");
                }
            });
        }
    });
    let posts = origin
        .requests()
        .iter()
        .filter(|request| request.method == "POST")
        .count();
    assert_eq!(posts, 300, "no form is sent twice");
}

#[test]
fn an_origin_that_resets_idle_connections_costs_no_request_either() {
    let origin = Recorder::start(|_| Reply::ok("fine").then(Step::Reset));
    let front = Front::before(origin.address);
    let mut raw = front.connect();
    let mut failed = 0;
    for _ in 0..200 {
        raw.send(get("/")).unwrap();
        failed += usize::from(raw.answer("GET", SOON).status != 200);
    }
    // The reset may overtake the answer itself; then there was none.
    assert!(failed <= 2, "{failed} of 200");
}

#[test]
fn nobody_listening_is_a_502() {
    let front = Front::before(free_address());
    let answer = front.get("/");
    assert_eq!(answer.status, 502);
    assert!(
        answer
            .header("proxy-status")
            .is_some_and(|status| status.starts_with("forebay; error=")),
        "{answer:?}"
    );
    assert!(front.metric("forebay_origin_connect_errors_total", &["refused"]) > 0.0);
}

#[test]
fn a_connect_that_hangs_is_a_504() {
    // A backlog that is full answers no further connect.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    shrink_backlog(&listener);
    let mut fill = Vec::new();
    while let Ok(socket) =
        std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_millis(200))
    {
        fill.push(socket);
    }
    let setup = Setup {
        origin: "connect_timeout = \"200ms\"",
        ..Setup::default()
    };
    let front = setup.before(&[address]);
    assert_eq!(front.get("/").status, 504);
    assert_eq!(
        front.metric("forebay_timeouts_total", &["\"connect\""]),
        1.0
    );
}

/// Shrinks the backlog: listening again only changes its length.
fn shrink_backlog(listener: &TcpListener) {
    socket2::SockRef::from(listener)
        .listen(0)
        .expect("it listens already");
}

#[test]
fn what_is_no_answer_is_a_502() {
    let cases: [(&str, Reply); 5] = [
        ("junk", Reply::raw("hello\r\n\r\n").then(Step::Close)),
        (
            "two lengths",
            Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
                .then(Step::Close),
        ),
        ("nothing", Reply::raw("").then(Step::Close)),
        (
            "half a head",
            Reply::raw("HTTP/1.1 200 OK\r\nContent-").then(Step::Close),
        ),
        ("an unasked switch", Reply::upgrade("websocket")),
    ];
    for (what, reply) in cases {
        let origin = Recorder::start(move |_| reply.clone());
        let front = Front::before(origin.address);
        let answer = front.get("/");
        assert_eq!(answer.status, 502, "{what}: {answer:?}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_seen_as_broken_off() {
    let whole = "HTTP/1.1 200 Scripted\r\nContent-Length: 5\r\n\r\nwhole".len();
    let cases = [
        Reply::ok("whole").cut_after(whole - 2, Step::Close),
        Reply::ok("whole").cut_after(whole - 2, Step::Reset),
        Reply::chunked(&["whole"]).cut_after(54, Step::Close),
    ];
    for reply in cases {
        let origin = Recorder::start(move |_| reply.clone());
        let front = Front::before(origin.address);
        let seen = front.ask_to_end(get("/"));
        assert_eq!(seen.end, End::Fin, "{seen:?}");
        assert!(seen.answer().truncated, "{seen:?}");
        wait_until(SOON, || {
            front.metric("forebay_connections_closed_total", &["\"error\"", "\"us\""]) == 1.0
        });
    }
}

#[test]
fn a_dead_server_costs_no_request_while_another_lives() {
    let alive = Recorder::start(|_| Reply::ok("alive"));
    let front = Setup::default().before(&[free_address(), alive.address]);
    for n in 0..40 {
        let seen = if n % 2 == 0 {
            front.ask(get("/"))
        } else {
            front.ask(post("/", b"form"))
        };
        assert_eq!(seen.answer().status, 200, "request {n}");
    }
    assert_eq!(alive.requests().len(), 40);
}

#[test]
fn requests_go_where_least_are_in_flight() {
    let gate = Gate::closed();
    let held = gate.clone();
    let slow = Recorder::start(move |_| Reply::ok("slow").first(Step::Wait(held.clone())));
    let fast = Recorder::start(|_| Reply::ok("fast"));
    let front = Setup::default().before(&[slow.address, fast.address]);
    thread::scope(|scope| {
        // Ties go in turn, so one of the next lands on the slow server.
        let stuck = scope.spawn(|| while front.get("/").text() != "slow" {});
        wait_until(SOON, || slow.in_flight() == 1);
        for _ in 0..30 {
            assert_eq!(front.get("/").text(), "fast");
        }
        assert_eq!(slow.in_flight_max(), 1);
        gate.open();
        stuck.join().unwrap();
    });
}

#[test]
fn many_forms_keep_no_more_connections_than_were_set_aside() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let setup = Setup {
        origin: "connections = 8\nlimit = { mode = \"fixed\", concurrency = 3 }",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(front.ask(post("/", b"form")).answer().status, 200);
                }
            });
        }
    });
    assert!(
        origin.open_connections() <= 8,
        "{}",
        origin.open_connections()
    );
}

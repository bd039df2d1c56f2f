//! Servers that die, come back, fail fast, or say how much they want.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use forebay_testkit::port::free_address;
use forebay_testkit::recorder::Step;
use forebay_testkit::{Recorder, Reply, wait_until};

use super::front::{Front, SOON, Setup, get, post};
use crate::house::{House, Visitor};

fn named(name: &'static str, at: SocketAddr) -> Recorder {
    Recorder::start_at(at, move |_| Reply::ok(name))
}

/// The states of the servers, in the order of the configuration.
fn states(front: &Front) -> Vec<String> {
    let state = |server: &serde_json::Value| server["state"].as_str().unwrap_or("").to_owned();
    front.servers().iter().map(state).collect()
}

#[test]
fn a_server_that_dies_costs_no_visitor_a_request_and_comes_back_slowly() {
    let (first, second) = (free_address(), free_address());
    let mortal = named("first", first);
    let steady = named("second", second);
    let front = Setup::default().before(&[first, second]);
    let ask = |n: usize| {
        let seen = if n.is_multiple_of(3) {
            front.ask(post("/", b"form"))
        } else {
            front.ask(get("/"))
        };
        assert_eq!(seen.answer().status, 200, "request {n}");
    };
    (0..30).for_each(ask);
    assert!(!mortal.requests().is_empty(), "both had their share");
    drop(mortal);
    // A kept connection may still be answered while the server goes away.
    wait_until(SOON, || {
        ask(2);
        states(&front)[0] != "live"
    });
    let before = steady.requests().len();
    (0..60).for_each(ask);
    assert_eq!(steady.requests().len() - before, 60);
    let dead = &front.servers()[0];
    assert_ne!(dead["state"], "live", "{dead}");
    assert!(dead["ejections_total"].as_u64() >= Some(1), "{dead}");
    assert_eq!(dead["why"], "refused", "{dead}");

    let back = named("first", first);
    wait_until(SOON, || {
        ask(1);
        !back.requests().is_empty()
    });
    let state = states(&front)[0].clone();
    assert_eq!(state, "slow-start", "one trial, then a growing share");
    (0..90).for_each(ask);
    let share = back.requests().len();
    assert!((2..45).contains(&share), "{share} of 90 at first");
}

#[test]
fn a_server_that_fails_at_once_does_not_swallow_the_traffic() {
    let good: Vec<Recorder> = (0..3)
        .map(|_| {
            Recorder::start(|_| {
                Reply::ok("fine").first(Step::Pause(std::time::Duration::from_millis(5)))
            })
        })
        .collect();
    let broken = Recorder::start(|_| Reply::status(500, "broken"));
    let mut servers: Vec<SocketAddr> = good.iter().map(|server| server.address).collect();
    servers.push(broken.address);
    let front = Setup::default().before(&servers);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut raw = front.connect();
                for _ in 0..150 {
                    raw.send(get("/")).unwrap();
                    raw.answer("GET", SOON);
                }
            });
        }
    });
    let swallowed = broken.requests().len();
    assert!(swallowed <= 30, "{swallowed} of 600");
    for server in &good {
        let share = server.requests().len();
        assert!((100..=300).contains(&share), "{share} of 600");
    }
}

#[test]
fn weights_share_out_what_there_is_to_do() {
    let pause = || {
        Recorder::start(|_| {
            Reply::ok("fine").first(Step::Pause(std::time::Duration::from_millis(5)))
        })
    };
    let (light, heavy) = (pause(), pause());
    let servers = format!(
        "{{ url = \"http://{}\", weight = 1 }}, {{ url = \"http://{}\", weight = 3 }}",
        light.address, heavy.address
    );
    let house = House::edited(light.address, "[room.main]\nmode = \"off\"\n", |text| {
        text.replace(&format!("\"http://{}\"", light.address), &servers)
    });
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(house.get("/", &[]).status, 200);
                }
            });
        }
    });
    let (light, heavy) = (light.requests().len(), heavy.requests().len());
    assert_eq!(light + heavy, 400);
    assert!((50..=160).contains(&light), "{light} of 400 for a quarter");
}

#[test]
fn an_origin_states_its_own_ceiling_and_visitors_never_see_it() {
    let origin = Recorder::start(|_| Reply::ok("fine").header("Forebay-Limit", "3"));
    let setup = Setup {
        origin: "limit = { mode = \"fixed\", concurrency = 40 }",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let answer = front.get("/");
    assert_eq!(answer.header("forebay-limit"), None);
    wait_until(SOON, || {
        front.metric("forebay_concurrency_limit", &[]) == 3.0
    });
    assert_eq!(front.status()["origins"][0]["limit_holds"], "ceiling");
}

#[test]
fn a_server_that_asks_for_a_rest_gets_one() {
    let tired = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&tired);
    let first = Recorder::start(move |_| {
        if state.load(Ordering::Relaxed) {
            Reply::status(503, "tired").header("Retry-After", "2")
        } else {
            Reply::ok("first")
        }
    });
    let second = Recorder::start(|_| Reply::ok("second"));
    let front = Setup::default().before(&[first.address, second.address]);
    for n in 0..30 {
        // Who meets the one that is tired is asked of the other.
        assert_eq!(front.get("/").text(), "second", "request {n}");
    }
    assert_eq!(first.requests().len(), 1);
    assert_eq!(states(&front)[0], "resting");
    tired.store(false, Ordering::Relaxed);
    wait_until(SOON, || front.get("/").text() == "first");
}

#[test]
fn while_the_origin_is_down_who_is_inside_gets_one_moment_and_who_is_new_a_place() {
    let address = free_address();
    let origin = named("here", address);
    let house = House::start(address, "");
    let mut inside = Visitor::new(&house);
    assert_eq!(inside.visit("/").text(), "here");
    drop(origin);

    let down = || house.status()["origins"][0]["down"] == true;
    wait_until(SOON, || {
        let answer = inside.visit("/");
        // A kept connection may still be answered.
        answer.status == 503 && down()
    });
    let moment = inside.visit("/");
    assert_eq!(moment.status, 503, "{moment:?}");
    assert!(moment.text().contains("One moment"), "{moment:?}");
    assert!(moment.header("retry-after").is_some());
    let status = moment.header("proxy-status").unwrap_or_default();
    assert!(status.contains("origin_down"), "{status}");

    let mut new = Visitor::new(&house);
    let held = new.visit("/");
    assert_eq!(held.status, 503, "{held:?}");
    assert!(new.cookie().is_some(), "a place in line: {held:?}");

    let origin = named("here", address);
    wait_until(SOON, || inside.visit("/").status == 200);
    assert!(!down());
    assert!(!origin.requests().is_empty());
}

#[test]
fn probes_find_a_server_that_is_ill_and_bring_it_back_without_a_visitor() {
    let ill = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&ill);
    let first = Recorder::start(move |_| {
        if state.load(Ordering::Relaxed) {
            Reply::status(500, "ill")
        } else {
            Reply::ok("first")
        }
    });
    let second = Recorder::start(|_| Reply::ok("second"));
    let setup = Setup {
        origin: "health = { path = \"/up?deep\", interval = \"100ms\" }",
        ..Setup::default()
    };
    let front = setup.before(&[first.address, second.address]);
    wait_until(SOON, || states(&front)[0] == "ejected");
    assert_eq!(front.servers()[0]["why"], "probe");
    let probes = |origin: &Recorder| {
        let requests = origin.requests();
        requests
            .iter()
            .filter(|request| request.target == "/up?deep")
            .count()
    };
    assert!(probes(&first) >= 3);
    assert_eq!(
        first.requests().last().unwrap().header("user-agent"),
        Some("forebay-probe")
    );
    ill.store(false, Ordering::Relaxed);
    wait_until(SOON, || states(&front)[0] == "slow-start");
    let asked = first.requests().len() - probes(&first);
    wait_until(SOON, || front.get("/").text() == "first");
    assert!(asked < 30, "{asked}");
    assert_eq!(front.metric("forebay_origin_in_flight", &[]), 0.0);
}

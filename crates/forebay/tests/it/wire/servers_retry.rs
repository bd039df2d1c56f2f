//! What is asked of a second server, and what never is.

use forebay_testkit::recorder::Step;
use forebay_testkit::{Recorder, Reply};

use super::front::{Setup, get, post};

/// One that takes a request and breaks off.
fn breaks_off() -> Recorder {
    Recorder::start(|_| Reply::raw("").then(Step::Reset))
}

#[test]
fn a_page_that_a_server_failed_is_asked_of_another_one() {
    let cases: [(&str, Reply); 3] = [
        ("breaks off", Reply::raw("").then(Step::Reset)),
        ("has nothing behind it", Reply::status(502, "bad gateway")),
        ("has no time", Reply::status(503, "busy")),
    ];
    for (what, reply) in cases {
        let bad = Recorder::start(move |_| reply.clone());
        let good = Recorder::start(|_| Reply::ok("good"));
        let front = Setup::default().before(&[bad.address, good.address]);
        for n in 0..20 {
            assert_eq!(front.get("/").text(), "good", "{what}, request {n}");
        }
        let failed = bad.requests().len();
        assert!(failed >= 1, "{what}");
        let retried = front.metric("forebay_origin_retried_total", &[]);
        assert_eq!(retried, failed as f64, "{what}");
    }
}

#[test]
fn a_form_is_sent_at_most_once() {
    let bad = breaks_off();
    let good = Recorder::start(|_| Reply::ok("good"));
    let front = Setup::default().before(&[bad.address, good.address]);
    let mut statuses = Vec::new();
    for n in 0..40 {
        let body = format!("form {n}");
        let answer = front.ask(post("/", body.as_bytes())).answer();
        statuses.push(answer.status);
    }
    let mut seen: Vec<Vec<u8>> = [&bad, &good]
        .iter()
        .flat_map(|origin| origin.requests())
        .map(|request| request.body)
        .collect();
    assert_eq!(seen.len(), 40, "each form reached one server");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 40, "no form reached two");
    let lost = statuses.iter().filter(|status| **status == 502).count();
    assert_eq!(
        lost,
        bad.requests().len(),
        "what may have been done is said"
    );
    assert!(lost < 12, "the other server gets what is left: {lost}");
    assert_eq!(front.metric("forebay_origin_retried_total", &[]), 0.0);
}

#[test]
fn the_budget_bounds_what_is_asked_twice() {
    for (rules, retried) in [
        ("retry = { attempts = 0 }", 0.0..=0.0),
        ("retry = { budget = \"0%\" }", 0.0..=0.0),
        ("retry = { budget = \"10%\" }", 1.0..=30.0),
    ] {
        let servers = [breaks_off(), breaks_off(), breaks_off()];
        let addresses: Vec<_> = servers.iter().map(|server| server.address).collect();
        let setup = Setup {
            origin: &format!("{rules}\nabort_grace = \"0s\""),
            ..Setup::default()
        };
        let front = setup.before(&addresses);
        for _ in 0..60 {
            assert_eq!(front.ask(get("/")).answer().status, 502);
        }
        let sent: usize = servers.iter().map(|server| server.requests().len()).sum();
        let seen = front.metric("forebay_origin_retried_total", &[]);
        assert!(retried.contains(&seen), "{rules}: {seen}");
        assert_eq!(sent as f64, 60.0 + seen, "{rules}");
    }
}

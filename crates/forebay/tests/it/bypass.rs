//! Who goes past a room, as programs on the wire see it.

use std::thread;

use forebay_testkit::recorder::Step;
use forebay_testkit::{Gate, Recorder, Reply, wait_until};

use crate::house::{House, PAGE, SOON, ask, echo};

const SECRET: &str = "a monitor's own word";

fn rules(addresses: &str) -> String {
    format!(
        "[room.main]\nmode = \"hold\"\n[room.main.bypass]\naddresses = [{addresses}]\n\
         paths = [\"/robots.txt\", \"/static/*\"]\nmethods = [\"OPTIONS\"]\n\
         headers = {{ X-Monitor = \"{SECRET}\" }}\n"
    )
}

/// Method, path, fields, and the rule that lets it past.
type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    Option<&'static str>,
);

#[test]
fn who_matches_a_rule_is_not_held_and_everybody_else_is() {
    let origin = echo();
    let house = House::start(
        origin.address,
        &format!(
            "{}[client]\ntrusted_proxies = [\"127.0.0.0/8\"]\n",
            rules("\"192.0.2.0/24\"")
        ),
    );
    const INSIDE: (&str, &str) = ("X-Forwarded-For", "192.0.2.77");
    const OUTSIDE: (&str, &str) = ("X-Forwarded-For", "192.0.2.77, 198.51.100.1");
    const GUESS: (&str, &str) = ("X-Monitor", "a guess of that length");
    let cases: [Case; 9] = [
        ("GET", "/", &[], None),
        ("GET", "/", &[("X-Monitor", SECRET)], Some("bypass_header")),
        ("GET", "/", &[GUESS], None),
        ("GET", "/", &[INSIDE], Some("bypass_address")),
        ("GET", "/", &[OUTSIDE], None),
        ("GET", "/robots.txt", &[], Some("bypass_path")),
        ("GET", "/static/site.css", &[], Some("bypass_path")),
        ("GET", "/static/../apply", &[], None),
        ("OPTIONS", "/apply", &[], Some("bypass_method")),
    ];
    for (method, path, fields, rule) in cases {
        let before = house.log().len();
        let mut all = vec![PAGE];
        all.extend(fields);
        let answer = house.ask(method, path, &all, "");
        let expected = if rule.is_some() { 200 } else { 503 };
        assert_eq!(answer.status, expected, "{method} {path} {fields:?}");
        if rule.is_some() {
            assert_eq!(answer.header("set-cookie"), None, "nobody's place is taken");
        }
        wait_until(SOON, || house.log().len() > before);
        let line = &house.log()[before];
        let said = (line["decision"].as_str(), line["reason"].as_str());
        match rule {
            Some(rule) => assert_eq!(said, (Some("admit"), Some(rule)), "{line}"),
            None => assert_eq!(said, (Some("hold"), Some("room_closed")), "{line}"),
        }
        if let Some(rule) = rule {
            let label = format!("reason=\"{rule}\"");
            assert!(
                house.metric("forebay_decisions_total", &["decision=\"admit\"", &label]) >= 1.0,
                "{rule}"
            );
        }
    }
    for request in origin.requests() {
        assert_eq!(
            request.header("x-monitor"),
            None,
            "the secret goes no further"
        );
    }
    assert!(!house.metrics().contains(SECRET));
}

#[test]
fn the_secret_goes_to_no_origin_whatever_the_route() {
    let origin = echo();
    let rest = format!(
        "[[route]]\npath = \"/free/*\"\nroom = \"none\"\n[[route]]\n{}",
        rules("")
    );
    let house = House::start(origin.address, &rest);
    for path in ["/free/a", "/b"] {
        let fields = [
            PAGE,
            ("X-Monitor", SECRET),
            ("X-MONITOR", "and a wrong one"),
        ];
        assert_eq!(house.get(path, &fields).status, 200, "{path}");
    }
    assert_eq!(origin.requests().len(), 2);
    for request in origin.requests() {
        assert_eq!(request.header("x-monitor"), None, "{}", request.target);
    }
}

#[test]
fn who_goes_past_the_room_keeps_to_the_quota_and_to_the_limit() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |_| Reply::ok("slow").first(Step::Wait(held.clone())));
    let rest = format!(
        "limit = {{ mode = \"fixed\", concurrency = 1 }}\n\
         queue = {{ visitor = \"200ms\", stranger = \"200ms\" }}\n{}\
         [quota.client]\nrate = \"1/h\"\nburst = 3\n",
        rules("")
    );
    let house = House::start(origin.address, &rest);
    let address = house.address;
    let blocking = thread::spawn(move || ask(address, None, "GET", "/static/a", &[], "").status);
    wait_until(SOON, || origin.in_flight() == 1);
    for (path, fields, class) in [
        ("/static/b", &[PAGE][..], "stranger"),
        ("/c", &[PAGE, ("X-Monitor", SECRET)], "navigation"),
    ] {
        let shed = house.get(path, fields);
        assert_eq!(shed.status, 503, "{path}");
        assert_eq!(shed.header("set-cookie"), None, "{path}");
        wait_until(SOON, || {
            let log = house.log();
            log.iter()
                .any(|line| line["path"] == path && line["class"] == class)
        });
    }
    assert_eq!(house.get("/static/d", &[PAGE]).status, 429);
    assert_eq!(origin.in_flight_max(), 1);
    gate.open();
    assert_eq!(blocking.join().expect("an answer"), 200);
}

#[test]
fn in_maintenance_only_the_operators_own_go_on() {
    let origin = echo();
    let house = House::start(origin.address, &rules(""));
    house.must(&["room", "main", "maintenance"]);
    assert_eq!(house.get("/", &[PAGE, ("X-Monitor", SECRET)]).status, 200);
    assert_eq!(house.get("/static/a", &[PAGE]).status, 503);
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn the_secret_is_in_no_message() {
    let origin = echo();
    let house = House::start(origin.address, "");
    house.write("[room.main.bypass]\nheaders = { Cookie = \"do not repeat this one\" }\n");
    let refused = house.command(&["reload"]);
    let said = format!("{refused:?}");
    assert!(said.contains("needed on the way"), "{said}");
    assert!(!said.contains("do not repeat"), "{said}");
    let shown = house.command(&["config", "show"]);
    assert!(!format!("{shown:?}").contains("do not repeat"), "{shown:?}");
}

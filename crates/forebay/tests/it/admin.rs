//! The operator's side: reads over an address, writes over a socket of one's own.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use forebay_testkit::wait_until;
use serde_json::Value;

use crate::house::{House, PAGE, SOON, Visitor, ask, echo};

fn over_socket(house: &House, request: &str) -> String {
    let mut stream = UnixStream::connect(house.file("state/admin.sock")).expect("a socket");
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn the_socket_is_its_owners_alone() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let data = std::fs::metadata(house.file("state/admin.sock")).expect("a socket");
    assert_eq!(data.permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_address_answers_reads_and_refuses_writes() {
    let origin = echo();
    let house = House::start(origin.address, "");
    for path in ["/livez", "/readyz", "/metrics", "/api/status"] {
        assert_eq!(
            ask(house.admin, None, "GET", path, &[], "").status,
            200,
            "{path}"
        );
    }
    for path in ["/api/reload", "/api/drain", "/api/room/main"] {
        let refused = ask(house.admin, None, "POST", path, &[], "{\"mode\":\"hold\"}");
        assert!(matches!(refused.status, 403 | 405), "{path}: {refused:?}");
    }
    assert_eq!(
        ask(house.admin, None, "GET", "/nothing", &[], "").status,
        404
    );
    assert_eq!(house.get("/", &[PAGE]).status, 200);
    assert_eq!(house.status()["draining"], false);
}

#[test]
fn a_room_is_changed_over_the_socket_and_nonsense_is_explained() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let changed = over_socket(
        &house,
        &post(
            "/api/room/main",
            "{\"mode\":\"hold\",\"inlet\":\"5/s\",\"active\":7}",
        ),
    );
    assert!(changed.starts_with("HTTP/1.1 200"), "{changed}");
    assert_eq!(house.get("/", &[PAGE]).status, 503);
    for (body, word) in [
        ("{\"mode\":\"sometimes\"}", "mode"),
        ("{\"inlet\":\"fast\"}", "inlet"),
        ("{\"active\":0}", "active"),
        ("{\"active\":-1}", "active"),
        ("{\"colour\":1}", "colour"),
        ("nonsense", "expected"),
        ("{}", "nothing is changed"),
        ("{\"inlet\":\"0/s\"}", "inlet"),
        ("{\"inlet\":\"99999999999/s\"}", "inlet"),
        ("{\"active\":4294967296}", "active"),
    ] {
        let refused = over_socket(&house, &post("/api/room/main", body));
        assert!(refused.starts_with("HTTP/1.1 400"), "{body}: {refused}");
        assert!(refused.contains(word), "{body}: {refused}");
    }
    let nowhere = over_socket(&house, &post("/api/room/nowhere", "{\"mode\":\"off\"}"));
    assert!(nowhere.starts_with("HTTP/1.1 404"), "{nowhere}");
    let large = over_socket(&house, &post("/api/room/main", &" ".repeat(10_000)));
    assert!(large.starts_with("HTTP/1.1 413"), "{large}");
}

/// A change of room `main` over the address, with this `Authorization`.
fn over_address(house: &House, shown: Option<&str>, body: &str) -> u16 {
    let fields: Vec<_> = shown
        .iter()
        .map(|shown| ("Authorization", *shown))
        .collect();
    ask(house.admin, None, "POST", "/api/room/main", &fields, body).status
}

#[test]
fn with_the_token_and_only_with_it_the_address_takes_changes() {
    const TOKEN: &str = "0123456789abcdef";
    let origin = echo();
    let house = House::edited(origin.address, "", |text| {
        text.replace("[admin]\n", &format!("[admin]\ntoken = \"{TOKEN}\"\n"))
    });
    let hold = "{\"mode\":\"hold\"}";
    for shown in [None, Some("Bearer 0123456789abcdeF"), Some(TOKEN)] {
        assert_eq!(over_address(&house, shown, hold), 401, "{shown:?}");
    }
    assert_eq!(house.room()["mode"], "auto");
    assert!(house.room()["last_change"].is_null());
    let shown = format!("Bearer {TOKEN}");
    assert_eq!(over_address(&house, Some(&shown), hold), 200);
    assert_eq!(house.get("/", &[PAGE]).status, 503);
    assert_eq!(
        house.room()["last_change"]["by"],
        "token from 127.0.0.1",
        "{}",
        house.room()
    );
    let log = house.program.stderr();
    assert!(!log.contains(TOKEN), "{log}");
    assert!(log.contains("without the right token"), "{log}");
}

#[test]
fn each_change_says_who_made_it_and_what_was_before() {
    let origin = echo();
    let house = House::start(origin.address, "");
    house.must(&["room", "main", "rate", "30/min"]);
    house.must(&["room", "main", "hold"]);
    let change = house.room()["last_change"].clone();
    let by = change["by"].as_str().expect("somebody");
    assert!(by.starts_with("uid ") && by.contains(" pid "), "{by}");
    assert!(
        change["at"].as_str().is_some_and(|at| at.ends_with('Z')),
        "{change}"
    );
    let (before, after) = (&change["before"], &change["after"]);
    assert_eq!(
        (&before["mode"], &after["mode"]),
        (&"auto".into(), &"hold".into())
    );
    assert_eq!(before["inlet"], "30/min", "{change}");
    assert_eq!(after["active"], "unlimited", "{change}");

    // The same again changes nothing; the file does, once it says something new.
    house.must(&["room", "main", "hold"]);
    assert_eq!(house.room()["last_change"], change);
    house.write("[room.main]\nactive = 9\n");
    house.must(&["reload"]);
    let reloaded = house.room()["last_change"].clone();
    assert_eq!(reloaded["after"]["active"], 9, "{reloaded}");
    let log = house.program.stderr();
    assert_eq!(log.matches("room changed").count(), 3, "{log}");
}

#[test]
fn an_inlet_that_only_looks_on_says_what_it_would_do_until_it_works() {
    let origin = echo();
    let house = House::start(origin.address, "[room.main]\ninlet = \"shadow\"\n");
    assert_eq!(house.get("/", &[PAGE]).status, 200);
    wait_until(SOON, || house.room()["shadow"]["state"] == "open");
    let room = house.room();
    assert_eq!(room["inlet"]["holds"], "nothing", "{room}");
    assert!(room["inlet"]["visitors_per_second"].is_null(), "{room}");
    assert!(room["shadow"]["visitors_per_second"].is_number(), "{room}");
    let changed = over_socket(&house, &post("/api/room/main", "{\"inlet\":\"auto\"}"));
    assert!(changed.starts_with("HTTP/1.1 200"), "{changed}");
    wait_until(SOON, || house.room()["shadow"].is_null());
    assert!(house.room()["inlet"]["visitors_per_second"].is_number());
    let changed = over_socket(&house, &post("/api/room/main", "{\"inlet\":\"shadow\"}"));
    assert!(changed.starts_with("HTTP/1.1 200"), "{changed}");
    wait_until(SOON, || house.room()["shadow"].is_object());
}

#[test]
fn metrics_are_openmetrics_and_count_what_happened() {
    let origin = echo();
    let house = House::start(origin.address, "");
    for _ in 0..3 {
        assert_eq!(house.get("/", &[PAGE]).status, 200);
    }
    let answer = ask(house.admin, None, "GET", "/metrics", &[], "");
    let kind = answer.header("content-type").expect("a type").to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"));
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("name and value");
        assert!(
            name.chars().next().is_some_and(char::is_alphabetic),
            "{line}"
        );
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    assert!(
        house.metric("forebay_decisions_total", &["\"admit\""]) >= 3.0,
        "{text}"
    );
    assert!(
        (house.metric("http_server_request_duration_seconds_count", &[]) - 3.0).abs() < 0.1,
        "{text}"
    );
    assert!(
        house.metric("forebay_connections_accepted_total", &[]) >= 3.0,
        "{text}"
    );
    for reset in text
        .lines()
        .filter(|line| line.contains("how=\"rst\"") && line.contains("by=\"us\""))
    {
        assert!(reset.ends_with(" 0"), "{reset}");
    }
}

#[test]
fn the_status_says_who_waits_and_who_is_inside() {
    let origin = echo();
    let house = House::start(origin.address, "[room.main]\nmode = \"hold\"\n");
    Visitor::queued(&house);
    wait_until(SOON, || house.room()["waiting"] == 1);
    let status = house.status();
    let room = &status["rooms"][0];
    assert_eq!(room["mode"], "hold");
    for number in [
        "active",
        "called",
        "outstanding",
        "claimed",
        "abandoned",
        "ghosts",
        "polls_total",
        "polls_per_second",
        "oldest_wait_seconds",
    ] {
        assert!(room[number].is_number(), "{number} in {room}");
    }
    // Nobody has entered, so there is nothing to say about waits and times told.
    for unknown in ["wait_seconds", "told"] {
        let known = room[unknown].as_object().expect("a table").values();
        assert!(known.into_iter().all(Value::is_null), "{unknown} in {room}");
    }
    assert!(house.metric("forebay_room_polls_total", &["\"main\""]) >= 1.0);
    assert_eq!(status["origins"][0]["limit_holds"], "learned");
    assert_eq!(status["origins"][0]["limit_moved"], "never");
    assert_eq!(status["store"]["up"], true);
    assert_eq!(house.must(&["healthcheck"]).trim(), "ready");
}

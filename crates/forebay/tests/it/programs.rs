//! Programs in line: what a script can read, what it does, and streams that have begun.

use std::process::Command;
use std::time::Duration;

use forebay_testkit::program;
use forebay_testkit::recorder::Step;
use forebay_testkit::{Answer, Gate, Raw, Recorder, Reply, tool, wait_until};
use serde_json::Value;

use crate::house::{House, SOON, Visitor, echo};

/// The documented flow, which is what runs here.
const DOCUMENT: &str = include_str!("../../../../docs/programs.md");

/// The first piece of the document in this language.
fn piece(language: &str) -> &'static str {
    DOCUMENT
        .split_once(&format!("```{language}\n"))
        .and_then(|(_, rest)| rest.split_once("```"))
        .expect("it is documented")
        .0
}

const APP: &str = "https://app.example";
const FROM_APP: [(&str, &str); 3] = [
    ("Accept", "application/json"),
    ("Origin", APP),
    ("Sec-Fetch-Site", "same-site"),
];
const PREFLIGHT: [(&str, &str); 4] = [
    ("Origin", APP),
    ("Sec-Fetch-Site", "same-site"),
    ("Access-Control-Request-Method", "POST"),
    ("Access-Control-Request-Headers", "x-app"),
];

fn is_readable(answer: &Answer) -> bool {
    answer.header("access-control-allow-origin") == Some(APP)
        && answer.header("access-control-allow-credentials") == Some("true")
        && answer
            .header("vary")
            .is_some_and(|vary| vary.contains("origin"))
}

#[test]
fn a_script_of_another_origin_can_read_our_answers_and_the_origins_are_its_own() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let passed = house.get("/", &FROM_APP);
    assert_eq!(passed.status, 200);
    assert_eq!(passed.header("access-control-allow-origin"), None);
    house.must(&["room", "main", "hold"]);
    for path in ["/api", "/__forebay/status", "/__forebay/nothing"] {
        let answer = house.get(path, &FROM_APP);
        assert!(is_readable(&answer), "{path}: {answer:?}");
        assert!(
            answer
                .header("access-control-expose-headers")
                .is_some_and(|exposed| exposed.contains("retry-after")),
            "{answer:?}"
        );
    }
    let held = house.get("/api", &FROM_APP);
    let place: Value = serde_json::from_slice(&held.body).expect("JSON");
    assert_eq!((held.status, &place["state"]), (503, &"closed".into()));
    let nobody = house.get("/api", &[("Accept", "application/json")]);
    assert_eq!(nobody.header("access-control-allow-origin"), None);
}

#[test]
fn a_preflight_is_the_origins_to_answer_and_takes_no_place() {
    let origin = Recorder::start(|request| Reply::ok(request.method.clone()));
    let house = House::start(origin.address, "[room.main]\nmode = \"queue-all\"\n");
    for mode in ["queue-all", "hold"] {
        house.must(&["room", "main", mode]);
        let answer = house.ask("OPTIONS", "/api", &PREFLIGHT, "");
        assert_eq!(answer.text(), "OPTIONS", "{mode}: {answer:?}");
        // Without its mark it is a request like any other.
        let plain = house.ask("OPTIONS", "/api", &[("Origin", APP)], "");
        assert_eq!(plain.status, 503, "{mode}: {plain:?}");
    }
    let admitted = ["\"admit\"", "\"preflight\""];
    wait_until(SOON, || {
        house.metric("forebay_decisions_total", &admitted) == 2.0
    });
    house.must(&["room", "main", "maintenance"]);
    let before = origin.requests().len();
    let held = house.ask("OPTIONS", "/api", &PREFLIGHT, "");
    assert_eq!((held.status, held.header("set-cookie")), (503, None));
    assert_eq!(origin.requests().len(), before);
}

#[test]
fn the_documented_command_waits_and_gets_the_answer() {
    let origin = echo();
    let house = House::start(
        origin.address,
        "[room.main]\nmode = \"queue-all\"\ninlet = \"2/s\"\n",
    );
    assert!(tool::need("curl").is_file());
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("http://{}/report", house.address);
    let mut command = Command::new("sh");
    command
        .args(["-euc", piece("sh")])
        .env("URL", url)
        .current_dir(folder.path());
    let done = program::run(&mut command, b"", Duration::from_secs(30));
    assert!(done.status.success(), "{done:?}");
    let answer = std::fs::read_to_string(folder.path().join("answer")).expect("an answer");
    assert_eq!(answer, "origin /report");
}

mod chromium_fetches {
    use forebay_testkit::{Browser, Person};

    use super::*;

    /// A browser is slow to start where others build and test.
    const PATIENCE: Duration = Duration::from_secs(40);

    #[test]
    fn the_documented_script_waits_in_line_at_another_origin() {
        let api = Recorder::start(|request| {
            let app = request.header("origin").unwrap_or_default().to_owned();
            Reply::ok(format!("done {}", request.header("x-app").unwrap_or("not")))
                .header("Access-Control-Allow-Origin", &app)
                .header("Access-Control-Allow-Credentials", "true")
                .header("Access-Control-Allow-Headers", "x-app")
        });
        let house = House::start(
            api.address,
            "[room.main]\nmode = \"queue-all\"\ninlet = \"1/s\"\n",
        );
        let script = format!(
            "<p id=a>waiting<p id=b>none<script>{}\n\
             const say = (id, text) => {{ document.getElementById(id).textContent = text; }};\n\
             patientFetch('http://{}/apply', {{ headers: {{ 'x-app': 'by script' }} }},\n\
               (place) => say('b', 'shown ' + place.state))\n\
               .then((answer) => answer.text())\n\
               .then((text) => say('a', text), (error) => say('a', 'failed: ' + error));\n\
             </script>",
            piece("js"),
            house.address
        );
        let app = Recorder::start(move |_| {
            Reply::ok(script.clone()).header("Content-Type", "text/html; charset=utf-8")
        });
        let browser = Browser::start(&Person::default());
        browser.open(&format!("http://{}/", app.address));
        browser.wait_for_words("done by script", PATIENCE);
        assert_eq!(browser.words("#b").as_deref(), Some("shown queueing"));
    }
}

/// A pass that runs out by itself in a moment.
const BRIEF: &str =
    "[room.main]\npass = { idle = \"1s\", lifetime = \"12h\", form_grace = \"0s\" }\n";

/// Somebody inside, and the room as it is then.
fn inside(house: &House) -> Visitor {
    let mut visitor = Visitor::new(house);
    assert_eq!(visitor.visit("/").status, 200);
    visitor
}

fn opened(visitor: &Visitor, path: &str, more: &str) -> Raw {
    let cookie = visitor.cookie().expect("a pass");
    let mut raw = Raw::connect(visitor.address);
    raw.send(format!(
        "GET {path} HTTP/1.1\r\nHost: site.test\r\nCookie: forebay-main={cookie}\r\n{more}\r\n"
    ))
    .expect("sent");
    raw
}

#[test]
fn what_has_begun_goes_on_when_the_room_closes_and_the_pass_runs_out() {
    const SWITCH: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for mode in ["hold", "queue-all", "maintenance"] {
        let gate = Gate::closed();
        let held = gate.clone();
        let origin = Recorder::start(move |request| match request.target.as_str() {
            "/socket" => Reply::upgrade("websocket"),
            "/events" => Reply::raw(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                 Transfer-Encoding: chunked\r\n\r\nb\r\ndata: one\n\n\r\n",
            )
            .then(Step::Wait(held.clone()))
            .then(Step::Send(b"b\r\ndata: two\n\n\r\n0\r\n\r\n".to_vec())),
            _ => Reply::ok("page"),
        });
        let house = House::start(origin.address, BRIEF);
        let visitor = inside(&house);
        let mut socket = opened(&visitor, "/socket", SWITCH);
        let head = socket.read_until("\r\n\r\n", SOON);
        assert!(head.starts_with(b"HTTP/1.1 101"), "{mode}");
        let mut events = opened(&visitor, "/events", "");
        events.read_until("one\n\n", SOON);

        house.must(&["room", "main", mode]);
        // With the pass as it was: who keeps asking keeps it alive.
        wait_until(SOON, || visitor.clone().visit("/").status == 503);

        socket.send("still here;").expect("an open tunnel");
        assert_eq!(socket.read_until(";", SOON), b"still here;", "{mode}");
        gate.open();
        events.read_until("two\n\n", SOON);
    }
}

//! An opening a few seconds ahead, over real sockets: the pre-queue, the draw, and what anybody
//! can compute again of it.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use forebay_testkit::wait_until;
use serde_json::Value;

use crate::house::{House, SOON, Visitor, echo};

/// Now, in whole seconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is after 1970").as_secs()
}

/// A moment as TOML has it.
fn moment(seconds: u64) -> String {
    let days = seconds / 86_400;
    let (mut year, mut rest) = (1970, days);
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let length = |year| 365 + u64::from(leap(year));
    while rest >= length(year) {
        rest -= length(year);
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let day = rest + 1;
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn rules(opens: u64, prequeue: u64) -> String {
    let opens = moment(opens);
    format!(
        "[room.main]\nmode = \"queue-all\"\ninlet = \"20/s\"\n\
         event = [{{ opens = {opens}, prequeue = \"{prequeue}s\", per_client = 3 }}]\n"
    )
}

fn draw(visitor: &mut Visitor) -> Value {
    let answer = visitor.ask("GET", "/__forebay/draw?room=main", &[], "");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    serde_json::from_slice(&answer.body).expect("draws are JSON")
}

fn bytes(hex: &Value) -> Vec<u8> {
    let text = hex.as_str().expect("a text");
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(pair).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Comes in the pre-queue.
fn come(house: &House) -> Visitor {
    let mut visitor = Visitor::new(house);
    let answer = visitor.visit("/");
    assert_eq!(answer.status, 503, "{answer:?}");
    let place = visitor.place();
    assert!(place["opens_in_seconds"].is_u64(), "{place}");
    assert!(place["ahead"].is_null() && place["eta_seconds"].is_null());
    visitor
}

/// `forebay room NAME verify-draw` accepts the right seed, and refuses every other.
fn verifies(house: &House, draw: &Value) {
    let verify = |more: &[&str]| house.command(&[&["room", "main", "verify-draw"], more].concat());
    let said = verify(&[]).stdout;
    assert!(
        said.contains("the seed is the one that was bound"),
        "{said}"
    );

    let file = house.file("draw.json");
    let path = file.to_str().expect("a path");
    fs::write(&file, draw.to_string()).expect("the folder can be written");
    let said = verify(&["--from", path]).stdout;
    assert!(said.contains("as the rule makes it"), "{said}");

    let held = &draw["draws"][0];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (seed, bound) = (text(&held["seed"]), text(&held["commitment"]));
    let (ticket, rank) = (text(&draw["reference"]), text(&draw["rank"]));
    let all = ["--seed", &seed, "--commitment", &bound, "--ticket", &ticket];
    let said = verify(&all).stdout;
    assert!(said.contains(&rank), "{said}");

    let other = if seed.starts_with('0') { "1" } else { "0" };
    let tampered = format!("{other}{}", &seed[1..]);
    for (seed, bound) in [(&tampered, &bound), (&seed, &tampered)] {
        let refused = verify(&["--seed", seed, "--commitment", bound]);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(
            refused.stderr.contains("NOT the one that was bound"),
            "{refused:?}"
        );
    }
    let mut lied = draw.clone();
    lied["rank"] = "0000000000000000".into();
    fs::write(&file, lied.to_string()).expect("the folder can be written");
    assert_eq!(verify(&["--from", path]).status.code(), Some(1));
}

#[test]
fn an_event_opens_on_time_and_everybody_can_compute_the_draw_again() {
    let origin = echo();
    let opens = now() + 9;
    let house = House::start(origin.address, &rules(opens, 8));
    wait_until(SOON, || now() > opens - 8);
    let mut line: Vec<Visitor> = (0..5).map(|_| come(&house)).collect();
    let before: Vec<Value> = line.iter_mut().map(draw).collect();
    assert_eq!(before[0]["draws"][0]["opens_unix_seconds"], opens);
    assert_eq!(before[0]["draws"][0]["seed"], Value::Null);
    let parts: Vec<_> = before
        .iter()
        .map(|draw| draw["takes_part"] == true)
        .collect();
    assert_eq!(
        parts,
        [true, true, true, false, false],
        "three of one client"
    );
    let json = [("Accept", "application/json")];
    let held: Value = serde_json::from_slice(&house.get("/", &json).body).expect("JSON");
    assert!(held["opens_in_seconds"].is_u64(), "{held}");
    if now() < opens {
        assert!(origin.requests().is_empty(), "nobody enters before");
    }

    wait_until(SOON, || !draw(&mut line[0])["draws"][0]["seed"].is_null());
    assert!(now() >= opens);
    for (visitor, before) in line.iter_mut().zip(&before) {
        let after = draw(visitor);
        let (seed, commitment) = (
            &after["draws"][0]["seed"],
            &before["draws"][0]["commitment"],
        );
        assert_eq!(hex(digest(&SHA256, &bytes(seed)).as_ref()), *commitment);
        assert_eq!(after["reference"], before["reference"]);
        let message = [bytes(seed), bytes(&after["reference"])].concat();
        let rank = &hex(digest(&SHA256, &message).as_ref())[..16];
        if after["takes_part"] == true {
            assert_eq!(after["rank"], rank);
        }
    }
    verifies(&house, &draw(&mut line[0]));
    wait_until(SOON, || {
        line.iter_mut()
            .all(|visitor| visitor.visit("/").status == 200)
    });
}

#[test]
fn a_kill_in_the_pre_queue_changes_neither_seed_nor_ticket() {
    let origin = echo();
    let opens = now() + 3_600;
    let mut house = House::start(origin.address, &rules(opens, 3_599));
    wait_until(SOON, || now() > opens - 3_599);
    let mut visitor = come(&house);
    let before = draw(&mut visitor);
    let saves = || house.metric("forebay_store_saves_total", &[]);
    let saved = saves();
    come(&house);
    wait_until(SOON, || saves() > saved);
    house.program.kill();
    // Another key signs from now on: what was planned keeps its seed.
    house.start_again();
    house.must(&["keys", "rotate"]);
    house.must(&["reload"]);
    let after = draw(&mut visitor);
    assert_eq!(after["draws"], before["draws"]);
    assert_eq!(after["reference"], before["reference"]);
}

#[test]
fn a_lottery_tells_no_number_before_its_draw_and_lets_everybody_in() {
    let origin = echo();
    let rest = "[room.main]\nmode = \"queue-all\"\norder = \"lottery\"\ninlet = \"1/h\"\n";
    let house = House::start(origin.address, rest);
    let mut line: Vec<Visitor> = (0..6).map(|_| Visitor::queued(&house)).collect();
    let second = now();
    wait_until(SOON, || now() > second + 1);
    // The first of them are being called, and those who come now wait for the next draw.
    let mut mine = Visitor::queued(&house);
    let place = mine.place();
    assert_eq!(place["state"], "queueing", "{place}");
    assert!(
        place["ahead"].is_null() && place["eta_seconds"].is_null(),
        "{place}"
    );
    assert!(place.get("opens_in_seconds").is_none(), "{place}");
    line.push(mine);
    house.must(&["room", "main", "rate", "20/s"]);
    wait_until(SOON * 3, || {
        line.iter_mut()
            .all(|visitor| visitor.visit("/").status == 200)
    });
}

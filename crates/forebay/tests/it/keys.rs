//! Keys that change while people wait and are inside.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use forebay_testkit::wait_until;
use serde_json::Value;

use crate::house::{House, PAGE, SOON, Visitor, echo};

const HELD: &str = "[room.main]\nmode = \"hold\"\n";

fn key(text: &str) -> String {
    text.repeat(5)
}

/// A house whose keys stand in its configuration.
fn with_keys(house: &House, keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|text| format!("{:?}", key(text))).collect();
    let text = fs::read_to_string(house.config()).expect("the configuration");
    let plain: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("keys"))
        .collect();
    plain
        .join("\n")
        .replace("[state]", &format!("[state]\nkeys = [{}]", keys.join(", ")))
}

/// One who waits and one who is inside, in a room that lets nobody new in.
fn couple(house: &House) -> (Visitor, Visitor) {
    let mut inside = Visitor::new(house);
    assert_eq!(inside.visit("/").status, 200);
    house.must(&["room", "main", "hold"]);
    (Visitor::queued(house), inside)
}

fn rejected(house: &House) -> f64 {
    house.metric("forebay_credentials_rejected_total", &[])
}

fn keys(house: &House) -> Vec<Value> {
    house.status()["keys"].as_array().expect("keys").clone()
}

#[test]
fn keys_change_under_traffic_and_who_waits_and_who_is_inside_notice_nothing() {
    let origin = echo();
    let quotas = ["pass", "client", "room"]
        .map(|name| format!("[quota.{name}]\nrate = \"100000/s\"\nburst = 1000000\n"));
    let house = House::start(origin.address, &quotas.concat());
    let (mut waiting, mut inside) = couple(&house);
    let before = waiting.place();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        // Whatever worker they come to, at whatever moment, and however fresh their cookie is.
        let crowd: Vec<_> = (0..4)
            .map(|_| {
                let (done, mut inside) = (&done, inside.clone());
                let house = &house;
                scope.spawn(move || {
                    let mut waiting = Visitor::queued(house);
                    let reference = waiting.place()["reference"].clone();
                    while !done.load(Ordering::Relaxed) {
                        assert_eq!(inside.visit("/page").status, 200);
                        assert_eq!(waiting.place()["reference"], reference);
                    }
                })
            })
            .collect();
        for _ in 0..5 {
            let said = house.must(&["keys", "rotate"]);
            assert!(said.contains("keys"), "{said}");
            for _ in 0..10 {
                assert_eq!(inside.visit("/page").status, 200);
            }
        }
        done.store(true, Ordering::Relaxed);
        for person in crowd {
            person.join().expect("nobody noticed anything");
        }
    });
    assert_eq!(keys(&house).len(), 6);
    let after = waiting.place();
    assert_eq!(before["reference"], after["reference"]);
    assert!(after["ahead"].as_u64() <= before["ahead"].as_u64());
    assert!(rejected(&house) == 0.0, "no credential was refused");
}

#[test]
fn keys_that_changed_outlive_the_process_and_are_their_owners_alone() {
    let origin = echo();
    let mut house = House::start(origin.address, "");
    let (mut waiting, mut inside) = couple(&house);
    let reference = waiting.place()["reference"].clone();
    house.must(&["keys", "rotate"]);
    let known = keys(&house);
    house.program.kill();
    // What a kill in the middle of a write leaves behind.
    fs::write(house.file("state/keys.new"), "FBKEYS and half a key").expect("written");
    house.write(HELD);
    house.start_again();
    assert_eq!(keys(&house), known);
    assert_eq!(inside.visit("/").status, 200);
    assert_eq!(waiting.place()["reference"], reference);
    house.must(&["keys", "rotate"]);
    let mode = fs::metadata(house.file("state/keys"))
        .expect("keys")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(rejected(&house) == 0.0);
}

#[test]
fn distrusted_keys_end_at_once_and_for_good_and_only_when_that_is_said() {
    let origin = echo();
    let mut house = House::start(origin.address, "");
    let (mut waiting, inside) = couple(&house);
    let old = waiting.cookie().expect("a ticket").to_owned();
    let reference = waiting.place()["reference"].clone();
    let said = house.must(&["keys", "rotate", "--distrust"]);
    assert_eq!(keys(&house).len(), 1, "{said}");
    house.program.wait_for_text("trust=Ended", SOON);
    house.write(HELD);
    // A forger's cookie names the key that he has; it is no key any more.
    for _ in 0..2 {
        let before = house.metric("forebay_credentials_rejected_total", &["unknown_key"]);
        let cookie = format!("forebay-main={old}");
        let answer = house.get("/", &[PAGE, ("Cookie", &cookie)]);
        assert_eq!(answer.status, 503);
        let after = house.metric("forebay_credentials_rejected_total", &["unknown_key"]);
        assert!(after > before);
        house.program.kill();
        house.start_again();
    }
    assert_eq!(
        inside.clone().visit("/").status,
        503,
        "a pass of the old key"
    );
    assert_eq!(waiting.visit("/").status, 503);
    assert_ne!(
        waiting.place()["reference"],
        reference,
        "a place of one's own"
    );
}

#[test]
fn as_many_keys_as_may_be_needed_are_kept_and_the_next_command_says_why_not() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let (_, mut inside) = couple(&house);
    for _ in 0..7 {
        house.must(&["keys", "rotate"]);
    }
    let refused = house.command(&["keys", "rotate"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("--distrust"), "{refused:?}");
    assert_eq!(keys(&house).len(), 8);
    assert_eq!(inside.visit("/").status, 200);
    house.must(&["keys", "rotate", "--distrust"]);
    assert_eq!(keys(&house).len(), 1);
}

#[test]
fn a_key_that_cannot_be_written_does_not_sign() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let (mut waiting, mut inside) = couple(&house);
    let known = keys(&house);
    // A directory in the way of the file, because the tests may run as root.
    fs::create_dir(house.file("state/keys.new")).expect("made");
    let refused = house.command(&["keys", "rotate"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("keys.new"), "{refused:?}");
    assert_eq!(keys(&house), known);
    assert_eq!(inside.visit("/").status, 200);
    assert_eq!(waiting.place()["state"], "closed");
    fs::remove_dir(house.file("state/keys.new")).expect("removed");
    house.must(&["keys", "rotate"]);
    assert_eq!(keys(&house).len(), 2);
}

#[test]
fn configured_keys_change_by_the_file_alone_and_nobody_notices() {
    let origin = echo();
    let house = House::start(origin.address, HELD);
    house.write_text(&with_keys(&house, &["the first"]));
    house.must(&["reload"]);
    let mut waiting = Visitor::queued(&house);
    let reference = waiting.place()["reference"].clone();
    let refused = house.command(&["keys", "rotate"]);
    assert!(refused.stderr.contains("state.keys"), "{refused:?}");
    // Known everywhere before it signs anywhere, then alone.
    for list in [
        &["the first", "another"][..],
        &["another", "the first"],
        &["another"],
    ] {
        house.write_text(&with_keys(&house, list));
        house.must(&["reload"]);
        assert_eq!(keys(&house).len(), list.len());
        wait_until(SOON, || waiting.place()["reference"] == reference);
    }
    assert!(rejected(&house) == 0.0);
}

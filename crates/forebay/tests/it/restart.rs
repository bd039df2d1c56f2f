//! What a restart keeps: the process is killed in the middle of a line and started again.

use std::process::Command;
use std::time::Duration;

use forebay_testkit::wait_until;
use serde_json::Value;

use crate::house::{self, House, PAGE, SOON, Visitor, echo};

fn ahead(place: &Value) -> u64 {
    place["ahead"].as_u64().unwrap_or(0)
}

#[test]
fn after_kill_nobody_has_a_larger_number_and_nobody_is_new() {
    let origin = echo();
    let mut house = House::start(origin.address, "[room.main]\nmode = \"hold\"\n");
    let mut line: Vec<Visitor> = (0..12).map(|_| Visitor::queued(&house)).collect();
    wait_until(SOON, || house.room()["waiting"] == 12);
    // The file is at most one tick old; whoever came since counts with the next poll.
    let saves = || house.metric("forebay_store_saves_total", &[]);
    let saved = saves();
    Visitor::queued(&house);
    wait_until(SOON, || saves() > saved);
    let before: Vec<Value> = line.iter_mut().map(Visitor::place).collect();
    for _ in 0..2 {
        house.program.kill();
        house.start_again();
        let after: Vec<Value> = line.iter_mut().map(Visitor::place).collect();
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before["reference"], after["reference"]);
            assert_eq!(after["state"], "closed");
            assert!(ahead(after) <= ahead(before), "{before} then {after}");
        }
        // A kill loses the contacts since the last tick; the next appointments make up for them.
        wait_until(SOON, || {
            line.iter_mut().for_each(|visitor| drop(visitor.place()));
            house.room()["waiting"].as_u64() >= Some(12)
        });
    }
    assert!(
        house.metric("forebay_credentials_rejected_total", &[]) == 0.0,
        "no ticket was refused"
    );
}

#[test]
fn who_was_called_before_the_kill_is_called_after_it_and_enters_before_the_others() {
    let origin = echo();
    let rest = "[room.main]\nmode = \"queue-all\"\ninlet = \"3/s\"\n";
    let mut house = House::start(origin.address, rest);
    let mut line: Vec<Visitor> = (0..6).map(|_| Visitor::queued(&house)).collect();
    wait_until(SOON, || line[0].place()["state"] == "called");
    let mut called: Vec<bool> = line
        .iter_mut()
        .map(|visitor| visitor.place()["state"] == "called")
        .collect();
    // Whoever comes while nobody is called is behind all of them; the file knows no hold.
    house.must(&["room", "main", "hold"]);
    line.extend((0..6).map(|_| Visitor::queued(&house)));
    called.resize(line.len(), false);
    // What was told of single people is saved with the next tick; the second save from here on
    // began after all that was told above.
    let saves = || house.metric("forebay_store_saves_total", &[]);
    let before = saves();
    wait_until(SOON, || {
        let _told = line[6].place();
        saves() >= before + 2.0
    });
    house.program.kill();
    house.start_again();
    for (visitor, called) in line.iter_mut().zip(&called) {
        let place = visitor.place();
        assert!(
            !called || place["state"] == "called",
            "called before, now {place}"
        );
    }
    let mut entered = vec![None; line.len()];
    let mut round = 0;
    wait_until(Duration::from_secs(20), || {
        round += 1;
        for (index, visitor) in line.iter_mut().enumerate() {
            if entered[index].is_none() && visitor.visit("/in").status == 200 {
                entered[index] = Some(round);
            }
        }
        entered.iter().all(Option::is_some)
    });
    let first_later = entered
        .iter()
        .zip(&called)
        .filter(|(_, called)| !**called)
        .filter_map(|(at, _)| *at)
        .min();
    let last_called = entered
        .iter()
        .zip(&called)
        .filter(|(_, called)| **called)
        .filter_map(|(at, _)| *at)
        .max();
    if let (Some(later), Some(called)) = (first_later, last_called) {
        assert!(called <= later, "called {called}, later {later}");
    }
}

#[test]
fn a_pass_outlives_the_process_that_gave_it() {
    let origin = echo();
    let mut house = House::start(origin.address, "");
    let mut inside = Visitor::new(&house);
    assert_eq!(inside.visit("/").status, 200);
    house.program.kill();
    house.write("[room.main]\nmode = \"hold\"\n");
    house.start_again();
    assert_eq!(inside.visit("/").status, 200);
    assert_eq!(house.get("/", &[PAGE]).status, 503);
}

#[test]
fn a_second_process_on_the_same_address_says_so_and_ends() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let other = house::text(
        house.address,
        forebay_testkit::port::free_address(),
        origin.address,
        "",
    );
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("other.toml");
    std::fs::write(&config, other).expect("written");
    let mut second = house::start(&config);
    assert_eq!(second.exit(SOON).code(), Some(1));
    assert!(
        second.stderr().contains(&house.address.to_string()),
        "{second}"
    );
    assert_eq!(house.get("/", &[]).status, 200);
}

#[test]
fn a_second_process_on_the_same_state_says_so_and_ends() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let free = forebay_testkit::port::free_address;
    let other = house::text(free(), free(), origin.address, "");
    let config = house.file("other.toml");
    std::fs::write(&config, other).expect("written");
    let mut second = house::start(&config);
    assert_eq!(second.exit(SOON).code(), Some(1));
    assert!(second.stderr().contains("state"), "{second}");
    assert_eq!(house.get("/", &[]).status, 200);
    house.must(&["healthcheck"]);
}

#[test]
fn a_configuration_that_is_not_there_is_an_error_and_no_panic() {
    let done = forebay_testkit::program::run(
        Command::new(env!("CARGO_BIN_EXE_forebay")).args([
            "run",
            "--config",
            "/nonexistent/forebay.toml",
        ]),
        b"",
        SOON,
    );
    assert_eq!(done.status.code(), Some(1));
    assert!(
        done.stderr.contains("/nonexistent/forebay.toml") && !done.stderr.contains("panicked"),
        "{done:?}"
    );
}

//! Stopping gently.

use std::process::Command;
use std::time::Duration;

use forebay_testkit::program::{Program, Signal};
use forebay_testkit::recorder::Step;
use forebay_testkit::{End, Gate, Raw, Recorder, Reply, wait_until};

use crate::house::{House, SOON, echo};

const PROMPT: Duration = Duration::from_secs(2);

#[test]
fn with_nothing_open_a_drain_ends_at_once_and_well() {
    let origin = echo();
    let mut house = House::start(origin.address, "");
    assert_eq!(house.get("/", &[]).status, 200);
    assert_eq!(house.program.terminate(PROMPT).code(), Some(0));
    assert_eq!(house.log().len(), 1, "the log's last lines are written");
}

#[test]
fn the_command_drains_as_the_signal_does() {
    let origin = echo();
    let mut house = House::start(origin.address, "");
    house.must(&["drain"]);
    assert_eq!(house.program.exit(PROMPT).code(), Some(0));
}

#[test]
fn an_answer_under_way_is_finished_and_newcomers_are_answered_meanwhile() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |request| match request.target.as_str() {
        "/slow" => Reply::ok("slow but whole").first(Step::Wait(held.clone())),
        _ => Reply::ok("quick"),
    });
    let mut house = House::start(origin.address, "");
    let mut slow = Raw::connect(house.address);
    slow.send("GET /slow HTTP/1.1\r\nHost: site.test\r\n\r\n")
        .expect("sent");
    let mut idle = Raw::connect(house.address);
    idle.send("GET /quick HTTP/1.1\r\nHost: site.test\r\n\r\n")
        .expect("sent");
    assert_eq!(idle.answer("GET", SOON).status, 200);
    wait_until(SOON, || origin.in_flight() == 1);

    house.program.signal(Signal::TERM);
    assert_eq!(
        idle.end(SOON),
        End::Fin,
        "an idle connection is ended in order"
    );
    wait_until(SOON, || house.status()["draining"] == true);
    let late = house.get("/late", &[]);
    assert_eq!(
        (late.status, late.header("connection")),
        (200, Some("close"))
    );
    assert!(house.program.is_running());

    gate.open();
    let answer = slow.answer("GET", SOON);
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "slow but whole")
    );
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(slow.end(SOON), End::Fin);
    drop(slow);
    assert_eq!(house.program.exit(SOON).code(), Some(0));
}

#[test]
fn a_drain_has_a_bound() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |_| Reply::ok("").first(Step::Wait(held.clone())));
    let mut house = House::start(origin.address, "[limits]\ndrain = \"300ms\"\n");
    let mut slow = Raw::connect(house.address);
    slow.send("GET / HTTP/1.1\r\nHost: site.test\r\n\r\n")
        .expect("sent");
    wait_until(SOON, || origin.in_flight() == 1);
    assert_eq!(house.program.terminate(SOON).code(), Some(0));
    gate.open();
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |_| Reply::ok("").first(Step::Wait(held.clone())));
    let mut house = House::start(origin.address, "");
    let mut slow = Raw::connect(house.address);
    slow.send("GET / HTTP/1.1\r\nHost: site.test\r\n\r\n")
        .expect("sent");
    wait_until(SOON, || origin.in_flight() == 1);
    house.program.signal(Signal::TERM);
    wait_until(SOON, || house.status()["draining"] == true);
    assert_ne!(house.program.terminate(PROMPT).code(), Some(0));
    gate.open();
}

#[test]
fn a_log_that_nobody_reads_any_more_stops_neither_the_service_nor_the_drain() {
    let origin = echo();
    let mut house = House::start(origin.address, "");
    house.program.kill();
    let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
    let command = command.arg("run").arg("--config").arg(house.config());
    house.program = Program::start_unheard(command);
    house.program.wait_for_ok(house.admin, "/readyz", SOON);
    assert_eq!(house.get("/", &[]).status, 200);
    assert_eq!(house.program.terminate(PROMPT).code(), Some(0));
}

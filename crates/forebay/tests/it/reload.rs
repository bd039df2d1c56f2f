//! A configuration is replaced as a whole, or not at all.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use forebay_testkit::program::Signal;
use forebay_testkit::{Raw, wait_until};

use crate::house::{House, PAGE, SOON, echo};

#[test]
fn by_signal_and_by_command_routes_quota_and_room_change_at_once() {
    let origin = echo();
    let house = House::start(origin.address, "");
    assert_eq!(house.get("/", &[]).status, 200);
    house.write("[[route]]\npath = \"/only/*\"\n[quota.client]\nrate = \"2/h\"\nburst = 2\n[room.main]\nmode = \"hold\"\n");
    house.program.signal(Signal::HUP);
    wait_until(SOON, || house.status()["generation"] == 2);
    assert_eq!(house.get("/", &[]).status, 404);
    assert_eq!(house.get("/only/x", &[PAGE]).status, 503);
    house.write("[quota.client]\nrate = \"2/h\"\nburst = 2\n[room.main]\nmode = \"off\"\n");
    let said = house.must(&["reload"]);
    assert!(said.contains('3'), "{said}");
    let statuses: Vec<u16> = (0..3).map(|_| house.get("/", &[]).status).collect();
    assert_eq!(statuses, [200, 200, 429]);
    assert!((house.metric("forebay_config_generation", &[]) - 3.0).abs() < 0.1);
}

#[test]
fn open_connections_stay_and_meet_the_new_configuration() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let mut open: Vec<Raw> = (0..8).map(|_| Raw::connect(house.address)).collect();
    let request = "GET /x HTTP/1.1\r\nHost: site.test\r\n\r\n";
    for connection in &mut open {
        connection.send(request).expect("sent");
        assert_eq!(connection.answer("GET", SOON).status, 200);
    }
    house.write("[[route]]\npath = \"/y\"\n");
    house.must(&["reload"]);
    for connection in &mut open {
        connection.send(request).expect("sent");
        assert_eq!(connection.answer("GET", SOON).status, 404);
    }
}

#[test]
fn a_reload_costs_no_request() {
    let origin = echo();
    let house = House::start(origin.address, "[quota.client]\nrate = \"100000/s\"\n");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut statuses = BTreeSet::new();
            while !over.load(Ordering::Relaxed) {
                statuses.insert(house.get("/", &[]).status);
            }
            statuses
        });
        for _ in 0..20 {
            house.must(&["reload"]);
        }
        over.store(true, Ordering::Relaxed);
        assert_eq!(asking.join().unwrap(), BTreeSet::from([200]));
    });
}

#[test]
fn a_bad_file_changes_nothing_and_is_said_everywhere() {
    let origin = echo();
    let house = House::start(origin.address, "[room.main]\nmode = \"off\"\n");
    house.write("[room.main]\nmode = \"sometimes\"\ninlet = \"many\"\n");
    let refused = house.command(&["reload"]);
    // The command cannot read the socket's place from a broken file: it is told another way.
    assert_eq!(refused.status.code(), Some(1));
    house.program.signal(Signal::HUP);
    wait_until(SOON, || {
        house.metric("forebay_reloads_total", &["\"refused\""]) >= 1.0
    });
    let status = house.status();
    assert_eq!(status["generation"], 1);
    let why = status["reload_refused"].as_str().expect("why");
    assert!(why.contains("sometimes") && why.contains("inlet"), "{why}");
    let ready = crate::house::ask(house.admin, None, "GET", "/readyz", &[], "");
    assert_eq!(ready.status, 200);
    assert!(ready.text().contains("refused"), "{}", ready.text());
    assert_eq!(house.get("/", &[PAGE]).status, 200);

    house.write("[room.main]\nmode = \"hold\"\n");
    house.must(&["reload"]);
    assert!(house.status()["reload_refused"].is_null());
    assert_eq!(house.get("/", &[PAGE]).status, 503);
}

#[test]
fn a_broken_certificate_changes_nothing() {
    let origin = echo();
    let house = House::start(origin.address, "[room.main]\nmode = \"off\"\n");
    std::fs::write(house.file("junk.pem"), "junk").expect("written");
    let text = std::fs::read_to_string(house.config())
        .expect("a file")
        .replace(
            "[runtime]",
            "tls = { certificate = \"junk.pem\", key = \"junk.pem\" }\n[runtime]",
        );
    house.write_text(&text.replace("\"off\"", "\"hold\""));
    house.program.signal(Signal::HUP);
    wait_until(SOON, || !house.status()["reload_refused"].is_null());
    assert_eq!(house.get("/", &[PAGE]).status, 200);
}

#[test]
fn a_file_that_names_rooms_no_more_lets_them_go_and_takes_them_back() {
    let origin = echo();
    let house = House::start(origin.address, "");
    house.write("[[route]]\nroom = \"apply\"\n[room.apply]\nmode = \"hold\"\n");
    house.must(&["reload"]);
    assert!(house.get("/", &[PAGE]).cookie("forebay-apply").is_some());
    house.write("");
    house.must(&["reload"]);
    assert_eq!(house.get("/", &[PAGE]).status, 200);
    house.write("[[route]]\nroom = \"apply\"\n[room.apply]\nmode = \"hold\"\n");
    house.must(&["reload"]);
    assert_eq!(house.get("/", &[PAGE]).status, 503);
}

#[test]
fn what_was_set_by_command_stays_until_the_file_says_something_new() {
    let origin = echo();
    let house = House::start(origin.address, "");
    house.must(&["room", "main", "hold"]);
    house.must(&["reload"]);
    assert_eq!(
        house.room()["mode"],
        "hold",
        "the file still says what it said"
    );
    house.write("[room.main]\nmode = \"queue-all\"\n");
    house.must(&["reload"]);
    assert_eq!(house.room()["mode"], "queue-all");
}

//! One line for each request: what was decided, and why.

use forebay_testkit::wait_until;

use crate::house::{House, PAGE, SOON, echo};

#[test]
fn every_request_has_a_line_of_json_with_decision_and_reason() {
    let origin = echo();
    let house = House::start(origin.address, "[room.main]\nmode = \"hold\"\n");
    house.get("/held", &[PAGE, ("User-Agent", "a \"quoted\" \\ agent")]);
    house.ask("POST", "/form", &[PAGE], "a=1");
    house.get("/part", &[("Accept", "image/webp")]);
    house.must(&["room", "main", "off"]);
    house.get("/through?x=%22", &[]);
    wait_until(SOON, || house.log().len() == 4);
    for (path, decision, reason, status) in [
        ("/held", "hold", Some("room_closed"), 503),
        ("/form", "hold", Some("form_without_pass"), 503),
        ("/part", "hold", Some("sub_resource"), 503),
        ("/through?x=%22", "admit", None, 200),
    ] {
        let log = house.log();
        let line = log.iter().find(|line| line["path"] == path);
        let line = line.unwrap_or_else(|| panic!("no line for {path} in {log:#?}"));
        assert_eq!(line["decision"], decision, "{line:#}");
        assert_eq!(line["reason"].as_str(), reason, "{line:#}");
        assert_eq!(line["status"], status, "{line:#}");
    }
}

#[test]
fn to_standard_output_each_line_is_whole() {
    let origin = echo();
    let mut house = House::start(origin.address, "");
    let text = std::fs::read_to_string(house.config()).expect("a file");
    house.program.terminate(SOON);
    house.write_text(&text.replace("access.log", "stdout"));
    house.start_again();
    for _ in 0..20 {
        house.get("/", &[]);
    }
    house.program.terminate(SOON);
    let out = house.program.stdout();
    assert_eq!(out.lines().count(), 20, "{out}");
    for line in out.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "{line}"
        );
    }
}

#[test]
fn a_disk_that_takes_nothing_stops_nobody_and_is_counted() {
    let origin = echo();
    let mut house = House::start(origin.address, "");
    let text = std::fs::read_to_string(house.config()).expect("a file");
    house.program.terminate(SOON);
    house.write_text(&text.replace("access.log", "/dev/full"));
    house.start_again();
    for _ in 0..5 {
        assert_eq!(house.get("/", &[]).status, 200);
    }
    wait_until(SOON, || {
        house.metric("forebay_access_log_dropped_total", &[]) >= 5.0
    });
}

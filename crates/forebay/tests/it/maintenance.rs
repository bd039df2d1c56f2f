//! Closed for maintenance: nothing reaches the origin, and nobody loses a place.

use serde_json::Value;

use crate::house::{House, PAGE, Visitor, echo};

const PROGRAM: (&str, &str) = ("Accept", "application/json");

#[test]
fn nobody_reaches_the_origin_and_who_was_inside_is_still_inside_afterwards() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let mut inside = Visitor::new(&house);
    assert_eq!(inside.visit("/").status, 200);
    let reference = inside.place()["reference"].clone();
    house.must(&["room", "main", "maintenance"]);
    assert_eq!(house.room()["mode"], "maintenance");
    let before = origin.requests().len();

    for (method, fields, body) in [
        ("GET", &[PAGE][..], ""),
        ("POST", &[PAGE], "name=a"),
        ("GET", &[PROGRAM], ""),
        ("GET", &[("Accept", "image/webp,*/*")], ""),
    ] {
        let mut visitor = inside.clone();
        let answer = visitor.ask(method, "/work", fields, body);
        assert_eq!(answer.status, 503, "{method} {fields:?}: {answer:?}");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    let told = inside.place();
    assert_eq!(told["state"], "closed", "{told}");
    assert_eq!(told["reference"], reference, "{told}");
    assert_eq!(origin.requests().len(), before, "nothing was sent on");

    house.must(&["room", "main", "auto"]);
    assert_eq!(inside.visit("/after").text(), "origin /after");
    assert_eq!(inside.place()["reference"], reference, "the same pass");
}

#[test]
fn a_form_of_a_visitor_inside_is_told_that_nothing_was_sent() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let mut inside = Visitor::new(&house);
    assert_eq!(inside.visit("/").status, 200);
    house.must(&["room", "main", "maintenance"]);
    let page = inside.ask("POST", "/apply", &[PAGE], "name=a").text();
    assert!(page.contains("data-form"), "{page}");
    let answer = inside.ask("POST", "/apply", &[PROGRAM], "name=a");
    let problem: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(problem["reason"], "maintenance", "{problem}");
    assert_eq!(problem["state"], "closed", "{problem}");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("nothing was sent")),
        "{problem}"
    );
}

#[test]
fn who_comes_during_maintenance_has_a_place_in_line_and_enters_with_it() {
    let origin = echo();
    let house = House::start(origin.address, "[room.main]\nmode = \"maintenance\"\n");
    let mut first = Visitor::queued(&house);
    let told = first.place();
    assert_eq!(told["state"], "closed", "{told}");
    assert_eq!(told["ahead"], 0, "{told}");
    assert!(origin.requests().is_empty());
    house.must(&["room", "main", "off"]);
    assert_eq!(first.visit("/in").text(), "origin /in");
}

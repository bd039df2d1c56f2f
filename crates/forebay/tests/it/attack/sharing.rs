//! One ticket, or one pass, in the hands of a hundred.

use std::collections::BTreeMap;
use std::thread;

use forebay_testkit::wait_until;

use crate::house::{House, PAGE, SOON, Visitor, echo};

/// So many hold the same cookie.
const HANDS: usize = 100;

/// What all of them are told at once: how many got which status.
fn at_once(visitor: &Visitor) -> BTreeMap<u16, usize> {
    let hands: Vec<_> = (0..HANDS)
        .map(|_| {
            let mut one = visitor.clone();
            thread::spawn(move || one.ask("GET", "/", &[PAGE], "").status)
        })
        .collect();
    let mut told = BTreeMap::new();
    for hand in hands {
        *told.entry(hand.join().expect("an answer")).or_default() += 1;
    }
    told
}

#[test]
fn a_hundred_claims_of_one_ticket_are_a_hundred_answers_and_one_visit() {
    let origin = echo();
    let rest = "limit = { mode = \"fixed\", concurrency = 200 }\n[room.main]\nmode = \"hold\"\n\
                [quota.pass]\nrate = \"1000/s\"\n";
    let house = House::start(origin.address, rest);
    let mut visitor = Visitor::queued(&house);
    wait_until(SOON, || house.room()["waiting"] == 1);
    house.must(&["room", "main", "rate", "100/s"]);
    house.must(&["room", "main", "queue-all"]);
    wait_until(SOON, || visitor.place()["state"] == "called");
    assert_eq!(at_once(&visitor), BTreeMap::from([(200, HANDS)]));
    let room = house.room();
    assert!(room["active"].as_u64() <= Some(1), "{room}");
    assert!(room["claimed"].as_u64() <= Some(1), "{room}");
}

#[test]
fn a_pass_shared_by_a_hundred_buys_one_visitors_service() {
    const BURST: usize = 20;
    let origin = echo();
    let rest = "limit = { mode = \"fixed\", concurrency = 200 }\n\
                [quota.pass]\nrate = \"1/h\"\nburst = 20\n[quota.client]\nrate = \"100000/s\"\n";
    let house = House::start(origin.address, rest);
    let mut visitor = Visitor::new(&house);
    assert_eq!(visitor.visit("/").status, 200);
    let told = at_once(&visitor);
    assert_eq!(told, BTreeMap::from([(200, BURST), (429, HANDS - BURST)]));
    assert_eq!(origin.requests().len(), 1 + BURST);
}

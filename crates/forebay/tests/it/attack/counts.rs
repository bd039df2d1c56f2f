//! Many contacts of few visitors: nobody moves the counts by them.

use forebay_testkit::wait_until;

use crate::house::{House, PAGE, SOON, Visitor, echo};

/// So often a cookie is shown again.
const AGAIN: usize = 60;

fn still() -> &'static str {
    "[room.main]\nmode = \"hold\"\n[quota.room]\nrate = \"100000/s\"\n"
}

/// Waits until the room has counted at least one contact after all others.
fn settled(house: &House, waiting: u64) {
    Visitor::queued(house);
    wait_until(SOON, || {
        house.room()["waiting"].as_u64() >= Some(waiting + 1)
    });
}

#[test]
fn who_takes_tickets_and_never_comes_back_stands_before_nobody() {
    let origin = echo();
    let house = House::start(origin.address, still());
    for _ in 0..AGAIN {
        assert_eq!(house.get("/", &[PAGE]).status, 503);
    }
    let mut honest = Visitor::queued(&house);
    wait_until(SOON, || house.room()["waiting"] == 1);
    // Whoever came a moment ago may still make the second contact, and is counted until then.
    wait_until(2 * SOON, || honest.place()["ahead"] == 0);
}

#[test]
fn early_polls_move_nothing() {
    let origin = echo();
    let house = House::start(origin.address, still());
    let mut eager = Visitor::queued(&house);
    for _ in 0..AGAIN {
        eager.place();
    }
    settled(&house, 1);
    assert_eq!(house.room()["waiting"], 2, "one who asks often is one");
}

#[test]
fn the_same_cookie_shown_again_and_again_is_one_visitor() {
    let origin = echo();
    let house = House::start(origin.address, still());
    let mut visitor = Visitor::new(&house);
    assert_eq!(visitor.visit("/").status, 503);
    let first = visitor.clone();
    visitor.place();
    let second = visitor.clone();
    for hoarded in [first, second] {
        for _ in 0..AGAIN {
            // Each time the cookie of then, and never the one of the answer.
            hoarded.clone().place();
        }
    }
    settled(&house, 1);
    assert_eq!(house.room()["waiting"], 2, "one ticket is one visitor");
}

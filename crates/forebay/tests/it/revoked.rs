//! Passes and places that are taken back, by the origin and by the operator.

use std::time::{Duration, Instant};

use forebay_testkit::{Recorder, Reply, wait_until};

use crate::house::{House, PAGE, SOON, Visitor, echo};

/// Says of a visitor whatever the path says after `/control/`.
fn talking() -> Recorder {
    Recorder::start(|request| match request.target.strip_prefix("/control/") {
        Some(word) => Reply::ok("said").header("Forebay-Control", word),
        None => Reply::ok("page"),
    })
}

fn revoked(house: &House) -> f64 {
    house.metric("forebay_credentials_rejected_total", &["\"revoked\""])
}

/// A visitor with a ticket that was used, and the pass that it gave.
fn entered(house: &House) -> (Visitor, Visitor) {
    house.must(&["room", "main", "queue-all"]);
    house.must(&["room", "main", "rate", "100/s"]);
    let ticket = Visitor::queued(house);
    let mut pass = ticket.clone();
    wait_until(SOON, || pass.visit("/").status == 200);
    house.must(&["room", "main", "hold"]);
    (ticket, pass)
}

#[test]
fn who_is_revoked_by_the_origin_is_a_stranger_with_every_cookie_and_after_a_kill() {
    let origin = talking();
    let mut house = House::start(origin.address, "");
    let (ticket, mut pass) = entered(&house);
    assert_eq!(pass.visit("/").status, 200);
    let old = pass.clone();
    let answer = pass.visit("/control/revoke");
    assert_eq!(answer.status, 200, "this answer is still theirs");
    assert_eq!(answer.header("forebay-control"), None);
    house.write("[room.main]\nmode = \"hold\"\n");
    for round in 0..2 {
        let before = revoked(&house);
        for (cookie, what) in [
            (&old, "the pass"),
            (&pass, "its copy"),
            (&ticket, "the ticket"),
        ] {
            let mut back = cookie.clone();
            assert_eq!(back.visit("/").status, 503, "{what}, round {round}");
            assert_ne!(back.cookie(), cookie.cookie(), "a place of one's own");
        }
        assert!(revoked(&house) >= before + 3.0);
        // The room's tick, at most 200 ms later, puts it into the file.
        let file = house.file("state/ledger-main.0");
        wait_until(SOON, || {
            std::fs::metadata(&file).is_ok_and(|file| file.len() >= 64)
        });
        house.program.kill();
        house.start_again();
    }
}

#[test]
fn the_origins_word_is_removed_whatever_it_says_and_to_whomever() {
    let origin = talking();
    let house = House::start(origin.address, "");
    let mut visitor = Visitor::new(&house);
    for word in ["end-pass", "revoke", "nonsense", "end-pass,%20revoke"] {
        let stranger = house.get(&format!("/control/{word}"), &[PAGE]);
        let inside = visitor.visit(&format!("/control/{word}"));
        for answer in [stranger, inside] {
            assert_eq!(answer.status, 200, "{word}");
            assert_eq!(answer.header("forebay-control"), None, "{word}");
        }
    }
}

#[test]
fn a_visit_that_the_origin_ends_frees_its_place_at_once() {
    let origin = talking();
    let room = "[room.main]\nmode = \"queue-all\"\ninlet = \"100/s\"\nactive = 1\n\
                pass = { idle = \"1h\", lifetime = \"12h\" }\n";
    let house = House::start(origin.address, room);
    let mut first = Visitor::queued(&house);
    wait_until(SOON, || first.visit("/").status == 200);
    let seen = Instant::now();
    let mut second = Visitor::queued(&house);
    assert_eq!(second.visit("/").status, 503, "the place is taken");
    // Whose pass is signed anew with the very request that ends the visit leaves like others.
    wait_until(SOON, || seen.elapsed() > Duration::from_millis(2_100));
    let answer = first.visit("/control/end-pass");
    assert_eq!((answer.status, answer.all("set-cookie").count()), (200, 1));
    wait_until(SOON, || second.visit("/").status == 200);
    // The next one's page has just come: the pass is as it was.
    let mut third = Visitor::queued(&house);
    assert_eq!(third.visit("/").status, 503, "the place is taken");
    assert_eq!(second.visit("/control/end-pass").status, 200);
    wait_until(SOON, || third.visit("/").status == 200);
}

#[test]
fn the_operator_revokes_by_what_the_page_shows_and_nobody_else_notices() {
    let origin = echo();
    let mut house = House::start(origin.address, "");
    let (_, mut other) = entered(&house);
    let (_, mut meant) = entered(&house);
    let mut waiting = Visitor::queued(&house);
    let reference =
        |visitor: &mut Visitor| visitor.place()["reference"].as_str().map(str::to_owned);
    let shown = reference(&mut meant).expect("a reference");
    let place = reference(&mut waiting).expect("a reference");
    house.must(&["room", "main", "revoke", &shown]);
    house.must(&["room", "main", "revoke", &place.to_lowercase()]);
    house.program.wait_for_text("revoked by=\"uid", SOON);
    // It was in the file before the command said so.
    house.program.kill();
    house.write("[room.main]\nmode = \"hold\"\n");
    house.start_again();
    assert_eq!(meant.visit("/").status, 503);
    assert_eq!(waiting.visit("/").status, 503);
    assert_ne!(reference(&mut waiting), Some(place), "another place");
    assert_eq!(other.visit("/").status, 200);
    for nonsense in ["", "1234", "xyzw-1234", "../../etc"] {
        let refused = house.command(&["room", "main", "revoke", nonsense]);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(refused.stderr.contains("reference"), "{refused:?}");
    }
    let nowhere = house.command(&["room", "nowhere", "revoke", &shown]);
    assert!(nowhere.stderr.contains("no room"), "{nowhere:?}");
}

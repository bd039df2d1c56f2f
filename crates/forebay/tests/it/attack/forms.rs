//! Passes that run out while people fill in a form: none is lost, and none is sent twice.

use std::collections::BTreeSet;
use std::thread;

use forebay_testkit::wait_until;

use crate::house::{House, PAGE, SOON, Visitor, echo};

/// People in the middle of a form.
const PEOPLE: usize = 40;

#[test]
fn when_passes_run_out_in_the_middle_no_form_is_lost() {
    let origin = echo();
    let rules = "[room.main]\npass = { idle = \"1s\", lifetime = \"1h\", form_grace = \"1h\" }\n\
                 [quota.client]\nrate = \"10000/s\"\n[quota.room]\nrate = \"10000/s\"\n";
    let house = House::start(origin.address, rules);
    let mut people: Vec<Visitor> = (0..PEOPLE).map(|_| Visitor::new(&house)).collect();
    for person in &mut people {
        assert_eq!(person.visit("/form").status, 200);
    }
    house.must(&["room", "main", "hold"]);
    // All passes have run out when the one that was given last has.
    let last = people[PEOPLE - 1].clone();
    wait_until(SOON, || last.clone().visit("/form").status == 503);
    // The line fills while the forms come.
    let address = house.address;
    let surge: Vec<_> = (0..4)
        .map(|_| {
            let mut stranger = people[0].clone();
            stranger.cookies.clear();
            thread::spawn(move || {
                for _ in 0..20 {
                    let mut one = stranger.clone();
                    assert_eq!(one.visit("/").status, 503);
                }
            })
        })
        .collect();
    let forms: Vec<_> = people
        .into_iter()
        .enumerate()
        .map(|(number, mut person)| {
            assert_eq!(person.address, address);
            thread::spawn(move || {
                let body = format!("name={number}");
                person.ask("POST", "/send", &[PAGE], &body).status
            })
        })
        .collect();
    for form in forms {
        assert_eq!(form.join().expect("an answer"), 200);
    }
    for visit in surge {
        visit.join().expect("a surge");
    }
    let sent = origin.requests();
    let bodies: Vec<_> = sent
        .iter()
        .filter(|request| request.method == "POST")
        .map(|request| request.body.clone())
        .collect();
    let different: BTreeSet<_> = bodies.iter().collect();
    assert_eq!((bodies.len(), different.len()), (PEOPLE, PEOPLE));
}

#[test]
fn a_form_that_comes_too_late_is_said_not_to_be_sent_and_goes_through_in_turn() {
    let origin = echo();
    let rules = "[room.main]\npass = { idle = \"1s\", lifetime = \"1h\", form_grace = \"0s\" }\n";
    let house = House::start(origin.address, rules);
    let mut late = Visitor::new(&house);
    assert_eq!(late.visit("/form").status, 200);
    house.must(&["room", "main", "hold"]);
    let early = late.clone();
    wait_until(SOON, || early.clone().visit("/form").status == 503);
    let held = late.ask("POST", "/send", &[PAGE], "name=x");
    assert_eq!((held.status, held.header("location")), (503, None));
    assert!(held.text().contains("data-form"), "{}", held.text());
    let sent = |origin: &forebay_testkit::Recorder| {
        let requests = origin.requests();
        requests.iter().filter(|one| one.method == "POST").count()
    };
    assert_eq!(sent(&origin), 0);
    house.must(&["room", "main", "off"]);
    assert_eq!(late.ask("POST", "/send", &[PAGE], "name=x").status, 200);
    assert_eq!(sent(&origin), 1);
}

//! A crowd of visitors with patience, cookies and scripts, while the process is killed.

use std::time::Duration;

use forebay_testkit::wait_until;
use surge::crowd::{Behaviour, Crowd, CrowdSettings, Curve, Site, Visit};
use surge::origin::{Origin, OriginSettings};

use crate::house::{House, SOON};

#[test]
fn no_kill_makes_anybody_in_line_lose_the_place_or_anybody_inside_go_back() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let _inside = runtime.enter();
    let service = Duration::from_millis(5);
    let origin = Origin::start(OriginSettings {
        service,
        ..OriginSettings::default()
    });
    let origin = origin.expect("an origin");
    let rest = "[room.main]\ninlet = \"10/s\"\n[[route]]\nquota = \"none\"\n";
    let mut house = House::start(origin.address(), rest);
    let site = Site::at(house.address);
    let mut people = CrowdSettings::steady(site, 25.0, Duration::from_secs(64));
    people.groups[0].arrivals = Curve::steady(25.0, Duration::from_secs(4));
    people.groups[0].behaviour = Behaviour::Visit(Visit {
        think: Duration::from_millis(100),
        reload_probability: 0.3,
        ..Visit::default()
    });
    let crowd = Crowd::start(people);
    wait_until(SOON, || crowd.tally().line.joined >= 10);
    house.program.kill();
    house.start_again();
    wait_until(Duration::from_secs(20), || crowd.tally().line.entered >= 20);
    house.program.kill();
    house.start_again();
    wait_until(Duration::from_secs(40), || {
        let tally = crowd.tally();
        tally.seconds.len() > 4 && tally.visits.alive() == 0
    });
    let tally = crowd.tally();
    assert_eq!(
        (tally.line.places_lost, tally.line.sent_back),
        (0, 0),
        "{tally:#?}"
    );
    assert_eq!(tally.visits.completed, tally.visits.begun, "{tally:#?}");
    assert!(tally.line.joined > 20, "{tally:#?}");
}

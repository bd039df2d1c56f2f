//! The demonstration counts both sides by the same rules.

use std::time::Duration;

use surge::crowd::{Behaviour, Curve, Visit};
use surge::demo::{self, DemoPlan};
use surge::origin::{Origin, OriginSettings};
use surge::view::View;

#[tokio::test]
async fn both_sides_get_the_same_crowd_and_the_report_has_the_counted_figures() {
    let weak = OriginSettings {
        threads: 2,
        backlog: 0,
        ..OriginSettings::default()
    };
    let strong = OriginSettings {
        service: Duration::from_millis(5),
        ..OriginSettings::default()
    };
    let bare_origin = Origin::start(weak).unwrap();
    let behind_origin = Origin::start(strong).unwrap();
    let mut crowd = demo::crowd(3);
    crowd.groups[0].arrivals = Curve::steady(20.0, crowd.lasts);
    crowd.groups[0].behaviour = Behaviour::Visit(Visit {
        think: Duration::from_millis(20),
        ..Visit::default()
    });
    let plan = DemoPlan {
        bare: bare_origin.address(),
        behind: behind_origin.address(),
        bare_origin,
        behind_origin,
        crowd,
    };
    let report = demo::run(plan, View::Silent).await;

    let (bare, behind) = (&report.bare, &report.behind);
    assert_eq!(bare.tally.visits.begun, behind.tally.visits.begun);
    assert!(bare.tally.requests.reset() > 0 && bare.origin.reset >= bare.tally.requests.reset());
    assert_eq!(behind.tally.requests.harmed(), 0);
    assert!(!report.broken());
    assert!(
        report.sentence().contains("nobody was reset or refused"),
        "{}",
        report.sentence()
    );
    assert!(serde_json::to_value(&report).unwrap()["behind"]["tally"]["visits"].is_object());
}

#[test]
fn the_demonstrations_crowd_could_be_served_in_time_but_not_at_once() {
    let crowd = demo::crowd(40);
    let peak = demo::origin(([127, 0, 0, 1], 0).into()).peak();
    let Behaviour::Visit(visit) = &crowd.groups[0].behaviour else {
        panic!("people");
    };
    let visits = peak / f64::from(2 + 2 * visit.pages);
    let seconds = (0..40).map(Duration::from_secs);
    let fastest = seconds.map(|at| crowd.rate_at(at)).fold(0.0, f64::max);
    assert!(
        fastest > 3.0 * visits,
        "{fastest} visits a second against {visits}"
    );
    let come = crowd.groups[0].arrivals.total(crowd.lasts);
    assert!(
        come < visits * crowd.lasts.as_secs_f64(),
        "{come} visits in all"
    );
    assert_eq!(crowd.lasts, Duration::from_secs(40));
}

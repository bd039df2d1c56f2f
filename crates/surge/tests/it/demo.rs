//! The demonstration counts both sides by the same rules.

use std::time::Duration;

use surge::crowd::{CrowdSettings, Step};
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
    let crowd = CrowdSettings {
        steps: vec![Step {
            lasts: Duration::from_secs(3),
            rate: 20.0,
        }],
        think: Duration::from_millis(20),
        ..demo::crowd(40)
    };
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
    let visits = peak / f64::from(2 + 2 * crowd.pages);
    let rates = crowd.steps.iter().map(|step| step.rate);
    let fastest = rates.fold(0.0, f64::max);
    assert!(
        fastest > 3.0 * visits,
        "{fastest} visits a second against {visits}"
    );
    let come: f64 = crowd
        .steps
        .iter()
        .map(|step| step.rate * step.lasts.as_secs_f64())
        .sum();
    assert!(
        come < visits * crowd.lasts().as_secs_f64(),
        "{come} visits in all"
    );
    assert_eq!(crowd.lasts(), Duration::from_secs(40));
}

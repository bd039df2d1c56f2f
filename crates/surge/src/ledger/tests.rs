//! What is written into the ledger stands in the tally, once and in its second.

use super::*;
use crate::crowd::{CrowdSettings, Site};
use std::net::SocketAddr;

const KINDS: [Kind; 6] = [
    Kind::Page,
    Kind::Waiting,
    Kind::Busy,
    Kind::Limited,
    Kind::ClientError,
    Kind::ServerError,
];

const OTHERS: [Outcome; 10] = [
    Outcome::Refused,
    Outcome::ResetBefore,
    Outcome::ResetAfter,
    Outcome::Truncated,
    Outcome::Closed,
    Outcome::Malformed,
    Outcome::TimedOut,
    Outcome::ConnectTimedOut,
    Outcome::Failed,
    Outcome::Abandoned,
];

fn ledger(groups: usize) -> Ledger {
    let site = Site::at(SocketAddr::from(([127, 0, 0, 1], 80)));
    let steady = CrowdSettings::steady(site, 1.0, Duration::from_secs(3));
    let groups = vec![steady.groups[0].clone(); groups];
    Ledger::new(&CrowdSettings { groups, ..steady })
}

#[tokio::test(start_paused = true)]
async fn a_second_keeps_what_happened_in_it_and_the_line_goes_on() {
    let ledger = ledger(1);
    let joined = ledger.began();
    ledger.visitor_came(0, Duration::ZERO);
    ledger.page_wanted(joined);
    ledger.joined_line(0, joined, false);
    tokio::time::advance(Duration::from_secs(2)).await;
    ledger.entered_from_line(0, joined, None);
    ledger.page_settled();
    ledger.visit_ended(0, Ending::Completed);

    let tally = ledger.tally();
    let line: Vec<_> = tally
        .seconds
        .iter()
        .map(|second| (second.waiting, second.outstanding))
        .collect();
    assert_eq!(line, [(1, 1), (1, 1), (0, 0)]);
    assert_eq!((tally.seconds[0].begun, tally.seconds[2].completed), (1, 1));
    assert_eq!(
        (tally.visits.alive(), tally.line.wait_max_ms / 10),
        (0, 200)
    );
    assert_eq!(tally.generator.seconds, 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_has_as_many_seconds_as_it_lasts() {
    let ledger = ledger(1);
    tokio::time::advance(Duration::from_millis(3_002)).await;
    ledger.visit_ended(0, Ending::GivenUp);
    let tally = ledger.tally();
    assert_eq!((tally.generator.seconds, tally.seconds.len()), (3, 3));
    assert_eq!(tally.seconds[2].given_up, 1);
}

#[tokio::test(start_paused = true)]
async fn every_outcome_is_counted_once_and_as_an_end() {
    let ledger = ledger(1);
    for outcome in KINDS.map(Outcome::Answered).into_iter().chain(OTHERS) {
        ledger.request_ended(0, outcome, Duration::from_millis(40));
    }
    let tally = ledger.tally();
    let requests = tally.requests;
    assert_eq!(requests.ended(), 16);
    assert_eq!(
        (requests.answered(), requests.reset(), requests.late),
        (6, 2, 0)
    );
    assert_eq!((tally.pages.count, tally.answers.count), (1, 6));
    assert!(tally.pages.p50_us.abs_diff(40_000) < 100, "{tally:?}");
    let second = tally.seconds[0];
    let in_second = second.page + second.waiting_page + second.busy + second.limited + second.error;
    assert_eq!(in_second, 6);
    assert_eq!((second.reset, second.refused, second.unanswered), (2, 1, 7));
}

#[tokio::test(start_paused = true)]
async fn groups_are_counted_apart_and_together() {
    let ledger = ledger(2);
    let late = Duration::from_millis(1_001);
    ledger.request_ended(0, Outcome::Answered(Kind::Page), late);
    ledger.request_ended(1, Outcome::Answered(Kind::Page), Duration::ZERO);
    ledger.request_ended(1, Outcome::Refused, late);
    ledger.joined_line(1, ledger.began(), true);
    let tally = ledger.tally();
    let pages: Vec<_> = tally
        .groups
        .iter()
        .map(|group| group.requests.page)
        .collect();
    assert_eq!((pages, tally.requests.page), (vec![1, 1], 2));
    assert_eq!((tally.requests.late, tally.groups[0].requests.late), (1, 1));
    assert_eq!(
        (
            tally.line.sent_back,
            tally.groups[0].line.joined,
            tally.groups[1].line.joined
        ),
        (1, 0, 1)
    );
    assert_eq!(
        (tally.visits.waiting, tally.groups[1].visits.waiting),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_is_wanted_from_its_intended_start_on() {
    let ledger = ledger(1);
    tokio::time::advance(Duration::from_millis(2_100)).await;
    ledger.page_wanted(ledger.began() + Duration::from_millis(900));
    let seconds = ledger.tally().seconds;
    let wanted: Vec<_> = seconds
        .iter()
        .map(|second| (second.wanted, second.outstanding))
        .collect();
    assert_eq!(wanted, [(1, 1), (0, 1), (0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn whatever_holds_the_crowd_back_marks_the_second_and_no_other() {
    let held_back: [fn(&Ledger); 5] = [
        |ledger| ledger.visitor_turned_away_by_us(0),
        Ledger::connection_waited_for,
        |ledger| ledger.request_ended(0, Outcome::NoPort, Duration::ZERO),
        |ledger| ledger.visitor_came(0, LATE_MAX + Duration::from_millis(1)),
        |ledger| {
            let ms = Duration::from_millis;
            ledger.thread_used(ms(1_003), ms(2_001), 950);
        },
    ];
    for (case, held_back) in held_back.into_iter().enumerate() {
        let ledger = ledger(1);
        tokio::time::advance(Duration::from_millis(1_500)).await;
        ledger.visitor_came(0, LATE_MAX);
        assert!(!ledger.tally().crowd_was_the_limit());
        held_back(&ledger);
        tokio::time::advance(Duration::from_secs(1)).await;
        let tally = ledger.tally();
        assert!(tally.crowd_was_the_limit(), "case {case}");
        let generator = &tally.generator;
        assert_eq!(
            (generator.seconds_limited, generator.seconds),
            (1, 3),
            "case {case}"
        );
        assert!(tally.seconds[1].at_bound, "case {case}");
    }
}

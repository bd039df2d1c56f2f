//! The life of servers in virtual time.

use super::*;
use crate::mix::mix;
use proptest::prelude::*;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_nanos(millis * 1_000_000)
}

const fn counts(answers: u32, faults: u32) -> Counts {
    Counts { answers, faults }
}

const fn peers(servers: u32, live: u32, answers: u32, faults: u32) -> Peers {
    Peers {
        servers,
        live,
        best: counts(answers, faults),
    }
}

/// The middle of the spread: the pause as it is.
const MIDDLE: u32 = u32::MAX / 2;

fn ejected() -> Health {
    let mut health = Health::new(at(0));
    health.failed(Fault::Refused, 3, peers(3, 2, 100, 0), at(0), MIDDLE);
    assert_eq!(health.state().name(), "ejected");
    health
}

type Row = (&'static str, Fault, u32, Peers, bool);

/// Whether so many failures in a row eject a server among such others.
fn rows(cases: &[Row]) {
    for (what, fault, row, others, out) in cases {
        let mut health = Health::new(at(0));
        health.failed(*fault, *row, *others, at(1), MIDDLE);
        assert_eq!(!health.state().is_live(), *out, "{what}");
        assert_eq!(health.ejections(), u64::from(*out), "{what}");
    }
}

const WELL: Peers = peers(4, 3, 300, 0);
const STRUGGLING: Peers = peers(4, 3, 300, 90);
const ALONE: Peers = peers(1, 0, 0, 0);

#[test]
fn who_accepts_no_connections_is_out() {
    use Fault::{Refused, Unaccepted};
    rows(&[
        ("refused once", Refused, 1, WELL, true),
        ("refused once, all struggle", Refused, 1, STRUGGLING, true),
        ("refused twice, alone", Refused, 2, ALONE, false),
        ("refused three times, alone", Refused, 3, ALONE, true),
        ("not accepted twice", Unaccepted, 2, WELL, false),
        ("not accepted three times", Unaccepted, 3, WELL, true),
        ("like the others", Unaccepted, 9, STRUGGLING, false),
        ("never accepted, alone", Unaccepted, 10, ALONE, true),
    ]);
}

#[test]
fn who_gives_no_answer_is_out_while_another_does_well() {
    use Fault::{Error, Overloaded, Reset, Timeout};
    rows(&[
        ("reset four times", Reset, 4, WELL, false),
        ("reset five times", Reset, 5, WELL, true),
        ("silent", Timeout, 5, WELL, true),
        ("silent like the others", Timeout, 50, STRUGGLING, false),
        ("silent, alone", Timeout, 50, ALONE, false),
        ("errors in a row", Error, 500, WELL, false),
        ("overloaded in a row", Overloaded, 500, WELL, false),
    ]);
}

#[test]
fn a_share_of_failures_ejects_only_an_outlier() {
    for (what, own, others, out) in [
        (
            "all fail, another well",
            counts(100, 100),
            peers(4, 3, 300, 0),
            true,
        ),
        (
            "half fail, another well",
            counts(100, 50),
            peers(4, 3, 300, 3),
            true,
        ),
        ("a third fails", counts(99, 33), peers(4, 3, 300, 0), false),
        ("too few to say", counts(29, 29), peers(4, 3, 300, 0), false),
        (
            "all fail alike",
            counts(100, 90),
            peers(4, 3, 300, 270),
            false,
        ),
        (
            "the best fails a fifth",
            counts(100, 90),
            peers(4, 3, 300, 60),
            false,
        ),
        (
            "the only server",
            counts(100, 100),
            peers(1, 0, 0, 0),
            false,
        ),
        ("one of two", counts(100, 100), peers(2, 1, 100, 0), true),
        (
            "dead, the third of four",
            counts(100, 95),
            peers(4, 1, 100, 0),
            true,
        ),
        (
            "overloaded, the third of four",
            counts(100, 60),
            peers(4, 1, 100, 0),
            false,
        ),
        (
            "others unheard of",
            counts(100, 100),
            peers(2, 1, 0, 0),
            false,
        ),
    ] {
        let mut health = Health::new(at(0));
        health.tick(own, others, at(100), MIDDLE);
        assert_eq!(!health.state().is_live(), out, "{what}");
    }
}

#[test]
fn after_a_pause_one_trial_decides_and_its_share_grows_back() {
    let mut health = ejected();
    assert!(
        !health.may_try(false, false, at(990)),
        "the pause is not over"
    );
    assert!(health.may_try(false, false, at(1_010)));
    assert!(
        !health.may_try(false, false, at(1_020)),
        "one trial at a time"
    );
    assert_eq!(health.ramp(at(1_020)), 0);
    health.answered(false, at(1_030));
    for (moment, share) in [(1_030, 100), (2_530, 250), (4_030, 500), (7_030, 1_000)] {
        health.tick(counts(0, 0), peers(3, 2, 0, 0), at(moment), MIDDLE);
        assert_eq!(health.ramp(at(moment)), share, "at {moment}");
    }
    assert_eq!(health.state(), State::Live);
}

#[test]
fn each_failed_trial_doubles_the_pause_up_to_its_bound() {
    for (fault, pauses) in [
        (Fault::Timeout, [1, 2, 4, 8, 16, 30, 30]),
        (Fault::Refused, [1, 2, 3, 3, 3, 3, 3]),
    ] {
        let mut health = ejected();
        let mut now = 0;
        for pause in pauses {
            assert!(
                !health.may_try(false, false, at(now + pause * 990)),
                "{fault:?}, {pause} s"
            );
            now += pause * 1_010;
            assert!(
                health.may_try(false, false, at(now)),
                "{fault:?}, {pause} s"
            );
            health.failed(fault, 1, peers(3, 2, 100, 0), at(now), MIDDLE);
        }
        assert_eq!(health.ejections(), 1, "a failed trial is the same ejection");
    }
}

#[test]
fn the_pause_is_forgiven_after_a_minute_of_life() {
    for (lived, pause) in [(1_000, 2_000), (61_000, 1_000)] {
        let mut health = ejected();
        assert!(health.may_try(false, false, at(2_000)));
        health.answered(false, at(2_000));
        let again = 2_000 + lived;
        health.failed(Fault::Refused, 3, peers(3, 2, 100, 0), at(again), MIDDLE);
        assert!(
            !health.may_try(false, false, at(again + pause - 20)),
            "{lived}"
        );
        assert!(
            health.may_try(false, false, at(again + pause + 20)),
            "{lived}"
        );
    }
}

#[test]
fn a_trial_without_a_result_makes_way_for_another() {
    let mut health = ejected();
    assert!(health.may_try(false, false, at(1_500)));
    assert!(!health.may_try(false, false, at(11_400)));
    assert!(health.may_try(false, false, at(11_600)));
}

#[test]
fn an_origin_that_is_down_is_asked_every_second_and_forms_try_last() {
    let mut health = ejected();
    for n in 1..6 {
        assert!(health.may_try(true, false, at(n * 1_010)));
        health.failed(Fault::Refused, 1, peers(3, 0, 0, 0), at(n * 1_010), MIDDLE);
    }
    assert!(
        !health.may_try(true, true, at(5_050 + 1_010)),
        "a form waits another pause"
    );
    assert!(health.may_try(true, true, at(5_050 + 2_010)));
}

#[test]
fn the_first_who_comes_back_to_an_origin_that_was_down_takes_what_there_is() {
    for (down, state) in [(true, "live"), (false, "slow-start")] {
        let mut health = ejected();
        assert!(health.may_try(down, false, at(2_000)));
        health.answered(down, at(2_000));
        assert_eq!(health.state().name(), state);
    }
}

#[test]
fn a_rest_is_granted_while_half_of_the_servers_stay() {
    for (what, wait, others, resting) in [
        ("one of two", 5, peers(2, 1, 0, 0), Some(5)),
        ("longer than it may be", 3_600, peers(2, 1, 0, 0), Some(30)),
        ("the only one", 5, peers(1, 0, 0, 0), None),
        ("the second of three", 5, peers(3, 1, 0, 0), None),
        ("the second of four", 5, peers(4, 2, 0, 0), Some(5)),
    ] {
        let mut health = Health::new(at(0));
        health.rest(Duration::from_secs(wait), others, at(0));
        assert_eq!(!health.state().is_live(), resting.is_some(), "{what}");
        if let Some(seconds) = resting {
            health.tick(counts(0, 0), others, at(seconds * 1_000 - 1), MIDDLE);
            assert!(!health.state().is_live(), "{what}");
            health.tick(counts(0, 0), others, at(seconds * 1_000), MIDDLE);
            assert!(health.state().is_live(), "{what}");
            assert_eq!(health.ejections(), 0, "{what}");
        }
    }
}

#[test]
fn probes_eject_the_dead_and_the_outlier_only() {
    use Fault::{Error, Overloaded, Refused, Timeout};
    for (what, fault, others, well, out) in [
        ("refused", Refused, peers(2, 1, 0, 0), false, true),
        ("silent", Timeout, peers(2, 1, 0, 0), true, true),
        (
            "silent like the others",
            Timeout,
            peers(2, 1, 0, 0),
            false,
            false,
        ),
        (
            "silent, the third of four",
            Timeout,
            peers(4, 1, 0, 0),
            true,
            false,
        ),
        ("503", Overloaded, peers(3, 2, 0, 0), true, true),
        (
            "500, the third of four",
            Error,
            peers(4, 1, 0, 0),
            true,
            true,
        ),
        ("500, the only server", Error, ALONE, false, false),
    ] {
        let mut health = Health::new(at(0));
        health.probes_failed(fault, (others, well), at(0), MIDDLE);
        assert_eq!(!health.state().is_live(), out, "{what}");
    }
}

/// A row of servers, each with its own chance of a 5xx or a silence in a thousand; ten seconds of
/// a hundred requests a second each. Says how many were never ejected.
fn unharmed(chances: &[u32], seed: u64) -> usize {
    let mut servers = vec![Health::new(at(0)); chances.len()];
    let mut rows = vec![0; chances.len()];
    for tick in 1..=100_u64 {
        for index in 0..servers.len() {
            let fails = |n: u64| {
                mix(seed ^ mix(tick << 16 | n << 8 | index as u64)) % 1_000
                    < u64::from(chances[index])
            };
            let others = peers_of(&servers, index);
            let mut more = Counts::default();
            for n in 0..10 {
                let fault = fails(n);
                rows[index] = if fault { rows[index] + 1 } else { 0 };
                more = more.plus(counts(1, u32::from(fault)));
                if fault {
                    servers[index].failed(Fault::Timeout, rows[index], others, at(tick * 100), 0);
                }
            }
            if servers[index].state().is_live() {
                servers[index].tick(more, others, at(tick * 100), 0);
            }
        }
    }
    servers
        .iter()
        .filter(|health| health.ejections() == 0)
        .count()
}

fn peers_of(servers: &[Health], own: usize) -> Peers {
    let others = servers
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != own);
    others.fold(Peers::none(), |peers, (_, health)| {
        peers.and(health.state().is_live(), health.recent())
    })
}

#[test]
fn servers_that_fail_alike_all_stay_and_the_one_that_fails_alone_goes() {
    for (what, chances, stay) in [
        ("all well", [0, 0, 0, 0], 4),
        ("all a little ill", [50, 50, 50, 50], 4),
        ("all ill", [300, 300, 300, 300], 4),
        ("all but dead", [800, 800, 800, 800], 4),
        ("one dead", [1_000, 0, 0, 0], 3),
        ("one ill among the well", [700, 10, 10, 10], 3),
        ("three dead", [1_000, 1_000, 1_000, 0], 1),
    ] {
        for seed in 0..20 {
            assert_eq!(unharmed(&chances, seed), stay, "{what}, seed {seed}");
        }
    }
}

proptest! {
    #[test]
    fn without_refusals_somebody_always_stays(
        chances in prop::collection::vec(0_u32..=1_000, 2..6), seed: u64,
    ) {
        prop_assert!(unharmed(&chances, seed) >= 1);
    }

    #[test]
    fn pauses_are_spread_by_a_quarter_to_both_sides(millis in 1_u64..30_000, jitter: u32) {
        let pause = Duration::from_millis(millis);
        let spread = spread(pause, jitter);
        prop_assert!(spread >= pause * 3 / 4 - Duration::from_micros(1));
        prop_assert!(spread <= pause * 5 / 4 + Duration::from_micros(1));
    }
}

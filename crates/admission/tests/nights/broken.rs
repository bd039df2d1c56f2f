//! Nights in which the process dies, and comes back with less than it had.

use super::night::{Death, Night, SECOND};
use super::{Bars, holds, play};

#[test]
fn fifty_deaths_lose_nobody_a_place() {
    let death = |nth: u64| Death {
        at: (nth + 1) * 10 * SECOND + nth * 37 % 1_000,
        away: 500,
        lost: false,
        step: 0,
    };
    let night = Night {
        deaths: (0..50).map(death).collect(),
        ..Night::a()
    };
    let bars = Bars {
        used: 0.93,
        minute: 1.05,
        excess: 1.5,
        overtaken: 0.06,
    };
    holds("A fifty deaths", night, bars);
}

#[test]
fn a_clock_that_was_set_while_the_process_was_away_loses_nobody_a_place() {
    for step in [-120_000, 50_000] {
        let death = Death {
            at: 300 * SECOND,
            away: 3_000,
            lost: false,
            step,
        };
        let night = Night {
            deaths: vec![death],
            ..Night::a()
        };
        let account = play("A clock set", night);
        assert_eq!(account.risen, 0);
        assert!(account.excess() <= 1.5);
    }
}

#[test]
fn counters_that_are_lost_cost_order_and_nothing_else() {
    let death = Death {
        at: 300 * SECOND,
        away: 3_000,
        lost: true,
        step: 0,
    };
    let night = Night {
        deaths: vec![death],
        ..Night::a()
    };
    let account = play("A all lost", night);
    assert_eq!(account.risen, 0);
    assert!(account.excess() <= 1.5);
    assert!(account.busiest_minute() <= 1.05);
}

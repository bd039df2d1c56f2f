//! Whole nights before a room, in virtual time: everybody who comes, waits, gives up, sleeps,
//! looks at another tab or never comes back; a process that dies; and what the room promises.
//! Each night prints its figures.
#![allow(
    clippy::unwrap_used,
    reason = "clippy knows only the test functions, not what they call"
)]
#![allow(clippy::print_stdout, reason = "what was measured, for whoever asks")]

mod account;
mod broken;
#[path = "../sim/dice.rs"]
mod dice;
mod night;
mod told;
mod visitor;
mod world;

use forebay_admission::room::Mode;

use account::Account;
use night::{Kinds, Night, Replays, SECOND};
use world::World;

/// One in ten looks elsewhere, one in ten cannot be held, some have no script or a phone that
/// sleeps.
const MIXED: Kinds = Kinds {
    hidden: 100,
    plain: 30,
    unheld: 100,
    sleepy: 50,
};
const UNHELD: Kinds = Kinds {
    hidden: 0,
    plain: 0,
    unheld: 100,
    sleepy: 0,
};

/// What a night reaches at least, and at most.
#[derive(Clone, Copy)]
struct Bars {
    used: f64,
    minute: f64,
    /// Seconds of the rate.
    excess: f64,
    /// Of those who asked within two seconds of their call.
    overtaken: f64,
}

/// The mean patience with which half of the people give up, in seconds.
const HALF_LEAVE_A: f64 = 300.0;
const HALF_LEAVE_B: f64 = 240.0;

fn play(name: &str, night: Night) -> Account {
    let account = World::new(night).run();
    account.print(name);
    assert_eq!(account.back, 0, "{name}: the watermark never moves back");
    assert_eq!(account.anew, 0, "{name}: nobody starts over");
    assert_eq!(account.outside, 0, "{name}: every patient visitor gets in");
    account
}

fn holds(name: &str, night: Night, bars: Bars) -> Account {
    let account = play(name, night);
    assert_eq!(account.risen, 0, "{name}: no number told ever rises");
    assert!(account.used() >= bars.used, "{name}: used");
    assert!(account.busiest_minute() <= bars.minute, "{name}: minute");
    assert!(account.excess() <= bars.excess, "{name}: excess");
    let overtaken = account.overtaken_share();
    assert!(overtaken <= bars.overtaken, "{name}: overtaken {overtaken}");
    account
}

#[test]
fn a_rate_is_used_and_kept_and_the_order_with_it_however_many_leave() {
    let bars = Bars {
        used: 0.98,
        minute: 1.05,
        excess: 1.5,
        overtaken: 0.001,
    };
    let half = || Night::a().patience(HALF_LEAVE_A).half_ghosts();
    holds("A patient", Night::a(), bars);
    holds("A half leave", Night::a().patience(HALF_LEAVE_A), bars);
    holds("A and half ghosts", half(), bars);
    let unheld = Bars {
        overtaken: 0.003,
        ..bars
    };
    holds("A and one in ten unheld", half().kinds(UNHELD), unheld);
    let mixed = Bars {
        used: 0.93,
        overtaken: 0.012,
        ..bars
    };
    holds("A and all kinds", half().kinds(MIXED), mixed);
}

#[test]
fn hidden_tabs_at_a_slow_rate_lose_nobody_the_place() {
    let hidden = Kinds {
        hidden: 30,
        ..Kinds::default()
    };
    let bars = Bars {
        used: 0.98,
        minute: 1.05,
        excess: 1.5,
        overtaken: 0.001,
    };
    let night = Night::new(4_000, 4, 4).kinds(hidden);
    let account = holds("slow, hidden tabs", night, bars);
    let turns = account.turns as f64 / account.entered as f64;
    assert!(turns <= 1.05, "the turn was told {turns} times");
}

#[test]
fn two_hundred_thousand_in_twenty_minutes_half_leave_and_half_of_all_tickets_are_ghosts() {
    let night = Night::b().patience(HALF_LEAVE_B).half_ghosts();
    let bars = Bars {
        used: 0.98,
        minute: 1.05,
        excess: 1.5,
        overtaken: 0.001,
    };
    let account = holds("B half leave, ghosts", night, bars);
    assert!(account.polls_peak() <= 5_000.0);
}

#[test]
#[ignore = "takes more time than the suite has"]
fn two_hundred_thousand_wait_at_once_and_ask_six_thousand_times_a_second() {
    let night = Night::new(230_000, 5, 100).until(20);
    let account = World::new(night).run();
    account.print("200,000 at once");
    assert!(account.polls_peak() <= 6_500.0);
    assert!(account.used() >= 0.98);
    assert!(account.overtaken_share() <= 0.001);
}

#[test]
#[ignore = "a million people take more time than the suite has"]
fn a_million_in_a_quarter_of_an_hour() {
    let night = Night::c().patience(900.0).half_ghosts();
    let account = play("C half leave, ghosts", night);
    assert!(account.polls_peak() <= 20_000.0);
}

#[test]
fn a_cap_on_visitors_inside_is_filled() {
    for (cap, visit, filled) in [(6_000, 300.0, 0.98), (600, 30.0, 0.92), (100, 30.0, 0.92)] {
        let night = Night {
            rates: vec![(0, 10_000)],
            active: Some((cap, visit)),
            ..Night::a().patience(HALF_LEAVE_A).half_ghosts()
        };
        let account = play("A capped", night);
        let share = account.filled(cap, 60 * SECOND);
        println!("{cap} places of {visit} s: {share:.4} filled");
        assert!(share >= filled, "{cap} places: {share}");
        assert!(account.filled_most(cap) <= 1.0, "{cap} places: too many");
    }
}

#[test]
fn old_cookies_sent_again_and_again_move_nobody_and_cost_a_fiftieth_of_the_rate_at_most() {
    replayed(1_000);
}

#[test]
#[ignore = "takes more time than the suite has"]
fn old_cookies_sent_six_million_times_move_nobody_and_cost_a_fiftieth_of_the_rate_at_most() {
    replayed(10_000);
}

/// A night with and without replays of hoarded cookies, for ten minutes.
fn replayed(per_second: u64) {
    let night = || Night::a().patience(HALF_LEAVE_A).half_ghosts();
    let without = play("A without replays", night());
    let replays = Replays {
        cookies: 2_000,
        per_second,
        from: 60 * SECOND,
        until: 660 * SECOND,
    };
    let with = play("A with replays", Night { replays, ..night() });
    assert!(with.used() >= without.used() - 0.02);
    assert!(with.overtaken_share() <= without.overtaken_share() + 0.001);
}

#[test]
fn modes_change_and_nobody_loses_the_place() {
    let modes = vec![
        (0, Mode::Auto),
        (200 * SECOND, Mode::Hold),
        (260 * SECOND, Mode::Auto),
        (400 * SECOND, Mode::QueueAll),
        (500 * SECOND, Mode::Auto),
    ];
    let account = play(
        "A modes",
        Night {
            modes,
            ..Night::a()
        },
    );
    assert!(account.used() >= 0.96);
    assert!(account.excess() <= 1.5);
    assert_eq!(account.risen, 0, "no number told ever rises");
}

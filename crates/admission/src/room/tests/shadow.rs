//! The inlet that only looks on, and what the status says holds those who wait.

use core::num::NonZeroU32;

use super::*;
use crate::pass::Pass;

/// Ticks for `seconds`, with every permit taken for the whole time or with none.
fn press(room: &mut Room, load: &mut Load, seconds: u64, pressed: bool) {
    for _ in 0..seconds * 5 {
        let now = room.ticked.plus(TICK);
        load.in_flight = if pressed { load.limit } else { 0 };
        load.completed += if pressed { 20 } else { 0 };
        load.pressed += if pressed { TICK } else { Duration::ZERO };
        room.tick(now, *load);
        room.publish(now);
    }
}

fn loaded() -> Load {
    Load {
        limit: 16,
        ..Load::default()
    }
}

#[test]
fn who_looks_on_lets_everybody_in_and_says_what_would_be_done() {
    let mut room = room(Settings {
        inlet: InletRule::Shadow,
        ..Settings::default()
    });
    let mut load = loaded();
    for (seconds, pressed, expected) in [
        (5, false, State::Open),
        (5, true, State::Queueing),
        (120, false, State::Open),
    ] {
        press(&mut room, &mut load, seconds, pressed);
        let status = room.status(room.clock());
        assert_eq!(status.state, State::Open, "nothing is done");
        assert_eq!(status.shadow.unwrap().state, expected, "pressed {pressed}");
        assert_eq!((status.holds, status.pace_milli), (Holds::Nothing, None));
        assert!(matches!(room.arrive(room.clock(), 1), Turn::Through));
    }
    assert!(room.status(room.clock()).capacity_milli > 50_000);
}

#[test]
fn who_was_turned_away_at_the_gate_comes_back_into_a_room_that_looks_on() {
    let mut room = room(Settings {
        inlet: InletRule::Shadow,
        ..Settings::default()
    });
    let mut load = loaded();
    press(&mut room, &mut load, 5, true);
    let (ticket, _) = room.shed(room.clock(), 9);
    assert_eq!(room.state(), State::Open, "no line comes of it");
    let later = room.clock().plus(Duration::from_secs(2));
    let Turn::Enter(pass) = room.poll(later, &ticket) else {
        panic!("nobody waits in a room that looks on");
    };
    assert_eq!(pass.id, Pass::id_of(9));
}

#[test]
fn a_shadow_goes_when_the_inlet_works() {
    let mut room = room(Settings {
        inlet: InletRule::Shadow,
        ..Settings::default()
    });
    let mut load = loaded();
    press(&mut room, &mut load, 5, true);
    room.set_inlet(InletRule::Auto, room.clock());
    press(&mut room, &mut load, 1, true);
    let status = room.status(room.clock());
    assert_eq!(status.shadow, None);
    assert_eq!(status.state, State::Queueing, "what was learned stays");
}

#[test]
fn the_status_says_what_holds_those_who_wait() {
    let auto = Settings::default();
    let full = Settings {
        active: NonZeroU32::new(1),
        ..auto
    };
    let hold = Settings {
        mode: Mode::Hold,
        ..auto
    };
    let all = Settings {
        mode: Mode::QueueAll,
        ..by_rate(5)
    };
    for (settings, pressed, expected) in [
        (auto, false, Holds::Nothing),
        (auto, true, Holds::Capacity),
        (hold, true, Holds::Operator),
        (all, false, Holds::Rate),
        (full, true, Holds::Active),
    ] {
        let mut room = room(settings);
        room.grant(ms(0), 1);
        press(&mut room, &mut loaded(), 5, pressed);
        let status = room.status(room.clock());
        assert_eq!(status.holds, expected, "{settings:?}, pressed {pressed}");
    }
}

#[test]
fn a_rate_is_a_bound_and_no_order_to_overrun_the_origin() {
    let mut room = room(by_rate(500));
    let mut load = loaded();
    load.queued = 200;
    press(&mut room, &mut load, 5, true);
    let status = room.status(room.clock());
    assert!(status.pace_milli.unwrap() < 500_000, "{status:?}");
    load.queued = 0;
    press(&mut room, &mut load, 20, false);
    let status = room.status(room.clock());
    assert_eq!(status.pace_milli, Some(500_000), "exact again at ease");
}

#[test]
fn a_failing_origin_gets_probes_and_then_half_of_what_it_could() {
    let mut room = room(Settings::default());
    let mut load = loaded();
    press(&mut room, &mut load, 20, true);
    let good = room.status(room.clock()).capacity_milli;
    for _ in 0..100 {
        let now = room.ticked.plus(TICK);
        load.failed += 20;
        load.in_flight = 0;
        room.tick(now, load);
        room.publish(now);
    }
    let status = room.status(room.clock());
    assert_eq!(
        (status.holds, status.pace_milli),
        (Holds::Probing, Some(1_000))
    );
    // The first seconds in which it answers again.
    let mut most = 0;
    while room.status(room.clock()).holds != Holds::Capacity {
        press(&mut room, &mut load, 1, true);
        let status = room.status(room.clock());
        if status.holds == Holds::Recovering && most == 0 {
            most = status.pace_milli.unwrap();
        }
    }
    assert!(most <= good * 6 / 10, "{most} of {good}");
}

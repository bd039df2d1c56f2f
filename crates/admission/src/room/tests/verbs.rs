use super::*;
use crate::ticket::Ticket;

fn ticket(turn: Turn) -> (Ticket, Told) {
    match turn {
        Turn::Wait(ticket, told) => (ticket, told),
        other => panic!("expected a ticket, found {other:?}"),
    }
}

/// Arrivals at `at_ms` until one has to wait.
fn fill(room: &mut Room, at_ms: u64) -> Ticket {
    let mut through = 0;
    for id in 1_000_000.. {
        match room.arrive(ms(at_ms), id) {
            Turn::Through => through += 1,
            Turn::Wait(ticket, _) => return ticket,
            Turn::Enter(pass) => panic!("no ticket was shown, but {pass:?}"),
        }
        assert!(through < 10_000, "a rate binds");
    }
    unreachable!()
}

#[test]
fn without_a_surge_nobody_notices_the_room() {
    let mut room = room(Settings::default());
    for id in 0..1_000 {
        assert_eq!(room.arrive(ms(id * 10), id), Turn::Through);
        run(&mut room, id * 10);
    }
    assert_eq!(room.state(), State::Open);
}

#[test]
fn a_rate_admits_its_burst_and_then_hands_out_tickets() {
    let mut room = room(by_rate(20));
    let through = (0..100)
        .filter(|&id| room.arrive(ms(0), id) == Turn::Through)
        .count();
    assert_eq!(through, 20, "a second of the rate");
    assert_eq!(room.state(), State::Queueing);
}

#[test]
fn the_position_appears_with_the_second_contact() {
    let inlet = InletRule::Rate(Rate::new(1, Duration::from_secs(60)).unwrap());
    let mut room = room(Settings {
        inlet,
        ..Settings::default()
    });
    let ticket_one = fill(&mut room, 0);
    let (ticket_two, told) = ticket(room.arrive(ms(100), 2));
    assert_eq!((told.ahead, told.state), (None, TurnState::Queueing));
    assert!(told.poll_after <= Duration::from_millis(1_500));
    run(&mut room, 1_000);
    let (_, _) = ticket(room.poll(ms(1_000), &ticket_one));
    run(&mut room, 1_200);
    let (kept, told) = ticket(room.poll(ms(1_200), &ticket_two));
    assert!(kept.confirmed);
    assert!(told.ahead.is_some());
    assert_eq!(kept.due, ms(1_200).plus(told.poll_after));
}

#[test]
fn one_ticket_is_one_pass_however_often_it_is_claimed() {
    let mut room = room(by_rate(10));
    let first = fill(&mut room, 0);
    run(&mut room, 5_000);
    let Turn::Enter(pass) = room.poll(ms(5_000), &first) else {
        panic!("the turn has come")
    };
    let tokens = room.inlet.tokens();
    for repetition in 0..50 {
        let Turn::Enter(again) = room.poll(ms(5_000 + repetition), &first) else {
            panic!("a claim is idempotent")
        };
        assert_eq!(again.id, pass.id);
    }
    assert!(room.inlet.tokens() >= tokens);
    assert_eq!(room.status(ms(5_100)).claimed, 1);
    assert_eq!(room.status(ms(5_100)).active, 1);
}

#[test]
fn hold_lets_nobody_in_and_loses_nobody() {
    let mut room = room(by_rate(10));
    let waiting = fill(&mut room, 0);
    room.set_mode(Mode::Hold, ms(100));
    assert_eq!(room.state(), State::Closed);
    run(&mut room, 3_000);
    let (waiting, told) = ticket(room.poll(ms(3_000), &waiting));
    assert_eq!(told.state, TurnState::Closed);
    let (newcomer, told) = ticket(room.arrive(ms(3_000), 5));
    assert_eq!((newcomer.confirmed, told.state), (false, TurnState::Closed));
    room.set_mode(Mode::Auto, ms(4_000));
    assert_eq!(room.state(), State::Queueing);
    run(&mut room, 8_000);
    assert!(matches!(room.poll(ms(8_000), &waiting), Turn::Enter(_)));
    assert!(matches!(room.poll(ms(8_000), &newcomer), Turn::Enter(_)));
}

#[test]
fn a_called_visitor_keeps_the_call_while_the_room_is_held() {
    let mut room = room(by_rate(10));
    let called = fill(&mut room, 0);
    run(&mut room, 4_000);
    room.set_mode(Mode::Hold, ms(4_000));
    let (called, _) = ticket(room.poll(ms(4_100), &called));
    room.set_mode(Mode::Auto, ms(60_000));
    assert!(matches!(room.poll(ms(60_300), &called), Turn::Enter(_)));
}

#[test]
fn off_means_no_room_and_a_ticket_is_worth_a_pass() {
    let mut room = room(by_rate(1));
    let waiting = fill(&mut room, 0);
    room.set_mode(Mode::Off, ms(100));
    assert_eq!(room.arrive(ms(100), 1), Turn::Through);
    assert!(matches!(room.poll(ms(100), &waiting), Turn::Enter(_)));
}

#[test]
fn queue_all_shows_everybody_a_page_and_then_lets_in() {
    for settings in [Settings::default(), by_rate(5)] {
        let mut room = room(Settings {
            mode: Mode::QueueAll,
            ..settings
        });
        run(&mut room, 10_000);
        let (first, _) = ticket(room.arrive(ms(10_000), 1));
        run(&mut room, 11_000);
        let turn = room.poll(ms(11_000), &first);
        assert!(
            matches!(turn, Turn::Enter(_)),
            "{:?}: {turn:?}",
            settings.inlet
        );
    }
}

#[test]
fn a_shed_stranger_gets_a_ticket_and_opens_the_line() {
    let mut room = room(Settings::default());
    assert_eq!(room.arrive(ms(0), 1), Turn::Through);
    let (shed, _) = room.shed(ms(10), 1);
    assert_eq!(room.state(), State::Queueing);
    assert!(
        matches!(room.arrive(ms(20), 2), Turn::Wait(..)),
        "behind the one who was shed"
    );
    run(&mut room, 5_000);
    assert!(matches!(room.poll(ms(5_000), &shed), Turn::Enter(_)));
}

#[test]
fn an_empty_line_goes_away_by_itself() {
    let mut room = room(by_rate(10));
    let waiting = fill(&mut room, 0);
    run(&mut room, 3_000);
    assert!(matches!(room.poll(ms(3_000), &waiting), Turn::Enter(_)));
    assert_eq!(room.state(), State::Queueing);
    run(&mut room, 20_000);
    assert_eq!(room.state(), State::Open);
}

#[test]
fn clients_that_never_come_back_do_not_hold_up_newcomers() {
    let mut room = room(Settings::default());
    let mut through = 0;
    for step in 0..20_000 {
        if room.arrive(ms(step), step) == Turn::Through {
            through += 1;
            room.shed(ms(step), step);
        }
        run(&mut room, step);
    }
    // Each tries the origin again as soon as nobody real is believed to wait.
    assert!(through > 12_000, "{through}");
}

#[test]
fn the_cap_bounds_called_and_inside_together() {
    let active = NonZeroU32::new(20);
    let mut room = room(Settings {
        active,
        ..Settings::default()
    });
    let mut inside = 0;
    let mut waiting = Vec::new();
    for id in 0..100 {
        match room.arrive(ms(id), id) {
            Turn::Through => {
                inside += 1;
                room.grant(ms(id), id);
            }
            Turn::Wait(ticket, _) => waiting.push(ticket),
            Turn::Enter(_) => panic!("no ticket"),
        }
    }
    assert_eq!(inside, 20);
    for second in 1..25 {
        run(&mut room, second * 1_000);
        for ticket in &mut waiting {
            match room.poll(ms(second * 1_000), ticket) {
                Turn::Wait(kept, _) => *ticket = kept,
                _ => panic!("full"),
            }
        }
    }
}

#[test]
fn who_was_let_through_together_does_not_overrun_the_cap() {
    let active = NonZeroU32::new(20);
    let mut room = room(Settings {
        active,
        ..Settings::default()
    });
    let through = (0..100)
        .filter(|&id| room.arrive(ms(0), id) == Turn::Through)
        .count();
    assert_eq!(through, 20, "before the first of them has a pass");
}

#[test]
fn an_ended_visit_makes_place() {
    let active = NonZeroU32::new(1);
    let mut room = room(Settings {
        active,
        ..Settings::default()
    });
    assert_eq!(room.arrive(ms(0), 1), Turn::Through);
    let pass = room.grant(ms(0), 1);
    let pass = room.renew(ms(10), &pass);
    assert!(matches!(room.arrive(ms(20), 2), Turn::Wait(..)));
    room.end(&pass);
    assert_eq!(room.status(ms(30)).active, 0);
}

#[test]
fn a_silent_visitor_keeps_the_place_for_so_long_and_no_longer() {
    for (silent_minutes, keeps) in [(29, true), (32, false)] {
        let mut room = room(by_rate(1));
        let waiting = fill(&mut room, 0);
        room.set_mode(Mode::Hold, ms(0));
        let at = silent_minutes * 60_000;
        run(&mut room, at);
        let (kept, _) = ticket(room.poll(ms(at), &waiting));
        assert_eq!(
            kept.arrived == waiting.arrived,
            keeps,
            "{silent_minutes} min"
        );
    }
}

#[test]
fn looking_changes_nothing() {
    let mut room = room(by_rate(1));
    let waiting = fill(&mut room, 0);
    run(&mut room, 200);
    let before = room.snapshot();
    for _ in 0..100 {
        let _told = room.look(ms(200), &waiting);
    }
    assert_eq!(room.snapshot(), before);
}

#[test]
fn a_clock_that_steps_back_takes_nothing_back() {
    let mut room = room(by_rate(10));
    run(&mut room, 60_000);
    let called = room.called_up_to();
    room.tick(ms(0), Load::default());
    room.publish(ms(0));
    assert!(room.called_up_to() >= called);
    assert_eq!(room.clock(), ms(60_000));
}

#[test]
fn without_a_limit_the_line_moves_freely() {
    let mut room = room(Settings {
        mode: Mode::QueueAll,
        ..Settings::default()
    });
    let (first, _) = ticket(room.arrive(ms(0), 1));
    for tick in 1..=20 {
        room.tick(ms(tick * 200), Load::default());
        room.publish(ms(tick * 200));
    }
    assert!(matches!(room.poll(ms(4_000), &first), Turn::Enter(_)));
}

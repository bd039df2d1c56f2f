//! What asking how it stands promises.

use super::*;
use crate::ticket::Ticket;

const SCRIPT: Asking = Asking {
    hidden: false,
    can_wait: true,
};
const HIDDEN: Asking = Asking {
    hidden: true,
    can_wait: true,
};

/// A room with a rate in which `people` tickets wait that came within the first second, asked for
/// the second time at 1 s.
fn line(per_second: u32, people: u64) -> (Room, Vec<Ticket>) {
    let mut room = room(by_rate(per_second));
    let mut tickets = Vec::new();
    let at = |count: usize| ms(count as u64 * 500 / people);
    for id in 0..people + 4 * u64::from(per_second) {
        match room.arrive(at(tickets.len()), id) {
            Turn::Wait(ticket, _) => tickets.push(ticket),
            _ => drop(room.grant(at(tickets.len()), id)),
        }
        if tickets.len() as u64 == people {
            break;
        }
    }
    run(&mut room, 1_000);
    for ticket in &mut tickets {
        *ticket = room.ask(ms(1_000), ticket, SCRIPT).ticket;
        ticket.confirmed = true;
    }
    (room, tickets)
}

#[test]
fn asking_counts_and_claims_nothing() {
    let (mut room, tickets) = line(5, 40);
    assert!(tickets.iter().all(|ticket| ticket.confirmed));
    run(&mut room, 20_000);
    for ticket in &tickets {
        let _asked = room.ask(ms(20_000), ticket, SCRIPT);
    }
    let status = room.status(ms(20_000));
    assert_eq!(
        (status.claimed, status.active),
        (0, 5),
        "those who found it open"
    );
}

#[test]
fn the_turn_is_told_with_a_promise_and_told_once() {
    let (mut room, mut tickets) = line(5, 60);
    let (mut coming, mut turns, mut entered) = (Vec::new(), 0, 0);
    for at in (1_200..30_000).step_by(200) {
        run(&mut room, at);
        coming.retain(|(due, ticket)| {
            if *due > at {
                return true;
            }
            assert!(matches!(room.poll(ms(at), ticket), Turn::Enter(_)), "{at}");
            entered += 1;
            false
        });
        tickets.retain_mut(|ticket| {
            let asked = room.ask(ms(at), ticket, SCRIPT);
            let called = asked.told.state == TurnState::Called;
            *ticket = asked.ticket;
            if called {
                assert_eq!(asked.ticket.least_ahead, Some(0));
                turns += 1;
                coming.push((at + 3_100, *ticket));
            }
            !called
        });
    }
    assert_eq!((turns, entered), (60, 60));
}

#[test]
fn old_cookies_sent_again_are_promised_nothing() {
    let (mut room, tickets) = line(5, 60);
    for ticket in &tickets {
        // Its holder has a newer one since.
        let _asked = room.ask(ms(1_200), ticket, SCRIPT);
    }
    run(&mut room, 90_000);
    for ticket in &tickets {
        let asked = room.ask(ms(90_000), ticket, SCRIPT);
        assert_eq!(asked.told.state, TurnState::Called, "the turn stays");
    }
    run(&mut room, 92_000);
    assert_eq!(room.present.served(), 0);
}

#[test]
fn who_is_called_and_has_no_token_is_next_and_asks_again_soon() {
    let (mut room, tickets) = line(1, 10);
    run(&mut room, 6_000);
    let waiting = tickets.iter().find_map(|ticket| {
        let asked = room.ask(ms(6_000), ticket, Asking::default());
        let next = room.watermark.calls(room.place(ticket));
        (next && asked.told.state == TurnState::Queueing).then_some(asked)
    });
    let asked = waiting.expect("more are called than a second's tokens");
    assert_eq!((asked.told.ahead, asked.hold), (Some(0), None));
    assert_eq!(asked.told.poll_after, Duration::from_secs(1));
}

#[test]
fn the_last_seconds_are_held_and_before_that_there_are_appointments() {
    let (mut room, tickets) = line(10, 3_000);
    run(&mut room, 1_200);
    for (ahead, seen, hidden) in [
        (60, Some(6), Some(50)),
        (250, None, Some(50)),
        (600, None, Some(50)),
        (2_500, None, None),
    ] {
        let ticket = &tickets[ahead];
        for (how, held) in [(SCRIPT, seen), (HIDDEN, hidden), (Asking::default(), None)] {
            let asked = room.ask(ms(1_200), ticket, how);
            assert_eq!(
                asked.hold.map(|hold| hold.as_secs()),
                held,
                "{ahead} ahead, {how:?}"
            );
            let left = Duration::from_secs(ahead as u64 / 10);
            assert!(asked.told.poll_after <= (left * 2 / 3).max(Duration::from_secs(1)));
            assert_eq!(
                asked.ticket.due,
                ms(1_200).plus(asked.hold.unwrap_or(asked.told.poll_after))
            );
        }
    }
}

#[test]
fn the_second_contact_is_answered_at_once() {
    let mut room = room(by_rate(1));
    let ticket = (0..).find_map(|id| match room.arrive(ms(0), id) {
        Turn::Wait(ticket, _) => Some(ticket),
        _ => None,
    });
    let asked = room.ask(ms(500), &ticket.unwrap(), SCRIPT);
    assert!(asked.ticket.confirmed && asked.told.ahead.is_some());
    assert_eq!(asked.hold, None);
}

#[test]
fn who_is_held_is_due_when_a_token_is_promised_and_not_before() {
    let (mut room, tickets) = line(2, 30);
    let held: Vec<_> = tickets
        .iter()
        .map(|ticket| room.ask(ms(1_100), ticket, SCRIPT))
        .filter(|asked| asked.hold.is_some())
        .map(|asked| asked.ticket)
        .collect();
    assert!(held.len() >= 10, "{}", held.len());
    assert!(held.iter().all(|ticket| !room.is_due(ticket)));
    run(&mut room, 4_000);
    let due: Vec<_> = held.iter().map(|ticket| room.is_due(ticket)).collect();
    assert!(due[0] && !due[held.len() - 1], "in order: {due:?}");
    assert!(due.is_sorted_by(|before, after| before >= after), "{due:?}");
    for (ticket, _) in held.iter().zip(due).filter(|(_, due)| *due) {
        let asked = room.ask(ms(4_000), ticket, SCRIPT);
        assert_eq!(asked.told.state, TurnState::Called);
    }
    room.set_mode(Mode::Off, ms(4_100));
    assert!(held.iter().all(|ticket| room.is_due(ticket)));
}

#[test]
fn a_hidden_tab_is_told_its_turn_and_keeps_nobody_waiting() {
    let (mut room, tickets) = line(2, 4);
    for at in (1_200..9_000).step_by(200) {
        run(&mut room, at);
    }
    for ticket in &tickets {
        let asked = room.ask(ms(9_000), ticket, HIDDEN);
        assert_eq!(asked.told.state, TurnState::Called);
    }
    assert!(room.present.is_empty(), "no token waits for them");
    let Turn::Enter(_) = room.poll(ms(9_000), &tickets[3]) else {
        panic!("and who comes enters")
    };
}

#[test]
fn who_was_told_and_does_not_come_loses_the_token_and_not_the_turn() {
    let (mut room, tickets) = line(1, 5);
    run(&mut room, 4_000);
    let asked = room.ask(ms(4_000), &tickets[0], SCRIPT);
    assert_eq!(asked.told.state, TurnState::Called);
    for at in (4_200..30_000).step_by(200) {
        run(&mut room, at);
        // It goes on asking, and another one enters meanwhile.
        let asked = room.ask(ms(at), &tickets[0], SCRIPT);
        assert_eq!(asked.told.state, TurnState::Called, "{at}");
        let _asked = room.ask(ms(at), &tickets[1], SCRIPT);
    }
    assert!(
        !room
            .present
            .is_served((room.place(&tickets[0]), tickets[0].id))
    );
    assert!(matches!(room.poll(ms(30_000), &tickets[1]), Turn::Enter(_)));
    run(&mut room, 31_200);
    assert!(matches!(room.poll(ms(31_200), &tickets[0]), Turn::Enter(_)));
}

#[test]
fn who_has_entered_is_told_so() {
    let (mut room, tickets) = line(5, 5);
    run(&mut room, 4_000);
    assert!(matches!(room.poll(ms(4_000), &tickets[0]), Turn::Enter(_)));
    let asked = room.ask(ms(4_100), &tickets[0], SCRIPT);
    assert_eq!(asked.told.state, TurnState::Called);
    assert!(room.is_due(&tickets[0]));
}

#[test]
fn a_lost_place_is_a_new_one_and_an_open_room_is_said_so() {
    let (mut room, tickets) = line(1, 50);
    room.set_mode(Mode::Hold, ms(1_100));
    let late = 1_900_000;
    run(&mut room, late);
    let asked = room.ask(ms(late), &tickets[49], SCRIPT);
    assert_eq!(asked.told.state, TurnState::Closed);
    room.set_mode(Mode::QueueAll, ms(late));
    let asked = room.ask(ms(late), &tickets[48], SCRIPT);
    assert_eq!((asked.ticket.arrived, asked.told.ahead), (ms(late), None));
    room.set_mode(Mode::Off, ms(late));
    let asked = room.ask(ms(late), &tickets[47], SCRIPT);
    assert_eq!(asked.told.state, TurnState::Open);
}

use proptest::prelude::*;

use super::*;
use crate::ticket::Ticket;

/// A room in the middle of a surge: people in line, calls out, visitors inside.
fn busy() -> (Room, Vec<Ticket>) {
    let mut room = room(by_rate(10));
    let mut tickets = Vec::new();
    for id in 0..300 {
        match room.arrive(ms(id * 10), id) {
            Turn::Through => drop(room.grant(ms(id * 10), id)),
            Turn::Wait(ticket, _) => tickets.push(ticket),
            Turn::Enter(_) => panic!("nobody has a ticket yet"),
        }
    }
    for (step, ticket) in tickets.iter_mut().enumerate() {
        run(&mut room, 4_000 + step as u64 * 10);
        if let Turn::Wait(kept, _) = room.poll(ms(4_000 + step as u64 * 10), ticket) {
            *ticket = kept;
        }
    }
    run(&mut room, 9_000);
    (room, tickets)
}

fn restore(bytes: &[u8], now: WallTime) -> Result<Room, BadSnapshot> {
    Room::restore(RoomId(7), by_rate(10), bytes, now)
}

#[test]
fn a_restored_room_goes_on_where_it_was() {
    let (room, tickets) = busy();
    let now = ms(9_500);
    let restored = restore(&room.snapshot(), now).unwrap();
    let (before, after) = (room.status(now), restored.status(now));
    assert_eq!(after.state, State::Queueing);
    assert_eq!(after.waiting, before.waiting);
    assert_eq!(after.active, before.active);
    assert_eq!(after.outstanding, before.outstanding);
    assert_eq!(after.called, before.called);
    assert_eq!(after.claimed, before.claimed);
    assert_eq!(restored.called_up_to(), room.watermark.pending());
    assert_eq!(
        restored.inlet.tokens(),
        0,
        "nobody knows what was spent last"
    );
    for ticket in &tickets {
        assert_eq!(
            restored.look(now, ticket).ahead,
            room.look(now, ticket).ahead
        );
    }
}

#[test]
fn who_was_told_that_the_turn_has_come_is_told_so_again_after_a_restart() {
    let (mut room, tickets) = busy();
    let (now, how) = (ms(9_500), Asking::default());
    let is_called = |room: &mut Room, ticket: &Ticket, now| {
        room.ask(now, ticket, how).told.state == TurnState::Called
    };
    let told: Vec<_> = tickets
        .iter()
        .filter(|ticket| ticket.confirmed && is_called(&mut room, ticket, now))
        .collect();
    assert!(!told.is_empty());
    let mut restored = restore(&room.snapshot(), ms(10_000)).unwrap();
    for ticket in told {
        assert!(is_called(&mut restored, ticket, ms(10_100)), "{ticket:?}");
    }
}

#[test]
fn what_was_pending_is_kept_by_the_snapshot_that_precedes_it() {
    let (mut room, _) = busy();
    room.tick(ms(9_200), Load::default());
    let saved = room.snapshot();
    let told = room.called_up_to();
    room.publish(ms(9_200));
    assert!(room.called_up_to() > told);
    assert_eq!(
        restore(&saved, ms(9_300)).unwrap().called_up_to(),
        room.called_up_to()
    );
}

#[test]
fn outstanding_calls_have_their_time_again_and_then_return() {
    let (room, _) = busy();
    let mut restored = restore(&room.snapshot(), ms(20_000)).unwrap();
    let called = restored.status(ms(20_000)).outstanding;
    assert!(called > 0);
    run(&mut restored, 22_000);
    assert!(restored.status(ms(22_000)).outstanding >= called);
    restored.set_mode(Mode::Hold, ms(22_000));
    run(&mut restored, 29_000);
    assert_eq!(restored.status(ms(29_000)).outstanding, 0);
}

#[test]
fn the_rooms_clock_does_not_go_back_with_the_wall_clock() {
    let (room, tickets) = busy();
    let hour = Duration::from_secs(3_600);
    let restored = restore(&room.snapshot(), ms(9_000).minus(hour)).unwrap();
    assert_eq!(restored.clock(), ms(9_000));
    assert!(restored.clock() >= tickets.iter().map(|ticket| ticket.arrived).max().unwrap());
}

#[test]
fn a_change_of_idle_time_over_a_restart_loses_nobody_inside() {
    let (room, _) = busy();
    let mut settings = by_rate(10);
    settings.pass.idle /= 3;
    let restored = Room::restore(RoomId(7), settings, &room.snapshot(), ms(9_500)).unwrap();
    assert_eq!(
        restored.status(ms(9_500)).active,
        room.status(ms(9_500)).active
    );
}

#[test]
fn a_snapshot_is_small() {
    let (room, _) = busy();
    assert!(room.snapshot().len() < 500, "{}", room.snapshot().len());
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let whole = busy().0.snapshot();
    for length in 0..whole.len() {
        assert_eq!(
            restore(&whole[..length], ms(0)).err(),
            Some(BadSnapshot),
            "cut at {length}"
        );
    }
    let mut other = whole.clone();
    other[4] = 9;
    assert_eq!(
        restore(&other, ms(0)).err(),
        Some(BadSnapshot),
        "another version"
    );
    let longer = [&whole[..], &[0]].concat();
    assert_eq!(
        restore(&longer, ms(0)).err(),
        Some(BadSnapshot),
        "more than it says"
    );
}

proptest! {
    #[test]
    fn no_damage_makes_it_panic(at in 9usize..400, value: u8, more in 0usize..3) {
        let (room, tickets) = busy();
        let mut bytes = room.snapshot();
        for place in at..=at + more {
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
        }
        if let Ok(mut room) = restore(&bytes, ms(9_500)) {
            let now = room.clock();
            room.tick(now.plus(TICK), Load { limit: 8, ..Load::default() });
            room.publish(now.plus(TICK));
            for ticket in tickets.iter().take(20) {
                room.poll(now.plus(TICK), ticket);
            }
            room.arrive(now.plus(TICK * 2), 5);
        }
    }
}

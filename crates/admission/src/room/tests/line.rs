use proptest::prelude::*;

use super::super::line::Line;
use super::*;
use crate::ticket::Ticket;

fn ticket(id: u64, arrived_ms: u64) -> Ticket {
    let (arrived, due) = (ms(arrived_ms), ms(arrived_ms + 1_000));
    Ticket {
        room: RoomId(7),
        id,
        arrived,
        confirmed: false,
        due,
        least_ahead: None,
        first_told: None,
        late: false,
        invited: false,
    }
}

/// Where a ticket stands by its arrival.
fn of(ticket: &Ticket) -> Place {
    Place::of(ticket.arrived, ticket.id)
}

/// A line with `issued` tickets of which `confirmed` came back and are due at `due_ms`.
fn line(issued: u64, confirmed: u64, due_ms: u64) -> (Line, Vec<Ticket>) {
    let mut line = Line::new(START, 0..0);
    let mut tickets: Vec<_> = (0..issued).map(|id| ticket(id, 0)).collect();
    for ticket in &tickets {
        line.issue(of(ticket));
    }
    for ticket in tickets.iter_mut().take(confirmed as usize) {
        line.count(of(ticket), ticket, ms(due_ms), ms(1_000));
        (ticket.confirmed, ticket.due) = (true, ms(due_ms));
    }
    (line, tickets)
}

fn sweep(line: &mut Line, at_ms: u64) {
    line.sweep(ms(at_ms), Place::at(START), Duration::from_millis(200));
    assert!(line.holds());
}

#[test]
fn only_who_came_back_is_counted() {
    let (line, _) = line(10, 4, 5_000);
    assert_eq!(line.believed(), 4);
}

#[test]
fn who_misses_the_appointment_is_doubted_and_then_gone() {
    // Due in the epoch that ends at 10 s.
    for (at_ms, live, suspects) in [
        (19_000, 100, 0),
        (21_000, 100, 100),
        (84_000, 100, 100),
        (86_000, 0, 0),
    ] {
        let (mut line, _) = line(100, 100, 9_000);
        sweep(&mut line, at_ms);
        assert_eq!(
            (line.live, line.suspects),
            (live, suspects),
            "after {at_ms} ms"
        );
        assert_eq!(line.abandoned, 100 - live);
    }
}

#[test]
fn doubt_follows_the_share_that_returns() {
    let (mut line, tickets) = line(1_000, 1_000, 9_000);
    sweep(&mut line, 21_000);
    let doubted = line.believed();
    for ticket in tickets.iter().take(900) {
        line.count(of(ticket), ticket, ms(60_000), ms(22_000));
    }
    assert_eq!(line.suspects, 100);
    assert!(
        doubted < 100,
        "at first most suspects are taken for gone: {doubted}"
    );
    assert!(line.believed() > 980, "{}", line.believed());
}

#[test]
fn a_replayed_ticket_fills_nothing_up() {
    let (mut line, tickets) = line(10, 10, 9_000);
    for replay in 0..1_000 {
        line.count(
            of(&tickets[0]),
            &tickets[0],
            ms(20_000 + replay * 10),
            ms(2_000),
        );
        line.count(of(&ticket(0, 0)), &ticket(0, 0), ms(20_000), ms(2_000));
    }
    assert!(line.holds());
    assert_eq!(line.live, 10);
}

#[test]
fn what_a_lost_snapshot_knew_is_counted_again() {
    let mut line = Line::new(ms(60_000), 0..bucket::second(ms(60_000)));
    for id in 0..50 {
        let known = Ticket {
            confirmed: true,
            ..ticket(id, 10_000 + id * 100)
        };
        line.count(of(&known), &known, ms(70_000), ms(61_000));
    }
    assert_eq!(line.live, 50);
    assert!(line.holds());
}

#[test]
fn a_claim_settles_its_call_and_a_late_one_is_charged() {
    let (mut line, tickets) = line(10, 10, 9_000);
    let second = bucket::second(START);
    let mark = line.call(second, Credit::from_whole(2));
    assert_eq!(line.claim(of(&tickets[0]), &tickets[0]), Credit::ZERO);
    assert_eq!(
        line.settle(second, mark),
        Credit::ONE,
        "one of two did not come"
    );
    assert_eq!(
        line.claim(of(&tickets[1]), &tickets[1]),
        Credit::ONE,
        "and comes later"
    );
    assert_eq!((line.live, line.out), (8, Credit::ZERO));
}

#[test]
fn people_ahead_are_counted_within_the_second() {
    let mut line = Line::new(START, 0..0);
    for id in 0..400 {
        let ticket = ticket(id, id * 5);
        line.issue(of(&ticket));
        line.count(of(&ticket), &ticket, ms(5_000), ms(2_000));
    }
    line.publish(ms(10_000), Place::at(START));
    for (arrived_ms, expected) in [
        (0, 0),
        (500, 100),
        (1_000, 200),
        (1_500, 300),
        (60_000, 400),
    ] {
        let found = line.ahead(Place::at(ms(arrived_ms)), Place::at(START), ms(10_000));
        assert_eq!(found, expected, "{arrived_ms} ms");
    }
}

#[test]
fn an_empty_line_takes_no_memory() {
    let (mut line, tickets) = line(10, 10, 9_000);
    for ticket in &tickets {
        line.claim(of(ticket), ticket);
    }
    line.sweep(
        ms(60_000),
        Place::at(ms(60_000)),
        Duration::from_millis(200),
    );
    assert!(line.buckets.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// However short the burst within the second: what is told is in order of place, the first is
    /// told who came in earlier seconds, and the last all of the others, too.
    #[test]
    fn those_of_a_burst_are_told_their_places_in_it(
        (people, from, length) in (2u64..2_000, 0u64..900, 1u64..100),
        before in 0u64..50,
    ) {
        let mut line = Line::new(START, 0..0);
        let burst = (0..people).map(|nth| ticket(nth, 1_000 + from + nth * length / people));
        let all: Vec<_> = (0..before).map(|nth| ticket(nth, nth)).chain(burst).collect();
        for ticket in &all {
            line.issue(of(ticket));
            line.count(of(ticket), ticket, ms(8_000), ms(2_500));
        }
        line.publish(ms(6_000), Place::at(START));
        let mut places: Vec<_> = all.iter().skip(before as usize).map(of).collect();
        places.sort();
        let span = places[places.len() - 1].as_micros() - places[0].as_micros() + 1;
        let ahead = |place: Place| line.ahead(place, Place::at(START), ms(6_000));
        let told: Vec<_> = places.iter().map(|place| ahead(*place)).collect();
        prop_assert!(told.is_sorted(), "in order of place");
        prop_assert_eq!(told[0], before);
        let last = before + people - people.div_ceil(span);
        prop_assert_eq!(told[told.len() - 1], last, "of {} in {} us", people, span);
    }
}

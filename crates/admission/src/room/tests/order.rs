//! Claims about lotteries and events.

use std::collections::BTreeMap;

use super::*;
use crate::draw::Seed;
use crate::quota::ClientKey;
use crate::ticket::Ticket;

const SEED: Seed = Seed::new([42; 32]);
/// The opening, after the start, in milliseconds; the pre-queue begins a minute before.
const OPENS: u64 = 120_000;
const BEGINS: u64 = 60_000;

fn event() -> Event {
    Event {
        opens: ms(OPENS),
        prequeue: Duration::from_secs(60),
        per_client: None,
        seed: SEED,
    }
}

fn with_event(event: Event) -> Settings {
    Settings {
        event: Some(event),
        ..by_rate(10)
    }
}

fn lottery() -> Settings {
    Settings {
        order: Order::Lottery(SEED),
        mode: Mode::QueueAll,
        ..by_rate(10)
    }
}

fn ticket(turn: Turn) -> Ticket {
    match turn {
        Turn::Wait(ticket, _) => ticket,
        other => panic!("expected a ticket: {other:?}"),
    }
}

/// Somebody comes `at`, and for the second contact a second later.
fn queue(room: &mut Room, at: u64, id: u64) -> Ticket {
    let first = ticket(room.arrive(ms(at), id));
    ticket(room.poll(ms(at + 1_000), &first))
}

/// `count` people come evenly over `span`, ids from a source of randomness.
fn crowd(room: &mut Room, span: core::ops::Range<u64>, count: u64) -> Vec<Ticket> {
    let mut dice = Dice(span.start + count);
    let ids: Vec<u64> = (0..count).map(|_| dice.roll()).collect();
    let at = |nth: u64| span.start + (span.end - span.start) * nth / count;
    let mut tickets = Vec::new();
    for (nth, id) in (0..).zip(ids) {
        tickets.push(ticket(room.arrive(ms(at(nth)), id)));
    }
    let mut seen = Vec::new();
    for (nth, first) in (0..).zip(&tickets) {
        let now = ms(at(nth) + 1_000).max(room.ticked);
        seen.push(ticket(room.poll(now, first)));
    }
    seen
}

/// Everybody asks when asked to, from `from` on; the ids in the order in which they enter.
fn kept(room: &mut Room, from: u64, tickets: &mut Vec<Ticket>, seconds: u64) -> Vec<u64> {
    let mut inside = Vec::new();
    for step in 1..=seconds * 10 {
        let now = from + step * 100;
        run(room, now);
        tickets.retain_mut(|ticket| {
            if ticket.due > ms(now) {
                return true;
            }
            match room.poll(ms(now), ticket) {
                Turn::Wait(moved, _) => *ticket = moved,
                Turn::Enter(_) => inside.push(ticket.id),
                Turn::Through => panic!("a ticket is not let through"),
            }
            inside.last() != Some(&ticket.id)
        });
    }
    inside
}

/// Everybody asks once a second from `from` on; the ids in the order in which they enter.
fn entered(room: &mut Room, from: u64, tickets: &mut Vec<Ticket>, seconds: u64) -> Vec<u64> {
    let mut inside = Vec::new();
    for second in 0..seconds {
        for step in 0..5 {
            run(room, from + second * 1_000 + (step + 1) * 200);
            let now = ms(from + second * 1_000 + (step + 1) * 200);
            tickets.retain_mut(|ticket| {
                if ticket.id % 5 != step {
                    return true;
                }
                match room.poll(now, ticket) {
                    Turn::Wait(kept, _) => {
                        *ticket = kept;
                        true
                    }
                    Turn::Enter(_) => {
                        inside.push(ticket.id);
                        false
                    }
                    Turn::Through => panic!("a ticket is not let through"),
                }
            });
        }
    }
    inside
}

#[test]
fn nobody_of_a_prequeue_enters_before_the_opening() {
    for mode in [Mode::Auto, Mode::QueueAll] {
        let mut room = room(Settings {
            mode,
            ..with_event(event())
        });
        run(&mut room, BEGINS + 1_000);
        assert_eq!(room.state(), State::Queueing, "{mode:?}");
        let mut tickets = crowd(&mut room, BEGINS + 1_000..BEGINS + 31_000, 100);
        run(&mut room, BEGINS + 32_000);
        let from = BEGINS + 32_000;
        let early = entered(&mut room, from, &mut tickets, (OPENS - from) / 1_000 - 1);
        assert_eq!(early, [], "{mode:?}");
        let after = entered(&mut room, OPENS - 1_000, &mut tickets, 20);
        assert_eq!(after.len(), 100, "{mode:?}: and then everybody does");
    }
}

#[test]
fn who_waits_for_an_opening_is_told_when_it_is_and_no_number() {
    let mut room = room(with_event(event()));
    run(&mut room, BEGINS + 1_000);
    let mine = queue(&mut room, BEGINS + 1_000, 7);
    let told = room.look(ms(BEGINS + 2_000), &mine);
    assert_eq!(told.state, TurnState::Queueing);
    assert_eq!((told.ahead, told.eta), (None, None));
    assert_eq!(told.opens_in, Some(Duration::from_secs(58)));
    assert!(told.poll_after >= Duration::from_secs(40), "{told:?}");
    run(&mut room, OPENS);
    let told = room.look(ms(OPENS), &mine);
    assert_eq!(told.opens_in, None);
    assert!(told.ahead.is_some(), "{told:?}");
}

#[test]
fn before_the_opening_no_answer_depends_on_the_rank() {
    // The same night twice, with seeds that rank everybody differently: every answer is the same.
    let night = |seed| {
        let mut room = room(with_event(Event { seed, ..event() }));
        run(&mut room, BEGINS + 1_000);
        let mut said = Vec::new();
        for id in 0..200 {
            let mine = queue(&mut room, BEGINS + 1_000 + id * 20, id);
            run(&mut room, BEGINS + 2_000 + id * 20);
            said.push((mine, room.look(ms(BEGINS + 20_000), &mine)));
        }
        said
    };
    assert_eq!(night(SEED), night(Seed::new([43; 32])));
}

#[test]
fn the_drawn_are_called_by_rank_and_later_comers_by_arrival_behind_them() {
    let mut room = room(with_event(event()));
    run(&mut room, BEGINS + 500);
    let mut tickets = crowd(&mut room, BEGINS + 1_000..OPENS - 2_000, 300);
    let mut ranked: Vec<u64> = tickets.iter().map(|ticket| ticket.id).collect();
    ranked.sort_by_key(|&id| SEED.rank_of(id));
    assert_eq!(kept(&mut room, OPENS - 1_000, &mut tickets, 1), []);
    let late: Vec<u64> = (0..10).map(|nth| 1_000_003 + nth * 5).collect();
    for (&id, nth) in late.iter().zip(0..) {
        tickets.push(ticket(room.arrive(ms(OPENS + 10 + nth * 20), id)));
    }
    let order = kept(&mut room, OPENS + 200, &mut tickets, 60);
    assert_eq!(order.len(), 310);
    let place = |id: &u64| order.iter().position(|other| other == id).unwrap();
    let last_drawn = ranked.iter().map(place).max().unwrap();
    // They come back over two seconds, so neighbours may swap; nobody moves far.
    assert!(late.iter().all(|id| place(id) + 40 > last_drawn));
    for (rank, id) in ranked.iter().enumerate() {
        let entered = place(id);
        assert!(entered.abs_diff(rank) <= 40, "{rank} entered as {entered}");
    }
}

/// Pearson's statistic of counts that should be alike.
fn chi_square(counts: &[u64]) -> f64 {
    let mean = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
    let squares = counts.iter().map(|&n| (n as f64 - mean).powi(2));
    squares.sum::<f64>() / mean
}

#[test]
fn a_draw_is_fair_whenever_somebody_came() {
    let mut room = room(with_event(event()));
    run(&mut room, BEGINS + 500);
    let tickets = crowd(&mut room, BEGINS + 1_000..OPENS - 1_500, 20_000);
    let first = Place::at(ms(BEGINS)).as_micros();
    let share = |ticket: &Ticket| {
        let way = room.place(ticket).as_micros() - first;
        // Fifteen seconds of the line hold those of a minute.
        (way * 10 / 15_000_000) as usize
    };
    // Tenths of the draw, for the first and the last quarter of those who came. With nine
    // degrees of freedom 27.9 is exceeded once in a thousand draws.
    for part in [&tickets[..5_000], &tickets[15_000..]] {
        let mut counts = [0_u64; 10];
        for ticket in part {
            counts[share(ticket)] += 1;
        }
        assert!(chi_square(&counts) < 27.9, "{counts:?}");
    }
}

#[test]
fn a_restart_in_the_pre_queue_or_in_the_draw_moves_nobody() {
    let settings = with_event(event());
    let mut first = room(settings);
    run(&mut first, BEGINS + 500);
    let mut tickets = crowd(&mut first, BEGINS + 1_000..OPENS - 10_000, 50);
    run(&mut first, OPENS - 8_000);
    let places: Vec<Place> = tickets.iter().map(|ticket| first.place(ticket)).collect();
    // The keys were changed meanwhile, so that the shell would make another seed.
    let other = with_event(Event {
        seed: Seed::new([9; 32]),
        ..event()
    });
    let restart = |room: &Room, now| {
        let restored = Room::restore(RoomId(7), other, &room.snapshot(), now).unwrap();
        assert!(
            tickets
                .iter()
                .map(|ticket| restored.place(ticket))
                .eq(places.iter().copied())
        );
        restored
    };
    let mut second = restart(&first, ms(OPENS - 5_000));
    run(&mut second, OPENS + 2_000);
    let mut third = restart(&second, ms(OPENS + 2_500));
    let inside = entered(&mut third, OPENS + 2_600, &mut tickets, 20);
    assert_eq!(inside.len(), 50, "everybody gets in");
}

#[test]
fn an_older_snapshot_reads_as_one_without_draws() {
    let room = room(by_rate(10));
    let mut bytes = room.snapshot();
    // Tag, length and "no draws".
    bytes.truncate(bytes.len() - 3);
    let length = u32::try_from(bytes.len() - 9).unwrap();
    bytes[5..9].copy_from_slice(&length.to_be_bytes());
    let restored = Room::restore(RoomId(7), with_event(event()), &bytes, START).unwrap();
    assert_eq!(restored.draws(START).count(), 1);
}

#[test]
fn a_clock_that_steps_back_closes_nothing_that_was_open() {
    let mut room = room(with_event(event()));
    run(&mut room, BEGINS + 500);
    let mut tickets = crowd(&mut room, BEGINS + 1_000..OPENS - 2_000, 20);
    run(&mut room, OPENS + 500);
    assert!(room.draws(ms(BEGINS)).all(|draw| draw.is_open));
    let restored = Room::restore(RoomId(7), with_event(event()), &room.snapshot(), ms(BEGINS));
    let mut restored = restored.unwrap();
    assert!(restored.draws(ms(BEGINS)).all(|draw| draw.is_open));
    assert_eq!(
        restored.draws(ms(BEGINS)).count(),
        1,
        "nor is it drawn twice"
    );
    let inside = entered(&mut restored, OPENS + 600, &mut tickets, 10);
    assert_eq!(inside.len(), 20);
}

#[test]
fn a_running_prequeue_can_be_moved_and_called_off_and_keeps_its_seed() {
    // (what the file says at 20 s into the pre-queue, when it opens then)
    let moved = |opens| {
        Some(Event {
            opens: ms(opens),
            seed: Seed::new([1; 32]),
            ..event()
        })
    };
    let cases = [
        (moved(OPENS + 30_000), OPENS + 30_000),
        (moved(OPENS + 3_600_000), OPENS + 3_600_000),
        (moved(OPENS - 20_000), OPENS - 20_000),
        // Called off: as soon as the drawn and who is late have their seconds of the line.
        (None, BEGINS + 30_000),
        (moved(OPENS + 100 * 3_600_000), BEGINS + 30_000),
        (moved(OPENS - 39_000), BEGINS + 30_000),
    ];
    for (then, opens) in cases {
        let mut room = room(with_event(event()));
        run(&mut room, BEGINS + 500);
        let mine = queue(&mut room, BEGINS + 5_000, 5);
        let before = room.place(&mine);
        room.set_event(then, ms(BEGINS + 20_000));
        let draw = room.draws(ms(BEGINS + 20_000)).next().unwrap();
        assert_eq!((draw.opens, draw.seed), (ms(opens), SEED), "{then:?}");
        assert_eq!(room.place(&mine), before);
    }
}

#[test]
fn further_tickets_of_one_client_stand_behind_the_draw_and_before_later_comers() {
    let mut room = room(with_event(Event {
        per_client: NonZeroU32::new(3),
        ..event()
    }));
    room.set_mode(Mode::QueueAll, ms(1));
    run(&mut room, BEGINS + 500);
    let client = |nth: u64| ClientKey::new(if nth < 10 { 1 } else { nth });
    let mut mine = Vec::new();
    let mut others = Vec::new();
    for nth in 0..40 {
        let at = ms(BEGINS + 1_000 + nth * 500);
        let ticket = ticket(room.arrive_from(at, nth * 7_919, client(nth)));
        if nth < 10 { &mut mine } else { &mut others }.push(ticket);
    }
    let late: Vec<bool> = mine.iter().map(|ticket| ticket.late).collect();
    assert_eq!(late, [vec![false; 3], vec![true; 7]].concat());
    assert!(others.iter().all(|ticket| !ticket.late));
    let drawn = others
        .iter()
        .chain(&mine[..3])
        .map(|ticket| room.place(ticket));
    let last = drawn.max().unwrap();
    let behind: Vec<Place> = mine[3..].iter().map(|ticket| room.place(ticket)).collect();
    assert!(
        behind.iter().all(|place| *place > last),
        "{behind:?} {last:?}"
    );
    assert!(behind.is_sorted(), "by arrival");
    assert!(behind.iter().all(|place| *place < Place::at(ms(OPENS))));
    // Once it is open, everybody is alike again.
    let after = ticket(room.arrive_from(ms(OPENS + 100), 1, ClientKey::new(1)));
    assert!(!after.late);
}

#[test]
fn a_lottery_draws_among_all_who_wait_and_nobody_waits_beyond_the_next_draw() {
    let mut room = room(lottery());
    let mut first = crowd(&mut room, 1_000..2_000, 100);
    let enough = 40;
    let mut order = entered(&mut room, 3_000, &mut first, 3);
    // While those are called, others come: the next draw is theirs, whoever was quicker.
    let mut all = first;
    all.extend(crowd(&mut room, 6_000..8_000, 100));
    order.extend(entered(&mut room, 9_000, &mut all, enough));
    assert_eq!(order.len(), 200, "everybody gets in");
}

#[test]
fn in_a_lottery_a_number_is_told_only_after_the_draw_and_never_rises() {
    let mut room = room(lottery());
    // A line that takes ten seconds, and one who comes while it is being called.
    let mut line = crowd(&mut room, 1_000..1_900, 100);
    run(&mut room, 4_000);
    let mut mine = queue(&mut room, 4_000, 3);
    let mut told = Vec::new();
    for second in 5..40 {
        entered(&mut room, second * 1_000, &mut line, 1);
        match room.poll(ms(second * 1_000 + 1_000), &mine) {
            Turn::Wait(kept, now) => {
                mine = kept;
                told.push(now.ahead);
            }
            _ => break,
        }
    }
    assert_eq!(told.first(), Some(&None), "{told:?}");
    let known: Vec<_> = told.iter().flatten().collect();
    assert!(
        known.is_sorted_by(|before, after| before >= after),
        "{told:?}"
    );
    assert!(told.len() < 20, "and gets in: {told:?}");
}

#[test]
fn in_a_lottery_who_was_quicker_has_no_better_chance_and_a_new_ticket_none_at_all() {
    // People who come over ten seconds while others are called: one draw.
    let mut room = room(lottery());
    let mut line = crowd(&mut room, 1_000..1_900, 200);
    run(&mut room, 4_000);
    let tickets = crowd(&mut room, 5_000..15_000, 5_000);
    let mut halves = BTreeMap::new();
    let places: Vec<Place> = tickets.iter().map(|ticket| room.place(ticket)).collect();
    let middle = {
        let mut sorted = places.clone();
        sorted.sort();
        sorted[2_500]
    };
    for (nth, place) in places.iter().enumerate() {
        *halves
            .entry((nth < 2_500, *place < middle))
            .or_insert(0_u64) += 1;
    }
    let counts: Vec<u64> = halves.into_values().collect();
    // Three degrees of freedom; 16.3 once in a thousand.
    assert!(chi_square(&counts) < 16.3, "{counts:?}");
    // When that draw has been held, who forgets the cookie is behind all of it.
    entered(&mut room, 16_000, &mut line, 30);
    let anew = ticket(room.arrive(ms(46_500), 77));
    assert!(places.iter().all(|place| *place < room.place(&anew)));
}

#[test]
fn a_change_of_order_loses_nobody() {
    let orders = [Order::Arrival, Order::Lottery(SEED)];
    for (before, after) in [(0, 1), (1, 0)] {
        let mut room = room(Settings {
            order: orders[before],
            ..lottery()
        });
        let mut tickets = crowd(&mut room, 1_000..3_000, 50);
        let places: Vec<Place> = tickets.iter().map(|ticket| room.place(ticket)).collect();
        room.configure(
            Settings {
                order: orders[after],
                ..lottery()
            },
            ms(4_000),
        );
        assert!(
            tickets.iter().map(|ticket| room.place(ticket)).eq(places),
            "{before}"
        );
        tickets.extend(crowd(&mut room, 4_100..6_000, 50));
        let inside = entered(&mut room, 7_000, &mut tickets, 25);
        assert_eq!(inside.len(), 100, "{before}");
    }
}

#[test]
fn a_lone_visitor_of_a_lottery_does_not_wait_for_others() {
    let mut room = room(lottery());
    run(&mut room, 5_000);
    let mut mine = vec![ticket(room.arrive(ms(5_100), 10))];
    assert_eq!(entered(&mut room, 5_200, &mut mine, 5), [10]);
}

#[test]
fn an_event_takes_over_from_a_lottery_and_gives_back_to_it() {
    let mut room = room(Settings {
        event: Some(event()),
        ..lottery()
    });
    let mut tickets = crowd(&mut room, BEGINS - 3_000..BEGINS - 100, 100);
    run(&mut room, BEGINS + 1_000);
    tickets.extend(crowd(&mut room, BEGINS + 1_000..BEGINS + 3_000, 100));
    let split = Place::at(ms(BEGINS));
    let before = tickets
        .iter()
        .filter(|ticket| room.place(ticket) < split)
        .count();
    assert_eq!(before, 100);
    let early = entered(&mut room, BEGINS + 5_000, &mut tickets, 20);
    assert_eq!(early.len(), 100, "who had a place before goes on");
    run(&mut room, OPENS - 200);
    tickets.extend(crowd(&mut room, OPENS..OPENS + 1_000, 100));
    let inside = entered(&mut room, OPENS + 2_000, &mut tickets, 40);
    assert_eq!(inside.len(), 200);
}

#[test]
fn when_the_state_is_lost_in_a_pre_queue_nobody_of_it_enters_early_and_all_take_part() {
    let settings = with_event(event());
    let mut first = room(settings);
    run(&mut first, BEGINS + 500);
    let mut tickets = crowd(&mut first, BEGINS + 1_000..BEGINS + 20_000, 50);
    let places: Vec<Place> = tickets.iter().map(|ticket| first.place(ticket)).collect();
    // Nothing but the keys is left, of which the seed is made again.
    let mut second = Room::new(RoomId(7), settings, ms(BEGINS + 30_000));
    let after = tickets.iter().map(|ticket| second.place(ticket));
    assert!(after.eq(places), "the rule needs no memory");
    tickets.extend(crowd(&mut second, BEGINS + 31_000..BEGINS + 40_000, 50));
    let seconds = (OPENS - BEGINS - 41_000) / 1_000 - 1;
    let early = entered(&mut second, BEGINS + 41_000, &mut tickets, seconds);
    assert_eq!(early, []);
    run(&mut second, OPENS);
    assert_eq!(entered(&mut second, OPENS, &mut tickets, 20).len(), 100);
}

#[test]
fn an_opening_wastes_no_places_and_is_no_stampede() {
    let rate = 50;
    let mut room = room(Settings {
        poll_budget: 500,
        event: Some(event()),
        ..by_rate(rate)
    });
    run(&mut room, BEGINS + 500);
    let mut tickets = crowd(&mut room, BEGINS + 1_000..OPENS - 5_000, 4_000);
    let (mut polls, mut inside, mut most) = (0_u64, 0_u64, 0);
    for step in 1..=450 {
        let now = OPENS - 5_000 + step * 100;
        run(&mut room, now);
        tickets.retain_mut(|ticket| {
            if ticket.due > ms(now) {
                return true;
            }
            polls += 1;
            let turn = room.poll(ms(now), ticket);
            if let Turn::Wait(kept, _) = turn {
                *ticket = kept;
            }
            inside += u64::from(matches!(turn, Turn::Enter(_)));
            !matches!(turn, Turn::Enter(_))
        });
        if step % 10 == 0 {
            most = most.max(core::mem::take(&mut polls));
        }
    }
    let could = u64::from(rate) * 40;
    assert!(inside * 100 >= could * 95, "{inside} of {could}");
    assert!(
        inside <= could + u64::from(rate) * 3 / 2,
        "{inside} of {could}"
    );
    assert!(most <= 1_000, "{most} polls in a second of a budget of 500");
}

#[test]
fn who_sleeps_from_the_pre_queue_to_after_the_opening_keeps_the_place() {
    let settings = Settings {
        keep: Duration::from_secs(30),
        mode: Mode::QueueAll,
        ..with_event(event())
    };
    let mut room = room(settings);
    run(&mut room, BEGINS + 500);
    let mine = queue(&mut room, BEGINS + 1_000, 5);
    let place = room.place(&mine);
    // Seventy seconds of silence, of which ten after the opening.
    run(&mut room, OPENS + 10_000);
    match room.poll(ms(OPENS + 10_000), &mine) {
        Turn::Wait(kept, _) => assert_eq!(room.place(&kept), place),
        turn => assert!(matches!(turn, Turn::Enter(_)), "{turn:?}"),
    }
}

#[test]
fn a_hidden_tab_is_held_over_the_opening_and_hears_of_its_place_at_once() {
    let mut room = room(with_event(event()));
    run(&mut room, BEGINS + 500);
    let mine = queue(&mut room, BEGINS + 1_000, 5);
    run(&mut room, OPENS - 30_000);
    let mut hold = |hidden, can_wait| {
        let how = Asking { hidden, can_wait };
        room.ask(ms(OPENS - 30_000), &mine, how).hold
    };
    let held = hold(true, true).unwrap();
    assert!(held >= Duration::from_secs(30), "{held:?}");
    assert!(held <= Duration::from_secs(32), "{held:?}");
    assert_eq!((hold(false, true), hold(true, false)), (None, None));
}

//! The queue's promises, as tables and as properties of any sequence of events.

use core::num::NonZeroUsize;

use super::*;
use Priority::{Bot, Navigation, Operator, Stranger, SubResource, Submit};
use proptest::prelude::*;

const NOBODY: PerClass<u32> = PerClass {
    operator: 0,
    submit: 0,
    navigation: 0,
    sub_resource: 0,
    stranger: 0,
    bot: 0,
};

/// More than any floor: the order alone decides.
const FULL: PerClass<u32> = PerClass {
    operator: 100,
    submit: 100,
    navigation: 100,
    sub_resource: 100,
    stranger: 100,
    bot: 100,
};

const SETTINGS: Settings = Settings {
    length: None,
    submit: Duration::from_secs(30),
    visitor: Duration::from_secs(5),
    stranger: None,
};

/// Of an origin with ten permits, all taken, that answers in half a second: strangers wait four
/// seconds, or a quarter when the queue stands.
const GAUGE: Gauge = Gauge {
    limit: 10,
    response: Some(Duration::from_millis(500)),
    starting: false,
    free: false,
};

fn ticked(queue: &mut Queue<u32>, gauge: Gauge, now: Timestamp) -> Vec<(Priority, u32)> {
    let Shed { mut late, crowded } = queue.tick(gauge, now);
    late.extend(crowded);
    late
}

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_nanos(millis * 1_000_000)
}

fn queue(length: usize) -> Queue<u32> {
    let settings = Settings {
        length: NonZeroUsize::new(length),
        ..SETTINGS
    };
    let mut queue = Queue::new(settings, GAUGE.limit);
    assert_eq!(ticked(&mut queue, GAUGE, at(0)), []);
    queue
}

/// Pushes (class, first try) with the waiters 0, 1, 2 …, all at one moment.
fn filled(length: usize, waiters: &[(Priority, u64)]) -> Queue<u32> {
    let mut queue = queue(length);
    for (name, (priority, first_try)) in (0..).zip(waiters) {
        queue.push(*priority, at(*first_try), at(0), name).unwrap();
    }
    queue
}

fn drained(queue: &mut Queue<u32>, now: u64, held: &PerClass<u32>) -> Vec<u32> {
    core::iter::from_fn(|| queue.pop(at(now), held))
        .map(|(_, name)| name)
        .collect()
}

#[test]
fn on_a_calm_day_the_order_is_class_then_first_try_then_coming() {
    let waiters = [
        (Bot, 0),
        (Stranger, 1),
        (Navigation, 9),
        (Submit, 9),
        (Navigation, 2),
        (Stranger, 1),
        (Operator, 9),
    ];
    let order = drained(&mut filled(8, &waiters), 0, &FULL);
    assert_eq!(order, [6, 3, 4, 2, 1, 5, 0]);
}

#[test]
fn a_class_below_its_floor_goes_before_better_ones() {
    // Floors of ten permits: two for Submit, one for Navigation, one for SubResource.
    let waiters = [
        (Submit, 0),
        (Submit, 0),
        (Navigation, 0),
        (SubResource, 0),
        (Stranger, 0),
        (Operator, 0),
    ];
    for (submit, navigation, sub_resource, expected) in [
        (0, 0, 0, Submit),
        (1, 0, 0, Navigation),
        (1, 1, 0, SubResource),
        (1, 1, 1, Submit),
        (10, 0, 0, Navigation),
        (10, 1, 1, Submit),
        (0, 10, 0, Submit),
        (2, 10, 0, SubResource),
    ] {
        let held = PerClass {
            submit,
            navigation,
            sub_resource,
            ..NOBODY
        };
        let mut queue = filled(8, &waiters);
        assert_eq!(queue.pop(at(0), &held), Some((Operator, 5)), "{held:?}");
        let next = queue.pop(at(0), &held).map(|(class, _)| class);
        assert_eq!(next, Some(expected), "{held:?}");
    }
}

#[test]
fn what_a_class_does_not_use_others_have() {
    let strangers = [(Stranger, 0); 6];
    assert_eq!(drained(&mut filled(8, &strangers), 0, &NOBODY).len(), 6);
}

#[test]
fn the_queue_stands_once_the_oldest_has_waited_half_of_what_it_may() {
    for (waited, starting, standing) in [
        (2_000, false, false),
        (2_001, false, true),
        (2_001, true, false),
    ] {
        let mut queue = filled(8, &[(Stranger, 0)]);
        let gauge = Gauge { starting, ..GAUGE };
        drop(ticked(&mut queue, gauge, at(waited)));
        assert_eq!(
            queue.standing(),
            standing,
            "{waited} ms, starting: {starting}"
        );
    }
}

/// A queue that stands, with nobody in it.
fn standing() -> Queue<u32> {
    let mut queue = filled(64, &[(Stranger, 0)]);
    assert_eq!(ticked(&mut queue, GAUGE, at(2_001)), [(Stranger, 0)]);
    assert!(queue.standing());
    queue
}

#[test]
fn while_it_stands_strangers_are_last_in_first_out_and_others_never() {
    let mut queue = standing();
    for (name, class) in (0..).zip([Navigation, Stranger, Navigation, Stranger]) {
        let now = at(3_000 + u64::from(name));
        queue.push(class, now, now, name).unwrap();
    }
    assert_eq!(drained(&mut queue, 3_004, &FULL), [0, 2, 3, 1]);
}

#[test]
fn while_it_stands_the_newest_stranger_takes_the_place_of_the_oldest() {
    let mut queue = standing();
    let mut left = Vec::new();
    for name in 0..10 {
        let pushed = queue.push(Stranger, at(3_000), at(3_000), name).unwrap();
        left.extend(pushed.evicted);
    }
    assert_eq!(left, [(Stranger, 0), (Stranger, 1)]);
    assert_eq!(queue.len(), 8);
}

#[test]
fn while_it_stands_strangers_wait_half_a_response_and_visitors_as_ever() {
    let mut queue = standing();
    queue.push(Stranger, at(3_000), at(3_000), 1).unwrap();
    queue.push(Navigation, at(3_000), at(3_000), 2).unwrap();
    assert_eq!(ticked(&mut queue, GAUGE, at(3_249)), []);
    assert_eq!(ticked(&mut queue, GAUGE, at(3_250)), [(Stranger, 1)]);
    assert_eq!(ticked(&mut queue, GAUGE, at(7_999)), []);
    assert_eq!(ticked(&mut queue, GAUGE, at(8_000)), [(Navigation, 2)]);
}

#[test]
fn bots_leave_when_it_stands_and_are_not_taken_in() {
    let mut queue = filled(64, &[(Bot, 0), (Navigation, 0)]);
    assert_eq!(ticked(&mut queue, GAUGE, at(2_001)), [(Bot, 0)]);
    assert_eq!(queue.push(Bot, at(2_002), at(2_002), 7), Err(7));
    assert_eq!(queue.len(), 1);
}

#[test]
fn it_is_calm_again_after_fifty_milliseconds_with_a_free_permit_and_nobody_waiting() {
    let free = Gauge {
        free: true,
        ..GAUGE
    };
    for (steps, expected) in [
        (&[(3_000, free), (3_049, free)][..], true),
        (&[(3_000, free), (3_050, free)], false),
        (&[(3_000, free), (3_040, GAUGE), (3_080, free)], true),
        (
            &[(3_000, free), (3_040, GAUGE), (3_080, free), (3_130, free)],
            false,
        ),
    ] {
        let mut queue = standing();
        queue.push(Navigation, at(3_000), at(3_000), 0).unwrap();
        assert!(queue.pop(at(3_000), &NOBODY).is_some());
        for (now, gauge) in steps {
            assert_eq!(ticked(&mut queue, *gauge, at(*now)), []);
        }
        assert_eq!(queue.standing(), expected, "{steps:?}");
    }
}

#[test]
fn a_full_queue_stands_and_the_worst_leaves() {
    for (newcomer, expected) in [
        ((Bot, 9), Err(7)),
        ((Stranger, 9), Ok(Some((Stranger, 1)))),
        ((SubResource, 9), Ok(Some((Stranger, 1)))),
        ((Submit, 9), Ok(Some((Stranger, 1)))),
    ] {
        let mut queue = filled(3, &[(Navigation, 1), (Stranger, 5), (Stranger, 4)]);
        let found = queue.push(newcomer.0, at(newcomer.1), at(10), 7);
        assert_eq!(found.map(|pushed| pushed.evicted), expected, "{newcomer:?}");
        assert_eq!(queue.len(), 3);
        assert!(queue.standing());
    }
}

#[test]
fn among_those_inside_the_last_in_order_leaves() {
    for (newcomer, expected) in [
        ((Stranger, 0), Err(7)),
        ((Navigation, 6), Err(7)),
        ((Navigation, 4), Ok(Some((Navigation, 1)))),
        ((Submit, 9), Ok(Some((Navigation, 1)))),
        ((Operator, 9), Ok(Some((Navigation, 1)))),
    ] {
        let mut queue = filled(2, &[(Submit, 1), (Navigation, 5)]);
        let found = queue.push(newcomer.0, at(newcomer.1), at(10), 7);
        assert_eq!(found.map(|pushed| pushed.evicted), expected, "{newcomer:?}");
    }
}

#[test]
fn a_crowd_of_the_better_does_not_fill_the_places_of_a_class_with_a_floor() {
    // Of twenty places three are for forms, two for pages, one for their parts.
    for (crowd, newcomers, expected) in [
        (Submit, [Navigation; 4], [true, true, false, false]),
        (Submit, [SubResource; 4], [true, false, false, false]),
        (Navigation, [Submit; 4], [true; 4]),
        (Submit, [Stranger; 4], [false; 4]),
    ] {
        let mut queue = filled(20, &[(crowd, 0); 20]);
        let found = newcomers.map(|class| queue.push(class, at(1), at(1), 99).is_ok());
        assert_eq!(found, expected, "{crowd:?} {newcomers:?}");
        assert!(
            queue.push(Operator, at(1), at(1), 99).is_ok(),
            "operators always"
        );
    }
}

#[test]
fn who_is_past_the_patience_leaves_and_is_never_served() {
    let mut queue = filled(8, &[(Submit, 0), (Navigation, 0), (Stranger, 0)]);
    queue.push(Stranger, at(3_900), at(3_900), 3).unwrap();
    assert_eq!(drained(&mut queue, 5_000, &FULL), [0, 3]);
    assert_eq!(queue.expire(at(5_000)), [(Navigation, 1), (Stranger, 2)]);
    assert!(queue.is_empty());
}

#[test]
fn an_entry_is_removed_once() {
    let mut queue = queue(4);
    let first = queue.push(Navigation, at(1), at(1), 0).unwrap().entry;
    let second = queue.push(Navigation, at(1), at(1), 1).unwrap().entry;
    assert_eq!(queue.remove(first), Some(0));
    assert_eq!(queue.remove(first), None);
    assert_eq!(queue.pop(at(2), &NOBODY), Some((Navigation, 1)));
    assert_eq!(queue.remove(second), None);
}

#[test]
fn who_no_longer_fits_under_other_numbers_leaves_worst_first() {
    let mut queue = filled(
        4,
        &[(Stranger, 0), (Submit, 3), (Stranger, 0), (Navigation, 1)],
    );
    queue.set(Settings {
        length: NonZeroUsize::new(1),
        ..SETTINGS
    });
    let left = ticked(&mut queue, GAUGE, at(1));
    assert_eq!(left, [(Stranger, 0), (Stranger, 2), (Navigation, 3)]);
    assert_eq!(drained(&mut queue, 1, &FULL), [1]);
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Push(Priority, u64),
    Pop,
    Tick {
        limit: u32,
        response: u64,
        free: bool,
    },
    Leave(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => (0usize..6, 0u64..5_000).prop_map(|(class, try_at)| Event::Push(Priority::ALL[class], try_at)),
        2 => Just(Event::Pop),
        1 => (1u32..40, 1u64..2_000, any::<bool>())
            .prop_map(|(limit, response, free)| Event::Tick { limit, response, free }),
        1 => (0usize..100).prop_map(Event::Leave),
    ]
}

proptest! {
    #[test]
    fn nobody_is_lost_nobody_is_served_twice_and_nobody_late(
        length in 1usize..40,
        events in proptest::collection::vec((event(), 0u64..400), 0..200),
    ) {
        let mut queue = queue(length);
        let mut came: Vec<(Priority, u64, Entry)> = Vec::new();
        let (mut left, mut names, mut now) = (Vec::new(), 0u32, 0);
        for (event, pause) in events {
            now += pause;
            match event {
                Event::Push(class, first_try) => {
                    match queue.push(class, at(first_try.min(now)), at(now), names) {
                        Ok(pushed) => {
                            let share = share_of(class) * length / 100;
                            let entitled = queue.waiting().get(class) <= &share;
                            let worse = pushed.evicted.is_none_or(|(other, _)| other >= class);
                            prop_assert!(worse || entitled);

                            left.extend(pushed.evicted.map(|(_, name)| name));
                            came.push((class, now, pushed.entry));
                        }
                        Err(name) => {
                            left.push(name);
                            let nobody = Entry { priority: Operator, place: Place { first_try: at(0), sequence: u64::MAX } };
                            came.push((class, now, nobody));
                        }
                    }
                    names += 1;
                }
                Event::Pop => if let Some((class, name)) = queue.pop(at(now), &NOBODY) {
                    let (of, since, _) = came[name as usize];
                    prop_assert_eq!(of, class);
                    prop_assert!(at(now).saturating_since(at(since)) < queue.patience(class));
                    left.push(name);
                },
                Event::Tick { limit, response, free } => {
                    let response = Some(Duration::from_millis(response));
                    let gauge = Gauge { limit, response, starting: false, free };
                    left.extend(ticked(&mut queue, gauge, at(now)).into_iter().map(|(_, name)| name));
                    if queue.standing() {
                        prop_assert!(queue.waiting().stranger <= 8.max(limit as usize / 2));
                        prop_assert_eq!(queue.waiting().bot, 0);
                    }
                }
                Event::Leave(who) => if let Some((.., entry)) = came.get(who) {
                    left.extend(queue.remove(*entry));
                },
            }
            prop_assert!(queue.len() <= length);
        }
        left.extend(queue.expire(at(1_000_000)).into_iter().map(|(_, name)| name));
        left.sort_unstable();
        prop_assert_eq!(left, (0..names).collect::<Vec<_>>());
    }

    #[test]
    fn a_class_with_a_floor_is_served_whatever_the_others_do(
        limit in 3u32..200,
        crowd in 0usize..6,
        starved in 1usize..4,
        finish in proptest::collection::vec(any::<prop::sample::Index>(), 400),
    ) {
        // A crowd of one class holds every permit, and always waits for more.
        let (crowd, starved) = (Priority::ALL[crowd], Priority::ALL[starved]);
        prop_assume!(crowd != starved && crowd != Operator);
        let mut queue = queue(1_000);
        drop(ticked(&mut queue, Gauge { limit, ..GAUGE }, at(0)));
        let mut held = vec![crowd; limit as usize];
        for name in 0..400 {
            queue.push(crowd, at(0), at(0), name).unwrap();
            queue.push(starved, at(1), at(0), name).unwrap();
        }
        // Everyone holds a permit and gives it back in some order; each goes to whose turn it is.
        for index in finish {
            held.swap_remove(index.index(held.len()));
            let mut by_class = NOBODY;
            held.iter().for_each(|class| *by_class.get_mut(*class) += 1);
            held.extend(queue.pop(at(0), &by_class).map(|(class, _)| class));
        }
        prop_assert!(held.contains(&starved), "{starved:?} behind {crowd:?}");
    }
}

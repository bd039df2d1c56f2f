use proptest::prelude::*;

use super::*;
use crate::ticket::Ticket;

/// What happens next: somebody comes with the ticket as it was first, or as it was last; a tick.
#[derive(Clone, Copy, Debug)]
enum Step {
    First,
    Last,
    Tick(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let claim = prop_oneof![Just(Step::First), Just(Step::Last)];
    let claims = prop::collection::vec(claim, 100);
    let ticks = prop::collection::vec((20u64..400).prop_map(Step::Tick), 5..60);
    (claims, ticks).prop_flat_map(|(mut claims, mut ticks)| {
        claims.append(&mut ticks);
        Just(claims).prop_shuffle()
    })
}

/// A ticket that was counted once, in a room where everybody gets one.
fn waiting(per_second: u32) -> (Room, Ticket, Ticket) {
    let mut room = room(Settings {
        mode: Mode::Hold,
        ..by_rate(per_second)
    });
    let Turn::Wait(first, _) = room.arrive(ms(100), 7) else {
        panic!("everybody waits");
    };
    run(&mut room, 1_000);
    let Turn::Wait(last, _) = room.poll(ms(1_100), &first) else {
        panic!("nobody enters");
    };
    room.set_mode(Mode::QueueAll, ms(1_100));
    (room, first, last)
}

/// Plays the steps, without further claims after the first pass if `once`; the passes, and the room
/// when all is over.
fn play(per_second: u32, steps: &[Step], once: bool) -> (Vec<u64>, Room) {
    let (mut room, first, mut last) = waiting(per_second);
    let (mut now, mut passes) = (1_100, Vec::new());
    for step in steps {
        let ticket = match step {
            Step::First => first,
            Step::Last => last,
            Step::Tick(span) => {
                now += span;
                run(&mut room, now);
                continue;
            }
        };
        if once && !passes.is_empty() {
            continue;
        }
        match room.poll(ms(now), &ticket) {
            Turn::Enter(pass) => passes.push(pass.id),
            Turn::Wait(kept, _) => last = kept,
            Turn::Through => panic!("everybody waits"),
        }
        assert!(room.line.live <= 1, "one count");
    }
    run(&mut room, 30_000);
    (passes, room)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The other claims change nothing: neither the passes, nor the counts, nor the tokens.
    #[test]
    fn a_hundred_claims_of_a_ticket_are_one_visitor(steps in steps(), per_second in 1u32..20) {
        let (passes, mut room) = play(per_second, &steps, false);
        let (only, alone) = play(per_second, &steps, true);
        prop_assert!(passes.windows(2).all(|two| two[0] == two[1]), "one pass");
        prop_assert_eq!(passes.first(), only.first());
        let entered = only.len() as u64;
        prop_assert_eq!((room.claimed, room.admitted), (entered, entered));
        prop_assert_eq!(room.inside.count(), alone.inside.count());
        prop_assert_eq!(room.inlet.tokens(), alone.inlet.tokens());
        prop_assert_eq!(room.present.served(), 0);
        // A claim with the ticket as it was first does not find where it is counted since.
        run(&mut room, 180_000);
        prop_assert_eq!(room.line.live, 0);
    }
}

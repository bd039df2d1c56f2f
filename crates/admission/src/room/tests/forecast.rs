use super::*;
use crate::ticket::Ticket;

/// A line of people who come back when they are asked to.
struct People {
    room: Room,
    tickets: Vec<Ticket>,
}

impl People {
    fn new(count: u64, per_second: u32) -> Self {
        let mut people = Self {
            room: room(by_rate(per_second)),
            tickets: Vec::new(),
        };
        let mut dice = Dice(3);
        for nth in 0..count {
            if let Turn::Wait(ticket, _) = people.room.arrive(ms(nth * 1_000 / count), dice.roll())
            {
                people.tickets.push(ticket);
            }
        }
        people
    }

    fn until(&mut self, until_ms: u64) {
        while self.room.ticked < ms(until_ms) {
            let now = self.room.ticked.plus(TICK);
            run(
                &mut self.room,
                now.saturating_since(START).as_millis() as u64,
            );
            let room = &mut self.room;
            self.tickets.retain_mut(|ticket| {
                if ticket.due > now {
                    return true;
                }
                let turn = room.poll(now, ticket);
                if let Turn::Wait(kept, _) = turn {
                    *ticket = kept;
                }
                matches!(turn, Turn::Wait(..))
            });
        }
    }

    /// What the last in line is told, in seconds.
    fn told(&self) -> Option<u64> {
        let last = self.tickets.last()?;
        let told = self.room.look(self.room.clock(), last);
        told.eta.map(|eta| eta.p50.as_secs())
    }
}

#[test]
fn a_line_that_has_just_opened_says_that_it_does_not_know() {
    let mut people = People::new(1_000, 10);
    people.until(2_000);
    assert_eq!(people.told(), None);
    people.until(12_000);
    let told = people.told().unwrap();
    assert!((80..=105).contains(&told), "about 90 s, told {told}");
}

#[test]
fn a_rate_that_is_halved_doubles_the_time_told_within_seconds_and_nothing_else_jumps() {
    let mut people = People::new(3_000, 20);
    let mut before = None::<u64>;
    for second in 15..40 {
        people.until(second * 1_000);
        let told = people.told().unwrap();
        if let Some(before) = before {
            assert!(told.abs_diff(before) <= 12, "{told} s after {before} s");
        }
        before = Some(told);
    }
    let half = Rate::new(10, Duration::from_secs(1)).unwrap();
    people.room.set_inlet(InletRule::Rate(half), ms(40_000));
    people.until(47_000);
    let (told, before) = (people.told().unwrap() as f64, before.unwrap() as f64);
    assert!(
        (1.7..2.2).contains(&(told / before)),
        "{told} s after {before} s"
    );
}

#[test]
fn a_restart_goes_on_with_what_was_learnt() {
    let mut people = People::new(3_000, 20);
    people.until(60_000);
    let before = people.told().unwrap();
    let (settings, saved) = (*people.room.settings(), people.room.snapshot());
    people.room = Room::restore(RoomId(7), settings, &saved, ms(60_500)).unwrap();
    people.until(61_000);
    let after = people.told().unwrap();
    assert!(after.abs_diff(before) <= 8, "{after} s after {before} s");
}

use super::*;
use crate::pass::Pass;
use crate::room::lane::LANE_MAX;
use crate::ticket::Ticket;

/// People who keep their appointments, and when each entered.
#[derive(Default)]
struct People {
    waiting: Vec<Ticket>,
    entered: Vec<u64>,
}

impl People {
    /// Everybody who is due asks; `at` is in milliseconds.
    fn ask(&mut self, room: &mut Room, at: u64) {
        self.waiting.retain_mut(|ticket| {
            if ticket.due > ms(at) {
                return true;
            }
            match room.poll(ms(at), ticket) {
                Turn::Wait(kept, _) => {
                    *ticket = kept;
                    true
                }
                Turn::Enter(_) | Turn::Through => {
                    self.entered.push(at);
                    false
                }
            }
        });
    }
}

/// A line of so many at a rate of 20 a second, each of whom has come twice, after 3 s.
fn line(settings: Settings, count: u64) -> (Room, People) {
    let mut room = room(settings);
    let mut people = People::default();
    for id in 0..count {
        if let Turn::Wait(ticket, _) = room.arrive(ms(id), id) {
            people.waiting.push(ticket);
        }
    }
    spend(&mut room, 0..3_000, &mut [&mut people]);
    (room, people)
}

/// Time passes, and everybody keeps the appointments.
fn spend(room: &mut Room, span: core::ops::Range<u64>, people: &mut [&mut People]) {
    for at in span.step_by(100) {
        run(room, at);
        for people in &mut *people {
            people.ask(room, at);
        }
    }
}

fn invited(room: &Room, count: u64, at: u64) -> People {
    let ticket = |id| room.invite(ms(at + id % 50), 1_000_000 + id);
    People {
        waiting: (0..count).map(ticket).collect(),
        entered: Vec::new(),
    }
}

fn queue_all(per_second: u32) -> Settings {
    Settings {
        mode: Mode::QueueAll,
        ..by_rate(per_second)
    }
}

#[test]
fn the_invited_have_their_share_and_all_together_no_more_than_the_rate() {
    for (milli, least, most) in [(50, 15, 23), (100, 34, 44), (500, 120, 213)] {
        let settings = Settings {
            invite_milli: milli,
            ..queue_all(20)
        };
        let (mut room, mut people) = line(settings, 1_500);
        let before = people.entered.len();
        let mut lane = invited(&room, 300, 3_000);
        spend(&mut room, 3_000..23_000, &mut [&mut lane, &mut people]);
        let (lane, others) = (lane.entered.len(), people.entered.len() - before);
        assert!((least..=most).contains(&lane), "{milli}: {lane} in 20 s");
        assert!(lane + others <= 20 * 20 + 60, "{milli}: {lane} + {others}");
        assert!(lane + others >= 20 * 20 - 40, "{milli}: nothing is lost");
    }
}

#[test]
fn nobodys_number_goes_up_because_others_are_invited() {
    let (mut room, mut people) = line(queue_all(20), 1_500);
    let fresh = |ticket: &Ticket| Ticket {
        least_ahead: None,
        ..*ticket
    };
    let watched: Vec<Ticket> = people.waiting.iter().step_by(97).map(fresh).collect();
    let mut told: Vec<u32> = vec![u32::MAX; watched.len()];
    let mut lane = invited(&room, 300, 3_000);
    for from in (3_000..20_000).step_by(1_000) {
        spend(&mut room, from..from + 1_000, &mut [&mut lane, &mut people]);
        for (ticket, least) in watched.iter().zip(&mut told) {
            let ahead = room.look(ms(from + 900), ticket).ahead.unwrap_or(0);
            assert!(ahead <= *least, "{ahead} after {least}");
            *least = ahead;
        }
    }
}

#[test]
fn without_a_line_the_invited_have_everything() {
    let mut room = room(queue_all(20));
    let mut lane = invited(&room, 100, 0);
    spend(&mut room, 0..10_000, &mut [&mut lane]);
    assert_eq!(lane.waiting, []);
}

#[test]
fn who_is_invited_and_goes_away_holds_nobody_up() {
    let (mut room, mut people) = line(queue_all(20), 1_500);
    let mut lane = invited(&room, 30, 3_000);
    lane.ask(&mut room, 4_100);
    let before = people.entered.len();
    spend(&mut room, 4_200..24_200, &mut [&mut people]);
    let entered = people.entered.len() - before;
    assert!(entered >= 20 * 20 - 40, "{entered} in 20 s");
}

#[test]
fn a_held_room_holds_the_invited_too_and_says_so() {
    let settings = Settings {
        mode: Mode::Hold,
        ..by_rate(20)
    };
    let mut room = room(settings);
    let ticket = room.invite(ms(0), 5);
    run(&mut room, 1_000);
    let Turn::Wait(kept, told) = room.poll(ms(1_000), &ticket) else {
        panic!("nobody enters");
    };
    assert_eq!((told.state, told.eta), (TurnState::Closed, None));
    assert_eq!(room.look(ms(1_000), &kept).state, TurnState::Closed);
    room.set_mode(Mode::QueueAll, ms(2_000));
    let mut people = People {
        waiting: vec![Ticket {
            due: ms(2_000),
            ..kept
        }],
        ..People::default()
    };
    spend(&mut room, 2_000..4_000, &mut [&mut people]);
    assert_eq!(people.entered.len(), 1);
}

#[test]
fn one_invitation_is_one_visitor_however_many_come_with_it() {
    let settings = Settings {
        active: NonZeroU32::new(50),
        ..queue_all(20)
    };
    let mut room = room(settings);
    let ticket = room.invite(ms(0), 5);
    let mut passes = Vec::new();
    for at in (0..6_000).step_by(100) {
        run(&mut room, at);
        if let Turn::Enter(pass) = room.poll(ms(at), &ticket) {
            passes.push(pass.id);
        }
    }
    assert!(passes.len() > 10);
    assert!(passes.iter().all(|id| *id == Pass::id_of(5)));
    assert_eq!(room.status(ms(6_000)).active, 1);
}

#[test]
fn the_cap_on_visitors_inside_holds_for_the_invited_too() {
    let settings = Settings {
        active: NonZeroU32::new(10),
        ..queue_all(20)
    };
    let (mut room, mut people) = line(settings, 200);
    let mut lane = invited(&room, 50, 3_000);
    for from in (3_000..20_000).step_by(1_000) {
        spend(&mut room, from..from + 1_000, &mut [&mut lane, &mut people]);
        let active = room.status(ms(from + 900)).active;
        assert!(active <= 10, "{active} at {from} ms");
    }
}

#[test]
fn the_lane_is_bounded_and_its_own_numbers_do_not_go_up() {
    let (mut room, _) = line(queue_all(1), 100);
    let last = room.invite(ms(3_000), 77);
    let ticket = |id| room.invite(ms(2_000), 1_000 + id);
    let crowd: Vec<Ticket> = (0..LANE_MAX as u64 + 50).map(ticket).collect();
    let Turn::Wait(mut kept, told) = room.poll(ms(3_000), &last) else {
        panic!("it is full");
    };
    assert_eq!(told.ahead, Some(0));
    for ticket in &crowd {
        let _turn = room.poll(ms(3_000), ticket);
    }
    assert_eq!(room.lane.len(), LANE_MAX);
    kept.due = ms(3_100);
    let told = room.look(ms(3_100), &kept);
    assert_eq!(told.ahead, Some(0), "what was told binds");
}

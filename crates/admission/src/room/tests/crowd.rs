//! A crowd before a room with a rate: people with patience, ghosts, crashes of the process. They
//! behave as the page does: it asks how it stands, lets its answer be held, says for three seconds
//! that it goes in, and asks for itself.

use std::collections::BinaryHeap;

use super::*;
use crate::ticket::Ticket;

/// Who comes, and what happens meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) per_second: u32,
    pub(super) arrivals: u64,
    pub(super) arrive_within_ms: u64,
    /// Of a hundred: tickets that never come back.
    pub(super) ghosts: u64,
    /// Mean patience of real people; none: they wait for ever.
    pub(super) patience_ms: Option<u64>,
    /// Of a hundred: polls that come up to a minute late (a tab in the background).
    pub(super) sleepy: u64,
    /// When the process is killed, and for how long it is away.
    pub(super) crashes: Vec<(u64, u64)>,
    pub(super) until_ms: u64,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            seed: 1,
            per_second: 20,
            arrivals: 3_000,
            arrive_within_ms: 60_000,
            ghosts: 0,
            patience_ms: None,
            sleepy: 0,
            crashes: Vec::new(),
            until_ms: 240_000,
        }
    }
}

#[derive(Clone, Debug)]
struct Person {
    id: u64,
    ghost: bool,
    leaves_ms: u64,
    ticket: Option<Ticket>,
    arrived: Option<WallTime>,
    /// Whether the next contact asks for the page.
    enters: bool,
    /// Was told and did not come then.
    late: bool,
    /// Until when the answer is held.
    held_ms: Option<u64>,
    /// When the first answer came that the turn has come.
    called_ms: Option<u64>,
    /// Since when it has come back each time it was asked to.
    present_ms: Option<u64>,
    entered_ms: Option<u64>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// When somebody entered, in order.
    pub(super) entries: Vec<u64>,
    /// Patient real people who did not get in.
    pub(super) left_outside: usize,
    /// Called and present, and passed by a later one by more than 2 s.
    pub(super) overtaken: usize,
    pub(super) polls: u64,
    /// How often somebody was told that the turn has come, and how often somebody entered.
    pub(super) turns: u64,
}

impl Outcome {
    pub(super) fn entered_between(&self, from_ms: u64, to_ms: u64) -> usize {
        self.entries
            .iter()
            .filter(|&&at| (from_ms..to_ms).contains(&at))
            .count()
    }

    /// The most that entered in any span beyond the rate.
    pub(super) fn excess(&self, per_second: u32) -> f64 {
        let (mut over, mut last, mut most) = (0.0_f64, 0, 0.0_f64);
        for &at in &self.entries {
            over = (over - (at - last) as f64 / 1_000.0 * f64::from(per_second)).max(0.0) + 1.0;
            last = at;
            most = most.max(over);
        }
        most
    }
}

pub(super) struct Crowd {
    script: Script,
    room: Room,
    saved: Vec<u8>,
    dice: Dice,
    people: Vec<Person>,
    due: BinaryHeap<std::cmp::Reverse<(u64, usize)>>,
    outcome: Outcome,
    down_until: u64,
    /// Whose answer is held.
    held: Vec<usize>,
}

impl Crowd {
    pub(super) fn new(script: Script) -> Self {
        let mut dice = Dice(script.seed);
        let room = room(by_rate(script.per_second));
        let saved = room.snapshot();
        let mut due = BinaryHeap::new();
        let mut people = Vec::new();
        for index in 0..script.arrivals {
            let at = dice.below(script.arrive_within_ms);
            let patience = script
                .patience_ms
                .map(|mean| dice.exponential(mean as f64) as u64);
            people.push(Person {
                id: dice.roll(),
                ghost: dice.below(100) < script.ghosts,
                leaves_ms: patience.map_or(u64::MAX, |patience| at + patience),
                ticket: None,
                arrived: None,
                enters: true,
                late: false,
                held_ms: None,
                called_ms: None,
                present_ms: None,
                entered_ms: None,
            });
            due.push(std::cmp::Reverse((at, index as usize)));
        }
        let outcome = Outcome::default();
        Self {
            script,
            room,
            saved,
            dice,
            people,
            due,
            outcome,
            down_until: 0,
            held: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Outcome {
        let mut crashes = self.script.crashes.clone();
        crashes.sort_unstable();
        let mut crashes = crashes.into_iter().peekable();
        for tick in 1..=self.script.until_ms / 200 {
            let end = tick * 200;
            self.contacts(end);
            if let Some((_, away)) = crashes.next_if(|(at, _)| *at <= end) {
                self.down_until = end + away;
                for index in std::mem::take(&mut self.held) {
                    self.due.push(std::cmp::Reverse((end, index)));
                }
                // What was set aside before is gone; who comes again is present again.
                self.people
                    .iter_mut()
                    .for_each(|person| person.present_ms = None);
            }
            if end >= self.down_until {
                self.tick(end);
                self.wake(end);
            }
        }
        self.judge()
    }

    fn tick(&mut self, at: u64) {
        if self.down_until > 0 {
            let settings = *self.room.settings();
            self.room = Room::restore(RoomId(7), settings, &self.saved, ms(at)).unwrap();
            self.down_until = 0;
        }
        let before = self.room.called_up_to();
        if self.room.tick(
            ms(at),
            Load {
                limit: 64,
                ..Load::default()
            },
        ) {
            self.saved = self.room.snapshot();
        }
        self.room.publish(ms(at));
        assert!(
            self.room.called_up_to() >= before,
            "the watermark never moves back"
        );
    }

    fn contacts(&mut self, until: u64) {
        while let Some(&std::cmp::Reverse((at, index))) = self.due.peek()
            && at < until
        {
            self.due.pop();
            if self.down_until > 0 {
                self.people[index].present_ms = None;
                self.due
                    .push(std::cmp::Reverse((until + self.dice.below(1_500), index)));
                continue;
            }
            self.contact(at, index);
        }
    }

    fn contact(&mut self, at: u64, index: usize) {
        let person = &mut self.people[index];
        person.held_ms = None;
        if at > person.leaves_ms {
            return;
        }
        self.outcome.polls += 1;
        let turn = match &person.ticket {
            None => self.room.arrive(ms(at), person.id),
            Some(ticket) if person.enters => self.room.poll(ms(at), ticket),
            Some(_) => return self.asks(at, index),
        };
        match turn {
            Turn::Through | Turn::Enter(_) => {
                person.entered_ms = Some(at);
                self.outcome.entries.push(at);
                if turn == Turn::Through {
                    // It took nothing from those who are on the way to a token of theirs.
                    person.called_ms = Some(0);
                    self.room.grant(ms(at), person.id);
                }
            }
            Turn::Wait(kept, told) => self.waits(at, index, &kept, &told),
        }
    }

    fn asks(&mut self, at: u64, index: usize) {
        let person = &mut self.people[index];
        let ticket = person.ticket.unwrap();
        let how = Asking {
            hidden: false,
            can_wait: true,
        };
        let asked = self.room.ask(ms(at), &ticket, how);
        match asked.hold {
            Some(hold) => {
                person.ticket = Some(asked.ticket);
                person.held_ms = Some(at + hold.as_millis() as u64);
                self.held.push(index);
            }
            None => self.waits(at, index, &asked.ticket, &asked.told),
        }
    }

    /// Those whose answer is held ask again when there is something better to say, in order.
    fn wake(&mut self, at: u64) {
        let mut held = std::mem::take(&mut self.held);
        let place = |ticket: Ticket| Place::of(ticket.arrived, ticket.id);
        held.sort_by_key(|&index| self.people[index].ticket.map(place));
        held.retain(|&index| {
            let person = &self.people[index];
            let due = person
                .ticket
                .is_some_and(|ticket| self.room.is_due(&ticket));
            let over = person.held_ms.is_none_or(|until| until <= at);
            if due || over {
                self.contact(at, index);
            }
            !due && !over
        });
        self.held.append(&mut held);
    }

    fn waits(&mut self, at: u64, index: usize, kept: &Ticket, told: &Told) {
        let person = &mut self.people[index];
        let before = person.ticket.and_then(|ticket| ticket.least_ahead);
        if let (Some(before), Some(ahead)) = (before, told.ahead) {
            assert!(ahead <= before, "told {ahead} after {before}");
        }
        if let Some(arrived) = person.arrived {
            assert_eq!(arrived, kept.arrived, "nobody starts over");
        }
        person.arrived = Some(kept.arrived);
        person.ticket = Some(*kept);
        let called = matches!(told.state, TurnState::Called | TurnState::Open);
        person.enters = called;
        if called {
            self.outcome.turns += 1;
            person.called_ms = person.called_ms.or(Some(at));
            person.present_ms = person.present_ms.or(Some(at));
        }
        let late = self.dice.below(100) < self.script.sleepy;
        person.late |= late && called;
        if person.late {
            // Whoever is away is passed, and enters first afterwards.
            person.present_ms = None;
        }
        let late = if late { self.dice.below(60_000) } else { 40 };
        let after = if called {
            3_000
        } else {
            told.poll_after.as_millis() as u64
        };
        if !person.ghost {
            self.due.push(std::cmp::Reverse((at + after + late, index)));
        }
    }

    fn judge(mut self) -> Outcome {
        let mut placed: Vec<_> = self
            .people
            .iter()
            .filter_map(|person| Some((person.ticket?, person.present_ms?, person.entered_ms?)))
            .map(|(ticket, called, entered)| {
                (Place::of(ticket.arrived, ticket.id), called, entered)
            })
            .collect();
        placed.sort_unstable();
        let late = placed
            .iter()
            .filter(|(_, called, entered)| entered - called > 2_000);
        let passed = |(place, called, entered): &&(Place, u64, u64)| {
            self.people.iter().any(|other| {
                let later = other
                    .ticket
                    .is_none_or(|t| Place::of(t.arrived, t.id) > *place);
                // A token that was set aside before they came is not theirs.
                let came_later = other.called_ms.is_none_or(|came| came > *called);
                let between = |at: u64| at > *called && at + 2_000 < *entered;
                later && came_later && other.entered_ms.is_some_and(between)
            })
        };
        self.outcome.overtaken = late.filter(passed).count();
        let outside = |person: &&Person| {
            !person.ghost && person.leaves_ms == u64::MAX && person.entered_ms.is_none()
        };
        self.outcome.left_outside = self.people.iter().filter(outside).count();
        self.outcome.entries.sort_unstable();
        self.outcome
    }
}

#[test]
fn everybody_patient_gets_in_at_the_rate_and_in_order() {
    let outcome = Crowd::new(Script::default()).run();
    assert_eq!(outcome.left_outside, 0);
    assert_eq!(outcome.overtaken, 0);
    assert!(outcome.excess(20) <= 28.0, "{}", outcome.excess(20));
    let used = outcome.entered_between(10_000, 130_000);
    assert!(used >= 2_350, "98 % of 2,400, found {used}");
}

#[test]
fn ghosts_and_leavers_leave_no_place_unused() {
    for seed in 1..4 {
        let outcome = Crowd::new(Script {
            seed,
            arrivals: 12_000,
            arrive_within_ms: 120_000,
            ghosts: 50,
            patience_ms: Some(120_000),
            ..Script::default()
        })
        .run();
        let used = outcome.entered_between(20_000, 140_000);
        assert!(
            used >= 2_280,
            "95 % of 2,400, found {used} with seed {seed}"
        );
        assert_eq!(outcome.overtaken, 0);
        assert!(outcome.excess(20) <= 28.0, "{}", outcome.excess(20));
    }
}

#[test]
fn tabs_in_the_background_keep_their_turn() {
    // A fifth of all polls come up to a minute late, also of those who are called.
    let outcome = Crowd::new(Script {
        sleepy: 20,
        until_ms: 400_000,
        ..Script::default()
    })
    .run();
    assert_eq!(outcome.left_outside, 0);
    assert!(outcome.overtaken <= 3, "0.1 %: {}", outcome.overtaken);
    let used = outcome.entered_between(10_000, 130_000);
    assert!(used >= 2_160, "90 % of 2,400, found {used}");
}

#[test]
fn clients_without_cookies_enter_at_the_rate() {
    let outcome = Crowd::new(Script {
        ghosts: 100,
        arrivals: 30_000,
        ..Script::default()
    })
    .run();
    let used = outcome.entered_between(10_000, 60_000);
    assert!(used >= 950, "95 % of 1,000, found {used}");
    assert!(outcome.excess(20) <= 28.0, "{}", outcome.excess(20));
}

#[test]
fn a_crash_costs_nobody_the_place() {
    let crashes = vec![
        (15_000, 500),
        (31_400, 3_000),
        (32_000, 200),
        (70_000, 5_000),
    ];
    let outcome = Crowd::new(Script {
        crashes,
        ..Script::default()
    })
    .run();
    assert_eq!(outcome.left_outside, 0);
    // Who was to be told next comes after those who had been told.
    assert!(outcome.overtaken <= 2, "{}", outcome.overtaken);
    assert!(outcome.excess(20) <= 28.0, "{}", outcome.excess(20));
}

#[test]
fn waiting_costs_few_polls() {
    let outcome = Crowd::new(Script::default()).run();
    // On average 40 s of waiting: a dozen contacts each is an appointment, not a heartbeat.
    assert!(outcome.polls < 3_000 * 12, "{}", outcome.polls);
    assert!(outcome.turns < 3_000 * 101 / 100, "{}", outcome.turns);
}

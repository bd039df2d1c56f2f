//! Whether the origin breaks like a real one: people against its engine, in virtual time.
//!
//! Open loop: people want pages at a given rate whether or not they get any. Who gets
//! nothing reloads, tries again after a reset, and gives up in the end, as the crowd's
//! visitors do on real sockets.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use super::class::Class;
use super::settings::OriginSettings;
use super::work::{Demand, Work};
use crate::dice::Dice;

/// Who gets nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// After so long without an answer, most people reload.
const RELOAD_AFTER: Duration = Duration::from_secs(4);
/// So many of them.
const RELOADS: f64 = 0.7;
/// After a reset, people try again about so much later.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// Goodput is looked at over as long as this.
const STRETCH: Duration = Duration::from_secs(10);

/// Somebody who wants a page.
struct Person {
    since: Duration,
    /// The try that would still be answered to somebody.
    attempt: u32,
}

/// A try: whose, and which of theirs.
type Attempt = (u64, u32);

/// What happens outside of the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Comes,
    Tries(Attempt),
    HasWaited(Attempt),
}

struct World {
    work: Work<Attempt>,
    settings: OriginSettings,
    /// At most so many in the origin at once, if something in front sees to that.
    limit: Option<usize>,
    /// Who waits in front of it, the newest last, who is let in first: nobody has been
    /// waiting for long then, and reloads just when it is their turn.
    line: Vec<Attempt>,
    people: HashMap<u64, Person>,
    events: BinaryHeap<Reverse<(Duration, Event)>>,
    dice: Dice,
    /// Useful answers in time, per stretch.
    in_time: Vec<u32>,
    /// Pages wanted for the first time, per stretch.
    wanted: Vec<u32>,
    arrived: HashMap<Attempt, Duration>,
}

impl World {
    /// Runs for as long as `load` says (times the peak, for how many stretches); returns
    /// the goodput of each stretch: useful in time ÷ min(peak, wanted).
    fn goodput(settings: &OriginSettings, limit: Option<u32>, load: &[(f64, usize)]) -> Vec<f64> {
        let mut world = Self {
            work: Work::new(settings.clone()),
            limit: limit.map(|limit| limit as usize),
            line: Vec::new(),
            people: HashMap::new(),
            events: BinaryHeap::new(),
            dice: Dice::new(settings.seed),
            in_time: Vec::new(),
            wanted: Vec::new(),
            arrived: HashMap::new(),
            settings: settings.clone(),
        };
        let load = load.iter();
        let load: Vec<f64> = load
            .flat_map(|(load, stretches)| vec![*load; *stretches])
            .collect();
        world.in_time = vec![0; load.len()];
        world.wanted = vec![0; load.len()];
        world.run(&load);
        let most = settings.peak() * STRETCH.as_secs_f64();
        let stretches = world.in_time.iter().zip(&world.wanted);
        stretches
            .map(|(in_time, wanted)| f64::from(*in_time) / f64::from(*wanted).min(most))
            .collect()
    }

    fn run(&mut self, load: &[f64]) {
        let ends = STRETCH * load.len() as u32;
        self.events.push(Reverse((Duration::ZERO, Event::Comes)));
        let mut person = 0;
        while let Some(Reverse((at, event))) = self.events.pop()
            && at < ends
        {
            self.work_until(at);
            match event {
                Event::Comes => {
                    person += 1;
                    let stretch = stretch(at);
                    self.wanted[stretch] += 1;
                    let since = at;
                    let attempt = 0;
                    self.people.insert(person, Person { since, attempt });
                    self.tries((person, 0), at);
                    let rate = load[stretch] * self.settings.peak();
                    let gap = Duration::from_secs_f64(self.dice.exponential() / rate);
                    self.events.push(Reverse((at + gap, Event::Comes)));
                }
                Event::Tries(attempt) => self.tries(attempt, at),
                Event::HasWaited(attempt) => self.has_waited(attempt, at),
            }
        }
    }

    /// Lets the origin work, and whoever waits in front of it in when there is room.
    fn work_until(&mut self, now: Duration) {
        while let Some(next) = self.work.next()
            && next <= now
        {
            for (at, attempt) in self.work.advance(next) {
                let arrived = self.arrived.remove(&attempt).unwrap_or_default();
                if self.is_current(attempt) {
                    self.people.remove(&attempt.0);
                    self.in_time[stretch(at)] += u32::from(at - arrived <= self.settings.deadline);
                }
            }
            self.let_in(next);
        }
        self.work.advance(now);
    }

    fn let_in(&mut self, now: Duration) {
        while self.limit.is_some_and(|limit| self.work.len() < limit)
            && let Some(attempt) = self.line.pop()
        {
            // Who has left the line is known in front of the origin, and not in it.
            if self.is_current(attempt) {
                self.send(attempt, now);
            }
        }
    }

    fn tries(&mut self, attempt: Attempt, now: Duration) {
        if !self.is_current(attempt) {
            return;
        }
        let waited = now + RELOAD_AFTER;
        self.events
            .push(Reverse((waited, Event::HasWaited(attempt))));
        if self.limit.is_some() {
            self.line.push(attempt);
            self.let_in(now);
        } else {
            self.send(attempt, now);
        }
    }

    fn send(&mut self, attempt: Attempt, now: Duration) {
        let demand = Demand::draw(&self.settings, Class::Page, &mut self.dice);
        if self.work.arrive(0, demand, attempt).is_ok() {
            self.arrived.insert(attempt, now);
        } else {
            let pause = AGAIN_AFTER.mul_f64(self.dice.between(0.5, 1.5));
            self.again(attempt.0, now + pause);
        }
    }

    fn has_waited(&mut self, attempt: Attempt, now: Duration) {
        if !self.is_current(attempt) {
            return;
        }
        let (person, _try) = attempt;
        if now - self.people[&person].since >= PATIENCE {
            self.people.remove(&person);
        } else if self.dice.chance(RELOADS) {
            self.again(person, now);
        } else {
            let later = now + RELOAD_AFTER;
            self.events
                .push(Reverse((later, Event::HasWaited(attempt))));
        }
    }

    /// One more try at `at`; what was asked before is for nobody any more.
    fn again(&mut self, person: u64, at: Duration) {
        let Some(known) = self.people.get_mut(&person) else {
            return;
        };
        if at.saturating_sub(known.since) >= PATIENCE {
            self.people.remove(&person);
            return;
        }
        known.attempt += 1;
        let attempt = (person, known.attempt);
        self.events.push(Reverse((at, Event::Tries(attempt))));
    }

    fn is_current(&self, (person, attempt): Attempt) -> bool {
        self.people
            .get(&person)
            .is_some_and(|known| known.attempt == attempt)
    }
}

fn stretch(at: Duration) -> usize {
    (at.as_secs() / STRETCH.as_secs()) as usize
}

/// Calm, then twice the peak for 30 s, then 0.7 of it for two minutes.
const SURGE: [(f64, usize); 3] = [(0.7, 2), (2.0, 3), (0.7, 12)];

/// From when the surge has ended: its last stretch and all that follow.
const AFTER: usize = 4;

#[test]
fn twice_its_peak_for_half_a_minute_ruins_it_for_two_more() {
    let goodput = World::goodput(&OriginSettings::default(), None, &SURGE);
    assert!(
        goodput[..2].iter().all(|calm| *calm > 0.97),
        "{goodput:.3?}"
    );
    let best = goodput[AFTER..].iter().copied().fold(0.0, f64::max);
    assert!(best < 0.1, "{goodput:.3?}");
}

#[test]
fn at_less_than_its_peak_from_the_beginning_it_serves_everybody() {
    let goodput = World::goodput(&OriginSettings::default(), None, &[(0.7, 15)]);
    assert!(goodput.iter().all(|part| *part >= 0.97), "{goodput:.3?}");
}

#[test]
fn with_the_best_number_in_flight_as_a_limit_in_front_it_never_collapses() {
    let settings = OriginSettings::default();
    let best = settings.best_concurrency();
    let goodput = World::goodput(&settings, Some(best), &SURGE);
    assert!(goodput.iter().all(|part| *part >= 0.9), "{goodput:.3?}");
}

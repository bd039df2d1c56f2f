//! Clients, the gate with its queue, and the origin, event by event.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use forebay_admission::limit::{Adaptive, Bounds, Exposure};
use forebay_admission::priority::{PerClass, Priority};
use forebay_admission::queue::{Gauge, Queue, Settings};
use forebay_admission::time::Timestamp;

use super::dice::Dice;
use super::origin::{Model, Origin};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Control {
    Fixed(u32),
    Adaptive,
}

#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Totals {
    /// First tries.
    pub(crate) asked: u64,
    /// Times somebody was turned away.
    pub(crate) shed: u64,
    /// Answers within the deadline.
    pub(crate) useful: u64,
    /// Those who gave up after their last try, by class.
    pub(crate) lost: PerClass<u64>,
    /// Those who were answered in time, by class.
    pub(crate) served: PerClass<u64>,
}

/// One request of a client.
#[derive(Clone, Copy)]
struct Ask {
    class: Priority,
    /// When it was first tried, and when this time, in seconds.
    first: f64,
    at: f64,
    tries: u32,
}

/// A request at the origin.
#[derive(Clone, Copy)]
struct Slot {
    ask: Ask,
    serial: u64,
    young: bool,
}

const TICK: f64 = 0.05;
/// Within so many seconds an answer is of use.
const DEADLINE: f64 = 10.0;
/// So often somebody asks.
const TRIES: u32 = 3;
/// The numbers of the house where an operator says nothing.
const QUEUE: Settings = Settings {
    length: None,
    submit: Duration::from_secs(30),
    visitor: Duration::from_secs(5),
    stranger: None,
};

pub(crate) struct World {
    pub(crate) origin: Origin,
    /// Whose request comes next; strangers' where nothing is said.
    pub(crate) mix: fn(&mut Dice) -> Priority,
    control: Control,
    law: Adaptive,
    dice: Dice,
    now: f64,
    in_flight: u32,
    held: PerClass<u32>,
    queue: Queue<Ask>,
    slots: Vec<Slot>,
    free: Vec<u64>,
    starts: VecDeque<(f64, u64, u64)>,
    serial: u64,
    young: u32,
    again: BinaryHeap<Reverse<Again>>,
    exposure: Exposure,
    pressed: bool,
    totals: Totals,
    limit_area: f64,
    limit_since: f64,
}

/// Somebody who asks once more, at so many nanoseconds.
struct Again(u64, Ask);

impl PartialEq for Again {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for Again {}
impl PartialOrd for Again {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Again {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

fn stamp(at: f64) -> Timestamp {
    Timestamp::from_nanos((at * 1e9) as u64)
}

impl World {
    pub(crate) fn new(model: Model, control: Control, seed: u64) -> Self {
        let bounds = Bounds { min: 3, max: 1000 };
        let law = Adaptive::new(bounds, Exposure::default(), stamp(0.0));
        let limit = match control {
            Control::Fixed(limit) => limit,
            Control::Adaptive => law.current(),
        };
        Self {
            origin: Origin::new(model),
            mix: |_| Priority::Stranger,
            control,
            law,
            dice: Dice(seed),
            now: 0.0,
            in_flight: 0,
            held: PerClass::default(),
            queue: Queue::new(QUEUE, limit),
            slots: Vec::new(),
            free: Vec::new(),
            starts: VecDeque::new(),
            serial: 0,
            young: 0,
            again: BinaryHeap::new(),
            exposure: Exposure::default(),
            pressed: false,
            totals: Totals::default(),
            limit_area: 0.0,
            limit_since: 0.0,
        }
    }

    fn limit(&self) -> u32 {
        match self.control {
            Control::Fixed(limit) => limit,
            Control::Adaptive => self.law.current(),
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    pub(crate) fn mean_limit(&self) -> f64 {
        self.limit_area / (self.now - self.limit_since)
    }

    fn advance(&mut self, to: f64) {
        let span = (to - self.now).max(0.0);
        let nanos = (span * 1e9) as u64;
        if self.pressed {
            let exposure = &mut self.exposure;
            exposure.pressed += Duration::from_nanos(nanos);
            let area = nanos.wrapping_mul(u64::from(self.in_flight));
            exposure.area = exposure.area.wrapping_add(area);
            let young = nanos.wrapping_mul(u64::from(self.young));
            exposure.young_area = exposure.young_area.wrapping_add(young);
        }
        self.limit_area += span * f64::from(self.limit());
        self.origin.to(to);
        self.now = to;
    }

    fn update(&mut self) {
        self.pressed = self.in_flight >= self.limit() || !self.queue.is_empty();
        self.exposure.in_flight = self.in_flight;
    }

    fn begin(&mut self, ask: Ask) {
        let weight = self.origin.model.weight(&mut self.dice);
        self.in_flight += 1;
        self.serial += 1;
        *self.held.get_mut(ask.class) += 1;
        let slot = Slot {
            ask,
            serial: self.serial,
            // Only the path under pressure keeps these counts.
            young: self.pressed,
        };
        let id = if let Some(id) = self.free.pop() {
            self.slots[id as usize] = slot;
            id
        } else {
            self.slots.push(slot);
            self.slots.len() as u64 - 1
        };
        if self.pressed {
            self.young += 1;
            self.starts.push_back((self.now, id, self.serial));
        }
        self.origin.arrive(weight, id);
    }

    fn finish(&mut self) {
        let id = self.origin.finish();
        let slot = self.slots[id as usize];
        self.slots[id as usize].serial = 0;
        self.free.push(id);
        self.in_flight -= 1;
        *self.held.get_mut(slot.ask.class) -= 1;
        self.exposure.good += 1;
        self.exposure.pressed_good += u64::from(self.pressed);
        if slot.young {
            self.young -= 1;
            self.exposure.young_good += u64::from(self.pressed);
        }
        if self.now - slot.ask.at < DEADLINE {
            self.totals.useful += 1;
            *self.totals.served.get_mut(slot.ask.class) += 1;
        }
        self.serve();
    }

    fn come(&mut self) {
        self.totals.asked += 1;
        let ask = Ask {
            class: (self.mix)(&mut self.dice),
            first: self.now,
            at: self.now,
            tries: 1,
        };
        self.ask(ask);
    }

    fn ask(&mut self, ask: Ask) {
        if self.in_flight < self.limit() && self.queue.is_empty() {
            self.begin(ask);
            return;
        }
        let (first, now) = (stamp(ask.first), stamp(self.now));
        let shed = match self.queue.push(ask.class, first, now, ask) {
            Ok(pushed) => pushed.evicted.map(|(_, ask)| ask),
            Err(ask) => Some(ask),
        };
        shed.into_iter().for_each(|ask| self.shed(ask));
    }

    fn shed(&mut self, ask: Ask) {
        self.totals.shed += 1;
        if ask.tries >= TRIES {
            *self.totals.lost.get_mut(ask.class) += 1;
            return;
        }
        let at = self.now + 2.0 + 2.0 * self.dice.unit();
        let tries = ask.tries + 1;
        let ask = Ask { at, tries, ..ask };
        self.again.push(Reverse(Again((at * 1e9) as u64, ask)));
    }

    fn serve(&mut self) {
        while self.in_flight < self.limit() {
            let Some((_, ask)) = self.queue.pop(stamp(self.now), &self.held) else {
                return;
            };
            self.begin(ask);
        }
    }

    fn gauge(&self) -> Gauge {
        let (response, starting) = match self.control {
            Control::Fixed(limit) => {
                let response = f64::from(limit) / self.origin.model.peak().1;
                (Some(Duration::from_secs_f64(response)), false)
            }
            Control::Adaptive => (self.law.response(), self.law.starting()),
        };
        Gauge {
            limit: self.limit(),
            response,
            starting,
            free: self.in_flight < self.limit(),
        }
    }

    fn tick(&mut self) {
        if self.control == Control::Adaptive {
            self.law.tick(self.exposure, stamp(self.now));
        }
        let gone = self.queue.tick(self.gauge(), stamp(self.now));
        for (_, ask) in gone.late.into_iter().chain(gone.crowded) {
            self.shed(ask);
        }
        self.serve();
        let youth = self.law.youth().as_secs_f64();
        while let Some((at, id, serial)) = self.starts.front().copied()
            && self.now - at > youth
        {
            self.starts.pop_front();
            let slot = &mut self.slots[id as usize];
            if slot.serial == serial && slot.young {
                slot.young = false;
                self.young -= 1;
            }
        }
    }

    pub(crate) fn run(&mut self, seconds: f64, rate: f64) {
        let end = self.now + seconds;
        let mut arrival = self.now + self.dice.exponential() / rate;
        let mut tick = (self.now / TICK).floor() * TICK + TICK;
        self.limit_area = 0.0;
        self.limit_since = self.now;
        loop {
            let finish = self.origin.next().unwrap_or(f64::INFINITY);
            let again = self
                .again
                .peek()
                .map_or(f64::INFINITY, |Reverse(again)| again.0 as f64 * 1e-9);
            let next = finish.min(arrival).min(tick).min(again);
            if next >= end {
                self.advance(end);
                return;
            }
            self.advance(next);
            if next == finish {
                self.finish();
            } else if next == arrival {
                self.come();
                arrival = self.now + self.dice.exponential() / rate;
            } else if next == again {
                let Reverse(Again(_, ask)) = self.again.pop().unwrap();
                self.ask(ask);
            } else {
                self.tick();
                tick += TICK;
            }
            self.update();
        }
    }
}

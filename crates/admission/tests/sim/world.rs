//! Clients, the gate with its queue, and the origin, event by event.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use forebay_admission::limit::{Adaptive, Bounds, Exposure};
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
    pub(crate) shed: u64,
    pub(crate) useful: u64,
}

const TICK: f64 = 0.05;
const DEADLINE: f64 = 10.0;

pub(crate) struct World {
    pub(crate) origin: Origin,
    control: Control,
    law: Adaptive,
    dice: Dice,
    now: f64,
    in_flight: u32,
    queue: VecDeque<(f64, u32)>,
    standing: bool,
    full_at: f64,
    arrived: Vec<f64>,
    begun: Vec<(f64, u64, bool)>,
    starts: VecDeque<(f64, u64, u64)>,
    serial: u64,
    young: u32,
    free: Vec<u64>,
    retries: BinaryHeap<Reverse<(u64, u32)>>,
    exposure: Exposure,
    pressed: bool,
    totals: Totals,
    limit_area: f64,
    limit_since: f64,
}

fn stamp(at: f64) -> Timestamp {
    Timestamp::from_nanos((at * 1e9) as u64)
}

impl World {
    pub(crate) fn new(model: Model, control: Control, seed: u64) -> Self {
        let bounds = Bounds { min: 3, max: 1000 };
        Self {
            origin: Origin::new(model),
            control,
            law: Adaptive::new(bounds, Exposure::default(), stamp(0.0)),
            dice: Dice(seed),
            now: 0.0,
            in_flight: 0,
            queue: VecDeque::new(),
            standing: false,
            full_at: 0.0,
            arrived: Vec::new(),
            begun: Vec::new(),
            starts: VecDeque::new(),
            serial: 0,
            young: 0,
            free: Vec::new(),
            retries: BinaryHeap::new(),
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
        let area = nanos.wrapping_mul(u64::from(self.in_flight));
        if self.pressed {
            self.exposure.pressed += Duration::from_nanos(nanos);
            self.exposure.area = self.exposure.area.wrapping_add(area);
            self.exposure.young_area = self
                .exposure
                .young_area
                .wrapping_add(nanos.wrapping_mul(u64::from(self.young)));
        }
        self.limit_area += span * f64::from(self.limit());
        self.origin.to(to);
        self.now = to;
    }

    fn update(&mut self) {
        self.pressed = self.in_flight >= self.limit() || !self.queue.is_empty();
        self.exposure.in_flight = self.in_flight;
    }

    fn begin(&mut self, arrived: f64) {
        let weight = self.origin.model.weight(&mut self.dice);
        let id = self.free.pop().unwrap_or_else(|| {
            self.arrived.push(0.0);
            self.begun.push((0.0, 0, false));
            self.arrived.len() as u64 - 1
        });
        self.arrived[id as usize] = arrived;
        self.in_flight += 1;
        self.serial += 1;
        // Only the path under pressure keeps these counts.
        self.begun[id as usize] = (self.now, self.serial, self.pressed);
        if self.pressed {
            self.young += 1;
            self.starts.push_back((self.now, id, self.serial));
        }
        self.origin.arrive(weight, id);
    }

    fn ask(&mut self, tries: u32) {
        if self.in_flight < self.limit() && self.queue.is_empty() {
            self.begin(self.now);
            return;
        }
        let bound = if self.standing {
            (self.limit() as usize / 2).max(8)
        } else {
            (4 * self.limit() as usize).max(1024)
        };
        self.queue.push_back((self.now, tries));
        if self.queue.len() > bound {
            self.standing = true;
            let (_at, tries) = self.queue.pop_front().unwrap();
            self.shed(tries);
        }
    }

    fn shed(&mut self, tries: u32) {
        self.totals.shed += 1;
        if tries < 3 {
            let at = self.now + 2.0 + 2.0 * self.dice.unit();
            self.retries.push(Reverse(((at * 1e9) as u64, tries + 1)));
        }
    }

    fn serve(&mut self) {
        while self.in_flight < self.limit() && !self.queue.is_empty() {
            let (at, _tries) = if self.standing {
                self.queue.pop_back()
            } else {
                self.queue.pop_front()
            }
            .unwrap();
            self.begin(at);
        }
        if self.queue.is_empty() && self.in_flight < self.limit() {
            if self.now - self.full_at > 0.05 {
                self.standing = false;
            }
        } else {
            self.full_at = self.now;
        }
    }

    fn law_response(&self) -> f64 {
        match self.control {
            Control::Fixed(limit) => f64::from(limit) / self.origin.model.peak().1,
            Control::Adaptive => self.law.response().as_secs_f64(),
        }
    }

    fn starting(&self) -> bool {
        self.control == Control::Adaptive && self.law.starting()
    }

    fn tick(&mut self) {
        if self.control == Control::Adaptive {
            self.law.tick(self.exposure, stamp(self.now));
        }
        let response = self.law_response();
        let (long, short) = ((8.0 * response).clamp(2.0, 10.0), (0.5 * response).max(0.1));
        if let Some((at, _)) = self.queue.front()
            && self.now - at > long / 2.0
            && !self.starting()
        {
            self.standing = true;
        }
        let bound = if self.standing { short } else { long };
        while let Some((at, tries)) = self.queue.front().copied()
            && self.now - at > bound
        {
            self.queue.pop_front();
            self.shed(tries);
        }
        self.serve();
        let youth = self.law.youth().as_secs_f64();
        while let Some((at, id, serial)) = self.starts.front().copied()
            && self.now - at > youth
        {
            self.starts.pop_front();
            let begun = &mut self.begun[id as usize];
            if begun.1 == serial && begun.2 {
                begun.2 = false;
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
            let retry = self
                .retries
                .peek()
                .map_or(f64::INFINITY, |Reverse((at, _))| *at as f64 * 1e-9);
            let next = finish.min(arrival).min(tick).min(retry);
            if next >= end {
                self.advance(end);
                return;
            }
            self.advance(next);
            if next == finish {
                let id = self.origin.finish();
                self.in_flight -= 1;
                self.exposure.good += 1;
                let (_, _, young) = std::mem::take(&mut self.begun[id as usize]);
                if young {
                    self.young -= 1;
                    self.exposure.young_good += u64::from(self.pressed);
                }
                if self.pressed {
                    self.exposure.pressed_good += 1;
                }
                if self.now - self.arrived[id as usize] < DEADLINE {
                    self.totals.useful += 1;
                }
                self.free.push(id);
                self.serve();
            } else if next == arrival {
                self.ask(1);
                arrival = self.now + self.dice.exponential() / rate;
            } else if next == retry {
                let Reverse((_, tries)) = self.retries.pop().unwrap();
                self.ask(tries);
            } else {
                self.tick();
                tick += TICK;
            }
            self.update();
        }
    }
}

//! The room, the gate with its queue, the origin and everybody, event by event.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use forebay_admission::credential::RoomId;
use forebay_admission::limit::{Adaptive, Bounds, Exposure};
use forebay_admission::pass::Standing;
use forebay_admission::priority::{PerClass, Priority, Traits};
use forebay_admission::queue::{Gauge, Queue, Settings};
use forebay_admission::room::{Asking, InletRule, Load, Room, Status, Told, Turn, TurnState};
use forebay_admission::time::{Timestamp, WallTime};

use super::dice::Dice;
use super::origin::Origin;
use super::scene::{Inlet, Limit, Scene};
use super::visitor::{At, LEAVES_AFTER, ONE_MOMENT, PATIENCE, TRIP, Visitor};

const START: u64 = 1_800_000_000_000;
const ROOM_TICK: f64 = 0.2;
const GATE_TICK: f64 = 0.05;
/// Added to the page's number while its parts are asked for.
const PARTS_FROM: u32 = 1_000;
const QUEUE: Settings = Settings {
    length: None,
    submit: Duration::from_secs(30),
    visitor: Duration::from_secs(5),
    stranger: None,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Comes,
    Asks(usize),
    Polls(usize),
    RoomTicks,
    GateTicks,
    Turns(usize),
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) arrived: u64,
    pub(crate) entered: u64,
    pub(crate) completed: u64,
    /// Visits in progress at the end, each by its share of pages.
    pub(crate) begun: f64,
    pub(crate) lost: u64,
    pub(crate) left_by_choice: u64,
    /// Gave up inside, before a form was begun.
    pub(crate) gave_up: u64,
    pub(crate) one_moment: u64,
    pub(crate) held: u64,
    pub(crate) reloads: u64,
    pub(crate) refused: u64,
    /// By second: useful answers, visitors inside, and requests of them in the queue.
    pub(crate) served: Vec<u64>,
    pub(crate) inside: Vec<u64>,
    pub(crate) queued: Vec<u32>,
    pub(crate) entries: Vec<u64>,
    pub(crate) status: Vec<Status>,
}

pub(crate) struct World {
    scene: Scene,
    pub(crate) room: Room,
    line: VecDeque<usize>,
    /// Whose poll is held.
    waiting: Vec<usize>,
    origin: Origin,
    dead: bool,
    best: u32,
    law: Adaptive,
    queue: Queue<usize>,
    held: PerClass<u32>,
    load: Load,
    exposure: Exposure,
    pressed: bool,
    dice: Dice,
    now: f64,
    visitors: Vec<Visitor>,
    /// By request at the origin: whose it is.
    requests: Vec<(usize, Priority)>,
    free: Vec<usize>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    sequence: u64,
    inside: u64,
    second: (u64, u64),
    pub(crate) seen: Seen,
}

fn stamp(at: f64) -> Timestamp {
    Timestamp::from_nanos((at * 1e9) as u64)
}

impl World {
    pub(crate) fn new(scene: Scene) -> Self {
        let model = scene.origin[0].model;
        let bounds = Bounds { min: 3, max: 1000 };
        let start = WallTime::from_millis(START);
        let mut settings = scene.settings;
        if let Inlet::Room(rule) = scene.inlet {
            settings.inlet = rule;
        }
        let mut world = Self {
            room: Room::new(RoomId(7), settings, start),
            line: VecDeque::new(),
            waiting: Vec::new(),
            origin: Origin::new(model),
            dead: false,
            best: model.peak().0,
            law: Adaptive::new(bounds, Exposure::default(), stamp(0.0)),
            queue: Queue::new(QUEUE, 10),
            held: PerClass::default(),
            load: Load::default(),
            exposure: Exposure::default(),
            pressed: false,
            dice: Dice(scene.seed),
            now: 0.0,
            visitors: Vec::new(),
            requests: Vec::new(),
            free: Vec::new(),
            events: BinaryHeap::new(),
            sequence: 0,
            inside: 0,
            second: (0, 0),
            seen: Seen::default(),
            scene,
        };
        world.load.limit = world.limit();
        world.later(0.0, Event::Comes);
        world.later(ROOM_TICK, Event::RoomTicks);
        world.later(GATE_TICK, Event::GateTicks);
        for turn in 1..world.scene.origin.len() {
            world.later(world.scene.origin[turn].from, Event::Turns(turn));
        }
        world
    }

    pub(crate) fn run(mut self) -> Seen {
        while self.now < self.scene.seconds {
            let finish = self.origin.next().unwrap_or(f64::INFINITY);
            let due = self
                .events
                .peek()
                .map(|Reverse((at, ..))| *at as f64 * 1e-9);
            let due = due.unwrap_or(f64::INFINITY);
            self.advance(finish.min(due));
            if finish <= due {
                let request = self.origin.finish() as usize;
                self.finished(request);
            } else if let Some(Reverse((_, _, event))) = self.events.pop() {
                self.happens(event);
            }
            self.pressed = self.load.in_flight >= self.limit() || !self.queue.is_empty();
            self.load.queued = self.queue.len() as u32;
            self.exposure.in_flight = self.load.in_flight;
        }
        let inside = self.visitors.iter().filter(|one| one.at == At::Inside);
        let pages = f64::from(self.scene.pages);
        self.seen.begun = inside
            .map(|one| f64::from(one.page % PARTS_FROM) / pages)
            .sum();
        self.seen
    }

    fn limit(&self) -> u32 {
        match self.scene.limit {
            Limit::Known => self.best,
            Limit::Found => self.law.current(),
        }
    }

    fn wall(&self) -> WallTime {
        WallTime::from_millis(START + (self.now * 1e3) as u64)
    }

    fn later(&mut self, after: f64, event: Event) {
        let at = ((self.now + after.max(0.0)) * 1e9) as u64;
        self.sequence += 1;
        self.events.push(Reverse((at, self.sequence, event)));
    }

    fn advance(&mut self, to: f64) {
        let span = (to - self.now).max(0.0);
        if self.pressed {
            let nanos = (span * 1e9) as u64;
            self.load.pressed += Duration::from_nanos(nanos);
            self.exposure.pressed += Duration::from_nanos(nanos);
            let area = nanos.wrapping_mul(u64::from(self.load.in_flight));
            self.exposure.area = self.exposure.area.wrapping_add(area);
        }
        self.origin.to(to);
        self.now = self.now.max(to);
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Comes => self.comes(),
            Event::Asks(who) => self.asks(who),
            Event::Polls(who) => self.polls(who),
            Event::RoomTicks => self.room_ticks(),
            Event::GateTicks => self.gate_ticks(),
            Event::Turns(turn) => {
                let turn = self.scene.origin[turn];
                self.origin.model = turn.model;
                self.dead = turn.dead;
                self.best = turn.model.peak().0;
            }
        }
    }

    fn comes(&mut self) {
        let id = self.dice.next();
        let ghost = self.dice.next() % 1_000 < self.scene.ghosts;
        self.visitors.push(Visitor {
            id,
            at: At::Line,
            ghost,
            ticket: None,
            pass: None,
            leaves: self.now + 300.0 * self.dice.exponential(),
            since: self.now,
            page: 0,
            open: 0,
            entering: false,
            held: None,
        });
        self.seen.arrived += 1;
        let who = self.visitors.len() - 1;
        if self.scene.inlet == Inlet::Oracle {
            self.line.push_back(who);
        } else {
            self.asks(who);
        }
        let next = self.dice.exponential() / self.scene.rate(self.now);
        self.later(next, Event::Comes);
    }

    /// Asks for the page: from outside, from the line, or inside.
    fn asks(&mut self, who: usize) {
        let wall = self.wall();
        let visitor = &mut self.visitors[who];
        if visitor.at == At::Gone {
            return;
        }
        if visitor.at == At::Inside {
            if self.now - visitor.since > PATIENCE {
                return self.loses(who);
            }
            if let Some(pass) = visitor.pass {
                let rules = self.room.settings().pass;
                if pass.standing(wall, &rules) != Standing::Fresh {
                    visitor.pass = Some(self.room.renew(wall, &pass));
                }
            }
            return self.page(who);
        }
        if visitor.leaves < self.now {
            visitor.at = At::Gone;
            return;
        }
        let turn = match &visitor.ticket {
            None => self.room.arrive(wall, visitor.id),
            Some(ticket) => self.room.poll(wall, ticket),
        };
        match turn {
            Turn::Through => self.enters(who),
            Turn::Enter(pass) => {
                self.visitors[who].pass = Some(pass);
                self.enters(who);
            }
            Turn::Wait(ticket, told) => {
                self.seen.reloads += u64::from(told.state == TurnState::Called);
                self.holds(who, ticket, &told);
            }
        }
    }

    fn holds(&mut self, who: usize, ticket: forebay_admission::ticket::Ticket, told: &Told) {
        self.seen.held += 1;
        let visitor = &mut self.visitors[who];
        visitor.ticket = Some(ticket);
        if visitor.ghost {
            visitor.at = At::Gone;
            return;
        }
        if told.state == TurnState::Called {
            self.later(LEAVES_AFTER + TRIP, Event::Asks(who));
        } else if told.ahead.is_none() {
            let first = 0.3 + self.dice.unit();
            self.later(first + TRIP, Event::Polls(who));
        } else {
            self.appointment(who, told);
        }
    }

    fn appointment(&mut self, who: usize, told: &Told) {
        let seconds = told.poll_after.as_secs_f64().ceil().max(1.0);
        let earlier = 1.0 - self.dice.unit() / 20.0;
        self.later(seconds * earlier + TRIP, Event::Polls(who));
    }

    /// The page's script asks for the place: it claims nothing.
    fn polls(&mut self, who: usize) {
        let wall = self.wall();
        let visitor = &mut self.visitors[who];
        let Some(ticket) = visitor.ticket else { return };
        if visitor.leaves < self.now {
            visitor.at = At::Gone;
            return;
        }
        let how = Asking {
            hidden: false,
            can_wait: true,
        };
        let asked = self.room.ask(wall, &ticket, how);
        self.visitors[who].ticket = Some(asked.ticket);
        if matches!(asked.told.state, TurnState::Called | TurnState::Open) {
            return self.later(LEAVES_AFTER + TRIP, Event::Asks(who));
        }
        let Some(hold) = asked.hold else {
            return self.appointment(who, &asked.told);
        };
        let until = self.now + hold.as_secs_f64();
        if self.visitors[who].held.replace(until).is_none() {
            self.waiting.push(who);
        }
    }

    /// Answers those whose poll is held, once there is something better to say or time is over.
    fn wakes(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|&who| {
            let visitor = &mut self.visitors[who];
            let over = visitor.held.is_none_or(|until| until <= self.now);
            let due = visitor
                .ticket
                .is_some_and(|ticket| self.room.is_due(&ticket));
            if over || due {
                visitor.held = None;
                self.later(TRIP, Event::Polls(who));
            }
            !over && !due
        });
        self.waiting.append(&mut waiting);
    }

    fn enters(&mut self, who: usize) {
        let visitor = &mut self.visitors[who];
        visitor.at = At::Inside;
        visitor.since = self.now;
        visitor.entering = true;
        self.inside += 1;
        self.page(who);
    }

    fn page(&mut self, who: usize) {
        let visitor = &mut self.visitors[who];
        let inside = visitor.pass.is_some() || self.scene.inlet == Inlet::Oracle;
        self.load.tries += u64::from(inside && !visitor.entering);
        visitor.entering = false;
        visitor.open = 1;
        self.request(who, inside, !self.visitors[who].sends(), false);
    }

    fn request(&mut self, who: usize, inside: bool, safe: bool, part: bool) {
        if self.dead {
            self.seen.refused += 1;
            self.load.failed += 1;
            return self.turned_away(who, inside);
        }
        let traits = Traits {
            inside,
            safe,
            sub_resource: part,
            ..Traits::default()
        };
        let class = Priority::of(traits);
        if self.queue.is_empty() && self.load.in_flight < self.limit() {
            return self.begin(who, class);
        }
        let since = stamp(self.visitors[who].since);
        match self.queue.push(class, since, stamp(self.now), who) {
            Ok(pushed) => {
                if let Some((_, evicted)) = pushed.evicted {
                    self.shed(evicted);
                }
            }
            Err(who) => self.shed(who),
        }
    }

    fn begin(&mut self, who: usize, class: Priority) {
        self.load.in_flight += 1;
        *self.held.get_mut(class) += 1;
        let weight = self.origin.model.weight(&mut self.dice);
        let request = self.free.pop().unwrap_or_else(|| {
            self.requests.push((who, class));
            self.requests.len() - 1
        });
        self.requests[request] = (who, class);
        self.origin.arrive(weight, request as u64);
    }

    fn finished(&mut self, request: usize) {
        let (who, class) = self.requests[request];
        *self.held.get_mut(class) -= 1;
        self.free.push(request);
        self.load.in_flight -= 1;
        self.load.completed += 1;
        self.exposure.good += 1;
        self.exposure.pressed_good += u64::from(self.pressed);
        self.serve();
        self.answered(who);
    }

    fn answered(&mut self, who: usize) {
        let (wall, parts) = (self.wall(), self.scene.parts);
        let visitor = &mut self.visitors[who];
        self.second.0 += 1;
        if visitor.at == At::Gone {
            return;
        }
        if visitor.pass.is_none() && !visitor.ghost && self.scene.inlet != Inlet::Oracle {
            visitor.pass = Some(self.room.grant(wall, visitor.id));
        }
        let first = visitor.open == 1;
        visitor.open -= 1;
        if first && parts > 0 && visitor.page < PARTS_FROM {
            // The page itself: what it needs besides is asked for at once.
            visitor.open = parts + 1;
            visitor.page += PARTS_FROM;
            for _ in 0..parts {
                self.load.tries += 1;
                self.request(who, true, true, true);
            }
            return;
        }
        if visitor.open > 1 {
            return;
        }
        if visitor.page >= PARTS_FROM {
            visitor.page -= PARTS_FROM;
        }
        self.turns_page(who);
    }

    fn turns_page(&mut self, who: usize) {
        let stays = self.dice.next() % 1_000 >= self.scene.leaving;
        let visitor = &mut self.visitors[who];
        visitor.page += 1;
        if visitor.page >= self.scene.pages {
            visitor.at = At::Gone;
            self.inside -= 1;
            self.seen.completed += 1;
            return;
        }
        if visitor.ghost || !stays {
            visitor.at = At::Gone;
            self.inside -= 1;
            self.seen.left_by_choice += 1;
            return;
        }
        let (mean, spread) = self.scene.think;
        let normal = (-2.0 * (1.0 - self.dice.unit()).ln()).sqrt()
            * (std::f64::consts::TAU * self.dice.unit()).cos();
        let think = mean * (spread * normal - spread * spread / 2.0).exp();
        self.visitors[who].since = self.now + think;
        self.later(think, Event::Asks(who));
    }

    fn shed(&mut self, who: usize) {
        self.load.shed += 1;
        let inside = self.visitors[who].pass.is_some() || self.scene.inlet == Inlet::Oracle;
        self.turned_away(who, inside);
    }

    fn turned_away(&mut self, who: usize, inside: bool) {
        let wall = self.wall();
        if self.visitors[who].page >= PARTS_FROM {
            // A part of a page that is missing.
            return self.answered(who);
        }
        if inside {
            self.seen.one_moment += 1;
            let again = ONE_MOMENT * (0.75 + 0.5 * self.dice.unit());
            return self.later(again + TRIP, Event::Asks(who));
        }
        let visitor = &mut self.visitors[who];
        visitor.at = At::Line;
        self.inside -= 1;
        if self.dead {
            // An error page of the origin's: comes again by hand.
            return self.later(10.0, Event::Asks(who));
        }
        let (ticket, told) = self.room.shed(wall, visitor.id);
        self.holds(who, ticket, &told);
    }

    fn loses(&mut self, who: usize) {
        let visitor = &mut self.visitors[who];
        visitor.at = At::Gone;
        self.inside -= 1;
        if visitor.sends() {
            self.seen.lost += 1;
        } else {
            self.seen.gave_up += 1;
        }
    }

    fn serve(&mut self) {
        while self.load.in_flight < self.limit() {
            let Some((class, who)) = self.queue.pop(stamp(self.now), &self.held) else {
                break;
            };
            self.begin(who, class);
        }
        if self.scene.inlet == Inlet::Oracle {
            self.invite();
        }
    }

    fn invite(&mut self) {
        let turn = self.scene.turn(self.now);
        if turn.dead {
            return;
        }
        let most = turn.model.peak().1 / f64::from(1 + self.scene.parts) * self.scene.think.0
            + f64::from(self.best);
        while self.load.in_flight < self.limit()
            && self.queue.is_empty()
            && (self.inside as f64) < most
        {
            let Some(who) = self.line.pop_front() else {
                break;
            };
            if self.visitors[who].leaves < self.now {
                self.visitors[who].at = At::Gone;
                continue;
            }
            self.enters(who);
        }
    }

    fn gate_ticks(&mut self) {
        self.later(GATE_TICK, Event::GateTicks);
        if self.scene.limit == Limit::Found {
            self.law.tick(self.exposure, stamp(self.now));
        }
        self.load.limit = self.limit();
        self.load.starting = self.scene.limit == Limit::Found && self.law.starting();
        let response = match self.scene.limit {
            Limit::Known => {
                let response = f64::from(self.best) / self.origin.model.peak().1;
                Some(Duration::from_secs_f64(response))
            }
            Limit::Found => self.law.response(),
        };
        let gauge = Gauge {
            limit: self.limit(),
            response,
            starting: self.scene.limit == Limit::Found && self.law.starting(),
            free: self.load.in_flight < self.limit(),
        };
        let gone = self.queue.tick(gauge, stamp(self.now));
        for (_, who) in gone.late.into_iter().chain(gone.crowded) {
            self.shed(who);
        }
        self.serve();
    }

    fn room_ticks(&mut self) {
        self.later(ROOM_TICK, Event::RoomTicks);
        let wall = self.wall();
        // Who sets a rate by hand has nobody who looks at the origin.
        let load = match self.scene.inlet {
            Inlet::Room(InletRule::Rate(_)) => Load::default(),
            _ => self.load,
        };
        self.room.tick(wall, load);
        self.room.publish(wall);
        self.wakes();
        if self.now.floor() as usize > self.seen.served.len() {
            let status = self.room.status(wall);
            let entered = status.admitted_total;
            self.seen.entries.push(entered - self.second.1);
            self.second.1 = entered;
            self.seen.served.push(std::mem::take(&mut self.second.0));
            self.seen.inside.push(self.inside);
            self.seen.queued.push(self.load.queued);
            self.seen.status.push(status);
        }
        self.seen.entered = self.room.status(wall).admitted_total;
    }
}

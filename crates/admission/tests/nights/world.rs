//! The room and everybody before it, event by event; a tick of the room each 200 ms.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use forebay_admission::credential::RoomId;
use forebay_admission::rate::Rate;
use forebay_admission::room::{Asked, Asking, InletRule, Load, Mode, Room, Told, Turn, TurnState};
use forebay_admission::ticket::Ticket;
use forebay_admission::time::WallTime;
use forebay_admission::watermark::Place;

use super::account::{Account, Pulse};
use super::dice::Dice;
use super::night::{Death, Night, SECOND};
use super::visitor::{At, Kind, LEAVES_AFTER, NETWORK, NEVER, Step, THROTTLED_AFTER, Visitor};

const START: u64 = 1_800_000_000_000;
const TICK: u64 = 200;
const ROOM: RoomId = RoomId(7);
/// Answers that the shell keeps back at the same time.
const HELD_MAX: usize = 2_000;

/// An answer that is kept back.
struct Held {
    who: usize,
    until: u64,
}

pub(crate) struct World {
    night: Night,
    room: Room,
    saved: Vec<u8>,
    /// What the process takes for the time, less the true time.
    skew: i64,
    down_until: Option<u64>,
    deaths: VecDeque<Death>,
    dice: Dice,
    now: u64,
    comes: Option<u64>,
    /// The same in full: gaps may be shorter than a millisecond.
    last_came: f64,
    visitors: Vec<Visitor>,
    events: BinaryHeap<Reverse<(u64, u32, Step)>>,
    held: Vec<Held>,
    hoard: Vec<Ticket>,
    in_line: u64,
    live: u64,
    rate: u32,
    mode: Mode,
    pulse: Pulse,
    seen: Account,
}

impl World {
    pub(crate) fn new(night: Night) -> Self {
        let room = Room::new(ROOM, night.settings(), WallTime::from_millis(START));
        let mut deaths = night.deaths.clone();
        deaths.sort_by_key(|death| death.at);
        let mut world = Self {
            saved: room.snapshot(),
            room,
            skew: 0,
            down_until: None,
            deaths: deaths.into(),
            dice: Dice(night.seed),
            now: 0,
            comes: Some(0),
            last_came: 0.0,
            visitors: Vec::new(),
            events: BinaryHeap::new(),
            held: Vec::new(),
            hoard: Vec::new(),
            in_line: 0,
            live: 0,
            rate: night.rate(0),
            mode: Mode::Auto,
            pulse: Pulse::default(),
            seen: Account::default(),
            night,
        };
        world.plan_next_arrival();
        world
    }

    /// Plays the night until nobody is in line and nobody comes.
    pub(crate) fn run(mut self) -> Account {
        let mut end = 0;
        while end < self.night.until && (self.comes.is_some() || self.in_line > 0) {
            end += TICK;
            self.happen(end);
            self.now = end;
            self.replay();
            self.tick();
        }
        self.seen.status = self.room.status(self.wall());
        self.seen.close(&self.visitors);
        self.seen
    }

    fn wall(&self) -> WallTime {
        let skewed = (START + self.now) as i64 + self.skew;
        WallTime::from_millis(skewed as u64)
    }

    fn happen(&mut self, end: u64) {
        loop {
            let comes = self.comes.unwrap_or(NEVER);
            let next = self.events.peek().map_or(NEVER, |Reverse(event)| event.0);
            if comes.min(next) >= end {
                return;
            }
            if comes <= next {
                self.now = comes;
                self.somebody_comes();
                self.plan_next_arrival();
            } else if let Some(Reverse((at, who, step))) = self.events.pop() {
                self.now = at;
                self.step(who as usize, step);
            }
        }
    }

    fn plan_next_arrival(&mut self) {
        loop {
            let from = self.last_came as u64;
            let rate = self.night.coming(from) * (1.0 + self.night.ghosts);
            let gap = self.dice.exponential() / rate.max(1e-9) * 1e3;
            let at = self.last_came + gap;
            match self.night.next_change(from) {
                Some(change) if at >= change as f64 => self.last_came = change as f64,
                None if rate <= 0.0 => return self.comes = None,
                _ => {
                    self.last_came = at;
                    return self.comes = Some(at as u64);
                }
            }
        }
    }

    fn somebody_comes(&mut self) {
        let (kinds, luck) = (self.night.kinds, self.dice.next() % 1_000);
        let ghost = self.dice.unit() < self.night.ghosts / (1.0 + self.night.ghosts);
        let kind = match ghost {
            true => Kind::Ghost,
            false if luck < kinds.plain => Kind::Plain,
            false => Kind::Script,
        };
        self.seen.ghosts += u64::from(ghost);
        let who = self.visitors.len();
        let mut visitor = Visitor::new(self.dice.next(), kind);
        visitor.can_wait = self.dice.next() % 1_000 >= kinds.unheld;
        visitor.sleepy = self.dice.next() % 1_000 < kinds.sleepy;
        let hides = kind == Kind::Script && self.dice.next() % 1_000 < kinds.hidden;
        if let (Some(mean), false) = (self.night.patience, ghost) {
            let even = self.dice.exponential();
            let patience = even.powf(1.0 / self.night.patience_shape) * mean * 1e3;
            visitor.leaves = self.now + patience as u64;
            self.events
                .push(Reverse((visitor.leaves, who as u32, Step::Leaves)));
        }
        self.visitors.push(visitor);
        self.in_line += u64::from(!ghost);
        if hides {
            self.look_later(who, 5.0);
        }
        self.page(who);
    }

    fn step(&mut self, who: usize, step: Step) {
        let visitor = &self.visitors[who];
        let due = visitor.next == (self.now, step);
        match step {
            Step::Page if due => self.page(who),
            Step::Ask if due => self.ask(who),
            Step::Visits if due => self.visit(who),
            Step::Leaves if visitor.at == At::Line && !visitor.entering => self.leave(who),
            Step::Looks if visitor.at == At::Line && !visitor.entering => self.look(who),
            _ => {}
        }
        self.count(who);
    }

    /// Whether somebody waits for the room and for nothing else.
    fn count(&mut self, who: usize) {
        let visitor = &mut self.visitors[who];
        let waits = visitor.waits();
        self.live += u64::from(waits && !visitor.live);
        self.live -= u64::from(!waits && visitor.live);
        visitor.live = waits;
    }

    fn plan(&mut self, who: usize, after: u64, step: Step) {
        let at = self.now + after.max(1);
        self.visitors[who].next = (at, step);
        self.events.push(Reverse((at, who as u32, step)));
    }

    fn look_later(&mut self, who: usize, mean: f64) {
        let after = (self.dice.exponential() * mean * 1e3) as u64;
        let at = self.now + after.max(1);
        self.events.push(Reverse((at, who as u32, Step::Looks)));
    }

    /// There and back; a network is slow now and then.
    fn trip(&mut self) -> u64 {
        let slow = self.dice.next().is_multiple_of(50);
        30 + self.dice.next() % 120 + if slow { self.dice.next() % 1_200 } else { 0 }
    }

    /// The page is asked for: at first, or to enter.
    fn page(&mut self, who: usize) {
        if self.down_until.is_some() {
            let again = SECOND + (self.dice.exponential() * 5e3) as u64;
            self.visitors[who].entering = false;
            return self.plan(who, again, Step::Page);
        }
        let wall = self.wall();
        self.be_present(who);
        let visitor = &mut self.visitors[who];
        visitor.entering = false;
        let turn = match &visitor.ticket {
            None => self.room.arrive(wall, visitor.id),
            Some(ticket) => self.room.poll(wall, ticket),
        };
        match turn {
            Turn::Through => {
                let pass = self.room.grant(wall, self.visitors[who].id);
                self.enter(who, pass);
            }
            Turn::Enter(pass) => self.enter(who, pass),
            Turn::Wait(ticket, told) => {
                self.take(who, ticket, &told);
                self.reads(who, &told);
            }
        }
    }

    /// What follows from a page that says to wait.
    fn reads(&mut self, who: usize, told: &Told) {
        let trip = self.trip();
        let visitor = &self.visitors[who];
        let confirmed = visitor.ticket.is_some_and(|ticket| ticket.confirmed);
        match visitor.kind {
            Kind::Ghost => self.visitors[who].at = At::Gone,
            _ if self.now >= visitor.leaves => self.leave(who),
            Kind::Plain => {
                // The style sheet, before anybody has read a word.
                let sheet = trip + 50 + self.dice.next() % 400;
                self.plan(who, sheet, Step::Ask);
            }
            Kind::Script if confirmed => {
                self.plan(who, trip + seconds(told) * SECOND, Step::Ask);
            }
            Kind::Script => {
                let second = trip + 300 + self.dice.next() % 1_000;
                self.plan(who, second, Step::Ask);
            }
        }
    }

    /// The status is asked for.
    fn ask(&mut self, who: usize) {
        self.visitors[who].asleep = false;
        if self.down_until.is_some() {
            return self.fail(who);
        }
        self.be_present(who);
        let can_wait = self.visitors[who].can_wait && self.held.len() < HELD_MAX;
        self.contact(who, can_wait);
    }

    fn contact(&mut self, who: usize, can_wait: bool) {
        let visitor = &self.visitors[who];
        let plain = visitor.kind == Kind::Plain;
        let Some(ticket) = visitor.ticket else {
            return self.page(who);
        };
        self.pulse.polls += 1;
        let answer = self.room_answers(&ticket, visitor.hidden.is_some(), can_wait && !plain);
        if plain {
            // Nobody reads what the style sheet says.
            self.visitors[who].ticket = Some(Ticket {
                least_ahead: ticket.least_ahead,
                first_told: ticket.first_told,
                ..answer.ticket
            });
            let mean = if answer.told.state == TurnState::Called {
                5e3
            } else {
                45e3
            };
            let press = 2 * SECOND + (self.dice.exponential() * mean) as u64;
            return self.plan(who, press, Step::Page);
        }
        self.take(who, answer.ticket, &answer.told);
        match answer.hold {
            Some(hold) if can_wait => {
                let until = self.now + hold.as_millis() as u64;
                self.visitors[who].next = (NEVER, Step::Ask);
                self.held.push(Held { who, until });
            }
            _ => self.hear(who, &answer.told),
        }
    }

    /// The status poll as the shell carries it out.
    fn room_answers(&mut self, ticket: &Ticket, hidden: bool, can_wait: bool) -> Asked {
        let wall = self.wall();
        self.room.ask(wall, ticket, Asking { hidden, can_wait })
    }

    /// The browser has the answer.
    fn hear(&mut self, who: usize, told: &Told) {
        let trip = self.trip();
        self.visitors[who].failures = 0;
        if matches!(told.state, TurnState::Called | TurnState::Open) {
            self.visitors[who].told.turns += 1;
            if self.visitors[who].hidden.is_some() {
                // The title says so, or a sound: somebody looks soon.
                self.look_later(who, 10.0);
                return self.sleep_until(who, trip + 20 * SECOND);
            }
            self.visitors[who].entering = true;
            self.visitors[who].told.turn = self.now;
            return self.plan(who, trip + LEAVES_AFTER, Step::Page);
        }
        if self.now >= self.visitors[who].leaves {
            return self.leave(who);
        }
        let jitter = 1.0 - self.dice.unit() / 20.0;
        let wait = (seconds(told) as f64 * 1e3 * jitter) as u64;
        self.sleep_until(who, trip + wait);
    }

    /// A timer of the page's.
    fn sleep_until(&mut self, who: usize, after: u64) {
        let visitor = &mut self.visitors[who];
        let mut after = after;
        if let Some(since) = visitor.hidden
            && self.now >= since + THROTTLED_AFTER
        {
            let phase = visitor.id % 60_000;
            let at = (self.now + after + 60_000 - phase).next_multiple_of(60_000) + phase;
            after = at - 60_000 - self.now;
        }
        if visitor.sleepy && self.dice.next().is_multiple_of(30) {
            visitor.asleep = true;
            after += 60 * SECOND + self.dice.next() % (540 * SECOND);
        }
        self.plan(who, after, Step::Ask);
    }

    fn fail(&mut self, who: usize) {
        let visitor = &mut self.visitors[who];
        visitor.failures += 1;
        let base = 60.0_f64.min(f64::from(2_u32.saturating_pow(visitor.failures)));
        let after = base * (1.0 + self.dice.unit() / 2.0);
        self.sleep_until(who, (after * 1e3) as u64);
    }

    /// Checks what was told, and keeps the cookie.
    fn take(&mut self, who: usize, ticket: Ticket, told: &Told) {
        let visitor = &mut self.visitors[who];
        if visitor
            .ticket
            .is_some_and(|old| old.arrived != ticket.arrived)
        {
            self.seen.anew += 1;
        }
        if let (Some(least), Some(ahead)) = (visitor.told.least, told.ahead)
            && ahead > least
        {
            self.seen.risen += 1;
        }
        visitor.told.least = told.ahead.or(visitor.told.least);
        if let (Some(eta), None) = (told.eta, visitor.told.band) {
            let (p50, p90) = (eta.p50.as_millis() as u64, eta.p90.as_millis() as u64);
            visitor.told.band = Some((self.now, p50, p90));
        }
        visitor.ticket = Some(ticket);
    }

    /// Notes who is there when called.
    fn be_present(&mut self, who: usize) {
        let visitor = &mut self.visitors[who];
        let called = visitor
            .ticket
            .is_some_and(|ticket| Place::of(ticket.arrived, ticket.id) <= self.room.called_up_to());
        // A tab that nobody sees asks, but does not go in.
        if called && visitor.hidden.is_none() && visitor.told.present == NEVER {
            visitor.told.present = self.now;
        }
    }

    fn enter(&mut self, who: usize, pass: forebay_admission::pass::Pass) {
        let visitor = &mut self.visitors[who];
        visitor.at = At::Inside;
        visitor.told.entered = self.now;
        // Who was told and comes as soon as the page goes in had the turn then.
        let said = self.now.saturating_sub(visitor.told.turn);
        if visitor.told.turn == NEVER || said > LEAVES_AFTER + NETWORK {
            visitor.told.turn = self.now;
        }
        self.pulse.entered += 1;
        if visitor.kind != Kind::Ghost {
            self.in_line -= 1;
        }
        if let Some((_, mean)) = self.night.active {
            visitor.pass = Some(pass);
            visitor.leaves = self.now + (self.dice.exponential() * mean * 1e3) as u64;
            self.plan(who, 2 * SECOND, Step::Visits);
        }
    }

    fn visit(&mut self, who: usize) {
        let wall = self.wall();
        let visitor = &mut self.visitors[who];
        let Some(pass) = visitor.pass else {
            return;
        };
        if self.now >= visitor.leaves {
            visitor.at = At::Gone;
            return self.room.end(&pass);
        }
        visitor.pass = Some(self.room.renew(wall, &pass));
        self.plan(who, 8 * SECOND, Step::Visits);
    }

    fn leave(&mut self, who: usize) {
        self.visitors[who].at = At::Gone;
        self.visitors[who].next = (NEVER, Step::Leaves);
        self.in_line -= 1;
    }

    /// Somebody turns to the tab, or away from it.
    fn look(&mut self, who: usize) {
        if self.visitors[who].hidden.is_none() {
            self.visitors[who].hidden = Some(self.now);
            return self.look_later(who, 120.0);
        }
        self.visitors[who].hidden = None;
        self.look_later(who, 20.0);
        let held = self.visitors[who].next.0 == NEVER;
        let turn = self.visitors[who].told.turns > 0;
        if turn && !held {
            self.visitors[who].entering = true;
            self.plan(who, LEAVES_AFTER, Step::Page);
        }
    }

    /// Old cookies, as fast as somebody can send them.
    fn replay(&mut self) {
        let replays = self.night.replays;
        if self.down_until.is_some() || self.now < replays.from || self.now >= replays.until {
            return;
        }
        if self.hoard.len() < replays.cookies {
            let wall = self.wall();
            for _ in 0..(replays.cookies / 100).max(1) {
                if let Turn::Wait(ticket, _) = self.room.arrive(wall, self.dice.next()) {
                    self.hoard.push(ticket);
                    let confirmed = self.room_answers(&ticket, false, false).ticket;
                    self.hoard.push(confirmed);
                }
            }
            return;
        }
        for _ in 0..replays.per_second * TICK / SECOND {
            let which = self.dice.next() as usize % self.hoard.len();
            let ticket = self.hoard[which];
            let can_wait = self.dice.next().is_multiple_of(2);
            self.room_answers(&ticket, false, can_wait);
        }
    }

    fn tick(&mut self) {
        if self.down_until.is_some_and(|until| self.now >= until) {
            self.revive();
        }
        let dies = self
            .deaths
            .front()
            .is_some_and(|death| self.now >= death.at);
        if dies && self.down_until.is_none() {
            let away = self.deaths.front().map_or(0, |death| death.away);
            self.down_until = Some(self.now + away);
            for held in std::mem::take(&mut self.held) {
                self.fail(held.who);
            }
        }
        if self.down_until.is_none() {
            self.set();
            let before = self.room.called_up_to();
            let wall = self.wall();
            if self.room.tick(wall, Load::default()) && !self.deaths.is_empty() {
                self.saved = self.room.snapshot();
            }
            self.room.publish(wall);
            self.seen.back += u64::from(self.room.called_up_to() < before);
            self.release();
        }
        self.note();
    }

    fn revive(&mut self) {
        self.down_until = None;
        let Some(death) = self.deaths.pop_front() else {
            return;
        };
        self.skew += death.step;
        let (settings, before) = (*self.room.settings(), self.room.called_up_to());
        let wall = self.wall();
        self.room = if death.lost {
            Room::new(ROOM, settings, wall)
        } else {
            let room = Room::restore(ROOM, settings, &self.saved, wall);
            room.expect("the room reads what it wrote")
        };
        // The process's clock does not start before what was signed.
        let behind = self.room.clock().saturating_since(wall).as_millis() as i64;
        self.skew += behind;
        if !death.lost {
            self.seen.back += u64::from(self.room.called_up_to() < before);
        }
    }

    /// What the operator changes.
    fn set(&mut self) {
        let wall = self.wall();
        let (rate, mode) = (self.night.rate(self.now), self.night.mode(self.now));
        if rate != self.rate
            && let Some(pace) = Rate::new(rate, Duration::from_secs(1))
        {
            self.rate = rate;
            self.room.set_inlet(InletRule::Rate(pace), wall);
        }
        if mode != self.mode {
            self.mode = mode;
            self.room.set_mode(mode, wall);
        }
    }

    /// Answers those who are kept waiting for an answer and whose turn or time has come, in order.
    fn release(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        let place = |held: &Held| {
            let ticket = self.visitors[held.who].ticket?;
            Some(Place::of(ticket.arrived, ticket.id))
        };
        held.sort_by_cached_key(place);
        for held in held {
            let visitor = &self.visitors[held.who];
            if visitor.at != At::Line {
                continue;
            }
            let due = visitor
                .ticket
                .is_some_and(|ticket| self.room.is_due(&ticket));
            self.be_present(held.who);
            if self.now < held.until && !due {
                self.held.push(held);
                continue;
            }
            self.contact(held.who, false);
            // A network answer is not a timer: a hidden tab asks again at once.
            if self.visitors[held.who].told.turns == 0 && self.visitors[held.who].hidden.is_some() {
                let trip = self.trip();
                self.plan(held.who, trip, Step::Ask);
            }
            self.count(held.who);
        }
    }

    fn note(&mut self) {
        let status = self.room.status(self.wall());
        let pulse = Pulse {
            at: self.now,
            demand: self.down_until.is_none() && self.live > 0 && self.mode != Mode::Hold,
            rate: self.rate,
            active: status.active,
            held: self.held.len() as u64,
            live: self.live,
            waiting: status.waiting,
            mark: self.room.called_up_to(),
            ..self.pulse
        };
        self.seen.pulses.push(pulse);
        self.pulse = Pulse::default();
    }
}

/// What is told is told in whole seconds, rounded up.
fn seconds(told: &Told) -> u64 {
    (told.poll_after.as_millis().div_ceil(1_000) as u64).max(1)
}

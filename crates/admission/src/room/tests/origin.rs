//! A model of the origin and of the short queue before it, with visitors who see several pages.

use std::collections::{BTreeMap, BinaryHeap};

use super::*;
use crate::pass::{Pass, Standing};
use crate::ticket::Ticket;

/// The origin, and the crowd before it.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) seed: u64,
    pub(super) limit: u32,
    pub(super) service_ms: u64,
    pub(super) pages: u32,
    pub(super) think_ms: (u64, u64),
    /// New visitors over what the origin can serve of whole visits.
    pub(super) overload: f64,
    /// When the crowd stops coming.
    pub(super) crowd_ms: u64,
    pub(super) until_ms: u64,
    /// Of a hundred new clients: those without cookies, who never come back.
    pub(super) ghosts: u64,
    /// While the origin works at half its speed.
    pub(super) slow_ms: (u64, u64),
    /// While the origin refuses every request at once.
    pub(super) dead_ms: (u64, u64),
    /// When the process is killed and restored.
    pub(super) crash_ms: Option<u64>,
    pub(super) settings: Settings,
}

/// What was seen, second by second.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) served: Vec<u64>,
    pub(super) queued_inside: Vec<u32>,
    pub(super) finished_visits: u64,
    pub(super) busy: u64,
    pub(super) longest_wait_ms: u64,
    pub(super) most_active: u64,
    /// Sum over the seconds from the tenth on.
    pub(super) active_sum: u64,
    /// Visitors whom the room let in while the origin was dead.
    pub(super) entered_dead: u64,
    pub(super) last_state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ask(usize),
    Done(usize),
}

struct Visitor {
    id: u64,
    arrived_ms: u64,
    ticket: Option<Ticket>,
    pass: Option<Pass>,
    pages_left: u32,
    ghost: bool,
}

pub(super) struct Model {
    scene: Scene,
    room: Room,
    dice: Dice,
    visitors: Vec<Visitor>,
    events: BinaryHeap<std::cmp::Reverse<(u64, Event)>>,
    /// (stranger, first try, sequence) → who waits, and until when.
    queue: BTreeMap<(bool, u64, usize), u64>,
    load: Load,
    pressed_from: Option<u64>,
    seen: Seen,
}

fn within(at: u64, (from, to): (u64, u64)) -> bool {
    (from..to).contains(&at)
}

const STRANGER_WAIT_MS: u64 = 500;
const INSIDE_WAIT_MS: u64 = 5_000;
const QUEUE_MAX: usize = 1_024;

impl Model {
    pub(super) fn new(scene: Scene) -> Self {
        let mut dice = Dice(scene.seed);
        let capacity = f64::from(scene.limit) * 1_000.0 / scene.service_ms as f64;
        let each_second = capacity / f64::from(scene.pages) * scene.overload;
        let (mut at, mut visitors) = (0.0, Vec::new());
        let mut events = BinaryHeap::new();
        while at < scene.crowd_ms as f64 {
            at += dice.exponential(1_000.0 / each_second);
            events.push(std::cmp::Reverse((at as u64, Event::Ask(visitors.len()))));
            let (id, pages_left) = (dice.roll(), scene.pages);
            let ghost = dice.below(100) < scene.ghosts;
            let arrived_ms = at as u64;
            visitors.push(Visitor {
                id,
                arrived_ms,
                ticket: None,
                pass: None,
                pages_left,
                ghost,
            });
        }
        let room = room(scene.settings);
        let load = Load {
            limit: scene.limit,
            ..Load::default()
        };
        let (queue, pressed_from, seen) = (BTreeMap::new(), None, Seen::default());
        Self {
            scene,
            room,
            dice,
            visitors,
            events,
            queue,
            load,
            pressed_from,
            seen,
        }
    }

    pub(super) fn run(mut self) -> Seen {
        for tick in 1..=self.scene.until_ms / 200 {
            let end = tick * 200;
            while let Some(&std::cmp::Reverse((at, event))) = self.events.peek()
                && at < end
            {
                self.events.pop();
                match event {
                    Event::Ask(who) => self.ask(at, who),
                    Event::Done(who) => self.done(at, who),
                }
                self.press(at);
            }
            self.expire(end);
            self.press(end);
            if self
                .scene
                .crash_ms
                .is_some_and(|at| within(at, (end - 200, end)))
            {
                self.crash(end);
            }
            self.room.tick(ms(end), self.load);
            self.room.publish(ms(end));
            self.look(end);
        }
        self.seen
    }

    /// The process is killed and restored at once; its counters start anew.
    fn crash(&mut self, at: u64) {
        let snapshot = self.room.snapshot();
        self.room = Room::restore(RoomId(7), self.scene.settings, &snapshot, ms(at)).unwrap();
    }

    fn look(&mut self, end: u64) {
        let status = self.room.status(ms(end));
        self.seen.last_state = status.state;
        self.seen.most_active = self.seen.most_active.max(status.active);
        if end.is_multiple_of(1_000) {
            self.seen.active_sum += if end > 10_000 { status.active } else { 0 };
            let inside = self.queue.keys().filter(|(stranger, ..)| !stranger).count();
            self.seen.queued_inside.push(inside as u32);
            let before: u64 = self.seen.served.iter().sum();
            self.seen.served.push(self.load.completed - before);
        }
    }

    fn press(&mut self, at: u64) {
        if let Some(from) = self.pressed_from.take() {
            self.load.pressed += Duration::from_millis(at - from);
        }
        let pressed = self.load.in_flight >= self.load.limit || !self.queue.is_empty();
        self.pressed_from = pressed.then_some(at);
    }

    fn ask(&mut self, at: u64, who: usize) {
        let visitor = &mut self.visitors[who];
        if let Some(pass) = visitor.pass {
            let rules = self.room.settings().pass;
            match pass.standing(ms(at), &rules) {
                Standing::Fresh => {}
                Standing::Renew => visitor.pass = Some(self.room.renew(ms(at), &pass)),
                standing => panic!("{standing:?} within a visit"),
            }
            self.load.tries += 1;
            return self.forward(at, who);
        }
        let turn = match &visitor.ticket {
            None => self.room.arrive(ms(at), visitor.id),
            Some(ticket) => self.room.poll(ms(at), ticket),
        };
        match turn {
            Turn::Through => self.forward(at, who),
            Turn::Enter(pass) => {
                visitor.pass = Some(pass);
                self.seen.entered_dead += u64::from(within(at, self.scene.dead_ms));
                let waited = at - visitor.arrived_ms;
                self.seen.longest_wait_ms = self.seen.longest_wait_ms.max(waited);
                self.forward(at, who);
            }
            Turn::Wait(ticket, told) => {
                visitor.ticket = Some(ticket);
                if visitor.ghost {
                    return;
                }
                self.later(at, told.poll_after.as_millis() as u64 + 40, Event::Ask(who));
            }
        }
    }

    fn forward(&mut self, at: u64, who: usize) {
        let stranger = self.visitors[who].pass.is_none();
        if within(at, self.scene.dead_ms) {
            return self.later(at, 3_000, Event::Ask(who));
        }
        if self.load.in_flight < self.load.limit {
            return self.serve(at, who);
        }
        let wait = if stranger {
            STRANGER_WAIT_MS
        } else {
            INSIDE_WAIT_MS
        };
        self.queue.insert((stranger, at, who), at + wait);
        if self.queue.len() > QUEUE_MAX {
            let (worst, _) = self.queue.pop_last().unwrap();
            self.shed(at, worst.2);
        }
        self.load.queued = self.queue.len() as u32;
    }

    fn shed(&mut self, at: u64, who: usize) {
        self.load.shed += 1;
        let visitor = &mut self.visitors[who];
        if visitor.pass.is_some() {
            self.seen.busy += 1;
            return self.later(at, 3_000, Event::Ask(who));
        }
        let (ticket, told) = self.room.shed(ms(at), visitor.id);
        visitor.ticket = Some(ticket);
        if visitor.ghost {
            return;
        }
        self.later(at, told.poll_after.as_millis() as u64 + 40, Event::Ask(who));
    }

    fn expire(&mut self, at: u64) {
        let over: Vec<_> = self
            .queue
            .iter()
            .filter(|(_, until)| **until <= at)
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            self.queue.remove(&key);
            self.shed(at, key.2);
        }
        self.load.queued = self.queue.len() as u32;
    }

    fn serve(&mut self, at: u64, who: usize) {
        self.load.in_flight += 1;
        let spread = self.dice.exponential(self.scene.service_ms as f64) as u64;
        let slower = if within(at, self.scene.slow_ms) { 2 } else { 1 };
        self.later(
            at,
            (self.scene.service_ms + spread) / 2 * slower,
            Event::Done(who),
        );
    }

    fn done(&mut self, at: u64, who: usize) {
        self.load.in_flight -= 1;
        self.load.completed += 1;
        let visitor = &mut self.visitors[who];
        if visitor.pass.is_none() {
            visitor.pass = Some(self.room.grant(ms(at), visitor.id));
        }
        visitor.pages_left -= 1;
        if visitor.pages_left > 0 && !visitor.ghost {
            let (least, most) = self.scene.think_ms;
            let think = least + self.dice.below(most - least + 1);
            self.later(at, think, Event::Ask(who));
        } else {
            self.seen.finished_visits += 1;
        }
        if let Some(((_, _, next), _)) = self.queue.pop_first() {
            self.load.queued = self.queue.len() as u32;
            self.serve(at, next);
        }
    }

    fn later(&mut self, at: u64, after: u64, event: Event) {
        self.events
            .push(std::cmp::Reverse((at + after.max(1), event)));
    }
}

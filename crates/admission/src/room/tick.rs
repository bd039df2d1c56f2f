//! The tick, five times a second: looks at the load, ages the counts, calls whom the inlet
//! grants, opens and closes the line.

use core::time::Duration;

use super::bucket::epoch_end;
use super::calls::CALL;
use super::forecast;
use super::line::{Line, YOUNG};
use super::{InletRule, Load, Room, State};
use crate::estimate::{Finite, Smooth};
use crate::inlet::{Credit, Pace};
use crate::time::WallTime;
use crate::watermark::Place;

/// The line goes away after it was empty, and the origin at ease, for so long.
const CALM: Duration = Duration::from_secs(10);
/// The origin is at ease below this share of its limit, in thousandths.
const EASE_MILLI: u64 = 700;
/// The line opens when no permit was free for this share of the last seconds, in thousandths.
const PRESSED_MILLI: u64 = 500;
/// How far ahead of an exit somebody is called to the place: the time between two polls.
const AHEAD: Duration = Duration::from_secs(2);
/// With so much of a second's admissions present and waiting, nobody else is called: they ask again
/// every three seconds, and with fewer a place would wait for one of them.
const PRESENT_MILLI: u32 = 1_500;

/// The room's own rates, smoothed, and the totals they were taken from.
#[derive(Clone, Debug)]
pub(super) struct Pulse {
    /// Taken from the line each second, while somebody waits.
    pub(super) speed: Smooth,
    /// Tickets issued each second.
    pub(super) arrivals: Smooth,
    /// The share of those who wait that gives up each second.
    pub(super) leaving: Smooth,
    /// Visitors who leave the origin each second.
    pub(super) exits: Smooth,
    /// Admitted each second.
    pub(super) admitted: Smooth,
    last: Totals,
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    issued: u64,
    suspected: u64,
    left: u64,
    claimed: u64,
    admitted: u64,
}

impl Pulse {
    /// Knows the operator's rate, or nothing.
    pub(super) fn new(inlet: InletRule) -> Self {
        let speed = match inlet {
            InletRule::Auto | InletRule::Shadow => Smooth::new(MEMORY),
            InletRule::Rate(rate) => {
                Smooth::primed(MEMORY, Finite::from_milli(rate.per_second_milli()), MEMORY)
            }
        };
        Self {
            speed,
            arrivals: Smooth::new(Duration::from_secs(5)),
            leaving: Smooth::new(Duration::from_secs(60)),
            exits: Smooth::new(Duration::from_secs(5)),
            admitted: Smooth::new(Duration::from_secs(5)),
            last: Totals::default(),
        }
    }

    /// Takes up what a snapshot kept: the speed, and totals that go on from where they were.
    pub(super) fn resume(&mut self, speed_milli: u64, claimed: u64, admitted: u64, line: &Line) {
        let (issued, suspected) = (line.issued, line.suspected);
        self.last = Totals {
            issued,
            suspected,
            left: 0,
            claimed,
            admitted,
        };
        if speed_milli > 0 && self.speed.seen().is_zero() {
            self.speed = Smooth::primed(MEMORY, Finite::from_milli(speed_milli), MEMORY);
        }
    }
}

/// How long the line's speed is remembered.
const MEMORY: Duration = Duration::from_secs(20);

impl Room {
    /// Computes the next watermark as pending, five times a second; `load` is what the request
    /// path did since. True when there is something to save before [`publish`](Self::publish).
    pub fn tick(&mut self, now: WallTime, load: Load) -> bool {
        let now = self.advance(now);
        let span = now.saturating_since(self.ticked);
        self.ticked = now;

        let left = self.inside.sweep(now);
        for _ in 0..self.present.sweep(now, self.settings.call, span) {
            self.inlet.release();
        }
        self.lane.sweep(&mut self.inlet, now);
        self.line.sweep(now, self.watermark.published(), span);
        let back = self.calls.expire(&mut self.line, now);
        self.inlet.give_back(back);
        self.load = load;
        self.learn(load, left, span);
        self.steer(now);

        self.serve(now);
        let before = self.watermark.pending();
        let called = self.call(now);
        self.gate(now);
        self.check();
        debug_assert!(self.line.holds(), "the sums are those of the buckets");
        // An empty line's watermark follows the clock; that alone is not worth a write.
        let moved = called > Credit::ZERO || self.watermark.pending() < before;
        core::mem::take(&mut self.dirty) || moved
    }

    /// What was pending may now be told and acted upon.
    pub fn publish(&mut self, now: WallTime) {
        let now = self.advance(now);
        self.watermark.publish();
        let called = self.watermark.published();
        self.line.publish(now, called);
        if !self.settings.mode.holds() {
            self.present.call(called);
            self.serve(now);
        }
        self.check();
    }

    /// Sets the pace: what the origin can take, within the operator's numbers.
    fn steer(&mut self, now: WallTime) {
        let load = self.load;
        let measured = self.auto.pace(load);
        self.shadow = self
            .shadow
            .filter(|_| self.settings.inlet == InletRule::Shadow);
        match self.settings.inlet {
            InletRule::Auto => {
                let calls = self.auto.calls(load).max(measured);
                self.inlet
                    .set_paces(Pace::Measured(measured), Pace::Measured(calls), now);
                let present = u32::try_from(load.present()).unwrap_or(u32::MAX);
                self.idle = load.limit.saturating_sub(present);
            }
            // A rate that is too high for tonight is a bound, and no order to overrun the origin.
            InletRule::Rate(rate) => {
                let fixed = Pace::Fixed(rate);
                let less = measured < fixed.over(Duration::from_secs(1));
                let pace = if less && self.is_pressed() {
                    Pace::Measured(measured)
                } else {
                    fixed
                };
                if pace != self.inlet.pace() {
                    self.inlet.set_pace(pace, now);
                }
            }
            InletRule::Shadow => self.cast_shadow(now),
        }
    }

    /// No permit was free for most of the last seconds.
    pub(super) fn is_pressed(&self) -> bool {
        self.auto.pressed_milli() > PRESSED_MILLI
    }

    /// The origin has places to spare.
    pub(super) fn is_at_ease(&self) -> bool {
        self.auto.used_milli() < EASE_MILLI
    }

    /// Whether nothing has spoken for a line for long enough.
    pub(super) fn is_calm(since: WallTime, now: WallTime) -> bool {
        now.saturating_since(since) >= CALM
    }

    fn learn(&mut self, load: Load, left: u64, span: Duration) {
        let before_opening = self.is_before_opening();
        let pulse = &mut self.pulse;
        let last = pulse.last;
        pulse.last = Totals {
            issued: self.line.issued,
            suspected: self.line.suspected,
            left,
            claimed: self.claimed,
            admitted: self.admitted,
        };
        pulse
            .arrivals
            .count(pulse.last.issued.saturating_sub(last.issued), span);
        pulse.exits.count(left.saturating_sub(last.left), span);
        pulse
            .admitted
            .count(pulse.last.admitted.saturating_sub(last.admitted), span);
        let gone = pulse.last.suspected.saturating_sub(last.suspected);
        let gone = Credit::from_whole(gone).milli(1_000 - self.line.returning.milli().min(1_000));
        let share = gone.scaled(1_000, u128::from(self.line.believed().max(1)));
        let share = Finite::new(share.as_nano() as f64 / 1e12 / span.as_secs_f64().max(1e-3));
        pulse.leaving.level(share, span);
        let claimed = self.claimed.saturating_sub(last.claimed);
        if self.line.waiting() >= Credit::ONE && !self.settings.mode.holds() && !before_opening {
            pulse.speed.count(claimed, span);
        }
        self.foresee(claimed, span);
        let admitted = self.admitted.saturating_sub(last.admitted);
        self.auto.see(load, admitted, span);
    }

    /// How long everybody in line will wait.
    fn foresee(&mut self, claimed: u64, span: Duration) {
        let fixed = match self.inlet.pace() {
            Pace::Fixed(rate) => Some(Finite::from_milli(rate.per_second_milli())),
            Pace::Measured(_) => None,
        };
        let pace = forecast::Pace {
            fixed,
            poll_most: self.poll_most(),
            moving: self.line.waiting() >= Credit::ONE
                && self.state() != State::Closed
                && !self.is_before_opening(),
        };
        self.accuracy.forget(span);
        self.forecast.see(claimed, span, pace);
        let called = self.watermark.published();
        self.forecast.play(self.now, &self.line, called, pace);
    }

    /// Spends the credit on those who wait, in order of arrival. Returns what was spent.
    fn call(&mut self, now: WallTime) -> Credit {
        let credit = self.inlet.credit(now);
        if self.settings.mode.holds() {
            self.inlet.settle();
            return Credit::ZERO;
        }
        let available = self.available(credit, now);
        let known = self.reach(now.minus(YOUNG), now);
        let mut spent = self.run(known, available, now);
        self.inlet.spend(spent);
        // Those who have just come are not all known yet, and wait for those before them; but
        // credit that would be lost is theirs.
        if self.inlet.is_full() {
            let surplus = self.inlet.surplus().min(available.minus(spent));
            let until = self.reach(now, now);
            let more = self.run(until, surplus, now);
            self.inlet.spend(more);
            spent = spent.plus(more);
        }
        self.inlet.settle();
        spent
    }

    /// What may be called: the credit, less those who are called and here already.
    fn available(&self, credit: Credit, now: WallTime) -> Credit {
        let present = Credit::from_whole(self.present.waiting());
        let second = self.inlet.calls().over(Duration::from_secs(1));
        if present > second.milli(PRESENT_MILLI) {
            return Credit::ZERO;
        }
        // Those called before who are due now will take what is earned until then.
        let until = epoch_end(now.plus(CALL));
        let due = self.line.due(self.watermark.pending(), now, until);
        let earned = self.inlet.calls().over(until.saturating_since(now));
        let due = due
            .minus(Credit::from_whole(self.present.served()))
            .minus(present);
        let room = earned.max(Credit::ONE).minus(due.milli(800));
        let credit = credit.minus(present).min(room);
        let Some(places) = self.places() else {
            return credit;
        };
        // Ahead of those who leave, or places would stand empty until the called come.
        let soon = Credit::from_whole(self.leaving(AHEAD, now));
        let free = Credit::from_whole(places).plus(soon);
        let here = present.plus(Credit::from_whole(self.present.served()));
        credit.min(free.minus(self.line.out.max(here)))
    }

    /// Moves the watermark up to `until` for at most `available`; empty seconds are free.
    fn run(&mut self, until: Place, available: Credit, now: WallTime) -> Credit {
        let (mut place, mut left) = (self.watermark.pending(), available);
        while place < until {
            let second = place.second().max(self.line.first);
            if second >= self.line.first + self.line.buckets.len() as u64 {
                place = until;
                break;
            }
            place = place.max(Place::start_of(second));
            let end = Place::start_of(second + 1);
            let stop = end.min(until);
            let (way, whole) = (
                stop.as_micros().saturating_sub(place.as_micros()),
                end.as_micros(),
            );
            let whole = whole.saturating_sub(place.as_micros());
            if left == Credit::ZERO && self.line.remaining(second, now) > Credit::ZERO {
                break;
            }
            let soon = self.line.coming(second, now, now.plus(CALL));
            let here = soon.scaled(u128::from(way), u128::from(whole));
            let called = here.min(left);
            if called > Credit::ZERO {
                self.calls.call(&mut self.line, second, called, now);
                left = left.minus(called);
            }
            if called < here {
                place = place.toward(stop, called.as_nano(), here.as_nano());
                break;
            }
            place = stop;
        }
        self.watermark.raise(place);
        available.minus(left)
    }

    /// Opens the line under pressure and before an origin that fails, and closes it when it has
    /// been empty for a while.
    fn gate(&mut self, now: WallTime) {
        let auto = self.settings.inlet == InletRule::Auto;
        let failing = self.auto.is_probing() || self.auto.is_healing();
        let pressed = auto && (self.is_pressed() || failing);
        let at_ease = !auto || self.is_at_ease();
        if !self.is_empty(now) || !at_ease || self.state() == State::Closed {
            self.calm_since = now;
        }
        if pressed {
            self.open(now);
        } else if Self::is_calm(self.calm_since, now) {
            self.queueing = false;
        }
    }

    /// From now on newcomers wait in line.
    pub(super) const fn open(&mut self, now: WallTime) {
        if !self.queueing {
            self.queueing = true;
            self.opened = now;
        }
    }

    /// Nobody waits, as far as is known.
    pub(super) fn is_empty(&self, now: WallTime) -> bool {
        self.present.is_empty()
            && self.line.estimated() < Credit::ONE
            && self.line.expected(now) < Credit::ONE
    }
}

//! How many may enter each second, found from what the origin does.
//!
//! ```text
//! near  = exp(-2 s / time between entering and coming back)
//! extra = (limit + 0.25 s of capacity - at the origin - queued) / 4 s
//! pace  = near * (capacity - returning + extra) + (1 - near) * (capacity + extra) / asked per visitor
//!         and never less than the free places in a second
//! ```
//! Visitors who come back late leave the origin to those who enter now: those may have what nobody
//! inside asks for, and when those inside ask for more, the next ones enter more slowly. Visitors
//! who come back at once are asked for more before that shows, so that their whole visit is paid
//! for on entering. Both are the same number once as many leave as enter. There is no integrator
//! that could wind up, and nobody need know how many are inside: who leaves without a word is
//! missing in what is asked for, and a count of passes would not know it for as long as
//! `pass.idle`. All is counted in exchanges, so it does not matter how many make a page. The small
//! queue aimed for keeps the origin busy while those who are called are on the way.

use core::time::Duration;

use super::Credit;
use crate::estimate::{Finite, Ratio, Smooth};
use crate::room::Load;

/// The automatic inlet's memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Auto {
    last: Option<Load>,
    served: Smooth,
    visit: Ratio,
    failed: Smooth,
    pressed: Smooth,
    used: Smooth,
    capacity: Smooth,
    /// Exchanges a second of those inside, without those with which they entered.
    returning: Smooth,
    /// Seconds between entering and coming back.
    absence: Ratio,
    /// What the origin served before it began to fail.
    good: Finite,
    /// For how long it has not failed, at most [`HEALING`].
    healed: Duration,
}

/// How fast the measured demand follows.
const MEMORY: Duration = Duration::from_secs(5);
/// How fast pressure follows; the room opens on it.
const PRESSURE_MEMORY: Duration = Duration::from_secs(2);
/// How much time under pressure the capacity rests on.
const CAPACITY_MEMORY: Duration = Duration::from_secs(5);
/// Under pressure: no permit was free for this share of the time.
const PRESSED: f64 = 0.9;
/// What is too much or too little is corrected over so many seconds: about the time in which a
/// visitor's next pages come, or it would be corrected twice.
const RELAX_SECONDS: f64 = 4.0;
/// The queue aimed for: seconds of the origin's work, and requests for a tiny one.
const STOCK: (f64, f64) = (0.25, 1.0);
/// The queue at which nobody else enters; longer than [`STOCK`].
const FULL: (f64, f64) = (0.75, 4.0);
/// How soon an entry has to show itself in what is asked for, to be steered by that alone: the
/// called come within three seconds, and what is asked for is measured over as many.
const LEAD_SECONDS: f64 = 2.0;
/// So long somebody who is called needs to come: the page says for three seconds that it goes in.
const CALLED_SECONDS: f64 = 3.0;
/// How fast what those inside ask for is followed.
const RETURN_MEMORY: Duration = Duration::from_secs(3);
/// What is taken for the time until somebody comes back, before anybody did.
const ABSENCE_SECONDS: f64 = 10.0;
/// How long it is remembered.
const ABSENCE_HALF: Duration = Duration::from_secs(60);
/// Failures a second that are no accident; with fewer there is no crowd to hold.
const FAILING_LEAST: f64 = 2.0;
/// An origin that failed gets from half to all of what it could before within so long.
const HEALING: Duration = Duration::from_secs(10);
/// The queue beyond which newcomers wait in line instead: seconds of the origin's work, and requests.
const CROWDED: (f64, f64) = (2.0, 32.0);
/// How long what a visit asks for is remembered.
const VISIT_HALF: Duration = Duration::from_secs(30);
/// Entries per second while most of what is asked for fails: enough to see a recovery.
const PROBES_PER_SECOND: f64 = 1.0;

impl Default for Auto {
    fn default() -> Self {
        Self {
            last: None,
            served: Smooth::new(MEMORY),
            visit: Ratio::new(Finite::from_milli(1_000)),
            failed: Smooth::primed(MEMORY, Finite::default(), MEMORY),
            // A first tick under pressure is no pressure yet.
            pressed: Smooth::primed(PRESSURE_MEMORY, Finite::default(), PRESSURE_MEMORY),
            used: Smooth::new(PRESSURE_MEMORY),
            capacity: Smooth::new(CAPACITY_MEMORY),
            returning: Smooth::new(RETURN_MEMORY),
            absence: Ratio::new(Finite::new(ABSENCE_SECONDS)),
            good: Finite::default(),
            healed: HEALING,
        }
    }
}

impl Auto {
    /// Takes in what happened in the last `span`; `entered` visitors came in.
    pub fn see(&mut self, load: Load, entered: u64, span: Duration) {
        let Some(last) = self.last.replace(load) else {
            return;
        };
        if span.is_zero() {
            return;
        }
        let served = load.completed.saturating_sub(last.completed);
        let tried = load.tries.saturating_sub(last.tries);
        // Whatever has ended or is there now must have come; what is neither was refused.
        let asked = (served + load.present()).saturating_sub(last.present());
        let refused = load.failed.saturating_sub(last.failed);
        self.served.count(served, span);
        self.returning.count(tried, span);
        self.failed
            .count(refused.max(tried.saturating_sub(asked)), span);
        self.visit.forget(span, VISIT_HALF);
        self.visit.hit(served);
        self.visit.count(entered);
        self.absence.forget(span, ABSENCE_HALF);

        let pressed = load.pressed.saturating_sub(last.pressed).as_secs_f64();
        let pressed = Finite::new((pressed / span.as_secs_f64()).min(1.0));
        self.pressed.level(pressed, span);
        let used = load.present() as f64 / f64::from(load.limit.max(1));
        self.used.level(Finite::new(used), span);
        self.heal(span);
        if !self.is_failing() {
            self.learn(served, pressed, span);
        }
    }

    /// Somebody who entered so long ago asks for something again for the first time.
    pub fn came_back(&mut self, after: Duration) {
        self.absence.add(Finite::new(after.as_secs_f64()));
        self.absence.count(1);
    }

    /// Most of what is asked for fails.
    fn is_failing(&self) -> bool {
        self.failed.get().get() > self.served.get().get().max(FAILING_LEAST)
    }

    /// What an origin could do that has just come back is not known: it begins at half of it.
    fn heal(&mut self, span: Duration) {
        if !self.is_failing() {
            self.healed = self.healed.saturating_add(span).min(HEALING);
        } else if self.healed == HEALING {
            self.good = self.capacity.get();
            self.healed = Duration::ZERO;
        }
    }

    /// Capacity shows itself only while no permit is free; otherwise it is at least what is
    /// served.
    fn learn(&mut self, served: u64, pressed: Finite, span: Duration) {
        if pressed.get() >= PRESSED {
            self.capacity.count(served, span);
        } else if self.served.get() > self.capacity.get() {
            self.capacity = Smooth::primed(CAPACITY_MEMORY, self.served.get(), CAPACITY_MEMORY);
        }
    }

    /// How many may enter each second now.
    #[must_use]
    pub fn pace(&self, load: Load) -> Credit {
        let pace = if load.limit == 0 {
            MOST_PER_SECOND
        } else if self.is_failing() {
            PROBES_PER_SECOND
        } else {
            self.measured(load).min(self.healing()).min(MOST_PER_SECOND)
        };
        Credit::from_nano(Finite::new(pace * 1e6).milli())
    }

    /// How many to call each second: they come when what is too much in the queue now is gone.
    #[must_use]
    pub fn calls(&self, load: Load) -> Credit {
        if load.limit == 0 || self.is_failing() {
            return self.pace(load);
        }
        let drained = CALLED_SECONDS * (self.capacity.get().get() - self.returning.get().get());
        let queue = load.queued.saturating_sub(drained.max(0.0) as u32);
        self.pace(Load {
            queued: queue.max(load.queued.min(self.stock() as u32)),
            ..load
        })
    }

    fn stock(&self) -> f64 {
        STOCK.0 * self.capacity.get().get() + STOCK.1
    }

    fn measured(&self, load: Load) -> f64 {
        let (limit, present) = (f64::from(load.limit), load.present() as f64);
        let capacity = self.capacity.get().get();
        let stock = self.stock();
        let full = FULL.0 * capacity + FULL.1;
        let extra = (limit + stock - present) / RELAX_SECONDS;

        let near = libm::exp(-LEAD_SECONDS / self.absence.get().get().max(LEAD_SECONDS / 100.0));
        let left = (capacity - self.returning.get().get()).max(0.0) + extra;
        let paid = (capacity + extra) / self.visit.get().get().max(1.0);
        // What was not foreseen shows in the queue: on a long one nobody else enters.
        let over = (limit + full - present) / (full - stock);
        let pace = (near * left + (1.0 - near) * paid) * over.clamp(0.0, 1.0);
        pace.max(limit - present)
    }

    /// The most that may enter after the origin failed; no bound when that is long ago.
    fn healing(&self) -> f64 {
        if self.healed >= HEALING {
            return MOST_PER_SECOND;
        }
        let share = 0.5 + 0.5 * self.healed.as_secs_f64() / HEALING.as_secs_f64();
        (self.good.get() * share).max(PROBES_PER_SECOND)
    }

    /// The share of the last seconds in which no permit was free, in thousandths.
    #[must_use]
    pub fn pressed_milli(&self) -> u64 {
        self.pressed.get().milli()
    }

    /// Requests at the origin and queued over the limit, smoothed, in thousandths.
    #[must_use]
    pub fn used_milli(&self) -> u64 {
        self.used.get().milli()
    }

    /// What the origin is believed to serve, thousandths of exchanges each second.
    #[must_use]
    pub fn capacity_milli(&self) -> u64 {
        self.capacity.get().milli()
    }

    /// Exchanges that a visitor asks for in a visit, in thousandths.
    #[must_use]
    pub fn demand_milli(&self) -> u64 {
        self.visit.get().milli()
    }

    /// The short queue is so long that whoever comes now had better wait in line.
    #[must_use]
    pub fn is_crowded(&self, load: Load) -> bool {
        let most = CROWDED.0 * self.capacity.get().get() + CROWDED.1;
        !load.starting && f64::from(load.queued) > most
    }

    /// Most of what is asked for fails: a few enter, to see whether it does still.
    #[must_use]
    pub fn is_probing(&self) -> bool {
        self.is_failing()
    }

    /// The origin failed a moment ago and gets fewer for a while.
    #[must_use]
    pub fn is_healing(&self) -> bool {
        self.healed < HEALING
    }

    /// Takes up a capacity that a snapshot kept.
    pub fn resume(&mut self, capacity_milli: u64) {
        let capacity = Finite::from_milli(capacity_milli);
        self.capacity = Smooth::primed(CAPACITY_MEMORY, capacity, CAPACITY_MEMORY / 4);
    }
}

/// No origin behind one proxy takes more visitors each second.
const MOST_PER_SECOND: f64 = 1e6;

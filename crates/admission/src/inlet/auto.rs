//! How many may enter each second, found from what the origin does.
//!
//! ```text
//! pace = (capacity + (limit + 0.25 s of capacity - at the origin - queued) / 4 s) / asked per visitor
//!        and never less than the free places in a second
//! ```
//! All is counted in exchanges, so it does not matter how many make a page. What a visitor asks
//! for in a whole visit is measured over a minute and does not depend on the load, so a visitor's
//! later pages are paid for on entering. There is no integrator that could wind up; the small
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
    tried: Smooth,
    visit: Ratio,
    failed: Smooth,
    pressed: Smooth,
    used: Smooth,
    capacity: Smooth,
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
/// How long what a visit asks for is remembered.
const VISIT_HALF: Duration = Duration::from_secs(30);
/// Entries per second while most of what is asked for fails: enough to see a recovery.
const PROBES_PER_SECOND: f64 = 1.0;

impl Default for Auto {
    fn default() -> Self {
        Self {
            last: None,
            served: Smooth::new(MEMORY),
            tried: Smooth::new(MEMORY),
            visit: Ratio::new(Finite::from_milli(1_000)),
            failed: Smooth::new(MEMORY),
            pressed: Smooth::new(PRESSURE_MEMORY),
            used: Smooth::new(PRESSURE_MEMORY),
            capacity: Smooth::new(CAPACITY_MEMORY),
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
        // Whatever has ended or is there now must have come.
        let asked = (served + load.present()).saturating_sub(last.present());
        self.served.count(served, span);
        self.tried.count(tried, span);
        self.visit.forget(span, VISIT_HALF);
        self.visit.hit(served);
        self.visit.count(entered);
        self.failed.count(tried.saturating_sub(asked), span);

        let pressed = load.pressed.saturating_sub(last.pressed).as_secs_f64();
        let pressed = Finite::new((pressed / span.as_secs_f64()).min(1.0));
        self.pressed.level(pressed, span);
        let used = load.present() as f64 / f64::from(load.limit.max(1));
        self.used.level(Finite::new(used), span);
        self.learn(served, pressed, span);
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
        if load.limit == 0 {
            return Credit::from_whole(MOST_PER_SECOND as u64);
        }
        let (limit, present) = (f64::from(load.limit), load.present() as f64);
        let capacity = self.capacity.get().get();
        let stock = STOCK.0 * capacity + STOCK.1;
        let full = FULL.0 * capacity + FULL.1;
        let missing = limit + stock - present;
        let each = self.visit.get().get().max(1.0);
        // A visit's later pages are not known before they come: on a long queue nobody else
        // enters.
        let over = (limit + full - present) / (full - stock);
        let pace = (capacity + missing / RELAX_SECONDS) / each * over.clamp(0.0, 1.0);
        let pace = Finite::new(pace.max(limit - present));
        let failing = self.failed.get().get() * 2.0 > self.tried.get().get();
        let most = if failing {
            PROBES_PER_SECOND
        } else {
            MOST_PER_SECOND
        };
        Credit::from_nano(Finite::new(pace.get().min(most) * 1e6).milli())
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

    /// Takes up a capacity that a snapshot kept.
    pub fn resume(&mut self, capacity_milli: u64) {
        let capacity = Finite::from_milli(capacity_milli);
        self.capacity = Smooth::primed(CAPACITY_MEMORY, capacity, CAPACITY_MEMORY / 4);
    }
}

/// No origin behind one proxy takes more visitors each second.
const MOST_PER_SECOND: f64 = 1e6;

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
    asked: Smooth,
    tried: Smooth,
    visit: Ratio,
    failed: Smooth,
    pressed: Smooth,
    used: Smooth,
    capacity: Finite,
}

/// How fast the measured demand follows.
const MEMORY: Duration = Duration::from_millis(2_500);
/// How fast pressure follows; the room opens on it.
const PRESSURE_MEMORY: Duration = Duration::from_secs(2);
/// How fast the capacity follows while it can be seen, in seconds: far off, and near.
const FOLLOW: (f64, f64) = (2.0, 10.0);
/// What is too much or too little is corrected over so many seconds: about the time in which a
/// visitor's next pages come, or it would be corrected twice.
const RELAX_SECONDS: f64 = 4.0;
/// The queue aimed for, in seconds of the origin's work.
const STOCK_SECONDS: f64 = 0.25;
/// How long what a visit asks for is remembered.
const VISIT_HALF: Duration = Duration::from_secs(30);
/// Entries per second while most of what is asked for fails: enough to see a recovery.
const PROBES_PER_SECOND: f64 = 1.0;

impl Default for Auto {
    fn default() -> Self {
        Self {
            last: None,
            served: Smooth::new(MEMORY),
            asked: Smooth::new(MEMORY),
            tried: Smooth::new(MEMORY),
            visit: Ratio::new(Finite::from_milli(1_000)),
            failed: Smooth::new(MEMORY),
            pressed: Smooth::new(PRESSURE_MEMORY),
            used: Smooth::new(PRESSURE_MEMORY),
            capacity: Finite::default(),
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
        self.asked.count(asked, span);
        self.tried.count(tried, span);
        self.visit.forget(span, VISIT_HALF);
        self.visit.hit(asked);
        self.visit.count(entered);
        self.failed.count(tried.saturating_sub(asked), span);

        let pressed = load.pressed.saturating_sub(last.pressed).as_secs_f64();
        let pressed = Finite::new((pressed / span.as_secs_f64()).min(1.0));
        self.pressed.level(pressed, span);
        let used = load.present() as f64 / f64::from(load.limit.max(1));
        self.used.level(Finite::new(used), span);
        self.learn(pressed, span);
    }

    /// Capacity shows itself only under pressure; without it, it is at least what is served.
    fn learn(&mut self, pressed: Finite, span: Duration) {
        let (served, capacity) = (self.served.get().get(), self.capacity.get());
        if pressed.get() < 0.02 {
            self.capacity = Finite::new(served.max(capacity));
            return;
        }
        let far = served > capacity * 4.0 / 3.0 || served < capacity * 2.0 / 3.0;
        let seconds = if far { FOLLOW.0 } else { FOLLOW.1 };
        let weight = (pressed.get() * span.as_secs_f64() / seconds).min(1.0);
        self.capacity = Finite::new(capacity + weight * (served - capacity));
    }

    /// How many may enter each second now.
    #[must_use]
    pub fn pace(&self, load: Load) -> Credit {
        let (limit, present) = (f64::from(load.limit), load.present() as f64);
        let capacity = self.capacity.get();
        let missing = limit + STOCK_SECONDS * capacity - present;
        let each = self.visit.get().get().max(1.0);
        // A visit's later pages are not known before they come: on a queue of a second nobody
        // else enters.
        let over = 2.0 * (limit + capacity - present) / capacity.max(f64::MIN_POSITIVE);
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
        self.capacity.milli()
    }

    /// Takes up a capacity that a snapshot kept.
    pub fn resume(&mut self, capacity_milli: u64) {
        self.capacity = Finite::from_milli(capacity_milli);
    }
}

/// No origin behind one proxy takes more visitors each second.
const MOST_PER_SECOND: f64 = 1e6;
impl Auto {
    /// x
    pub fn each(&self) -> f64 {
        self.visit.get().get()
    }
}

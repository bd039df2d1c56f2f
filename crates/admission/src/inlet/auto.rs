//! How many may enter each second, found from what the origin does.
//!
//! ```text
//! pace = served at capacity - what visitors inside ask for + (limit - at the origin - queued) / 1 s
//! ```
//! The first two are measured, so a visitor's later pages take their share before anybody new is
//! called; the last keeps a free place from staying idle and takes back what was let in too
//! fast. All are counted in exchanges, so it does not matter how many make a page. There is no
//! integrator that could wind up: what is wrong is seen anew with each tick.

use core::time::Duration;

use super::Credit;
use crate::estimate::{Finite, Smooth};
use crate::room::Load;

/// The automatic inlet's memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Auto {
    last: Option<Load>,
    served: Smooth,
    asked: Smooth,
    tried: Smooth,
    entered: Smooth,
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
/// Free places are filled, and a queue is taken back, over about so many seconds.
const RELAX_SECONDS: f64 = 1.0;
/// Entries per second while most of what is asked for fails: enough to see a recovery.
const PROBES_PER_SECOND: f64 = 1.0;

impl Default for Auto {
    fn default() -> Self {
        Self {
            last: None,
            served: Smooth::new(MEMORY),
            asked: Smooth::new(MEMORY),
            tried: Smooth::new(MEMORY),
            entered: Smooth::new(MEMORY),
            failed: Smooth::new(MEMORY),
            pressed: Smooth::new(PRESSURE_MEMORY),
            used: Smooth::new(PRESSURE_MEMORY),
            capacity: Finite::default(),
        }
    }
}

impl Auto {
    /// Takes in what happened in the last `span`; `entered` visitors came in by their turn.
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
        self.entered.count(entered, span);
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
        let inside = self.asked.get().max(self.tried.get()).get() - self.entered.get().get();
        let free = (f64::from(load.limit) - load.present() as f64) / RELAX_SECONDS;
        let room = self.capacity.get() - inside.max(0.0);
        let pace = Finite::new(room + free);
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

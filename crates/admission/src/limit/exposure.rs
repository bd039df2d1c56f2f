//! What the origin was exposed to, and what it finished meanwhile: totals, and windows over them.

use core::time::Duration;

use super::adaptive::Measured;
use crate::time::Timestamp;

/// Totals that the shell keeps, integrated at every change of what is in flight, of the limit and
/// of the queue. "Pressed" is when no permit was free or somebody waited for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Time pressed.
    pub pressed: Duration,
    /// Requests at the origin, integrated over the time pressed: request-nanoseconds, wrapping.
    pub area: u64,
    /// Good answers that ended while pressed.
    pub pressed_good: u64,
    /// Young requests at the origin, those begun less than [`Adaptive::youth`](super::Adaptive::youth)
    /// ago, integrated over the time pressed: request-nanoseconds, wrapping.
    pub young_area: u64,
    /// Good answers that ended while pressed and young.
    pub young_good: u64,
    /// Good answers, pressed or not.
    pub good: u64,
    /// Congestion: refused, reset, timed out, 502, 503, 504.
    pub failed: u64,
    /// Requests at the origin now.
    pub in_flight: u32,
}

/// What is above a limit that was lowered has so many times the usual settling to go.
const DRAIN: u32 = 4;

/// Fewer answers say little.
const ANSWERS: f64 = 30.0;

/// So few of the answers that were due have come that the origin must have become another one.
const MISSING: f64 = 1.0 / 3.0;

/// What the window before lets one expect of this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// Seconds that a request takes.
    pub(super) response: f64,
    /// Answers a second.
    pub(super) rate: f64,
    /// So many generations of requests are enough.
    pub(super) generations: f64,
}

/// A stretch of time since `began`, measured from `from` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    began: Timestamp,
    from: Option<Exposure>,
    starts: Timestamp,
    /// Until when it waits for what is above the limit to go.
    patient: Timestamp,
}

impl Window {
    pub(super) const fn new(exposure: Exposure, now: Timestamp) -> Self {
        Self {
            began: now,
            from: Some(exposure),
            starts: now,
            patient: now,
        }
    }

    /// One that is measured only once what the last limit left has gone.
    pub(super) fn settling(exposure: Exposure, now: Timestamp, settle: Duration) -> Self {
        Self {
            began: now,
            from: settle.is_zero().then_some(exposure),
            starts: now.plus(settle),
            patient: now.plus(settle.saturating_mul(DRAIN)),
        }
    }

    pub(super) const fn began(&self) -> Timestamp {
        self.began
    }

    /// Good and failed answers since it began.
    pub(super) fn ended(&self, exposure: Exposure) -> (u64, u64) {
        self.from.map_or((0, 0), |from| {
            (
                exposure.good.saturating_sub(from.good),
                exposure.failed.saturating_sub(from.failed),
            )
        })
    }

    /// Mean number at the origin while pressed, or what is there now.
    pub(super) fn mean(&self, exposure: Exposure) -> f64 {
        let pressed = self.from.map_or(Duration::ZERO, |from| {
            exposure.pressed.saturating_sub(from.pressed)
        });
        match self.from {
            Some(from) if !pressed.is_zero() => {
                exposure.area.wrapping_sub(from.area) as f64 / pressed.as_nanos() as f64
            }
            _ => f64::from(exposure.in_flight),
        }
    }

    /// Whether enough has been seen: so many generations of requests have ended, 30 answers and
    /// 0.2 s at the least; or 30 should have and most did not; or `max(6 s, 4 responses)`. Before
    /// it is measured, what the last limit left has to go.
    ///
    /// A generation is as many answers as there are requests at the origin: that takes a response
    /// time, and the present one, however much the last differed.
    pub(super) fn is_over(
        &mut self,
        exposure: Exposure,
        now: Timestamp,
        limit: u32,
        expected: Expected,
    ) -> bool {
        let Some(from) = self.from else {
            let drained = exposure.in_flight <= limit || now >= self.patient;
            if now >= self.starts && drained {
                self.from = Some(exposure);
                self.starts = now;
            }
            return false;
        };
        let age = now.saturating_since(self.starts).as_secs_f64();
        let count = exposure.pressed_good.saturating_sub(from.pressed_good) as f64;
        let enough = (expected.generations * self.mean(exposure)).max(ANSWERS);
        let pressed = exposure.pressed.saturating_sub(from.pressed).as_secs_f64();
        let due = expected.rate * pressed;
        let missing = due >= ANSWERS && count < MISSING * due;
        (age >= 0.2 && (count >= enough || missing)) || age >= (4.0 * expected.response).max(6.0)
    }

    /// What it said, if it was pressed for more than `share` of it.
    pub(super) fn measured(
        &self,
        exposure: Exposure,
        now: Timestamp,
        share: f64,
    ) -> Option<Measured> {
        let from = self.from?;
        let age = now.saturating_since(self.starts).as_secs_f64();
        let pressed = exposure.pressed.saturating_sub(from.pressed).as_secs_f64();
        let count = exposure.pressed_good.saturating_sub(from.pressed_good) as f64;
        if age <= 0.0 || pressed < share * age || count < 1.0 {
            return None;
        }
        let area = exposure.area.wrapping_sub(from.area) as f64 * 1e-9;
        let n = (area / pressed).max(0.1);
        let young_area = exposure.young_area.wrapping_sub(from.young_area) as f64 * 1e-9;
        let young = exposure.young_good.saturating_sub(from.young_good) as f64;
        let rate = count / pressed;
        // How fast one request is served, read from the young ones: a slot that has just come fills
        // with light requests first, and would look like capacity.
        let speed = if young >= 1.0 && young_area > 0.0 {
            young / young_area
        } else {
            rate / n
        };
        Some(Measured {
            n,
            rate,
            work: n * speed,
            count: if young >= 1.0 { young } else { count },
            pressed: pressed / age,
        })
    }
}

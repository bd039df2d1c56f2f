//! Whether the origin has become another one: a sum of deviations that does not forget small ones
//! (CUSUM, Page 1954) over throughput corrected for what the dither explains.

use super::adaptive::{Measured, exp, ln};

/// Deviation, in standard errors, that is forgiven in each window.
const SLACK: f64 = 1.0;
/// Sum of deviations that is a change.
const ALARM: f64 = 5.0;
/// A change smaller than this, as a logarithm, only moves the level.
const SMALL: f64 = 0.15;
/// The part of a deviation that is never noise: work is not all alike.
const SPREAD: f64 = 0.03;

/// Which way the origin's throughput went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shift {
    /// More at the same concurrency, by so much as a logarithm.
    Up(f64),
    /// Less, by so much as a logarithm.
    Down(f64),
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    level: Option<f64>,
    windows: f64,
    up: f64,
    down: f64,
    own: f64,
}

impl Change {
    /// The limit is moved by `step`, as a logarithm: what the throughput does then may be our own
    /// doing, as far as that goes.
    pub(super) fn moved(&mut self, step: f64) {
        self.own += step * step;
    }

    /// Takes in a window; `worth` is the elasticity at which the limit rests.
    pub(super) fn see(&mut self, measured: Measured, worth: f64) -> Option<Shift> {
        let value = ln(measured.work) - worth * ln(measured.n);
        let Some(level) = self.level else {
            *self = Self {
                level: Some(value),
                windows: 1.0,
                up: 0.0,
                down: 0.0,
                own: 0.0,
            };
            return None;
        };
        // The noise of the count that the level lets expect: a few answers where many were due
        // are no weak sign.
        let due = measured.count * exp(level - value);
        let spread = SPREAD * SPREAD + self.own;
        let noise = libm::sqrt((1.0 + 1.0 / self.windows) / due.max(1.0) + spread);
        let deviation = (value - level) / noise;
        self.up = (self.up + deviation - SLACK).max(0.0);
        self.down = (self.down - deviation - SLACK).max(0.0);
        let shift = match (self.up > ALARM, self.down > ALARM) {
            (true, _) => Some(Shift::Up(value - level)),
            (_, true) => Some(Shift::Down(level - value)),
            _ => None,
        };
        if shift.is_none() {
            self.windows = (self.windows + 1.0).min(20.0);
            self.level = Some(level + (value - level) / self.windows);
            self.own = 0.0;
            return None;
        }
        *self = Self {
            level: Some(value),
            windows: 1.0,
            up: 0.0,
            down: 0.0,
            own: 0.0,
        };
        ((value - level).abs() > SMALL).then_some(()).and(shift)
    }
}

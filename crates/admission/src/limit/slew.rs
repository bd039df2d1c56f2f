//! How a new limit comes into force.

use core::time::Duration;

use crate::time::Timestamp;

/// The way from one limit to the next: upwards little by little, because those who come in all at
/// once also leave all at once, and what is measured then is their wave.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slew {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) began: Timestamp,
    pub(super) lasts: Duration,
}

impl Slew {
    pub(super) fn at(&self, now: Timestamp) -> Option<u32> {
        if self.to == 0 {
            return None;
        }
        if self.to <= self.from || self.lasts.is_zero() {
            return Some(self.to);
        }
        let share = now.saturating_since(self.began).as_secs_f64() / self.lasts.as_secs_f64();
        let way = f64::from(self.to - self.from) * share.min(1.0);
        Some(self.from + libm::ceil(way) as u32)
    }
}

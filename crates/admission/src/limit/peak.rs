//! How much the origin has had at once lately, which bounds what the law may try.

use core::time::Duration;

use crate::time::Timestamp;

/// The most at the origin in the last minute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peak {
    began: Timestamp,
    now: u32,
    before: u32,
}

impl Peak {
    pub(super) fn see(&mut self, in_flight: u32, now: Timestamp) {
        if now.saturating_since(self.began) >= Duration::from_secs(60) {
            self.before = self.now;
            self.now = 0;
            self.began = now;
        }
        self.now = self.now.max(in_flight);
    }

    pub(super) fn most(&self) -> u32 {
        self.now.max(self.before)
    }
}

//! Claims about the room, in virtual time.

mod ask;
mod auto;
mod claims;
mod crowd;
mod forecast;
mod lane;
mod line;
mod order;
mod origin;
mod properties;
mod saved;
mod shadow;
mod verbs;

use core::time::Duration;

use super::*;
use crate::rate::Rate;

/// An arbitrary Friday.
pub(super) const START: WallTime = WallTime::from_millis(1_800_000_000_000);
pub(super) const TICK: Duration = Duration::from_millis(200);

pub(super) const fn ms(millis: u64) -> WallTime {
    WallTime::from_millis(START.as_millis() + millis)
}

pub(super) fn by_rate(per_second: u32) -> Settings {
    let rate = Rate::new(per_second, Duration::from_secs(1)).unwrap();
    Settings {
        inlet: InletRule::Rate(rate),
        ..Settings::default()
    }
}

pub(super) fn room(settings: Settings) -> Room {
    Room::new(RoomId(7), settings, START)
}

/// Ticks and publishes from the last tick until `until_ms` after the start.
pub(super) fn run(room: &mut Room, until_ms: u64) {
    while room.ticked < ms(until_ms) {
        let now = room.ticked.plus(TICK).min(ms(until_ms));
        room.tick(
            now,
            Load {
                limit: 64,
                ..Load::default()
            },
        );
        room.publish(now);
    }
}

/// A small deterministic source of randomness (SplitMix64).
#[derive(Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        crate::mix::mix(self.0)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// Exponentially distributed with this mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        let uniform = (self.roll() >> 11) as f64 / (1u64 << 53) as f64;
        -mean * (1.0 - uniform).ln()
    }
}

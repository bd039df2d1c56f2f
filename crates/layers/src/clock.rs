//! The process clock, and the wall clock that never jumps while the process runs.
//!
//! Both come from tokio's clock, so that a test with paused time pauses them too.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use forebay_admission::time::{Timestamp, WallTime};
use tokio::time::Instant;

/// Reads the time for one process; cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    wall_start: WallTime,
}

impl Clock {
    /// A clock whose zero is now. The wall clock is read here once; a later step of the system's
    /// clock moves nobody's place.
    #[must_use]
    pub fn new() -> Self {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        let millis = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        Self {
            start: Instant::now(),
            wall_start: WallTime::from_millis(millis),
        }
    }

    /// The same clock, with a wall time that is not before `latest`: what a former process signed
    /// must not look as if it came from the future when the system's clock was set back.
    #[must_use]
    pub fn not_before(self, latest: WallTime) -> Self {
        Self {
            wall_start: self.wall_start.max(latest),
            ..self
        }
    }

    /// The time since the process started.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let nanos = self.start.elapsed().as_nanos();
        Timestamp::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The wall time that belongs to `now`.
    #[must_use]
    pub const fn wall(&self, now: Timestamp) -> WallTime {
        self.wall_start.plus(Duration::from_nanos(now.as_nanos()))
    }

    /// The moment on tokio's clock that belongs to `at`, for timers.
    #[must_use]
    pub fn instant(&self, at: Timestamp) -> Instant {
        self.start + Duration::from_nanos(at.as_nanos())
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

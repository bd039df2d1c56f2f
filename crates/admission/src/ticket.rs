//! A ticket: a visitor's signed place in line. The server keeps nothing per visitor; whoever
//! brings the ticket back has the place it says.

use core::time::Duration;

use crate::credential::RoomId;
use crate::room::Told;
use crate::time::WallTime;

/// A place in line. What is in it is signed, so it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The room whose line this is.
    pub room: RoomId,
    /// Random at the first contact; the visitor's reference, and the seed of the pass's id.
    pub id: u64,
    /// When the visitor arrived: the place in line.
    pub arrived: WallTime,
    /// Whether it has come back at least once: only then it counts as a visitor who waits.
    pub confirmed: bool,
    /// When the next poll was asked for: where the visitor is counted.
    pub due: WallTime,
    /// The least number of people ahead that was told; what is told never rises above it.
    pub least_ahead: Option<u32>,
    /// The first time that was told: what the room's own accuracy is measured by.
    pub first_told: Option<FirstTold>,
    /// Takes no part in a draw, and stands behind those who do: one of too many of one client.
    pub late: bool,
    /// Stands in the lane of those whom the operator invited, and not in line.
    pub invited: bool,
}

impl Ticket {
    /// Its holder is told this, and the ticket remembers what binds the room.
    pub(crate) fn hear(&mut self, now: WallTime, told: &Told) {
        self.least_ahead = told.ahead.or(self.least_ahead);
        if let (None, Some(eta)) = (self.first_told, told.eta) {
            let after = now.saturating_since(self.arrived);
            self.first_told = Some(FirstTold::new(after, eta.p50, eta.p90));
        }
    }
}

/// A time told to somebody in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstTold {
    /// Milliseconds from the arrival until it was told.
    pub after_ms: u32,
    /// Half of those in this place enter within so many seconds.
    pub p50_seconds: u32,
    /// Nine of ten in this place enter within so many seconds.
    pub p90_seconds: u32,
}

impl FirstTold {
    /// The band told `after` the arrival; each part saturates.
    #[must_use]
    pub fn new(after: Duration, p50: Duration, p90: Duration) -> Self {
        let seconds = |span: Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
        Self {
            after_ms: u32::try_from(after.as_millis()).unwrap_or(u32::MAX),
            p50_seconds: seconds(p50),
            p90_seconds: seconds(p90),
        }
    }
}

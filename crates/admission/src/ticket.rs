//! A ticket: a visitor's signed place in line. The server keeps nothing per visitor; whoever
//! brings the ticket back has the place it says.

use crate::credential::RoomId;
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
}

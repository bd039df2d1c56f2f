//! What the origin counts: the ground truth.

use serde::Serialize;

/// What the origin counted. Also the JSON of `GET /__origin/stats`, which is itself not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OriginStats {
    /// Requests at work or queued now.
    pub in_flight: u64,
    /// The most there ever were at once.
    pub in_flight_max: u64,
    /// Requests whose work is done.
    pub completed: u64,
    /// Completed while the visitor was still there.
    pub useful: u64,
    /// Completed for nobody.
    pub wasted: u64,
    /// Connections reset because threads and backlog were full.
    pub reset: u64,
    /// Forms sent to the end, each counted once.
    pub forms: u64,
    /// Form pages that were posted again with the same token.
    pub duplicates: u64,
    /// Connections open now.
    pub connections: u64,
}

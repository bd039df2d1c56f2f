//! What the origin counts: the ground truth.

use serde::{Deserialize, Serialize};

/// What the origin counted. Also the JSON of `GET /__origin/stats`, which is itself not counted.
///
/// `arrived = in_flight + completed + refused + lost + errors`, at any instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OriginStats {
    /// Requests that were read whole.
    pub arrived: u64,
    /// Requests at work or queued now.
    pub in_flight: u64,
    /// The most there ever were at once.
    pub in_flight_max: u64,
    /// Requests whose work is done.
    pub completed: u64,
    /// Completed while the visitor was still there, and answered whole.
    pub useful: u64,
    /// Useful, and within the deadline after the request had arrived.
    pub in_time: u64,
    /// Completed for nobody: the visitor had left, or the answer was cut off.
    pub wasted: u64,
    /// Answers cut off on purpose ([`Condition::truncate`](super::Condition::truncate)).
    pub truncated: u64,
    /// Requests that found threads and backlog full; their connections were reset.
    pub refused: u64,
    /// Requests that were at work or queued in a server that died.
    pub lost: u64,
    /// Requests answered by 500 on purpose.
    pub errors: u64,
    /// Connections reset: with a request that found no room, or at once because no
    /// request would have found any, or because their server died.
    pub reset: u64,
    /// Forms sent to the end, each counted once, whether or not the visitor was still there.
    pub forms: u64,
    /// Form pages whose work was done once more: posted again with the same
    /// `Idempotency-Key`, or without one with the same token.
    pub duplicates: u64,
    /// Connections open now.
    pub connections: u64,
    /// Highest throughput, in requests a second, that it could have in its present
    /// condition with its caches warm; rounded up to a tenth.
    pub peak: f64,
    /// The same per kind of request.
    pub classes: Vec<ClassStats>,
}

/// What the origin counted of one kind of request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClassStats {
    /// `page`, `heavy`, `post` or `asset`.
    pub name: String,
    /// Requests that were read whole.
    pub arrived: u64,
    /// Requests at work or queued now.
    pub in_flight: u64,
    /// Requests whose work is done.
    pub completed: u64,
    /// Completed while the visitor was still there, and answered whole.
    pub useful: u64,
    /// Completed for nobody.
    pub wasted: u64,
}

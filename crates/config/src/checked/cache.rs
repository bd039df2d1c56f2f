//! Kept answers.

use std::time::Duration;

/// The cache of the process, for the routes that ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cache {
    /// Bytes of all copies together; eight times `object` or more.
    pub size: u64,
    /// Bytes of the largest answer that is kept.
    pub object: u64,
}

/// How a route's answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteCache {
    /// How long an answer is fresh where the origin does not say; `None`: it is not kept.
    pub fresh: Option<Duration>,
    /// How long after that a copy is served while the origin cannot answer in time.
    pub stale: Duration,
}

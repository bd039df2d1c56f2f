//! Rate allowances.

use std::num::NonZeroU32;
use std::time::Duration;

/// So many in so long. Neither is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how long: `"0.1/s"` is 1 in 10 s.
    pub per: Duration,
}

/// A rate allowance for each client, each pass or a whole route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// The `NAME` of `[quota.NAME]`.
    pub name: String,
    /// Who has an allowance of their own.
    pub per: Per,
    /// The steady rate.
    pub rate: Rate,
    /// Requests that may come at once after a rest.
    pub burst: NonZeroU32,
    /// Bound of the table; when it is full the most idle entry goes. At least 1.
    pub entries: usize,
}

/// Who has an allowance of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// Each client prefix.
    Client,
    /// Each pass.
    Pass,
    /// The route as a whole.
    Route,
}

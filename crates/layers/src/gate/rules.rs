//! What an operator sets about a gate.

use std::time::Duration;

use forebay_admission::limit::{Adaptive, Bounds, Exposure};
use forebay_admission::queue::Settings;
use forebay_admission::time::Timestamp;

/// How many permits an origin has, and what waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateRules {
    /// Exchanges in flight at the origin at the same time.
    pub limit: LimitRule,
    /// How many may wait for a permit, and how long.
    pub queue: Settings,
    /// How long abandoned work is taken to go on; `None`: the last p90, within 1 to 30 s.
    pub abort_grace: Option<Duration>,
}

/// Who sets the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitRule {
    /// The operator.
    Fixed(u32),
    /// What the origin does, within these.
    Adaptive(Bounds),
}

impl LimitRule {
    /// The law that follows from it, at its start.
    pub(super) fn law(self, exposure: Exposure, now: Timestamp) -> Option<Adaptive> {
        match self {
            Self::Fixed(_) => None,
            Self::Adaptive(bounds) => Some(Adaptive::new(bounds, exposure, now)),
        }
    }

    pub(super) fn first(self, law: Option<&Adaptive>) -> u32 {
        match (self, law) {
            (Self::Fixed(limit), _) => limit,
            (Self::Adaptive(_), Some(law)) => law.current(),
            (Self::Adaptive(bounds), None) => bounds.min,
        }
    }
}

//! What is said about a gate.

use forebay_admission::limit::Moved;
use forebay_admission::priority::PerClass;

/// What holds the limit where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The operator's number.
    Operator,
    /// What was learned, and why that last moved.
    Learned(Moved),
    /// What the origin or its servers allow at most.
    Ceiling,
}

impl Holds {
    /// Its name in `/api/status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Learned(_) => "learned",
            Self::Ceiling => "ceiling",
        }
    }
}

/// Requests turned away at the queue, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShedCounts {
    /// Their patience was over.
    pub late: u64,
    /// There was no place for them, or none any more.
    pub crowded: u64,
}

impl ShedCounts {
    /// In all.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.late + self.crowded
    }
}

/// What a gate did so far, and what stands at it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateStatus {
    /// Permits there are.
    pub limit: u32,
    /// What holds the limit where it is.
    pub holds: Holds,
    /// Permits taken.
    pub in_flight: u32,
    /// Requests that wait for one.
    pub queued: u32,
    /// Permits whose client left and whose origin may still be working.
    pub abandoned: usize,
    /// Exchanges the origin finished.
    pub completed: u64,
    /// How many of each class wait.
    pub waiting: PerClass<usize>,
    /// Whether the queue stands: more come than leave, and strangers wait a moment only.
    pub standing: bool,
    /// Requests turned away at the queue, by class and why.
    pub shed: PerClass<ShedCounts>,
    /// Exchanges that were given up while the origin worked.
    pub given_up: u64,
}

//! The room's figures, for the admin API, metrics and the operator.

use core::time::Duration;

use super::{Mode, State};

/// The room at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The mode in force.
    pub mode: Mode,
    /// Whether newcomers pass, wait, or are held.
    pub state: State,
    /// Visitors in line who are believed to be there.
    pub waiting: u64,
    /// Visitors inside.
    pub active: u64,
    /// Total of visitors who were called.
    pub called: u64,
    /// Called, and neither claimed nor given back.
    pub outstanding: u64,
    /// Total of calls that were claimed.
    pub claimed: u64,
    /// Total of tickets that stopped coming back.
    pub abandoned: u64,
    /// Total of passes given: by claim, or with the first answer of an open room.
    pub admitted_total: u64,
    /// How long the first in line has been waiting.
    pub oldest_wait: Duration,
    /// Admissions per second over the last while, in thousandths.
    pub rate_milli: u64,
}

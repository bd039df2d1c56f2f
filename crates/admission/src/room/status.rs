//! The room's figures, for the admin API, metrics and the operator.

use core::time::Duration;

use super::{InletRule, Mode, Room, Shadow, State};
use crate::inlet::Pace;

/// What holds those who wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Holds {
    /// Nothing: everybody passes.
    #[default]
    Nothing,
    /// The operator: nobody new enters.
    Operator,
    /// The operator's rate.
    Rate,
    /// The operator's number of visitors inside.
    Active,
    /// What the origin can take.
    Capacity,
    /// The origin fails: a few enter, to see whether it does still.
    Probing,
    /// The origin has just come back and gets fewer for a while.
    Recovering,
}

impl Holds {
    /// Its name in `/api/status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Operator => "operator",
            Self::Rate => "rate",
            Self::Active => "active",
            Self::Capacity => "capacity",
            Self::Probing => "probing",
            Self::Recovering => "recovering",
        }
    }
}

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
    /// Total of tickets that were issued and never came back.
    pub ghosts: u64,
    /// How long those waited who entered lately: half of them less than this.
    pub wait_p50: Option<Duration>,
    /// The same of nine in ten.
    pub wait_p90: Option<Duration>,
    /// Of those who entered lately and were told a time, the thousandths who entered before the
    /// upper end of what they were told first.
    pub told_below_p90_milli: Option<u32>,
    /// Of the same the median error of the first time told, in thousandths of the time it took.
    pub told_error_milli: Option<u32>,
    /// How long the first in line has been waiting.
    pub oldest_wait: Duration,
    /// Admissions per second over the last while, in thousandths.
    pub rate_milli: u64,
    /// What holds those who wait.
    pub holds: Holds,
    /// Visitors who may enter each second now, in thousandths; `None`: as many as come.
    pub pace_milli: Option<u64>,
    /// What the origin is believed to serve each second: exchanges, in thousandths.
    pub capacity_milli: u64,
    /// Exchanges that a visitor asks for in a visit, in thousandths.
    pub demand_milli: u64,
    /// What the inlet would do, where it only looks on (`inlet = "shadow"`).
    pub shadow: Option<Shadow>,
}

impl Room {
    pub(super) fn holds(&self) -> Holds {
        let fixed = matches!(self.inlet.pace(), Pace::Fixed(_));
        match (self.state(), self.settings.inlet) {
            (State::Closed, _) => Holds::Operator,
            (State::Open, _) => Holds::Nothing,
            _ if self.places() == Some(0) => Holds::Active,
            (_, InletRule::Shadow) => Holds::Nothing,
            (_, InletRule::Rate(_)) if fixed => Holds::Rate,
            _ if self.auto.is_probing() => Holds::Probing,
            _ if self.auto.is_healing() => Holds::Recovering,
            _ => Holds::Capacity,
        }
    }

    /// Visitors who may enter each second, in thousandths.
    pub(super) fn pace_milli(&self) -> Option<u64> {
        let second = self.inlet.pace().over(Duration::from_secs(1));
        (self.settings.inlet != InletRule::Shadow).then(|| second.milli_whole())
    }
}

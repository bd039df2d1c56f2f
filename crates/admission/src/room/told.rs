//! What a visitor is told, and what a visit comes to.

use core::time::Duration;

use crate::pass::Pass;
use crate::ticket::Ticket;

/// The room's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Everyone passes.
    #[default]
    Open,
    /// Newcomers wait in line.
    Queueing,
    /// Nobody new enters (modes `hold` and `maintenance`).
    Closed,
}

impl State {
    /// The name in the API and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Queueing => "queueing",
            Self::Closed => "closed",
        }
    }
}

/// Where one ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TurnState {
    /// There is no line: go on.
    Open,
    /// In line.
    Queueing,
    /// Called: the next poll enters, as soon as a token is there.
    Called,
    /// Held by the operator.
    Closed,
    /// Held by the operator, with everybody who was inside.
    Maintenance,
}

impl TurnState {
    /// The name in the status answer.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Queueing => "queueing",
            Self::Called => "called",
            Self::Closed | Self::Maintenance => "closed",
        }
    }
}

/// How long it will take, as a band; `p50 <= p90`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eta {
    /// Half of those in this place enter sooner.
    pub p50: Duration,
    /// Nine of ten in this place enter sooner.
    pub p90: Duration,
}

/// What a visitor in line is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Where the ticket stands.
    pub state: TurnState,
    /// People ahead who are believed to be there; never more than was told before. `None`: not
    /// known yet (before the second contact, right after a rebuild).
    pub ahead: Option<u32>,
    /// How long it will take; `None`: not known, and to be said so.
    pub eta: Option<Eta>,
    /// How long until the event opens in whose pre-queue the visitor waits; nobody is called
    /// before, and no place is known.
    pub opens_in: Option<Duration>,
    /// When to come back.
    pub poll_after: Duration,
    /// What the visitor can name to support: the ticket's id.
    pub reference: u64,
}

/// What a contact with the room comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Go on without waiting; a navigation gets a pass through [`Room::grant`](super::Room::grant)
    /// with its answer.
    Through,
    /// The turn has come: go on with this pass.
    Enter(Pass),
    /// Wait, with this ticket (signed anew) and this to show.
    Wait(Ticket, Told),
}

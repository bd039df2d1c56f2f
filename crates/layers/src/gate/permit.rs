//! Permission to be in flight at the origin, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use forebay_admission::limit::Outcome;
use forebay_admission::priority::Priority;

use super::Gate;
use super::pressure::Begun;

/// Permission to be in flight at the origin.
#[derive(Debug)]
pub struct Permit {
    gate: Arc<Gate>,
    state: PermitState,
    kept: Kept,
}

/// What the gate keeps of one that came through its queue or under pressure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) begun: Option<Begun>,
    /// The class, of one that waited. Others came while permits were free and took nobody's.
    pub(super) class: Option<Priority>,
}

impl Kept {
    /// Whether anything is kept.
    pub(super) const fn any(self) -> bool {
        self.begun.is_some() || self.class.is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PermitState {
    /// The origin has got nothing yet.
    Unused,
    /// The origin may be working.
    Used,
    /// Nothing hangs on it any more.
    Void,
}

impl Permit {
    pub(super) const fn new(gate: Arc<Gate>, kept: Kept) -> Self {
        Self {
            gate,
            state: PermitState::Unused,
            kept,
        }
    }

    /// From here on the origin may be working for us.
    pub const fn begin(&mut self) {
        self.state = PermitState::Used;
    }

    /// The origin is done: its last byte has arrived, or it never got a byte.
    pub fn finish(mut self, outcome: Outcome, latency: Duration) {
        self.state = PermitState::Void;
        self.gate.observe(outcome, latency);
        self.gate.release(self.kept, outcome == Outcome::Success);
    }

    /// There was no whole answer; what its drop does stays as it was.
    pub fn failed(&self, outcome: Outcome) {
        if outcome == Outcome::Congested {
            self.gate.counts.lose();
        }
    }

    /// Takes its place out of the permit, which then stands for nothing.
    pub(super) fn void(mut self) -> Kept {
        self.state = PermitState::Void;
        self.kept
    }

    /// How long work that was given up is taken to go on.
    #[must_use]
    pub fn abort_grace(&self) -> Duration {
        self.gate.abort_grace()
    }

    /// The gate that gave it.
    #[must_use]
    pub const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.state {
            PermitState::Unused => self.gate.release(self.kept, false),
            PermitState::Used => self.gate.abandon(self.kept),
            PermitState::Void => {}
        }
    }
}

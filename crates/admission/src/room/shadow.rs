//! What the automatic inlet would do, worked out beside a room that lets everybody in.

use super::{Room, State};
use crate::time::WallTime;

/// What [`InletRule::Auto`](super::InletRule::Auto) would do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// Whether newcomers would wait.
    pub state: State,
    /// Visitors a second who would enter, in thousandths, if there were a line.
    pub pace_milli: u64,
}

impl Room {
    /// What the inlet would do, where it only looks on.
    #[must_use]
    pub const fn shadow(&self) -> Option<Shadow> {
        self.shadow
    }

    /// Works out what would be done. It cannot know how long the line would be: it would go away
    /// when the origin has been at ease for as long as an empty line needs.
    pub(super) fn cast_shadow(&mut self, now: WallTime) {
        let before = self.shadow.map_or(State::Open, |shadow| shadow.state);
        if !self.is_at_ease() {
            self.uneasy = now;
        }
        let state = if self.is_pressed() {
            State::Queueing
        } else if Self::is_calm(self.uneasy, now) {
            State::Open
        } else {
            before
        };
        self.shadow = Some(Shadow {
            state,
            pace_milli: self.auto.pace(self.load).milli_whole(),
        });
    }
}

//! What is counted about a waiting room.

use super::cell::{Bounds, Counter, Gauge, Histogram, Kind as _, Ratio, Table, kinds};

kinds! {
    /// The state of a room.
    RoomState {
        /// Everyone passes.
        Open => "open",
        /// Newcomers wait in line.
        Queueing => "queueing",
        /// Nobody new enters.
        Closed => "closed",
    }
}

kinds! {
    /// Why a ticket or pass was not believed.
    Rejection {
        /// Not in our form.
        Malformed => "malformed",
        /// Signed with a key that is not known any more.
        UnknownKey => "unknown_key",
        /// The signature is wrong.
        Forged => "forged",
        /// Of another room.
        OtherRoom => "other_room",
        /// Issued later than now.
        FromTheFuture => "from_the_future",
        /// Too old.
        Expired => "expired",
        /// Taken back by the origin or the operator.
        Revoked => "revoked",
    }
}

/// Waits last from seconds to hours.
#[derive(Debug)]
pub(crate) struct WaitBounds;

impl Bounds for WaitBounds {
    const SECONDS: &'static [f64] = &[
        1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0,
    ];
}

/// The counters of one room. Kept by whoever runs it, and the same after a reload.
#[derive(Debug, Default)]
pub struct RoomMetrics {
    state: Gauge,
    /// Live visitors in line.
    pub waiting: Gauge,
    /// Visitors inside.
    pub active: Gauge,
    /// Visitors who were let in.
    pub admitted: Counter,
    /// Visitors whose turn came.
    pub called: Counter,
    /// Calls that were taken.
    pub claimed: Counter,
    /// Tickets that were given and never came back.
    pub ghosts: Counter,
    /// Times that somebody in line asked for the own place.
    pub polls: Counter,
    /// Polls that are kept back.
    pub held: Gauge,
    /// Visitors who are called and have not come yet.
    pub outstanding: Gauge,
    /// Seconds for which the first in line has been waiting.
    pub oldest: Gauge,
    /// The share of times told that were not exceeded.
    pub told_below_p90: Ratio,
    /// The median error of the times told.
    pub told_error: Ratio,
    /// Visitors who left the line.
    pub abandoned: Counter,
    /// Credentials that were not believed.
    pub rejected: Table<Rejection, Counter>,
    pub(super) waits: Histogram<WaitBounds>,
}

impl RoomMetrics {
    /// Says in which state the room is.
    pub fn set_state(&self, state: RoomState) {
        self.state.set(state.index() as u64);
    }

    /// Counts how long somebody waited who is let in now.
    pub fn waited(&self, nanos: u64) {
        self.waits.record(nanos);
    }

    /// Each state's name, with 1 for the one that holds and 0 for the others.
    pub(super) fn states(&self) -> impl Iterator<Item = (&'static str, i64)> {
        let current = self.state.value();
        (0..)
            .zip(RoomState::NAMES)
            .map(move |(index, name)| (*name, i64::from(index == current)))
    }
}

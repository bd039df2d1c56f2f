//! The watermark: everyone whose place is at or before it is called. It only moves forward.
//!
//! It moves in two steps. What a tick computes is *pending* until the shell has it in its file;
//! only what is *published* is told or acted upon, so no crash can take back what was said.

use crate::mix::mix;
use crate::time::WallTime;

/// A place in line: microseconds since the Unix epoch. The arrival's millisecond gives the
/// order; the ticket's id spreads those of one millisecond over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u64);

/// Micros in a second: one bucket of the line.
const SECOND: u64 = 1_000_000;

impl Place {
    /// The place of a ticket.
    #[must_use]
    pub const fn of(arrived: WallTime, id: u64) -> Self {
        Self(
            arrived
                .as_millis()
                .saturating_mul(1_000)
                .saturating_add(mix(id) % 1_000),
        )
    }

    /// The first place at `time`.
    #[must_use]
    pub const fn at(time: WallTime) -> Self {
        Self(time.as_millis().saturating_mul(1_000))
    }

    /// The first place of the second `second` since the Unix epoch.
    #[must_use]
    pub const fn start_of(second: u64) -> Self {
        Self(second.saturating_mul(SECOND))
    }

    /// The second since the Unix epoch it lies in.
    #[must_use]
    pub const fn second(self) -> u64 {
        self.0 / SECOND
    }

    /// The time it stands for.
    #[must_use]
    pub const fn time(self) -> WallTime {
        WallTime::from_millis(self.0 / 1_000)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// From microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Where `part` of `whole` of the way to `end` lies; never before itself nor beyond `end`.
    #[must_use]
    pub fn toward(self, end: Self, part: u64, whole: u64) -> Self {
        let way = u128::from(end.0.saturating_sub(self.0));
        let moved = way * u128::from(part.min(whole)) / u128::from(whole.max(1));
        Self(
            self.0
                .saturating_add(u64::try_from(moved).unwrap_or(u64::MAX)),
        )
    }
}

/// How far the line has been called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    published: Place,
    pending: Place,
}

impl Watermark {
    /// Stands at `place`; nothing pending.
    #[must_use]
    pub const fn new(place: Place) -> Self {
        Self {
            published: place,
            pending: place,
        }
    }

    /// What may be told and acted upon.
    #[must_use]
    pub const fn published(&self) -> Place {
        self.published
    }

    /// What will be published next; what a snapshot keeps.
    #[must_use]
    pub const fn pending(&self) -> Place {
        self.pending
    }

    /// Moves what is pending to `place`; never back.
    pub fn raise(&mut self, place: Place) {
        self.pending = self.pending.max(place);
    }

    /// What is pending is safe now.
    pub const fn publish(&mut self) {
        self.published = self.pending;
    }

    /// Whether the holder of `place` is called.
    #[must_use]
    pub fn calls(&self, place: Place) -> bool {
        place <= self.published
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pending_calls_nobody_until_it_is_published() {
        let mut watermark = Watermark::new(Place::start_of(10));
        watermark.raise(Place::start_of(20));
        assert!(!watermark.calls(Place::start_of(15)));
        watermark.publish();
        assert!(watermark.calls(Place::start_of(15)));
        watermark.raise(Place::start_of(5));
        watermark.publish();
        assert_eq!(
            watermark.published(),
            Place::start_of(20),
            "it never moves back"
        );
    }

    #[test]
    fn places_follow_the_millisecond_of_arrival() {
        for id in 0..1_000 {
            let early = Place::of(WallTime::from_millis(1_000), id);
            assert!(early < Place::of(WallTime::from_millis(1_001), id + 7));
            assert_eq!(early.second(), 1);
            assert_eq!(early.time(), WallTime::from_millis(1_000));
        }
    }

    #[test]
    fn a_part_of_the_way_stays_on_the_way() {
        let (start, end) = (Place::start_of(1), Place::start_of(2));
        assert_eq!(start.toward(end, 1, 4), Place::from_micros(1_250_000));
        assert_eq!(start.toward(end, 9, 4), end);
        assert_eq!(start.toward(end, 0, 0), start);
        assert_eq!(end.toward(start, 1, 2), end);
    }
}

//! How right the room was: what those who entered lately were told first, against how long they
//! waited. Counts in slots of fixed number that forget; nothing of anybody is kept.

use core::time::Duration;

use super::Status;
use crate::estimate::{Finite, Ratio, Slots};
use crate::ticket::Ticket;
use crate::time::WallTime;

/// Half is forgotten in each of these.
const HALF: Duration = Duration::from_secs(900);
/// Slots of waits: four to a doubling, from a second to beyond a day.
const WAITS: usize = 72;
/// Slots of errors: each two hundredths of the true time; the last one is for all beyond.
const ERRORS: usize = 64;
const ERROR_SLOT: f64 = 0.02;
/// The error of a short wait is that of half a minute: the page says "soon".
const SHORT: f64 = 30.0;
/// Nothing is told of fewer than so many.
const FEW: f64 = 20.0;

/// What was told, and what it took.
#[derive(Debug)]
pub(super) struct Accuracy {
    waits: Slots<WAITS>,
    errors: Slots<ERRORS>,
    below: Ratio,
}

impl Accuracy {
    pub(super) fn new() -> Self {
        Self {
            waits: Slots::new(),
            errors: Slots::new(),
            below: Ratio::new(Finite::default()),
        }
    }

    /// The holder of `ticket` enters.
    pub(super) fn entered(&mut self, ticket: &Ticket, now: WallTime) {
        let waited = now.saturating_since(ticket.arrived);
        self.waits.add(slot(waited));
        let Some(first) = ticket.first_told else {
            return;
        };
        let told_at = ticket
            .arrived
            .plus(Duration::from_millis(first.after_ms.into()));
        let took = now.saturating_since(told_at).as_secs_f64();
        let error = (took - f64::from(first.p50_seconds)).abs() / took.max(SHORT);
        self.errors.add(error / ERROR_SLOT);
        self.below.count(1);
        self.below
            .hit(u64::from(took <= f64::from(first.p90_seconds)));
    }

    /// Forgets for `span`.
    pub(super) fn forget(&mut self, span: Duration) {
        self.waits.forget(span, HALF);
        self.errors.forget(span, HALF);
        self.below.forget(span, HALF);
    }

    /// What is known, into the room's figures.
    pub(super) fn fill(&self, status: &mut Status) {
        if self.waits.count() >= FEW {
            let wait = |share| self.waits.quantile(share).map(span);
            (status.wait_p50, status.wait_p90) = (wait(0.5), wait(0.9));
        }
        if self.errors.count() >= FEW {
            let median = self.errors.quantile(0.5).unwrap_or_default();
            status.told_error_milli = Some((median * ERROR_SLOT * 1e3) as u32);
            let (below, of) = self.below.parts_milli();
            status.told_below_p90_milli = u32::try_from(below * 1_000 / of.max(1)).ok();
        }
    }
}

/// The slot of a wait, with its fraction.
fn slot(wait: Duration) -> f64 {
    4.0 * libm::log2(wait.as_secs_f64().max(1.0))
}

/// The wait at which a slot lies.
fn span(slot: f64) -> Duration {
    Duration::from_secs_f64(libm::exp2(slot.clamp(0.0, WAITS as f64) / 4.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::RoomId;
    use crate::ticket::FirstTold;

    const ARRIVED: WallTime = WallTime::from_millis(1_800_000_000_000);

    fn ticket(told: Option<(u32, u32)>) -> Ticket {
        let first = |(p50_seconds, p90_seconds)| FirstTold {
            after_ms: 1_000,
            p50_seconds,
            p90_seconds,
        };
        Ticket {
            room: RoomId(1),
            id: 1,
            arrived: ARRIVED,
            confirmed: true,
            due: ARRIVED,
            least_ahead: None,
            late: false,
            invited: false,
            first_told: told.map(first),
        }
    }

    fn status(accuracy: &Accuracy) -> Status {
        let mut status = Status::default();
        accuracy.fill(&mut status);
        status
    }

    #[test]
    fn the_room_knows_how_right_it_was() {
        let mut accuracy = Accuracy::new();
        assert_eq!(status(&accuracy), Status::default(), "nothing is known");
        for took in 60..=140 {
            let now = ARRIVED.plus(Duration::from_secs(1 + took));
            accuracy.entered(&ticket(Some((100, 132))), now);
        }
        let seen = status(&accuracy);
        let below = seen.told_below_p90_milli.unwrap();
        assert!((880..=920).contains(&below), "73 of 81, found {below}");
        let error = seen.told_error_milli.unwrap();
        assert!((170..=230).contains(&error), "about a fifth, found {error}");
        let (half, most) = (seen.wait_p50.unwrap(), seen.wait_p90.unwrap());
        assert!((90..=113).contains(&half.as_secs()), "{half:?}");
        assert!((120..=145).contains(&most.as_secs()), "{most:?}");
    }

    #[test]
    fn what_was_long_ago_is_forgotten_and_who_was_told_nothing_says_nothing() {
        let mut accuracy = Accuracy::new();
        for _ in 0..100 {
            accuracy.entered(&ticket(None), ARRIVED.plus(Duration::from_secs(60)));
        }
        assert_eq!(status(&accuracy).told_error_milli, None);
        assert!(status(&accuracy).wait_p50.is_some());
        accuracy.forget(HALF * 4);
        assert_eq!(status(&accuracy), Status::default());
    }
}

//! The ledger: every visitor writes into it, and the tally is read from it at any time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::outcome::{Kind, Outcome};
use crate::tally::{Latency, Second, Tally};

/// Seconds that are kept one by one.
const SECONDS_MAX: usize = 3_600;

/// Times above this are written down as this.
const LATENCY_MAX: Duration = Duration::from_secs(600);

/// How a visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Completed,
    GivenUp,
    LostMidForm,
}

/// Counts that all visitors of one crowd share.
#[derive(Debug)]
pub(crate) struct Ledger {
    began: Instant,
    book: Mutex<Book>,
}

#[derive(Debug)]
struct Book {
    tally: Tally,
    /// Milliseconds, two digits.
    latency: Histogram<u64>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        let latency = Histogram::new_with_bounds(1, millis(LATENCY_MAX), 2)
            .expect("1 to 600,000 with two digits are bounds that a histogram can have");
        let book = Book {
            tally: Tally::default(),
            latency,
        };
        Self {
            began: Instant::now(),
            book: Mutex::new(book),
        }
    }

    pub(crate) const fn began(&self) -> Instant {
        self.began
    }

    /// What has been counted so far.
    pub(crate) fn tally(&self) -> Tally {
        // Quiet seconds are seconds too.
        self.write(|_tally, _second| {});
        let book = self.open();
        let latency = &book.latency;
        Tally {
            latency: Latency {
                p50_ms: latency.value_at_quantile(0.5),
                p90_ms: latency.value_at_quantile(0.9),
                p99_ms: latency.value_at_quantile(0.99),
                max_ms: latency.max(),
            },
            ..book.tally.clone()
        }
    }

    pub(crate) fn visitor_came(&self, late: Duration) {
        self.write(|tally, second| {
            tally.visits.begun += 1;
            second.begun += 1;
            let late_ms = &mut tally.generator.late_ms_max;
            *late_ms = (*late_ms).max(millis(late));
        });
    }

    pub(crate) fn visitor_turned_away_by_us(&self) {
        self.write(|tally, _second| tally.visits.not_begun += 1);
    }

    pub(crate) fn visit_ended(&self, ending: Ending) {
        self.write(|tally, second| match ending {
            Ending::Completed => {
                tally.visits.completed += 1;
                second.completed += 1;
            }
            Ending::GivenUp => tally.visits.given_up += 1,
            Ending::LostMidForm => tally.visits.lost_mid_form += 1,
        });
    }

    pub(crate) fn joined_line(&self, was_inside: bool) {
        self.write(|tally, second| {
            tally.line.joined += 1;
            tally.line.sent_back += u64::from(was_inside);
            tally.visits.waiting += 1;
            second.waiting = tally.visits.waiting;
        });
    }

    pub(crate) fn left_line(&self, entered: bool) {
        self.write(|tally, second| {
            tally.line.entered += u64::from(entered);
            tally.visits.waiting -= 1;
            second.waiting = tally.visits.waiting;
        });
    }

    pub(crate) fn place_lost(&self) {
        self.write(|tally, _second| tally.line.places_lost += 1);
    }

    pub(crate) fn connection_waited_for(&self) {
        self.write(|tally, _second| tally.generator.connections_waited += 1);
    }

    pub(crate) fn reset_at_end(&self) {
        self.write(|tally, _second| tally.requests.reset_at_end += 1);
    }

    pub(crate) fn request_begun(&self) {
        self.write(|tally, _second| tally.requests.begun += 1);
    }

    pub(crate) fn request_ended(&self, outcome: Outcome, took: Duration) {
        self.write(|tally, second| {
            *count(tally, outcome) += 1;
            match outcome {
                Outcome::Answered(Kind::Page) => second.page += 1,
                Outcome::ResetBefore | Outcome::ResetAfter => second.reset += 1,
                Outcome::Refused => second.refused += 1,
                Outcome::Answered(_) => {}
                _ => second.unanswered += 1,
            }
        });
        if outcome == Outcome::Answered(Kind::Page) {
            self.open().latency.saturating_record(millis(took));
        }
    }

    fn write(&self, entry: impl FnOnce(&mut Tally, &mut Second)) {
        let now = usize::try_from(self.began.elapsed().as_secs()).unwrap_or(usize::MAX);
        let mut book = self.open();
        let tally = &mut book.tally;
        let index = now.min(SECONDS_MAX - 1);
        let waiting = tally.visits.waiting;
        while tally.seconds.len() <= index {
            tally.seconds.push(Second {
                waiting,
                ..Second::default()
            });
        }
        let mut second = std::mem::take(&mut tally.seconds[index]);
        entry(tally, &mut second);
        tally.seconds[index] = second;
    }

    fn open(&self) -> MutexGuard<'_, Book> {
        // A panic while writing leaves at worst one number too small.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one count that `outcome` belongs to.
const fn count(tally: &mut Tally, outcome: Outcome) -> &mut u64 {
    let requests = &mut tally.requests;
    match outcome {
        Outcome::Answered(Kind::Page) => &mut requests.page,
        Outcome::Answered(Kind::Waiting) => &mut requests.waiting,
        Outcome::Answered(Kind::Busy) => &mut requests.busy,
        Outcome::Answered(Kind::Limited) => &mut requests.limited,
        Outcome::Answered(Kind::ClientError) => &mut requests.client_error,
        Outcome::Answered(Kind::ServerError) => &mut requests.server_error,
        Outcome::Refused => &mut requests.refused,
        Outcome::ResetBefore => &mut requests.reset_before,
        Outcome::ResetAfter => &mut requests.reset_after,
        Outcome::Truncated => &mut requests.truncated,
        Outcome::Closed => &mut requests.closed,
        Outcome::Malformed => &mut requests.malformed,
        Outcome::TimedOut => &mut requests.timed_out,
        Outcome::ConnectTimedOut => &mut requests.connect_timed_out,
        Outcome::Failed => &mut requests.failed,
        Outcome::Abandoned => &mut requests.abandoned,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_keeps_what_happened_in_it_and_the_line_goes_on() {
        let ledger = Ledger::new();
        ledger.visitor_came(Duration::ZERO);
        ledger.joined_line(false);
        tokio::time::advance(Duration::from_secs(2)).await;
        ledger.left_line(true);
        ledger.visit_ended(Ending::Completed);

        let tally = ledger.tally();
        let line: Vec<_> = tally.seconds.iter().map(|second| second.waiting).collect();
        assert_eq!(line, [1, 1, 0]);
        assert_eq!((tally.seconds[0].begun, tally.seconds[2].completed), (1, 1));
        assert_eq!(tally.visits.alive(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn every_outcome_is_counted_once_and_as_an_end() {
        use Outcome::*;
        let ledger = Ledger::new();
        let kinds = [
            Kind::Page,
            Kind::Waiting,
            Kind::Busy,
            Kind::Limited,
            Kind::ClientError,
            Kind::ServerError,
        ];
        let others = [
            Refused,
            ResetBefore,
            ResetAfter,
            Truncated,
            Closed,
            Malformed,
            TimedOut,
            ConnectTimedOut,
            Failed,
            Abandoned,
        ];
        for outcome in kinds.map(Answered).into_iter().chain(others) {
            ledger.request_ended(outcome, Duration::from_millis(40));
        }
        let requests = ledger.tally().requests;
        assert_eq!(requests.ended(), 16);
        assert_eq!((requests.answered(), requests.reset()), (6, 2));
        assert_eq!(ledger.tally().latency.p50_ms, 40);
    }
}

//! The ledger: every visitor writes into it, and the tally is read from it at any time.
//!
//! Only the crowd's own thread writes, so its lock is as good as free; who shows
//! the figures holds it for a moment once a second.

mod book;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::crowd::CrowdSettings;
use crate::outcome::{Kind, Outcome};
use crate::tally::{Requests, Second, Tally};
use crate::waits::{Estimate, Wait};
use book::Book;

/// A client who comes later than this after the planned instant was kept by a machine that
/// is too busy.
const LATE_MAX: Duration = Duration::from_millis(500);

/// How a visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Completed,
    GivenUp,
    LostMidForm,
}

/// Counts that all clients of one crowd share; `group` is the index of the client's group.
#[derive(Debug)]
pub(crate) struct Ledger {
    began: Instant,
    lasts: Duration,
    late_after: Duration,
    book: Mutex<Book>,
}

impl Ledger {
    pub(crate) fn new(settings: &CrowdSettings) -> Self {
        let names = settings.groups.iter().map(|group| group.name.clone());
        Self {
            began: Instant::now(),
            lasts: settings.lasts,
            late_after: settings.late_after,
            book: Mutex::new(Book::new(names)),
        }
    }

    /// The run's begin, from which planned instants count.
    pub(crate) const fn began(&self) -> Instant {
        self.began
    }

    /// What has been counted so far.
    pub(crate) fn tally(&self) -> Tally {
        self.write(|book| book.tally())
    }

    /// A visitor came, `late` after the planned instant.
    pub(crate) fn visitor_came(&self, group: usize, late: Duration) {
        self.write(|book| {
            book.visits(group).begun += 1;
            book.second().begun += 1;
            book.late(late, LATE_MAX);
        });
    }

    /// The crowd got round to a request of a script `late` after the planned instant; whether
    /// a connection was free for it is another matter.
    pub(crate) fn request_came_late(&self, late: Duration) {
        self.write(|book| book.late(late, LATE_MAX));
    }

    pub(crate) fn visitor_turned_away_by_us(&self, group: usize) {
        self.write(|book| {
            book.visits(group).not_begun += 1;
            book.second().at_bound = true;
        });
    }

    pub(crate) fn visit_ended(&self, group: usize, ending: Ending) {
        self.write(|book| {
            let (visits, second) = match ending {
                Ending::Completed => (&mut book.visits(group).completed, 0),
                Ending::GivenUp => (&mut book.visits(group).given_up, 1),
                Ending::LostMidForm => (&mut book.visits(group).lost_mid_form, 2),
            };
            *visits += 1;
            let now = book.second();
            *[&mut now.completed, &mut now.given_up, &mut now.lost][second] += 1;
        });
    }

    /// A page is wanted for the first time, or since `intended` would have been.
    pub(crate) fn page_wanted(&self, intended: Instant) {
        let intended = intended.saturating_duration_since(self.began);
        self.write(|book| book.wanted(intended));
    }

    /// A page that was wanted came, or whoever wanted it has gone.
    pub(crate) fn page_settled(&self) {
        self.write(Book::settled);
    }

    /// Somebody joined the line at `joined`.
    pub(crate) fn joined_line(&self, group: usize, joined: Instant, was_inside: bool) {
        let joined = joined.saturating_duration_since(self.began);
        self.write(|book| {
            book.joined(group, joined);
            for line in book.lines(group) {
                line.joined += 1;
                line.sent_back += u64::from(was_inside);
            }
            book.visits(group).waiting += 1;
            book.in_line(1);
        });
    }

    /// Somebody who joined at `joined` got in from the line.
    pub(crate) fn entered_from_line(
        &self,
        group: usize,
        joined: Instant,
        told: Option<(Instant, Estimate)>,
    ) {
        let at = |instant: Instant| instant.saturating_duration_since(self.began);
        let wait = Wait {
            joined: at(joined),
            entered: self.began.elapsed(),
            told: told.map(|(when, estimate)| (at(when), estimate)),
        };
        self.write(|book| {
            for line in book.lines(group) {
                line.entered += 1;
            }
            book.waited(group, &wait);
            book.visits(group).waiting -= 1;
            book.in_line(-1);
        });
    }

    /// Somebody who joined at `joined` left the line without getting in.
    pub(crate) fn left_line(&self, group: usize, joined: Instant) {
        let joined = joined.saturating_duration_since(self.began);
        self.write(|book| {
            book.left(group, joined);
            book.visits(group).waiting -= 1;
            book.in_line(-1);
        });
    }

    pub(crate) fn place_lost(&self, group: usize) {
        self.write(|book| {
            for line in book.lines(group) {
                line.places_lost += 1;
            }
        });
    }

    pub(crate) fn connection_waited_for(&self) {
        self.write(|book| {
            book.generator().connections_waited += 1;
            book.second().at_bound = true;
        });
    }

    /// The crowd's thread used this share of one core between two instants of the run.
    pub(crate) fn thread_used(&self, from: Duration, to: Duration, permille: u64) {
        self.write(|book| book.used(from, to, permille));
    }

    pub(crate) fn reset_at_end(&self, group: usize) {
        self.write(|book| book.requests(group).reset_at_end += 1);
    }

    pub(crate) fn request_begun(&self, group: usize) {
        self.write(|book| book.requests(group).begun += 1);
    }

    /// A request ended, `took` after its intended start.
    pub(crate) fn request_ended(&self, group: usize, outcome: Outcome, took: Duration) {
        let late = took > self.late_after;
        self.write(|book| {
            ended(book, group, outcome);
            if let Outcome::Answered(kind) = outcome {
                book.requests(group).late += u64::from(late);
                book.answered(kind == Kind::Page, took);
            }
        });
    }

    /// A request of a visitor who had got a page before, for a page or with a form, ended;
    /// it is counted by [`request_ended`](Self::request_ended) as well.
    pub(crate) fn insider_asked(&self, group: usize, form: bool, outcome: Outcome) {
        self.write(|book| {
            let requests = book.insiders(group, form);
            requests.begun += 1;
            *count(requests, outcome) += 1;
        });
    }

    /// The request of a client that means harm ended; how long it took is its own doing, and
    /// no figure of the site's.
    pub(crate) fn attack_ended(&self, group: usize, outcome: Outcome) {
        self.write(|book| ended(book, group, outcome));
    }

    fn write<T>(&self, entry: impl FnOnce(&mut Book) -> T) -> T {
        // What happens in the moment between the run's end and its last word belongs to
        // the last second.
        let last = self.lasts.saturating_sub(Duration::from_nanos(1));
        let now = self.began.elapsed().min(last);
        let mut book = self.open();
        book.turn_to(now);
        entry(&mut book)
    }

    fn open(&self) -> MutexGuard<'_, Book> {
        // A panic while writing leaves at worst one number too small.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended(book: &mut Book, group: usize, outcome: Outcome) {
    *count(book.requests(group), outcome) += 1;
    if outcome == Outcome::NoPort {
        book.generator().ports_exhausted += 1;
        book.second().at_bound = true;
    } else {
        *count_of_second(book.second(), outcome) += 1;
    }
}

/// The one count that `outcome` belongs to.
const fn count(requests: &mut Requests, outcome: Outcome) -> &mut u64 {
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
        Outcome::NoPort => &mut requests.unsent,
        Outcome::Abandoned => &mut requests.abandoned,
    }
}

/// The one count of a second that `outcome` belongs to.
const fn count_of_second(second: &mut Second, outcome: Outcome) -> &mut u64 {
    match outcome {
        Outcome::Answered(Kind::Page) => &mut second.page,
        Outcome::Answered(Kind::Waiting) => &mut second.waiting_page,
        Outcome::Answered(Kind::Busy) => &mut second.busy,
        Outcome::Answered(Kind::Limited) => &mut second.limited,
        Outcome::Answered(Kind::ClientError | Kind::ServerError) => &mut second.error,
        Outcome::ResetBefore | Outcome::ResetAfter => &mut second.reset,
        Outcome::Refused => &mut second.refused,
        _ => &mut second.unanswered,
    }
}

#[cfg(test)]
mod tests;

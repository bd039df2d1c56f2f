//! What the crowd saw, added up.

use serde::{Deserialize, Serialize};

/// Requests by outcome. Each request ends in exactly one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Requests sent, or tried to.
    pub begun: u64,
    /// A whole answer of the site below 400.
    pub page: u64,
    /// A whole waiting page (or its status).
    pub waiting: u64,
    /// A whole "one moment" answer: 503 without a place in line.
    pub busy: u64,
    /// A whole 429.
    pub limited: u64,
    /// Another whole 4xx.
    pub client_error: u64,
    /// Another whole 5xx.
    pub server_error: u64,
    /// The connection was refused (ECONNREFUSED).
    pub refused: u64,
    /// Reset (ECONNRESET or EPIPE) before the answer's first byte.
    pub reset_before: u64,
    /// Reset in the middle of the answer.
    pub reset_after: u64,
    /// End of stream before the length the answer had announced.
    pub truncated: u64,
    /// End of stream without any byte of an answer.
    pub closed: u64,
    /// An answer that is no HTTP/1.1.
    pub malformed: u64,
    /// Connected, but no whole answer within the bound.
    pub timed_out: u64,
    /// No connection within the bound.
    pub connect_timed_out: u64,
    /// Another failure of the socket.
    pub failed: u64,
    /// Given up by an impatient visitor who reloaded.
    pub abandoned: u64,
    /// Never sent: the crowd's own machine had no port or descriptor left.
    pub unsent: u64,
    /// Whole answers with `Connection: close` whose connection then ended by a reset.
    /// They are counted under what they were as well.
    pub reset_at_end: u64,
    /// Whole answers that came later than the crowd's bound after their intended start.
    /// They are counted under what they were as well.
    pub late: u64,
}

impl Requests {
    /// Requests that were reset, wherever in the answer.
    #[must_use]
    pub const fn reset(&self) -> u64 {
        self.reset_before + self.reset_after
    }

    /// Connections that the other side broke or would not take: reset, anywhere in or
    /// right after an answer, or refused.
    #[must_use]
    pub const fn harmed(&self) -> u64 {
        self.reset() + self.reset_at_end + self.refused
    }

    /// Requests with a whole answer, of whatever kind.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.page + self.waiting + self.busy + self.limited + self.client_error + self.server_error
    }

    /// Requests that the other side left without a whole answer, other than by a reset or a
    /// refusal: cut off, closed, no HTTP, or nothing in time.
    #[must_use]
    pub const fn unanswered(&self) -> u64 {
        self.truncated
            + self.closed
            + self.malformed
            + self.timed_out
            + self.connect_timed_out
            + self.failed
    }

    /// Requests that came to an end.
    #[must_use]
    pub const fn ended(&self) -> u64 {
        self.answered()
            + self.reset()
            + self.refused
            + self.unanswered()
            + self.unsent
            + self.abandoned
    }

    /// Both together.
    #[must_use]
    pub const fn and(&self, other: &Self) -> Self {
        Self {
            begun: self.begun + other.begun,
            page: self.page + other.page,
            waiting: self.waiting + other.waiting,
            busy: self.busy + other.busy,
            limited: self.limited + other.limited,
            client_error: self.client_error + other.client_error,
            server_error: self.server_error + other.server_error,
            refused: self.refused + other.refused,
            reset_before: self.reset_before + other.reset_before,
            reset_after: self.reset_after + other.reset_after,
            truncated: self.truncated + other.truncated,
            closed: self.closed + other.closed,
            malformed: self.malformed + other.malformed,
            timed_out: self.timed_out + other.timed_out,
            connect_timed_out: self.connect_timed_out + other.connect_timed_out,
            failed: self.failed + other.failed,
            unsent: self.unsent + other.unsent,
            abandoned: self.abandoned + other.abandoned,
            reset_at_end: self.reset_at_end + other.reset_at_end,
            late: self.late + other.late,
        }
    }
}

/// Visits by how they went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visits {
    /// Visitors who came.
    pub begun: u64,
    /// Visits that reached the form's last page.
    pub completed: u64,
    /// Visitors who ran out of patience before the form.
    pub given_up: u64,
    /// Visitors who lost a form they had begun: out of patience in the middle, or turned away.
    pub lost_mid_form: u64,
    /// Visitors in line now, with a place.
    pub waiting: u64,
    /// Visitors who would have come, had the generator not been at its bound.
    pub not_begun: u64,
}

impl Visits {
    /// Visitors still there: in line, on a page, or trying.
    #[must_use]
    pub const fn alive(&self) -> u64 {
        self.begun - self.completed - self.given_up - self.lost_mid_form
    }

    /// Both together.
    #[must_use]
    pub const fn and(&self, other: &Self) -> Self {
        Self {
            begun: self.begun + other.begun,
            completed: self.completed + other.completed,
            given_up: self.given_up + other.given_up,
            lost_mid_form: self.lost_mid_form + other.lost_mid_form,
            waiting: self.waiting + other.waiting,
            not_begun: self.not_begun + other.not_begun,
        }
    }
}

/// How those fared who stood in line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Visitors who were ever in line.
    pub joined: u64,
    /// Visitors who got in from the line.
    pub entered: u64,
    /// Times a visitor was told a larger number than before, or treated as new.
    pub places_lost: u64,
    /// Times a visitor who was inside was sent back into the line.
    pub sent_back: u64,
    /// Visitors who got in after somebody who had joined more than five seconds later than
    /// they, or who left, or still stand in line, while such a one is in.
    pub overtaken: u64,
    /// How much later than one who was overtaken had the other joined, at most, in
    /// milliseconds.
    pub overtaking_max_ms: u64,
    /// Median time in line of those who got in, in milliseconds.
    pub wait_p50_ms: u64,
    /// 90th percentile of it, in milliseconds.
    pub wait_p90_ms: u64,
    /// The longest of it, in milliseconds.
    pub wait_max_ms: u64,
    /// How true it was what they were told.
    pub told: Told,
}

/// The time in line that visitors were first told, against the true one. Of those who got in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Visitors who were told a time.
    pub count: u64,
    /// Median distance between the likely time and the true one, in thousandths of the
    /// true one.
    pub median_error_permille: u64,
    /// Those who waited no longer than "hardly more than" said, in thousandths.
    pub below_p90_permille: u64,
}

/// Times from the intended start of a request, the moment at which it would have been sent
/// by a crowd that is never late, to the end of the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// How many there were.
    pub count: u64,
    /// Median, in microseconds.
    pub p50_us: u64,
    /// 90th percentile, in microseconds.
    pub p90_us: u64,
    /// 99th percentile, in microseconds.
    pub p99_us: u64,
    /// 99.9th percentile, in microseconds.
    pub p999_us: u64,
    /// The slowest, in microseconds.
    pub max_us: u64,
}

/// Whether the crowd itself was the limit; then the other figures say less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generator {
    /// Requests that had to wait for one of the crowd's own connections.
    pub connections_waited: u64,
    /// Connects for which the machine had no port or descriptor left.
    pub ports_exhausted: u64,
    /// 99th percentile of how late clients came after the planned instant, in milliseconds.
    pub late_p99_ms: u64,
    /// The latest that a client came after the planned instant, in milliseconds.
    pub late_ms_max: u64,
    /// The largest share of one core that the crowd's thread used or waited for in a second, in
    /// thousandths.
    pub busiest_permille: u64,
    /// Seconds in which the crowd was at its bound.
    pub seconds_limited: u64,
    /// Seconds of the run.
    pub seconds: u64,
}

/// One second of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// Visitors who came.
    pub begun: u64,
    /// Visits completed.
    pub completed: u64,
    /// Visitors who ran out of patience before the form.
    pub given_up: u64,
    /// Visitors who lost a form they had begun.
    pub lost: u64,
    /// Pages wanted for the first time, by their intended start; where a page leads on to
    /// another, that is wanted as well. Trying again is not wanting anew.
    pub wanted: u64,
    /// Pages wanted and not yet got at its end, those of visitors in line with them.
    pub outstanding: u64,
    /// Whole pages of the site.
    pub page: u64,
    /// Whole waiting pages, or their status.
    pub waiting_page: u64,
    /// Whole "one moment" answers.
    pub busy: u64,
    /// Whole 429s.
    pub limited: u64,
    /// Other whole 4xx and 5xx.
    pub error: u64,
    /// Requests reset.
    pub reset: u64,
    /// Requests refused.
    pub refused: u64,
    /// Requests without a whole answer for another reason, those given up with them.
    pub unanswered: u64,
    /// Visitors in line at its end.
    pub waiting: u64,
    /// Median time of this second's whole pages, in microseconds.
    pub p50_us: u64,
    /// 90th percentile of it, in microseconds.
    pub p90_us: u64,
    /// 99th percentile of it, in microseconds.
    pub p99_us: u64,
    /// What the crowd's thread used of one core, or waited for one, in thousandths.
    pub generator_permille: u64,
    /// Whether the crowd was at its bound: out of processor time, connections, visitors or
    /// ports, or late.
    pub at_bound: bool,
}

/// What one group saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTally {
    /// Its name.
    pub name: String,
    /// Requests by outcome.
    pub requests: Requests,
    /// Visits by how they went.
    pub visits: Visits,
    /// How those fared who stood in line.
    pub line: Line,
    /// Forms sent by visitors who had got a page before, each try by its outcome.
    #[serde(default)]
    pub forms: Requests,
    /// Pages asked for by the same, each try by its outcome.
    #[serde(default)]
    pub navigations: Requests,
}

/// Everything the crowd saw so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Requests by outcome.
    pub requests: Requests,
    /// Visits by how they went.
    pub visits: Visits,
    /// How those fared who stood in line.
    pub line: Line,
    /// Times of whole pages of the site.
    pub pages: Latency,
    /// Times of all whole answers.
    pub answers: Latency,
    /// Whether the crowd was the limit.
    pub generator: Generator,
    /// The same by second; never more than an hour's.
    pub seconds: Vec<Second>,
    /// The same by group.
    pub groups: Vec<GroupTally>,
}

impl Tally {
    /// Whether the crowd, and not the site, was at its bound in any second of the run; each
    /// [`Second`] says so of itself.
    #[must_use]
    pub const fn crowd_was_the_limit(&self) -> bool {
        let generator = &self.generator;
        generator.seconds_limited > 0
            || self.visits.not_begun > 0
            || generator.connections_waited > 0
            || generator.ports_exhausted > 0
    }

    /// The last second that is over, or the running one if it is the first.
    pub(crate) fn last_second(&self) -> Second {
        let over = self.seconds.len().saturating_sub(2);
        self.seconds.get(over).copied().unwrap_or_default()
    }
}

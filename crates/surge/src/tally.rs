//! What the crowd saw, added up.

use serde::Serialize;

/// A visitor who comes later than this was kept by a machine that is too busy, in milliseconds.
const LATE_MS_MAX: u64 = 500;

/// Requests by outcome. Each request ends in exactly one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
    /// Whole answers with `Connection: close` whose connection then ended by a reset.
    /// They are counted under what they were as well.
    pub reset_at_end: u64,
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

    /// Requests that came to an end.
    #[must_use]
    pub const fn ended(&self) -> u64 {
        self.answered()
            + self.reset()
            + self.refused
            + self.truncated
            + self.closed
            + self.malformed
            + self.timed_out
            + self.connect_timed_out
            + self.failed
            + self.abandoned
    }
}

/// Visits by how they went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
}

/// What those who waited in line were told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Visitors who were ever in line.
    pub joined: u64,
    /// Visitors who got in from the line.
    pub entered: u64,
    /// Times a visitor was told a larger number than before, or treated as new.
    pub places_lost: u64,
    /// Times a visitor who was inside was sent back into the line.
    pub sent_back: u64,
}

/// Times of whole pages of the site, from the begin of the request (with its connect).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Median, in milliseconds.
    pub p50_ms: u64,
    /// 90th percentile, in milliseconds.
    pub p90_ms: u64,
    /// 99th percentile, in milliseconds.
    pub p99_ms: u64,
    /// The slowest, in milliseconds.
    pub max_ms: u64,
}

/// Whether the crowd itself was the limit; then the other figures say less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Generator {
    /// Requests that had to wait for one of the crowd's own connections.
    pub connections_waited: u64,
    /// The latest that a visitor came after the planned instant, in milliseconds.
    pub late_ms_max: u64,
}

/// One second of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Second {
    /// Visitors who came.
    pub begun: u64,
    /// Visits completed.
    pub completed: u64,
    /// Whole pages of the site.
    pub page: u64,
    /// Requests reset.
    pub reset: u64,
    /// Requests refused.
    pub refused: u64,
    /// Requests without a whole answer for another reason, those given up with them.
    pub unanswered: u64,
    /// Visitors in line at its end.
    pub waiting: u64,
}

/// Everything the crowd saw so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Requests by outcome.
    pub requests: Requests,
    /// Visits by how they went.
    pub visits: Visits,
    /// What the waiting were told.
    pub line: Line,
    /// Times of whole pages.
    pub latency: Latency,
    /// Whether the crowd was the limit.
    pub generator: Generator,
    /// The same by second; never more than an hour's.
    pub seconds: Vec<Second>,
}

impl Tally {
    /// Whether the crowd, and not the site, was at its bound: visitors were left out or
    /// came more than half a second late, or requests waited for the crowd's own connections.
    #[must_use]
    pub const fn crowd_was_the_limit(&self) -> bool {
        let generator = &self.generator;
        self.visits.not_begun > 0
            || generator.connections_waited > 0
            || generator.late_ms_max > LATE_MS_MAX
    }

    /// The last second that is over, or the running one if it is the first.
    pub(crate) fn last_second(&self) -> Second {
        let over = self.seconds.len().saturating_sub(2);
        self.seconds.get(over).cloned().unwrap_or_default()
    }
}

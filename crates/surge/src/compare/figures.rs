//! What one rival gave in one round, and over all rounds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::spread::Spread;
use crate::report::Report;

/// One run of one rival. Figures that it does not have are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Visitors who came.
    pub came: f64,
    /// Visits completed.
    pub completed: f64,
    /// Visitors who lost a form they had begun.
    pub lost: f64,
    /// Connections refused, or reset anywhere in or right after an answer.
    pub reset: f64,
    /// Answers that told a visitor to come again later.
    pub put_off: f64,
    /// Other errors: answered 4xx or 5xx, cut off, closed, or without an answer in time.
    pub errors: f64,
    /// Useful work in time, as a share of what the origin could have done.
    pub goodput: Option<f64>,
    /// Median time of a whole page of the site, in milliseconds.
    pub page_p50_ms: Option<f64>,
    /// 99th percentile of the same.
    pub page_p99_ms: Option<f64>,
    /// CPU time of the program for each 1,000 requests of the crowd, in milliseconds.
    pub cpu_ms: Option<f64>,
    /// Longest wait in line of somebody who got in, in seconds.
    pub wait_s: Option<f64>,
}

impl Figures {
    /// Of a run that cost the rival's program `cpu`.
    pub(super) fn of(report: &Report, cpu: Option<Duration>) -> Self {
        let tally = &report.tally;
        let (visits, requests) = (&tally.visits, &tally.requests);
        let errors = requests.client_error
            + requests.server_error
            + requests.truncated
            + requests.closed
            + requests.malformed
            + requests.timed_out
            + requests.connect_timed_out
            + requests.failed;
        let pages = (tally.pages.count > 0).then_some(&tally.pages);
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / requests.begun as f64;
        Self {
            came: visits.begun as f64,
            completed: visits.completed as f64,
            lost: visits.lost_mid_form as f64,
            reset: requests.harmed() as f64,
            put_off: (requests.busy + requests.limited) as f64,
            errors: errors as f64,
            goodput: report.goodput(),
            page_p50_ms: pages.map(|pages| pages.p50_us as f64 / 1e3),
            page_p99_ms: pages.map(|pages| pages.p99_us as f64 / 1e3),
            cpu_ms: cpu.filter(|_cpu| requests.begun > 0).map(each),
            wait_s: (tally.line.entered > 0).then(|| tally.line.wait_max_ms as f64 / 1e3),
        }
    }

    /// The figures in half a line.
    pub(super) fn said(&self) -> String {
        let mut said = format!(
            "{:.0} of {:.0} visits completed, {:.0} forms lost, {:.0} reset or refused",
            self.completed, self.came, self.lost, self.reset
        );
        if let Some(goodput) = self.goodput {
            said.push_str(&format!(", goodput {:.0} %", goodput * 100.0));
        }
        said
    }

    /// Completed visits as a share of those who came.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.came > 0.0).then(|| self.completed / self.came)
    }
}

/// A figure in the table: what it is called, how it is read, and how it is written.
pub(super) struct Column {
    pub(super) head: &'static str,
    pub(super) read: fn(&Figures) -> Option<f64>,
    pub(super) as_percent: bool,
    /// Whether the lowest and the highest round stand beside the median.
    pub(super) range: bool,
}

/// A column of plain numbers without a range.
const fn column(head: &'static str, read: fn(&Figures) -> Option<f64>) -> Column {
    Column {
        head,
        read,
        as_percent: false,
        range: false,
    }
}

/// What the columns' heads mean, for a reader who was not there.
pub(super) const LEGEND: &str = "\
completed: visits that reached the form's last page; share: of those who came; forms lost: visitors
who had begun a form and lost it; told to come back: answers 503 or 429 without a place in line;
other errors: answered 4xx or 5xx, cut off, closed, or not answered in time; goodput: what the origin
did in time for somebody still there, of what its true peak could have done of what was wanted;
p50, p99: of whole pages; CPU: of the program for each 1,000 requests; longest wait: in line, of
somebody who got in.
";

/// The table's columns, left to right.
pub(super) const COLUMNS: [Column; 11] = [
    Column {
        range: true,
        ..column("completed", |round| Some(round.completed))
    },
    Column {
        as_percent: true,
        ..column("share", Figures::share)
    },
    column("forms lost", |round| Some(round.lost)),
    column("reset or refused", |round| Some(round.reset)),
    column("told to come back", |round| Some(round.put_off)),
    column("other errors", |round| Some(round.errors)),
    Column {
        as_percent: true,
        range: true,
        ..column("goodput", |round| round.goodput)
    },
    column("p50, ms", |round| round.page_p50_ms),
    column("p99, ms", |round| round.page_p99_ms),
    column("CPU, ms", |round| round.cpu_ms),
    column("longest wait, s", |round| round.wait_s),
];

/// The spread of one column over the rounds that have that figure.
pub(super) fn spread(rounds: &[Figures], read: fn(&Figures) -> Option<f64>) -> Option<Spread> {
    Spread::of(rounds.iter().filter_map(read))
}

/// The index of the round whose completed visits are the median; the first of equals.
pub(super) fn middle(rounds: &[Figures]) -> Option<usize> {
    let mut order: Vec<_> = (0..rounds.len()).collect();
    order.sort_by(|&one, &other| rounds[one].completed.total_cmp(&rounds[other].completed));
    order.get(rounds.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A round in which `completed` of 100 visits were.
    pub(in crate::compare) fn round(completed: f64) -> Figures {
        Figures {
            came: 100.0,
            completed,
            lost: 3.0,
            reset: 1_234.0,
            put_off: 0.0,
            errors: 0.0,
            goodput: Some(0.5),
            page_p50_ms: Some(80.3),
            page_p99_ms: Some(900.4),
            cpu_ms: None,
            wait_s: None,
        }
    }

    #[test]
    fn the_median_round_is_one_that_was_run() {
        for (completed, expected) in [
            (vec![], None),
            (vec![5.0], Some(0)),
            (vec![9.0, 1.0], Some(1)),
            (vec![9.0, 1.0, 5.0], Some(2)),
        ] {
            let rounds: Vec<_> = completed.iter().copied().map(round).collect();
            assert_eq!(middle(&rounds), expected, "{completed:?}");
        }
    }
}

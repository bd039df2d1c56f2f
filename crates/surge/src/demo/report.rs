//! What a demonstration comes to, in figures and in one sentence.

use serde::Serialize;

use crate::origin::OriginStats;
use crate::tally::Tally;
use crate::words::{counted, grouped, listed};

/// One side's figures at the end.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Side {
    /// What the crowd saw.
    pub tally: Tally,
    /// What the origin counted.
    pub origin: OriginStats,
}

/// The figures of a demonstration, all of them counted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DemoReport {
    /// How long it ran.
    pub seconds: f64,
    /// The bare portal.
    pub bare: Side,
    /// The portal behind the proxy.
    pub behind: Side,
}

impl DemoReport {
    /// What happened, in one plain sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (bare, behind) = (&self.bare.tally, &self.behind.tally);
        let visits = &behind.visits;
        let were = if visits.completed == 1 { "was" } else { "were" };
        let mut said = vec![format!(
            "{} of {} {were} completed",
            grouped(visits.completed),
            counted(visits.begun, "visit")
        )];
        match visits.waiting {
            0 => {}
            waiting => said.push(format!(
                "{} still stood in line",
                counted(waiting, "visitor")
            )),
        }
        match visits.lost_mid_form {
            0 => {}
            lost => said.push(format!("{} lost a form half-way", counted(lost, "visitor"))),
        }
        match behind.line.places_lost {
            0 => {}
            lost => said.push(format!("{} in line got lost", counted(lost, "place"))),
        }
        said.push(match behind.requests.harmed() {
            0 => "nobody was reset or refused".to_owned(),
            1 => "1 connection was reset or refused".to_owned(),
            harmed => format!("{} were reset or refused", counted(harmed, "connection")),
        });
        let harmed = counted(bare.requests.harmed(), "connection");
        let completed = counted(bare.visits.completed, "visit");
        let said = listed(&said);
        format!(
            "Behind Forebay {said}; the bare portal completed {completed} and reset or refused {harmed}."
        )
    }

    /// Whether the proxy broke its promise: a connection to it was reset or refused.
    #[must_use]
    pub const fn broken(&self) -> bool {
        self.behind.tally.requests.harmed() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Figures = fn(&mut DemoReport);

    #[test]
    fn the_sentence_says_what_was_counted_also_when_it_is_bad() {
        let good: Figures = |report| {
            report.behind.tally.visits.completed = 812;
            report.behind.tally.visits.begun = 900;
            report.behind.tally.visits.waiting = 88;
            report.bare.tally.visits.completed = 31;
            report.bare.tally.requests.reset_before = 4_210;
        };
        let bad: Figures = |report| {
            report.behind.tally.visits.completed = 1;
            report.behind.tally.visits.begun = 900;
            report.behind.tally.visits.waiting = 1;
            report.behind.tally.visits.lost_mid_form = 3;
            report.behind.tally.line.places_lost = 1;
            report.behind.tally.requests.refused = 1;
            report.bare.tally.visits.completed = 900;
        };
        for (figures, sentence, broken) in [
            (
                good,
                "Behind Forebay 812 of 900 visits were completed, 88 visitors still stood in \
                 line, and nobody was reset or refused; the bare portal completed 31 visits and \
                 reset or refused 4,210 connections.",
                false,
            ),
            (
                bad,
                "Behind Forebay 1 of 900 visits was completed, 1 visitor still stood in line, \
                 3 visitors lost a form half-way, 1 place in line got lost, and 1 connection was \
                 reset or refused; the bare portal completed 900 visits and reset or refused \
                 no connections.",
                true,
            ),
        ] {
            let mut report = DemoReport::default();
            figures(&mut report);
            assert_eq!(report.sentence(), sentence);
            assert_eq!(report.broken(), broken);
        }
    }
}

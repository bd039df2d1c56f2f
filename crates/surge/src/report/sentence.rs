//! How people fared, in one plain sentence.

use super::Report;
use crate::tally::Tally;
use crate::words::{counted, grouped, listed};

pub(super) fn sentence(report: &Report) -> String {
    let tally = &report.tally;
    let mut said = if tally.visits.begun > 0 {
        people(tally)
    } else {
        vec![format!(
            "{} of {} were answered with the page",
            grouped(tally.requests.page),
            counted(tally.requests.begun, "request")
        )]
    };
    let errors = tally.requests.server_error;
    if errors > 0 {
        said.push(format!("{} met an error page", counted(errors, "request")));
    }
    let unanswered = tally.requests.unanswered();
    if unanswered > 0 {
        said.push(format!(
            "{} got no whole answer",
            counted(unanswered, "request")
        ));
    }
    said.push(match tally.requests.harmed() {
        0 => "no connection was reset or refused".to_owned(),
        1 => "1 connection was reset or refused".to_owned(),
        harmed => format!("{} connections were reset or refused", grouped(harmed)),
    });
    if let Some(goodput) = report.goodput {
        said.push(format!(
            "the origin did {} of what it could",
            percent(goodput)
        ));
    }
    format!("{}: {}.", report.name, listed(&said))
}

fn people(tally: &Tally) -> Vec<String> {
    let visits = &tally.visits;
    let were = if visits.completed == 1 { "was" } else { "were" };
    let mut said = vec![format!(
        "{} of {} {were} completed",
        grouped(visits.completed),
        counted(visits.begun, "visit")
    )];
    if visits.waiting > 0 {
        said.push(format!(
            "{} still stood in line",
            counted(visits.waiting, "visitor")
        ));
    }
    let others = visits.alive().saturating_sub(visits.waiting);
    if others > 0 {
        said.push(format!("{} had not come to an end", grouped(others)));
    }
    if visits.lost_mid_form > 0 {
        said.push(format!(
            "{} lost a form half-way",
            counted(visits.lost_mid_form, "visitor")
        ));
    }
    if visits.given_up > 0 {
        said.push(format!("{} gave up", counted(visits.given_up, "visitor")));
    }
    if tally.line.places_lost > 0 {
        said.push(format!(
            "{} in line got lost",
            counted(tally.line.places_lost, "place")
        ));
    }
    said
}

/// A share as people read it. Rounded down, and never more than all: within the noise of
/// a second's count an origin can do a little more than its mean peak.
pub(super) fn percent(share: f64) -> String {
    let share = share.clamp(0.0, 1.0);
    match share {
        share if share > 0.0 && share < 0.01 => "less than 1 %".to_owned(),
        share => format!("{:.0} %", (share * 100.0 + 1e-9).floor()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_said_to_be_better_than_it_is() {
        for (share, said) in [
            (0.0, "0 %"),
            (0.004, "less than 1 %"),
            (0.29, "29 %"),
            (0.999, "99 %"),
            (1.0, "100 %"),
            (1.02, "100 %"),
        ] {
            assert_eq!(percent(share), said, "{share}");
        }
    }

    #[test]
    fn the_sentence_says_what_was_counted_also_when_it_is_bad() {
        let mut report = Report {
            name: "Bare".to_owned(),
            ..Report::default()
        };
        report.tally.requests.begun = 1_500;
        report.tally.requests.page = 1_400;
        assert_eq!(
            report.sentence(),
            "Bare: 1,400 of 1,500 requests were answered with the page and no connection was \
             reset or refused."
        );
        report.tally.visits.begun = 900;
        report.tally.visits.completed = 1;
        report.tally.visits.lost_mid_form = 31;
        report.tally.visits.given_up = 800;
        report.tally.requests.reset_before = 4_210;
        report.tally.requests.timed_out = 7;
        report.tally.requests.truncated = 1;
        report.goodput = Some(0.031);
        assert_eq!(
            report.sentence(),
            "Bare: 1 of 900 visits was completed, 68 had not come to an end, 31 visitors lost a \
             form half-way, 800 visitors gave up, 8 requests got no whole answer, \
             4,210 connections were reset or refused, and the origin did 3 % of what it could."
        );
    }
}

//! The figures behind the plots, second by second.

use super::text::{escaped, number, time};
use crate::report::{Moment, Report};
use crate::tally::Second;
use crate::words::grouped;

/// What stands above a column, and what is in it.
type Column<T> = (&'static str, fn(&T) -> u64);

/// What the crowd counts in a second.
const CROWD: [Column<Second>; 12] = [
    ("came", |second| second.begun),
    ("completed", |second| second.completed),
    ("left", |second| second.given_up + second.lost),
    ("in line", |second| second.waiting),
    ("wanting a page", |second| second.outstanding),
    ("pages", |second| second.page),
    ("waiting pages", |second| second.waiting_page),
    ("one moment", |second| second.busy),
    ("too many", |second| second.limited),
    ("errors", |second| second.error),
    ("reset or refused", |second| second.reset + second.refused),
    ("nothing", |second| second.unanswered),
];

/// What the origin counts in a second.
const ORIGIN: [Column<Moment>; 3] = [
    ("done in time", |moment| moment.in_time),
    ("done for nobody", |moment| moment.wasted),
    ("inside", |moment| moment.in_flight),
];

pub(super) fn seconds(reports: &[Report]) -> String {
    let mut section = "\n<section class=\"seconds\"><h2>Second by second</h2>".to_owned();
    for report in reports {
        section.push_str(&format!(
            "<details><summary>{}</summary><div class=\"scroll\">{}</div></details>",
            escaped(&report.name),
            table(report)
        ));
    }
    section + "</section>"
}

fn table(report: &Report) -> String {
    let mut table = "<table><thead><tr><th scope=\"col\">Second</th>".to_owned();
    let times = ["half within", "99 of 100 within"];
    let origin = ORIGIN
        .iter()
        .map(|(title, _of)| *title)
        .chain(["true peak"]);
    let titles = CROWD.iter().map(|(title, _of)| *title).chain(times);
    let truth = !report.seconds.is_empty();
    for title in titles.chain(origin.filter(|_title| truth)) {
        table.push_str(&format!("<th scope=\"col\">{title}</th>"));
    }
    table.push_str("</tr></thead><tbody>");
    let lasts = report.lasts as usize;
    for (index, second) in report.tally.seconds.iter().take(lasts).enumerate() {
        table.push_str(&format!("<tr><th scope=\"row\">{index}</th>"));
        for (_title, of) in CROWD {
            table.push_str(&count(of(second)));
        }
        for micros in [second.p50_us, second.p99_us] {
            let time = if micros == 0 {
                "–".to_owned()
            } else {
                time(micros)
            };
            table.push_str(&format!("<td>{time}</td>"));
        }
        if let Some(moment) = report.seconds.get(index) {
            for (_title, of) in ORIGIN {
                table.push_str(&count(of(moment)));
            }
            table.push_str(&format!("<td>{}</td>", number(moment.peak)));
        }
        table.push_str("</tr>");
    }
    table + "</tbody></table>"
}

fn count(count: u64) -> String {
    match count {
        0 => "<td class=\"zero\">0</td>".to_owned(),
        count => format!("<td>{}</td>", grouped(count)),
    }
}

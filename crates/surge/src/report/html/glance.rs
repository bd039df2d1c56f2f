//! Who fared how, at a glance: a sentence and a row of figures for each target.

use super::text::{escaped, time};
use crate::report::Report;
use crate::report::sentence::percent;
use crate::words::grouped;

/// A column: what stands above it, and what is in it.
type Column = (&'static str, fn(&Report) -> String);

const COLUMNS: [Column; 8] = [
    ("Visits completed", completed),
    ("Forms lost", |report| {
        harm(report.tally.visits.lost_mid_form)
    }),
    ("Gave up", |report| harm(report.tally.visits.given_up)),
    ("Still there at the end", still_there),
    ("Reset or refused", |report| {
        harm(report.tally.requests.harmed())
    }),
    ("Error pages", |report| {
        harm(report.tally.requests.server_error)
    }),
    ("Median wait in line", waited),
    ("Median page", pages),
];

pub(super) fn glance(reports: &[Report]) -> String {
    let mut section =
        "\n<section class=\"glance\"><h2>At a glance</h2><ul class=\"sentences\">".to_owned();
    for report in reports {
        let sentence = report.sentence();
        let (name, said) = sentence.split_once(": ").unwrap_or(("", &sentence));
        section.push_str(&format!(
            "<li><strong>{}</strong> {}</li>",
            escaped(name),
            escaped(said)
        ));
    }
    section.push_str("</ul><table class=\"cards\"><thead><tr><th scope=\"col\">Target</th>");
    let truth = reports.iter().any(|report| report.goodput.is_some());
    let last: Option<Column> = truth.then_some(("Goodput", goodput));
    let columns: Vec<_> = COLUMNS.into_iter().chain(last).collect();
    for (title, _figure) in &columns {
        section.push_str(&format!("<th scope=\"col\">{title}</th>"));
    }
    section.push_str("</tr></thead><tbody>");
    for report in reports {
        section.push_str(&format!(
            "<tr><th scope=\"row\">{}</th>",
            escaped(&report.name)
        ));
        for (title, figure) in &columns {
            section.push_str(&format!(
                "<td data-label=\"{title}\">{}</td>",
                figure(report)
            ));
        }
        section.push_str("</tr>");
    }
    section + "</tbody></table></section>"
}

fn completed(report: &Report) -> String {
    let visits = &report.tally.visits;
    if visits.begun == 0 {
        return "<span class=\"none\">nobody came to stay</span>".to_owned();
    }
    let share = visits.completed as f64 / visits.begun as f64;
    let of = format!("{} of {}", grouped(visits.completed), grouped(visits.begun));
    meter(share, &of)
}

fn goodput(report: &Report) -> String {
    match report.goodput {
        Some(goodput) => meter(goodput, "of the possible"),
        None => "<span class=\"none\">not known</span>".to_owned(),
    }
}

/// A share as a figure and as a bar.
fn meter(share: f64, says: &str) -> String {
    let width = share.clamp(0.0, 1.0) * 100.0;
    format!(
        "<b>{}</b><span class=\"meter\" aria-hidden=\"true\"><i style=\"width:{width:.1}%\"></i>\
         </span><small>{says}</small>",
        percent(share)
    )
}

/// A count of what should not have been.
fn harm(count: u64) -> String {
    match count {
        0 => "<span class=\"none\">none</span>".to_owned(),
        count => format!("<b class=\"harm\">{}</b>", grouped(count)),
    }
}

/// Who had not come to an end; those in line said apart.
fn still_there(report: &Report) -> String {
    let visits = &report.tally.visits;
    match (visits.alive(), visits.waiting) {
        (0, _) => "<span class=\"none\">none</span>".to_owned(),
        (alive, 0) => format!("<b>{}</b>", grouped(alive)),
        (alive, waiting) => format!(
            "<b>{}</b><small>{} of them in line</small>",
            grouped(alive),
            grouped(waiting)
        ),
    }
}

fn waited(report: &Report) -> String {
    let line = &report.tally.line;
    if line.joined == 0 {
        return "<span class=\"none\">no line</span>".to_owned();
    }
    if line.entered == 0 {
        return "<b class=\"harm\">nobody got in</b>".to_owned();
    }
    format!(
        "<b>{}</b><small>1 in 10 over {}</small>",
        time(line.wait_p50_ms * 1_000),
        time(line.wait_p90_ms * 1_000)
    )
}

fn pages(report: &Report) -> String {
    let pages = &report.tally.pages;
    if pages.count == 0 {
        return "<b class=\"harm\">no page at all</b>".to_owned();
    }
    format!(
        "<b>{}</b><small>1 in 100 over {}</small>",
        time(pages.p50_us),
        time(pages.p99_us)
    )
}

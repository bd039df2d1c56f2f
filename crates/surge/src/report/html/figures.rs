//! Every count, in plain words, the targets side by side.

use super::text::{escaped, time};
use crate::origin::OriginStats;
use crate::report::Report;
use crate::words::grouped;

/// A row: what was counted, and the figure; none where it was not.
type Row = (&'static str, fn(&Report) -> Option<String>);

const VISITS: &[Row] = &[
    ("Visitors who came", |report| {
        count(report.tally.visits.begun)
    }),
    ("had all they came for", |report| {
        count(report.tally.visits.completed)
    }),
    ("gave up before the form", |report| {
        count(report.tally.visits.given_up)
    }),
    ("lost a form they had begun", |report| {
        count(report.tally.visits.lost_mid_form)
    }),
    ("were still there at the end", |report| {
        count(report.tally.visits.alive())
    }),
    ("of these in line, with a place", |report| {
        count(report.tally.visits.waiting)
    }),
    ("could not be sent: the crowd was at its bound", |report| {
        count(report.tally.visits.not_begun)
    }),
];

const REQUESTS: &[Row] = &[
    ("Requests begun", |report| {
        count(report.tally.requests.begun)
    }),
    ("a page of the site", |report| {
        count(report.tally.requests.page)
    }),
    ("a waiting page, or its status", |report| {
        count(report.tally.requests.waiting)
    }),
    ("“one moment, please”", |report| {
        count(report.tally.requests.busy)
    }),
    ("“too many requests” (429)", |report| {
        count(report.tally.requests.limited)
    }),
    ("another error of the client’s (4xx)", |report| {
        count(report.tally.requests.client_error)
    }),
    ("an error page (5xx)", |report| {
        count(report.tally.requests.server_error)
    }),
    ("connection refused", |report| {
        count(report.tally.requests.refused)
    }),
    ("reset before the first byte", |report| {
        count(report.tally.requests.reset_before)
    }),
    ("reset in the middle", |report| {
        count(report.tally.requests.reset_after)
    }),
    ("whole, but then reset", |report| {
        count(report.tally.requests.reset_at_end)
    }),
    ("cut off before its end", |report| {
        count(report.tally.requests.truncated)
    }),
    ("closed without an answer", |report| {
        count(report.tally.requests.closed)
    }),
    ("an answer that is no HTTP", |report| {
        count(report.tally.requests.malformed)
    }),
    ("connected, no answer in time", |report| {
        count(report.tally.requests.timed_out)
    }),
    ("no connection in time", |report| {
        count(report.tally.requests.connect_timed_out)
    }),
    ("another failure", |report| {
        count(report.tally.requests.failed)
    }),
    ("given up for a reload", |report| {
        count(report.tally.requests.abandoned)
    }),
    ("whole, but late", |report| {
        count(report.tally.requests.late)
    }),
];

const LINE: &[Row] = &[
    ("Visitors who stood in line", |report| {
        count(report.tally.line.joined)
    }),
    ("got in from there", |report| {
        count(report.tally.line.entered)
    }),
    ("median wait of these", |report| {
        micros(report.tally.line.wait_p50_ms * 1_000)
    }),
    ("1 in 10 waited longer than", |report| {
        micros(report.tally.line.wait_p90_ms * 1_000)
    }),
    ("longest wait", |report| {
        micros(report.tally.line.wait_max_ms * 1_000)
    }),
    ("places lost", |report| count(report.tally.line.places_lost)),
    ("sent back into the line", |report| {
        count(report.tally.line.sent_back)
    }),
    ("overtaken by more than 5 s", |report| {
        count(report.tally.line.overtaken)
    }),
    ("overtaken by at most", |report| {
        micros(report.tally.line.overtaking_max_ms * 1_000)
    }),
    ("were told a time", |report| {
        count(report.tally.line.told.count)
    }),
    ("median error of what they were told", |report| {
        let told = &report.tally.line.told;
        (told.count > 0).then(|| share(told.median_error_permille))
    }),
];

const TIMES: &[Row] = &[
    ("Pages: median", |report| micros(report.tally.pages.p50_us)),
    ("90 of 100 within", |report| {
        micros(report.tally.pages.p90_us)
    }),
    ("99 of 100 within", |report| {
        micros(report.tally.pages.p99_us)
    }),
    ("999 of 1,000 within", |report| {
        micros(report.tally.pages.p999_us)
    }),
    ("slowest", |report| micros(report.tally.pages.max_us)),
    ("All answers: median", |report| {
        micros(report.tally.answers.p50_us)
    }),
    ("99 of 100 answers within", |report| {
        micros(report.tally.answers.p99_us)
    }),
];

const ORIGIN: &[Row] = &[
    ("Requests that reached the site", |report| {
        truth(report, |origin| origin.arrived)
    }),
    ("done in time", |report| {
        truth(report, |origin| origin.in_time)
    }),
    ("done for somebody still there", |report| {
        truth(report, |origin| origin.useful)
    }),
    ("done for nobody", |report| {
        truth(report, |origin| origin.wasted)
    }),
    ("found it full", |report| {
        truth(report, |origin| origin.refused)
    }),
    ("lost with a server", |report| {
        truth(report, |origin| origin.lost)
    }),
    ("answered by an error on purpose", |report| {
        truth(report, |origin| origin.errors)
    }),
    ("connections it reset", |report| {
        truth(report, |origin| origin.reset)
    }),
    ("inside at once, at most", |report| {
        truth(report, |origin| origin.in_flight_max)
    }),
    ("forms received", |report| {
        truth(report, |origin| origin.forms)
    }),
    ("form pages received again", |report| {
        truth(report, |origin| origin.duplicates)
    }),
];

const CROWD: &[Row] = &[
    ("Seconds in which the crowd was the limit", |report| {
        count(report.tally.generator.seconds_limited)
    }),
    ("its busiest second, of one core", |report| {
        Some(share(report.tally.generator.busiest_permille))
    }),
    ("came late, 1 in 100 by more than", |report| {
        micros(report.tally.generator.late_p99_ms * 1_000)
    }),
    ("came late, at most by", |report| {
        micros(report.tally.generator.late_ms_max * 1_000)
    }),
    ("waited for a connection of the crowd’s", |report| {
        count(report.tally.generator.connections_waited)
    }),
    ("found no port left on this machine", |report| {
        count(report.tally.generator.ports_exhausted)
    }),
];

const SECTIONS: [(&str, &[Row]); 6] = [
    ("People", VISITS),
    ("What became of their requests", REQUESTS),
    ("The line", LINE),
    ("Times", TIMES),
    ("The site’s own counts", ORIGIN),
    ("The crowd itself", CROWD),
];

pub(super) fn figures(reports: &[Report]) -> String {
    let mut section =
        "\n<section class=\"figures\"><h2>Every count</h2><div class=\"tables\">".to_owned();
    for (title, rows) in SECTIONS {
        section.push_str(&table(title, rows, reports));
    }
    section.push_str("</div>");
    section.push_str(&groups(reports));
    section + "</section>"
}

/// Empty where nothing was counted for anybody.
fn table(title: &str, rows: &[Row], reports: &[Report]) -> String {
    let mut body = String::new();
    for (says, figure) in rows {
        let figures: Vec<_> = reports.iter().map(figure).collect();
        if figures.iter().all(Option::is_none) {
            continue;
        }
        body.push_str(&format!("<tr><th scope=\"row\">{says}</th>"));
        for figure in figures {
            let figure = figure.unwrap_or_else(|| "–".to_owned());
            let class = if figure == "0" { " class=\"zero\"" } else { "" };
            body.push_str(&format!("<td{class}>{figure}</td>"));
        }
        body.push_str("</tr>");
    }
    if body.is_empty() {
        return body;
    }
    format!(
        "<div class=\"scroll\"><table>{}<tbody>{body}</tbody></table></div>",
        head(title, reports)
    )
}

fn head(title: &str, reports: &[Report]) -> String {
    let mut head = format!("<thead><tr><th scope=\"col\">{title}</th>");
    for report in reports {
        head.push_str(&format!("<th scope=\"col\">{}</th>", escaped(&report.name)));
    }
    head + "</tr></thead>"
}

/// The groups of the crowd apart, where there is more than one.
fn groups(reports: &[Report]) -> String {
    if reports.iter().all(|report| report.tally.groups.len() < 2) {
        return String::new();
    }
    let mut table = "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Who came</th>\
                     <th scope=\"col\">To</th><th scope=\"col\">Visits</th><th scope=\"col\">\
                     Completed</th><th scope=\"col\">Lost forms</th><th scope=\"col\">Requests</th>\
                     <th scope=\"col\">Pages</th><th scope=\"col\">Sent to wait</th>\
                     <th scope=\"col\">Too many</th><th scope=\"col\">Reset or refused</th></tr>\
                     </thead><tbody>"
        .to_owned();
    for report in reports {
        for group in &report.tally.groups {
            table.push_str(&format!(
                "<tr><th scope=\"row\">{}</th><td class=\"name\">{}</td>",
                escaped(&group.name),
                escaped(&report.name)
            ));
            let (visits, requests) = (&group.visits, &group.requests);
            let counts = [
                visits.begun,
                visits.completed,
                visits.lost_mid_form,
                requests.begun,
                requests.page,
                requests.waiting + requests.busy,
                requests.limited,
                requests.harmed(),
            ];
            for count in counts {
                table.push_str(&format!("<td>{}</td>", grouped(count)));
            }
            table.push_str("</tr>");
        }
    }
    table + "</tbody></table></div>"
}

#[expect(clippy::unnecessary_wraps, reason = "rows are functions of one type")]
fn count(number: u64) -> Option<String> {
    Some(grouped(number))
}

/// A time, where there was any.
fn micros(micros: u64) -> Option<String> {
    (micros > 0).then(|| time(micros))
}

fn share(permille: u64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

fn truth(report: &Report, figure: fn(&OriginStats) -> u64) -> Option<String> {
    report.origin.as_ref().map(|origin| grouped(figure(origin)))
}

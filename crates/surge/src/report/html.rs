//! The report as one self-contained HTML file: nothing in it asks for anything else.
//!
//! From the top: how everybody fared in a sentence and a row of figures each; then
//! plots, the same for all targets on the same axes; then every count in plain
//! words, second by second as well, for who does not see the plots or does not
//! trust them.

mod axis;
mod figures;
mod glance;
mod panels;
mod plot;
mod seconds;
mod text;

use super::{Mark, Report, written_date};
use panels::{PANELS, Panel};
use plot::Plot;
use text::{escaped, number};

const STYLE: &str = include_str!("html/style.css");

/// Hatchings that all plots share; they tell areas apart without their colour.
const PATTERNS: &str = "<svg width=\"0\" height=\"0\" aria-hidden=\"true\" class=\"patterns\"><defs>\
    <pattern id=\"rising\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
    patternTransform=\"rotate(45)\"><rect width=\"5\" height=\"5\" class=\"under-rising\"/>\
    <path d=\"M0 0v5\" class=\"rising\"/></pattern>\
    <pattern id=\"falling\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
    patternTransform=\"rotate(-45)\"><rect width=\"5\" height=\"5\" class=\"under-falling\"/>\
    <path d=\"M0 0v5\" class=\"falling\"/></pattern></defs></svg>";

/// One report, or several of the same scenario side by side.
#[must_use]
pub fn html(reports: &[Report]) -> String {
    let title = reports.first().map_or_else(String::new, title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{}</title>\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head>\n<body>{PATTERNS}\n<main>",
        escaped(&title)
    );
    page.push_str(&header(reports));
    page.push_str(&glance::glance(reports));
    page.push_str(&warnings(reports));
    page.push_str(&plots(reports));
    page.push_str(&figures::figures(reports));
    page.push_str(&seconds::seconds(reports));
    page.push_str(&colophon(reports));
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn title(report: &Report) -> String {
    match report.scenario.title.as_str() {
        "" => "A rehearsal".to_owned(),
        title => title.to_owned(),
    }
}

fn header(reports: &[Report]) -> String {
    let Some(first) = reports.first() else {
        return "<h1>No runs</h1>".to_owned();
    };
    let when = written_date(first.began);
    let mut header = format!(
        "\n<header><p class=\"kind\">Rehearsal of a surge, {when}</p><h1>{}</h1>",
        escaped(&title(first))
    );
    if !first.scenario.story.is_empty() {
        header.push_str(&format!(
            "<p class=\"story\">{}</p>",
            escaped(&first.scenario.story)
        ));
    }
    if !first.scenario.source.is_empty() {
        header.push_str(&format!(
            "<p class=\"source\">Source: {}</p>",
            escaped(&first.scenario.source)
        ));
    }
    header + "</header>"
}

/// What a reader has to know before believing the figures.
fn warnings(reports: &[Report]) -> String {
    let mut said = String::new();
    for report in reports {
        let generator = &report.tally.generator;
        let name = escaped(&report.name);
        if report.tally.crowd_was_the_limit() {
            said.push_str(&format!(
                "<li><strong>{name}</strong>: the crowd itself was at its limit in {} of {} \
                 seconds; these figures say less about the site than they seem to.</li>",
                generator.seconds_limited, generator.seconds
            ));
        }
        for note in &report.notes {
            said.push_str(&format!(
                "<li><strong>{name}</strong>: {}</li>",
                escaped(note)
            ));
        }
    }
    if said.is_empty() {
        return "\n<p class=\"honest\">The crowd was never the limit: in every second it came as \
                planned.</p>"
            .to_owned();
    }
    format!("\n<section class=\"warning\"><h2>Before you believe it</h2><ul>{said}</ul></section>")
}

fn plots(reports: &[Report]) -> String {
    let mut section = "\n<section class=\"plots\"><h2>How it went</h2>".to_owned();
    section.push_str(&events(reports));
    let side_by_side = reports.len() > 1;
    let grid = if side_by_side {
        "panels"
    } else {
        "panels paired"
    };
    section.push_str(&format!("<div class=\"{grid}\">"));
    for panel in &PANELS {
        section.push_str(&figure(panel, reports));
    }
    section + "</div></section>"
}

/// What the letters in the plots stand for.
fn events(reports: &[Report]) -> String {
    let marks = marks(reports);
    if marks.is_empty() {
        return "<p class=\"events\">Seconds since the beginning stand under each plot.</p>"
            .to_owned();
    }
    let mut list = "<p class=\"events\">Seconds since the beginning stand under each plot. What \
                    happened to the site:</p><ol class=\"events\">"
        .to_owned();
    for mark in marks {
        list.push_str(&format!(
            "<li>from {} s to {} s, {}</li>",
            number(mark.at),
            number(mark.at + mark.lasts),
            escaped(&mark.says)
        ));
    }
    list + "</ol>"
}

fn marks(reports: &[Report]) -> &[Mark] {
    let marks = reports.iter().map(|report| report.events.as_slice());
    marks.max_by_key(|marks| marks.len()).unwrap_or_default()
}

/// One question and its answer for each target; empty where there is nothing to be seen.
fn figure(panel: &Panel, reports: &[Report]) -> String {
    let layers: Vec<_> = reports.iter().map(|report| panel.layers(report)).collect();
    let Some(axis) = panel.axis(&layers) else {
        return String::new();
    };
    let lasts = reports.iter().map(|report| report.lasts).max();
    let mut figure = format!(
        "<figure><figcaption><h3>{}</h3><p>{}</p>{}</figcaption><div class=\"row\">",
        panel.title,
        panel.caption,
        legend(panel, &layers)
    );
    for (report, layers) in reports.iter().zip(layers) {
        let plot = Plot {
            label: format!(
                "{}, {}: {}",
                panel.title,
                report.name,
                panel.summary(report)
            ),
            axis,
            lasts: lasts.unwrap_or(1),
            marks: &report.events,
            layers,
        };
        figure.push_str("<div>");
        if reports.len() > 1 {
            figure.push_str(&format!("<h4>{}</h4>", escaped(&report.name)));
        }
        figure.push_str(&plot.svg());
        figure.push_str("</div>");
    }
    figure + "</div></figure>"
}

/// What is drawn in any of the plots, top down as they stand there.
fn legend(panel: &Panel, layers: &[Vec<plot::Layer>]) -> String {
    let mut keys = format!(
        "<ul class=\"legend\"><li class=\"unit\">{}</li>",
        panel.unit
    );
    for (index, series) in panel.series.iter().enumerate() {
        let seen = |layers: &Vec<plot::Layer>| layers[index].is_seen();
        if !layers.iter().any(seen) {
            continue;
        }
        let sample = if series.is_line() {
            format!("<path class=\"{}\" d=\"M1 6h26\"/>", series.class)
        } else {
            format!("<path class=\"{}\" d=\"M4 1h20v10h-20z\"/>", series.class)
        };
        keys.push_str(&format!(
            "<li><svg viewBox=\"0 0 28 12\" aria-hidden=\"true\">{sample}</svg>{}</li>",
            series.says
        ));
    }
    keys + "</ul>"
}

fn colophon(reports: &[Report]) -> String {
    let mut text = "\n<footer><h2>How this was measured</h2><p>People arrive whether or not the \
                    site answers, and every time counts from the moment at which somebody wanted \
                    a page, not from when it could be asked for. What became of each request was \
                    read from the connection itself. <em>Goodput</em> is what the site completed \
                    in time for somebody still there, divided by what it could have completed: \
                    in each second no more than its true peak, and no more than was wanted. \
                    <em>Lost forms</em> are those of people who had begun to fill one in and ran \
                    out of patience or were sent back to the start.</p>"
        .to_owned();
    if let Some(first) = reports.first() {
        let played = &first.scenario;
        text.push_str(&format!(
            "<p>Scenario “{}”, scaled by {}, seed {}, {} seconds. {}.</p>",
            escaped(&played.name),
            played.scale,
            played.seed,
            first.lasts,
            escaped(&first.machine)
        ));
    }
    text + "</footer>"
}

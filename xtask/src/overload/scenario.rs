//! A cell as a scenario of surge's.

use std::fmt::Write as _;

use super::cell::{Beside, Cell, Kind};

/// Requests of a visit: the first page, three pages of a form read and sent, the thanks.
const VISIT: f64 = 8.0;

/// The scenario's text.
pub(super) fn text(cell: &Cell) -> String {
    let mut text = format!(
        "title = \"{}\"\nstory = \"A cell of the bars of overload control.\"\nlasts = \"{}s\"\n\n",
        cell.name(),
        cell.lasts
    );
    origin(&mut text, cell);
    event(&mut text, cell);
    crowd(&mut text, cell);
    text
}

fn origin(text: &mut String, cell: &Cell) {
    let origin = &cell.origin;
    let (servers, cores) = if has_four_servers(cell.kind) {
        (4, origin.cores.div_ceil(4))
    } else {
        (1, origin.cores)
    };
    // Warm when they come back: the peak against which a recovery is measured is a warm one's.
    let (sigma, kappa) = (origin.sigma, origin.kappa);
    put(
        text,
        format_args!(
            "[origin]\ncapacity = {}\nservers = {servers}\ncores = {cores}\nsigma = {sigma}\n\
         kappa = {kappa}\npages = 3\ncold = 1.0\nheavy = 100\n",
            peak(cell),
        ),
    );
}

fn event(text: &mut String, cell: &Cell) {
    let (begins, ends) = cell.event();
    let (says, set, at) = match cell.kind {
        Kind::Dead | Kind::Servers => ("three quarters are dead", "dead = 0.75", begins),
        Kind::Database => ("everything takes three times as long", "slow = 3", begins),
        Kind::Beside(Beside::Failing) => ("one server answers 500", "failing = 1", 0),
        _ => return,
    };
    let lasts = if at == 0 { cell.lasts } else { ends - begins };
    put(
        text,
        format_args!(
            "\n[[event]]\nat = \"{at}s\"\nlasts = \"{lasts}s\"\nsays = \"{says}\"\nset = {{ {set} }}\n",
        ),
    );
}

fn crowd(text: &mut String, cell: &Cell) {
    let peak = peak(cell);
    match cell.kind {
        Kind::Steady(load) => strangers(text, cell, load * peak),
        Kind::Dead | Kind::Servers | Kind::Database => strangers(text, cell, 2.0 * peak),
        Kind::After => put(
            text,
            format_args!(
                "\n[[crowd]]\nname = \"strangers\"\n\
             arrivals = [[\"0s\", {many}], [\"30s\", {many}], [\"30s\", {few}], [\"{lasts}s\", {few}]]\n\
             visit = {{ pages = 0, patience = \"20s\", patience_in_line = \"20s\" }}\n",
                many = 10.0 * peak,
                few = 0.7 * peak,
                lasts = cell.lasts,
            ),
        ),
        // Nobody reloads: who sends a form twice does it twice.
        Kind::Visitors => visitors(text, cell, 10.0 * peak / VISIT, ", reload_probability = 0"),
        Kind::Beside(beside) => beside_visitors(text, cell, beside),
    }
}

/// The origin's peak; where strangers come as visitors do, no more than two cores can carry.
fn peak(cell: &Cell) -> f64 {
    if cell.kind == Kind::After {
        cell.origin.peak.min(60.0)
    } else {
        cell.origin.peak
    }
}

fn has_four_servers(kind: Kind) -> bool {
    let four = [Beside::Four, Beside::Failing].map(Kind::Beside);
    kind == Kind::Servers || four.contains(&kind)
}

/// Requests over kept connections, as many as wait at most with some to spare.
fn strangers(text: &mut String, cell: &Cell, rate: f64) {
    put(
        text,
        format_args!(
            "\n[[crowd]]\nname = \"strangers\"\narrivals = [[\"0s\", {rate}], [\"{}s\", {rate}]]\n\
         script = {{ connections = 2000, request_timeout = \"60s\" }}\n",
            cell.lasts
        ),
    );
}

fn visitors(text: &mut String, cell: &Cell, rate: f64, more: &str) {
    group(
        text,
        cell,
        "people",
        rate,
        &format!(
            "visit = {{ think = \"1s\", patience = \"30s\", patience_in_line = \"3m\"{more} }}"
        ),
    );
}

fn beside_visitors(text: &mut String, cell: &Cell, beside: Beside) {
    let four = matches!(beside, Beside::Four | Beside::Failing);
    let load = if four { 0.6 } else { 2.0 };
    let rate = load * cell.origin.peak / VISIT;
    visitors(text, cell, rate, "");
    let one_in_a_hundred = 0.01 * rate;
    match beside {
        Beside::Nobody | Beside::Four | Beside::Failing => {}
        Beside::SlowBodies => group(
            text,
            cell,
            "slow bodies",
            one_in_a_hundred,
            "slow_body = {}",
        ),
        Beside::Heavy => group(
            text,
            cell,
            "heavy people",
            one_in_a_hundred,
            "visit = { think = \"1s\", patience = \"30s\", patience_in_line = \"3m\", heavy = 1 }",
        ),
        Beside::Leavers => group(text, cell, "leavers", one_in_a_hundred, "leave = {}"),
        // As many requests as all others together.
        Beside::Passes => group(
            text,
            cell,
            "one client",
            load * cell.origin.peak,
            "sources = \"same\"\nscript = { connections = 100, jars = 10000 }",
        ),
    }
}

fn group(text: &mut String, cell: &Cell, name: &str, rate: f64, does: &str) {
    put(
        text,
        format_args!(
            "\n[[crowd]]\nname = \"{name}\"\narrivals = [[\"0s\", {rate}], [\"{}s\", {rate}]]\n{does}\n",
            cell.lasts
        ),
    );
}

fn put(text: &mut String, written: std::fmt::Arguments<'_>) {
    text.write_fmt(written)
        .expect("writing into a String cannot fail");
}

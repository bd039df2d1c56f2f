//! The table at the end: a rival a line, medians over the rounds, in Markdown that
//! also reads well in a terminal.

use std::fmt::Write as _;

use super::figures::{COLUMNS, Column, Figures, LEGEND, spread};
use super::{Comparison, Standing};
use crate::words::grouped;

/// What stands where there is no figure.
const NONE: &str = "–";

impl Comparison {
    /// The table, what was compared, and who could not take part.
    #[must_use]
    pub fn table(&self) -> String {
        let heads = COLUMNS.iter().map(|column| column.head);
        let heads = std::iter::once("rival").chain(heads).map(str::to_owned);
        let mut rows = vec![heads.collect::<Vec<_>>()];
        rows.extend(self.standings.iter().map(row));
        let mut text = format!(
            "{}, {}: {} of each, in turn; medians over them. {}.\n\n",
            self.scenario,
            self.began,
            rounds(self.rounds),
            self.machine
        );
        text.push_str(&aligned(&rows));
        text.push('\n');
        text.push_str(LEGEND);
        for standing in &self.standings {
            for note in &standing.notes {
                // Writing into a String cannot fail.
                writeln!(text, "\n{}: {note}", standing.title).ok();
            }
        }
        text
    }
}

fn rounds(count: u32) -> String {
    match count {
        1 => "1 round".to_owned(),
        count => format!("{count} rounds"),
    }
}

fn row(standing: &Standing) -> Vec<String> {
    let rounds: Vec<_> = standing
        .rounds
        .iter()
        .map(|run| run.figures.clone())
        .collect();
    let mut cells = vec![standing.title.clone()];
    cells.extend(COLUMNS.iter().map(|column| cell(column, &rounds)));
    cells
}

fn cell(column: &Column, rounds: &[Figures]) -> String {
    let Some(spread) = spread(rounds, column.read) else {
        return NONE.to_owned();
    };
    let number = |value: f64| number(value, column.as_percent);
    let median = number(spread.median);
    if column.range && rounds.len() > 1 {
        let (lowest, highest) = (number(spread.lowest), number(spread.highest));
        return format!("{median} ({lowest}–{highest})");
    }
    median
}

fn number(value: f64, as_percent: bool) -> String {
    match value {
        value if as_percent => format!("{:.0} %", value * 100.0),
        value if value < 100.0 && value.fract() != 0.0 => format!("{value:.1}"),
        value => grouped(value.round() as u64),
    }
}

/// Markdown, with every column as wide as its widest cell.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<_> = (0..columns)
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let fill = " ".repeat(widths[column] - cell.chars().count());
            let (before, after) = if column == 0 {
                ("", fill.as_str())
            } else {
                (fill.as_str(), "")
            };
            write!(text, "| {before}{cell}{after} ").ok();
        }
        text.push_str("|\n");
        if index == 0 {
            for (column, width) in widths.iter().enumerate() {
                let right = if column == 0 { "-" } else { ":" };
                write!(text, "|-{}{right}", "-".repeat(*width)).ok();
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Run;
    use crate::compare::figures::tests::round;

    #[test]
    fn a_row_has_the_median_and_where_it_matters_the_range() {
        let run = |completed| Run {
            round: 1,
            figures: round(completed),
            report: None,
        };
        let standing = |title: &str, rounds| Standing {
            title: title.to_owned(),
            settings: [].into(),
            rounds,
            notes: Vec::new(),
        };
        let mut gone = standing("gone", Vec::new());
        gone.notes.push("it is not installed".to_owned());
        let comparison = Comparison {
            scenario: "calm".to_owned(),
            began: "2026-11-22".to_owned(),
            machine: "a machine".to_owned(),
            rounds: 2,
            sweeps: Vec::new(),
            standings: vec![standing("one best", vec![run(90.0), run(70.0)]), gone],
        };
        let table = comparison.table();
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(
            lines[0],
            "calm, 2026-11-22: 2 rounds of each, in turn; medians over them. a machine."
        );
        let cells: Vec<_> = lines[4].split('|').map(str::trim).collect();
        assert_eq!(
            cells[1..12],
            [
                "one best",
                "80 (70–90)",
                "80 %",
                "3",
                "1,234",
                "0",
                "0",
                "50 % (50 %–50 %)",
                "80.3",
                "900",
                "–"
            ]
        );
        assert!(lines[5].starts_with("| gone     |"), "{table}");
        assert!(table.ends_with("\ngone: it is not installed\n"), "{table}");
        let width = lines[2].chars().count();
        assert!(
            lines[2..6].iter().all(|line| line.chars().count() == width),
            "{table}"
        );
    }
}

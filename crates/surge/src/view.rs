//! How running figures are shown: side by side in a terminal, or a line a second.

use std::io::{self, Write};
use std::mem;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, interval_at};

use crate::crowd::Crowd;
use crate::origin::OriginStats;
use crate::tally::Tally;
use crate::words::grouped;

/// How often the figures are shown anew.
pub(crate) const SHOWN_EVERY: Duration = Duration::from_secs(1);

/// Where the running figures go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// In place, by ANSI escape codes.
    Terminal,
    /// A line a second.
    Plain,
    /// Nowhere.
    Silent,
}

/// Shows what one crowd sees, once a second on standard output, until its run is over or
/// `stop` comes: then the tally is of what there was.
pub async fn watch(crowd: Crowd, view: View, stop: impl Future<Output = ()>) -> Tally {
    let mut stop = pin!(stop);
    let lasts = crowd.lasts();
    let began = Instant::now();
    let mut board = Board::new(view, io::stdout());
    let mut ticks = interval_at(began + SHOWN_EVERY, SHOWN_EVERY);
    while began.elapsed() + SHOWN_EVERY / 2 < lasts {
        tokio::select! {
            _ = ticks.tick() => {}
            () = &mut stop => return crowd.tally(),
        }
        let heading = format!(
            "{:.0} s of {:.0}",
            began.elapsed().as_secs_f64(),
            lasts.as_secs_f64()
        );
        board.show(
            &heading,
            &[Column {
                name: "crowd",
                tally: crowd.tally(),
                origin: None,
            }],
        );
    }
    crowd.finish().await
}

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Column<'a> {
    pub(crate) name: &'a str,
    pub(crate) tally: Tally,
    /// What the origin counts, where it can be asked.
    pub(crate) origin: Option<OriginStats>,
}

/// One row: what it says, its short name for plain lines, and the figure.
type Row = (&'static str, &'static str, fn(&Column<'_>) -> Option<u64>);

/// What is shown of each column, top down.
const ROWS: [Row; 8] = [
    ("visitors who came", "came", |column| {
        Some(column.tally.visits.begun)
    }),
    ("visits completed", "completed", |column| {
        Some(column.tally.visits.completed)
    }),
    ("pages in the last second", "pages/s", |column| {
        Some(column.tally.last_second().page)
    }),
    ("in line, with a place", "in line", |column| {
        Some(column.tally.visits.waiting)
    }),
    ("connections reset or refused", "reset", |column| {
        Some(column.tally.requests.harmed())
    }),
    ("visitors who gave up", "gave up", |column| {
        Some(column.tally.visits.given_up + column.tally.visits.lost_mid_form)
    }),
    ("slowest 1 in 100 pages, ms", "p99 ms", |column| {
        Some(column.tally.last_second().p99_us / 1_000)
    }),
    ("requests at the origin now", "at origin", |column| {
        column.origin.as_ref().map(|origin| origin.in_flight)
    }),
];

/// Cells of the bar that shows how much is over.
const BAR: u32 = 24;

/// Width of the rows' names, and of each column.
const WIDTHS: (usize, usize) = (32, 18);

/// Draws; stops silently when nobody reads any more.
#[derive(Debug)]
pub(crate) struct Board<W> {
    view: View,
    out: W,
    /// Lines that the next drawing overwrites.
    drawn: usize,
    /// Lines above the columns, in the next drawing.
    before: Vec<String>,
}

impl<W: Write> Board<W> {
    pub(crate) const fn new(view: View, out: W) -> Self {
        Self {
            view,
            out,
            drawn: 0,
            before: Vec::new(),
        }
    }

    /// Shows the figures of this moment under `heading`.
    pub(crate) fn show(&mut self, heading: &str, columns: &[Column<'_>]) {
        let shown = match self.view {
            View::Terminal => self.redraw(heading, columns),
            View::Plain => self.line(heading, columns),
            View::Silent => Ok(()),
        };
        if shown.is_err() {
            self.view = View::Silent;
        }
    }

    /// The same, with how much of a run of `lasts` is over.
    pub(crate) fn progress(
        &mut self,
        at: Duration,
        lasts: Duration,
        says: &str,
        columns: &[Column<'_>],
    ) {
        let [at, lasts] = [at, lasts].map(|time| time.as_secs_f64());
        let over = format!("{at:.0} s of {lasts:.0}, {says}");
        match self.view {
            View::Terminal => {
                let done = ((at / lasts).clamp(0.0, 1.0) * f64::from(BAR)).round() as u32;
                let bar: String = (0..BAR)
                    .map(|cell| if cell < done { '█' } else { '░' })
                    .collect();
                self.before = vec![format!("{bar} {over}")];
                self.show("", columns);
            }
            View::Plain | View::Silent => self.show(&over, columns),
        }
    }

    fn redraw(&mut self, heading: &str, columns: &[Column<'_>]) -> io::Result<()> {
        let (wide, column_wide) = WIDTHS;
        let mut lines = mem::take(&mut self.before);
        let mut names = format!("{heading:<wide$}");
        for column in columns {
            names.push_str(&format!("{:>column_wide$}", column.name));
        }
        lines.push(names);
        for (name, _short, figure) in ROWS {
            let mut line = format!("{name:<wide$}");
            for column in columns {
                let figure = figure(column).map_or_else(|| "-".to_owned(), grouped);
                line.push_str(&format!("{figure:>column_wide$}"));
            }
            lines.push(line);
        }
        let mut text = String::new();
        if self.drawn > 0 {
            text.push_str(&format!("\x1b[{}A", self.drawn));
        }
        for line in &lines {
            text.push_str(&format!("\r\x1b[K{line}\n"));
        }
        self.drawn = lines.len();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    fn line(&mut self, heading: &str, columns: &[Column<'_>]) -> io::Result<()> {
        let mut text = heading.to_owned();
        for column in columns {
            let figures = ROWS.iter().filter_map(|(_name, short, figure)| {
                Some(format!("{} {short}", grouped(figure(column)?)))
            });
            let figures: Vec<_> = figures.collect();
            text.push_str(&format!(" | {}: {}", column.name, figures.join(", ")));
        }
        text.push('\n');
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column<'static>> {
        let mut tally = Tally::default();
        tally.visits.begun = 1_812;
        let origin = Some(OriginStats {
            in_flight: 87,
            ..OriginStats::default()
        });
        vec![
            Column {
                name: "bare",
                tally: tally.clone(),
                origin: None,
            },
            Column {
                name: "behind",
                tally,
                origin,
            },
        ]
    }

    fn shown(view: View, times: usize) -> String {
        let mut out = Vec::new();
        let mut board = Board::new(view, &mut out);
        for second in 1..=times {
            board.show(&format!("{second} s"), &columns());
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_plain_view_writes_one_line_a_second_without_escape_codes() {
        let text = shown(View::Plain, 2);
        assert_eq!(text.lines().count(), 2);
        assert!(!text.contains('\x1b'));
        assert!(text.starts_with("1 s | bare: 1,812 came,"), "{text}");
        assert!(text.contains("87 at origin"), "{text}");
    }

    #[test]
    fn a_terminal_view_draws_over_itself() {
        let text = shown(View::Terminal, 2);
        let lines = ROWS.len() + 1;
        assert_eq!(text.lines().count(), 2 * lines);
        assert_eq!(text.matches(&format!("\x1b[{lines}A")).count(), 1);
    }

    #[test]
    fn progress_is_a_bar_in_a_terminal_and_words_in_a_line() {
        for (view, says) in [
            (
                View::Terminal,
                "██████░░░░░░░░░░░░░░░░░░ 15 s of 60, 30 come a second",
            ),
            (
                View::Plain,
                "15 s of 60, 30 come a second | bare: 1,812 came",
            ),
            (View::Silent, ""),
        ] {
            let mut out = Vec::new();
            let [at, lasts] = [15, 60].map(Duration::from_secs);
            Board::new(view, &mut out).progress(at, lasts, "30 come a second", &columns());
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains(says), "{text}");
        }
    }

    #[test]
    fn a_silent_view_writes_nothing() {
        assert_eq!(shown(View::Silent, 2), "");
    }
}

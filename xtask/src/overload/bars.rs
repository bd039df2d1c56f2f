//! The tables: each bar, what was measured, and whether it is reached.

use std::fmt::Write as _;
use std::path::Path;

use super::cell::{Beside, Cell, Kind};
use super::kept::{Kept, share};
use super::log::{Limit, Times, p99};
use super::settle;

/// Who finds the limit, and who knows it.
const ADAPTIVE: &str = "Forebay adaptive";
const FIXED: &str = "Forebay fixed";
const ROOM: &str = "Forebay room";

/// Everybody of the line-up who is held beside them.
const RIVALS: [&str; 6] = [
    ADAPTIVE,
    FIXED,
    "Envoy adaptive",
    "Envoy floor",
    "HAProxy maxconn",
    "nginx",
];

/// What a report says where there is nothing to say.
const NONE: &str = "–";

/// A table in the making.
struct Table {
    bar: &'static str,
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// All tables over the runs in `keep`.
pub(super) fn table(cells: &[Cell], keep: &Path) -> String {
    let runs = Runs { cells, keep };
    let tables = [
        runs.goodput(),
        runs.limit(),
        runs.shed(),
        runs.settled(),
        runs.served_again(),
        runs.visitors(),
        runs.beside(),
        runs.harm(),
    ];
    let mut text = String::new();
    for table in tables.iter().filter(|table| !table.rows.is_empty()) {
        table.write(&mut text);
    }
    text
}

/// Where the runs are.
struct Runs<'a> {
    cells: &'a [Cell],
    keep: &'a Path,
}

impl Runs<'_> {
    fn of(&self, cell: &Cell, rival: &str) -> Option<Kept> {
        Kept::of(self.keep, &cell.name(), rival)
    }

    /// A row for each cell of whose kind `row` makes one.
    fn rows(&self, row: impl Fn(&Cell) -> Option<Vec<String>>) -> Vec<Vec<String>> {
        self.cells.iter().filter_map(row).collect()
    }

    fn goodput(&self) -> Table {
        let rows = self.rows(|cell| {
            let Kind::Steady(_load) = cell.kind else {
                return None;
            };
            let of = |rival: &str| self.of(cell, rival)?.goodput(cell.warm..cell.lasts);
            let figures = RIVALS.map(of);
            let ours = figures[0]?;
            let beside = figures[1].map(|fixed| ours / fixed);
            let alone = cell.origin.name == "tiny" || ours >= 0.95;
            let mut row = vec![cell.name()];
            row.extend(figures.map(|figure| number(figure, 3)));
            row.push(number(beside, 3));
            row.push(number(noise(cell), 3));
            row.push(verdict(beside.map(|beside| alone && beside >= 0.98)));
            Some(row)
        });
        let mut heads = vec!["cell"];
        heads.extend(RIVALS);
        heads.extend(["adaptive ÷ fixed", "noise", "reached"]);
        Table {
            bar: "Goodput ÷ min(offered, peak): ≥ 0.95, and ≥ 0.98 of the fixed limit at the optimum \
                  (the latter alone on tiny)",
            heads,
            rows,
        }
    }

    fn limit(&self) -> Table {
        let calm = |origin: &str| {
            let at = |cell: &&Cell| cell.origin.name == origin && cell.kind == Kind::Steady(0.8);
            let cell = self.cells.iter().find(at)?;
            let run = self.of(cell, ADAPTIVE)?;
            p99(&Times::of(&run.folder, cell.warm)?.service)
        };
        let rows = self.rows(|cell| {
            let Kind::Steady(load) = cell.kind else {
                return None;
            };
            let run = self.of(cell, ADAPTIVE)?;
            let times = Times::of(&run.folder, cell.warm)?;
            let service = p99(&times.service);
            let beside = service
                .zip(calm(cell.origin.name))
                .map(|(now, calm)| now / calm);
            let limit = Limit::of(&run.folder, cell.warm);
            let reached = beside
                .filter(|_ratio| load >= 10.0)
                .map(|ratio| ratio <= 2.0);
            Some(vec![
                cell.name(),
                run.at_work.to_string(),
                limit.map_or_else(
                    || NONE.into(),
                    |limit| format!("{:.0} ({:.0}–{:.0})", limit.mean, limit.least, limit.most),
                ),
                number(service, 0),
                number(beside, 2),
                queued(&times),
                verdict(reached),
            ])
        });
        Table {
            bar: "From permit to last byte, p99 at 10× ÷ at 0.8×: ≤ 2; the limit, and the time queued \
                  of those who were let through",
            heads: vec![
                "cell",
                "best",
                "limit",
                "p99, ms",
                "÷ 0.8×",
                "queued p99, ms",
                "reached",
            ],
            rows,
        }
    }

    fn shed(&self) -> Table {
        let rows = self.rows(|cell| {
            let Kind::Steady(load) = cell.kind else {
                return None;
            };
            let run = self.of(cell, ADAPTIVE)?;
            let steady = run.shed(cell.warm..cell.lasts);
            let cold = run.shed(0..30);
            let most = if cell.origin.name == "tiny" {
                0.01
            } else {
                0.001
            };
            let tries = run.origin.as_ref().and_then(|origin| {
                let answered = run.tally.requests.page;
                share(origin.arrived, answered)
            });
            let below = |(shed, ended)| share(shed, ended).map(|share| share <= most);
            let reached = below(steady)
                .zip(below(cold))
                .map(|(steady, cold)| steady && cold);
            let calm = load < 1.0;
            calm.then(|| {
                vec![
                    cell.name(),
                    counted(steady),
                    counted(cold),
                    number(tries, 4),
                    verdict(reached),
                ]
            })
        });
        Table {
            bar: "Shed at 0.5–0.8×, steady and in the first 30 s after a cold start: ≤ 0.1 % (tiny \
                  ≤ 1 %); requests at the origin for each answered one (≤ 1.02)",
            heads: vec!["cell", "steady", "first 30 s", "at the origin", "reached"],
            rows,
        }
    }

    fn settled(&self) -> Table {
        let mut rows = Vec::new();
        for cell in self.cells {
            if !matches!(cell.kind, Kind::Dead | Kind::Servers | Kind::Database) {
                continue;
            }
            let (begins, ends) = cell.event();
            for rival in [ADAPTIVE, FIXED] {
                let Some(run) = self.of(cell, rival) else {
                    continue;
                };
                let down = settle::after(&run, begins, ends, 0.8);
                let up = settle::after(&run, ends, cell.lasts, 0.8);
                let bound = |least: f64, times: f64| least.max(times * cell.origin.response);
                let (bound_down, bound_up) = (bound(3.0, 20.0), bound(10.0, 40.0));
                let in_time =
                    |took: Option<u32>, bound| took.is_some_and(|took| f64::from(took) <= bound);
                rows.push(vec![
                    cell.name(),
                    rival.into(),
                    format!("{} of {bound_down:.0}", seconds(down)),
                    format!("{} of {bound_up:.0}", seconds(up)),
                    number(run.goodput(begins..ends), 3),
                    number(run.goodput(ends..cell.lasts), 3),
                    verdict(Some(in_time(down, bound_down) && in_time(up, bound_up))),
                ]);
            }
        }
        Table {
            bar: "Three quarters of the servers die and return, everything three times slower and \
                  back, at 2×: seconds to 80 % of the new peak",
            heads: vec![
                "cell",
                "rival",
                "down",
                "up",
                "goodput down",
                "goodput after",
                "reached",
            ],
            rows,
        }
    }

    fn served_again(&self) -> Table {
        let mut rows = Vec::new();
        for cell in self.cells.iter().filter(|cell| cell.kind == Kind::After) {
            for rival in [ADAPTIVE, FIXED] {
                let Some(run) = self.of(cell, rival) else {
                    continue;
                };
                let again = settle::served_again(&run, 30);
                rows.push(vec![
                    cell.name(),
                    rival.into(),
                    again.map_or_else(|| "never".into(), |(fell, _share)| fell.to_string()),
                    number(again.map(|(_fell, share)| share), 4),
                    verdict(Some(again.is_some_and(|(_fell, share)| share >= 0.99))),
                ]);
            }
        }
        Table {
            bar: "After 30 s at 10×, back to 0.7×: ≥ 99 % served from 5 s after attempts, retries \
                  included, have fallen below 0.9 of the peak",
            heads: vec!["cell", "rival", "fell at, s", "served after", "reached"],
            rows,
        }
    }

    fn visitors(&self) -> Table {
        let rows = self.rows(|cell| {
            if cell.kind != Kind::Visitors {
                return None;
            }
            let run = self.of(cell, ROOM)?;
            let people = run.tally.groups.first()?;
            let (forms, pages) = (people.forms.served(), people.navigations.served());
            let duplicates = run.origin.as_ref().map_or(0, |origin| origin.duplicates);
            let reached = forms
                .zip(pages)
                .map(|(forms, pages)| forms >= 0.999 && pages >= 0.995);
            Some(vec![
                cell.name(),
                number(forms, 4),
                people.forms.begun.to_string(),
                number(pages, 4),
                people.navigations.begun.to_string(),
                duplicates.to_string(),
                people.visits.lost_mid_form.to_string(),
                number(run.goodput(cell.warm..cell.lasts), 3),
                Times::of(&run.folder, cell.warm)
                    .map_or_else(|| NONE.into(), |times| queued(&times)),
                verdict(reached.map(|reached| reached && duplicates == 0)),
            ])
        });
        Table {
            bar: "Admitted visitors at 10×: forms ≥ 99.9 % and pages ≥ 99.5 % served, each try \
                  counted; no form done twice",
            heads: vec![
                "cell",
                "forms",
                "of",
                "pages",
                "of",
                "twice",
                "lost mid-form",
                "goodput",
                "queued p99, ms",
                "reached",
            ],
            rows,
        }
    }

    fn beside(&self) -> Table {
        let reference = |beside: Beside| {
            let alone = if beside == Beside::Failing {
                Beside::Four
            } else {
                Beside::Nobody
            };
            let is = |cell: &&Cell| cell.kind == Kind::Beside(alone);
            let cell = self.cells.iter().find(is)?;
            Beheld::of(&self.of(cell, ROOM)?, cell)
        };
        let rows = self.rows(|cell| {
            let Kind::Beside(beside) = cell.kind else {
                return None;
            };
            let here = Beheld::of(&self.of(cell, ROOM)?, cell)?;
            let alone = reference(beside);
            let visits = alone.map(|alone| here.completed / alone.completed);
            let limit = alone.and_then(|alone| Some(here.limit? / alone.limit?));
            let is_alone = matches!(beside, Beside::Nobody | Beside::Four);
            let reached = visits.zip(limit).filter(|_both| !is_alone);
            Some(vec![
                cell.name(),
                number(Some(here.completed), 0),
                number(visits, 3),
                number(here.limit, 0),
                number(limit, 2),
                verdict(
                    reached.map(|(visits, limit)| visits >= 0.9 && (0.8..=1.2).contains(&limit)),
                ),
            ])
        });
        Table {
            bar: "Adversaries, each alone: completed visits of the others ≥ 0.9 of the run without \
                  them, the limit within ±20 %",
            heads: vec![
                "cell",
                "completed",
                "÷ without",
                "limit",
                "÷ without",
                "reached",
            ],
            rows,
        }
    }

    fn harm(&self) -> Table {
        let mut rows = Vec::new();
        for rival in RIVALS.into_iter().chain([ROOM]) {
            let runs = self.cells.iter().filter_map(|cell| self.of(cell, rival));
            let (mut count, mut begun, mut harmed, mut limited) = (0, 0, 0, 0);
            for run in runs {
                count += 1;
                begun += run.tally.requests.begun;
                harmed += run.tally.requests.harmed();
                limited += u32::from(run.tally.generator.seconds_limited > 0);
            }
            if count > 0 {
                rows.push(vec![
                    rival.into(),
                    count.to_string(),
                    begun.to_string(),
                    harmed.to_string(),
                    limited.to_string(),
                    verdict(rival.starts_with("Forebay").then_some(harmed == 0)),
                ]);
            }
        }
        Table {
            bar: "Connections reset or refused, answers cut off or missing, in all of the above: 0",
            heads: vec![
                "rival",
                "runs",
                "requests",
                "harmed",
                "runs with the crowd at its bound",
                "reached",
            ],
            rows,
        }
    }
}

/// A run beside an adversary, or without one.
#[derive(Clone, Copy)]
struct Beheld {
    completed: f64,
    limit: Option<f64>,
}

impl Beheld {
    fn of(run: &Kept, cell: &Cell) -> Option<Self> {
        let people = run.tally.groups.first()?;
        Some(Self {
            completed: people.visits.completed as f64,
            limit: Limit::of(&run.folder, cell.warm).map(|limit| limit.mean),
        })
    }
}

impl Table {
    fn write(&self, text: &mut String) {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let heads: Vec<_> = self.heads.iter().map(|&head| head.to_owned()).collect();
        let rule: Vec<_> = self.heads.iter().map(|_head| "---".to_owned()).collect();
        let bar = self.bar;
        write!(text, "\n### {bar}\n\n{}{}", line(&heads), line(&rule))
            .expect("writing into a String cannot fail");
        text.extend(self.rows.iter().map(|row| line(row)));
    }
}

/// Standard error of a cell's goodput: requests ask for exponential work, so that of `n` done
/// the mean is uncertain by `1/√n`.
fn noise(cell: &Cell) -> Option<f64> {
    let Kind::Steady(load) = cell.kind else {
        return None;
    };
    let done = load.min(1.0) * cell.origin.peak * f64::from(cell.lasts - cell.warm);
    Some(1.0 / done.sqrt())
}

/// The 99th percentile of the time at the queue, class by class.
fn queued(times: &Times) -> String {
    let each = times.queued.iter();
    let each = each.map(|(class, times)| format!("{class} {}", number(p99(times), 0)));
    each.collect::<Vec<_>>().join(", ")
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| NONE.into(), |value| format!("{value:.digits$}"))
}

fn seconds(took: Option<u32>) -> String {
    took.map_or_else(|| "never".into(), |took| took.to_string())
}

fn counted((part, whole): (u64, u64)) -> String {
    let share =
        share(part, whole).map_or_else(|| NONE.into(), |share| format!("{:.3} %", share * 100.0));
    format!("{share} ({part} of {whole})")
}

fn verdict(reached: Option<bool>) -> String {
    match reached {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "",
    }
    .into()
}

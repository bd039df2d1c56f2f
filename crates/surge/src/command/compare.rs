//! `surge compare`: rivals side by side on one scenario, and one table at the end.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use surge::compare::{Comparison, Contest, Lineup};
use surge::report;
use surge::scenario::Scenario;
use surge::span;
use surge::view::View;

use super::origin::Interrupted;
use super::{Problem, factor, say};

/// Flags of `surge compare`.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// Who comes, to what origin, and what happens there
    scenario: PathBuf,
    /// The line-up: who stands in front of the origin
    #[arg(long, value_name = "FILE")]
    rivals: PathBuf,
    /// Only these rivals, such as "HAProxy best,Forebay"
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    only: Vec<String>,
    /// How often each is run, in turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Try every setting of the line-up's sweeps for so long, and go on with the best
    #[arg(long, value_name = "DURATION", value_parser = span::parse, num_args = 0..=1,
          default_missing_value = "20s")]
    sweep: Option<Duration>,
    /// Multiplies the arrivals and the origin's capacity
    #[arg(long, default_value = "1", value_parser = factor)]
    scale: f64,
    /// Look for programs there first
    #[arg(long, value_name = "FOLDER")]
    programs: Vec<PathBuf>,
    /// Write the figures of every run there as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the median rounds there as one page of HTML
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the table there too
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Keep each run there: its whole report as JSON, and what its program wrote
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Only a line after each run; also without a terminal
    #[arg(long)]
    plain: bool,
}

impl Compare {
    /// Runs everybody, and writes what came of it.
    pub(crate) async fn run(self) -> Result<(), Problem> {
        let contest = self.contest()?;
        let mut progress = |line: &str| {
            // Where nobody reads it, the table still comes.
            writeln!(io::stderr(), "{line}").ok();
        };
        let interrupted = Interrupted::catch()?;
        let comparison = tokio::select! {
            comparison = contest.run(&mut progress) => comparison,
            // Leaving this function ends the rival's program.
            () = interrupted.wait() => return Err(Problem::Interrupted),
        };
        self.write(&comparison)?;
        say(comparison.table().trim_end())
    }

    fn contest(&self) -> Result<Contest, Problem> {
        let scenario = Scenario::load(&self.scenario).map_err(Problem::Scenario)?;
        let lineup = Lineup::load(&self.rivals).map_err(|mistakes| {
            Problem::Lineup(format!("{}:\n{mistakes}", self.rivals.display()))
        })?;
        let lineup = lineup.only(&self.only).map_err(Problem::Lineup)?;
        let view = if io::stdout().is_terminal() && !self.plain {
            View::Terminal
        } else {
            View::Silent
        };
        Ok(Contest {
            scenario: scenario.scaled(self.scale),
            lineup,
            rounds: self.rounds,
            sweep: self.sweep,
            programs: [self.programs.clone(), beside()].concat(),
            view,
            keep: self.keep.clone(),
        })
    }

    fn write(&self, comparison: &Comparison) -> Result<(), Problem> {
        if let Some(path) = &self.json {
            let json = serde_json::to_string_pretty(comparison);
            write(path, &(json.expect("figures are always JSON") + "\n"))?;
        }
        if let Some(path) = &self.report {
            write(path, &report::html(&comparison.median_reports()))?;
        }
        self.table
            .as_ref()
            .map_or(Ok(()), |path| write(path, &comparison.table()))
    }
}

/// Where programs are beside this one, and where `install.sh` puts them.
fn beside() -> Vec<PathBuf> {
    let program = std::env::current_exe().unwrap_or_default();
    let Some(folder) = program.parent() else {
        return Vec::new();
    };
    vec![folder.to_owned(), folder.join("../rivals/bin")]
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    std::fs::write(path, text).map_err(Problem::io(path.display().to_string()))
}

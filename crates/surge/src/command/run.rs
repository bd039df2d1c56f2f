//! `surge run`: a scenario, or a crowd at a steady rate, and what it saw.

mod site;
mod steady;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use surge::report;
use surge::run::{Plan, Target};
use surge::scenario::Scenario;
use surge::view::View;

use super::origin::Interrupted;
use super::{Problem, factor, say, store};
use site::site;
use steady::{Steady, summary};

/// Flags of `surge run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Scenario to play, such as benches/load/scenarios/calm.toml
    #[arg(required_unless_present = "target")]
    scenario: Option<PathBuf>,
    /// Site to visit, such as http://127.0.0.1:8080/; without it the model origin itself
    #[arg(long)]
    target: Option<String>,
    /// Where the model origin is started behind the target; without it the target is a site
    /// of your own, to which nothing of the scenario happens
    #[arg(long, requires = "scenario", requires = "target")]
    origin: Option<SocketAddr>,
    /// Multiplies all arrivals and the origin's capacity, and nothing else
    #[arg(long, default_value = "1", value_parser = factor, requires = "scenario")]
    scale: f64,
    /// What the report calls the target
    #[arg(long, requires = "scenario")]
    name: Option<String>,
    /// Write the report there as one HTML file
    #[arg(long, requires = "scenario")]
    report: Option<PathBuf>,
    #[command(flatten)]
    steady: Steady,
    /// A line a second instead of figures in place; also without a terminal
    #[arg(long)]
    plain: bool,
    /// Write the report, or without a scenario the tally, there as JSON ("-": standard
    /// output, and nothing else)
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Run {
    /// Lets the crowd come, shows what it sees, and writes what came of it.
    pub(crate) async fn run(self) -> Result<(), Problem> {
        let site = match &self.target {
            Some(url) => Some(site(url).await?),
            None => None,
        };
        self.claim()?;
        match (&self.scenario, site) {
            (Some(path), site) => {
                let scenario = Scenario::load(path).map_err(Problem::Scenario)?;
                let target = match (site, self.origin) {
                    (None, _) => Target::Bare,
                    (Some(site), None) => Target::Site(site),
                    (Some(site), Some(origin)) => Target::Proxy { site, origin },
                };
                self.play(scenario.scaled(self.scale), target).await
            }
            (None, Some(site)) => {
                let tally = self
                    .steady
                    .tally(site, self.view(), Interrupted::catch()?.wait())
                    .await;
                let json = serde_json::to_string_pretty(&tally);
                self.write(json.expect("counts are always JSON"), &summary(&tally))
            }
            (None, None) => Err(Problem::Number("write a scenario, or a --target")),
        }
    }

    async fn play(&self, scenario: Scenario, target: Target) -> Result<(), Problem> {
        let plan = Plan {
            scenario,
            name: self.name(&target),
            target,
            view: self.view(),
        };
        let report = surge::run::run_until(plan, Interrupted::catch()?.wait())
            .await
            .map_err(Problem::io("the model origin"))?;
        if let Some(path) = &self.report {
            store(path, &report::html(std::slice::from_ref(&report)))?;
        }
        let json = serde_json::to_string_pretty(&report);
        let said = format!("{}\n{}", summary(&report.tally), report.sentence());
        self.write(json.expect("reports are always JSON"), &said)
    }

    fn name(&self, target: &Target) -> String {
        match (&self.name, target) {
            (Some(name), _) => name.clone(),
            (None, Target::Bare) => "No proxy".to_owned(),
            (None, Target::Proxy { site, .. } | Target::Site(site)) => site.host.clone(),
        }
    }

    /// Opens what will be written, so that nothing is wrong with it after a long run.
    fn claim(&self) -> Result<(), Problem> {
        let json = self.json.iter().filter(|_path| !self.is_to_stdout());
        for path in json.chain(&self.report) {
            let opened = OpenOptions::new().append(true).create(true).open(path);
            opened.map_err(Problem::io(path.display().to_string()))?;
        }
        Ok(())
    }

    /// Whether standard output is for the JSON alone.
    fn is_to_stdout(&self) -> bool {
        self.json
            .as_ref()
            .is_some_and(|path| path.as_os_str() == "-")
    }

    fn view(&self) -> View {
        match io::stdout().is_terminal() && !self.plain {
            _ if self.is_to_stdout() => View::Silent,
            true => View::Terminal,
            false => View::Plain,
        }
    }

    /// The JSON where it is wanted, and the few plain lines.
    fn write(&self, json: String, said: &str) -> Result<(), Problem> {
        match &self.json {
            _ if self.is_to_stdout() => return say(&json),
            Some(path) => store(path, &(json + "\n"))?,
            None => {}
        }
        say(said)
    }
}

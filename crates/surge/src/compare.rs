//! Rivals side by side: the same crowd and the same origin for each, in turn.
//!
//! In every round every rival is run once, on an origin and a program that are
//! started afresh; the order is rotated from round to round, so that what changes
//! on the machine meanwhile meets all of them alike. A rival that cannot take
//! part says why, and the others go on.

mod cpu;
mod figures;
mod lineup;
mod places;
mod program;
mod setting;
mod spread;
mod sweep;
mod table;
mod template;
mod watch;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

pub use figures::Figures;
pub use lineup::{Lineup, Mistakes, Rival};
use places::{Places, Ports};
use program::{Absent, Program};
use setting::Optimum;
pub use spread::Spread;
pub use sweep::Trial;

use crate::crowd::Site;
use crate::report::{self, Report};
use crate::run::{self, Plan, Target};
use crate::scenario::Scenario;
use crate::view::View;
use watch::Watch;

/// A kept run's whole report, in its folder.
const REPORT: &str = "report.json";

/// After a run: what it has left in the kernel goes away.
const REST: Duration = Duration::from_secs(1);

/// What is compared, and how.
#[derive(Debug)]
pub struct Contest {
    /// Who comes, and to what origin.
    pub scenario: Scenario,
    /// Who stands in front of it.
    pub lineup: Lineup,
    /// How often each is run, at least once.
    pub rounds: u32,
    /// How long each setting of a sweep is tried; none: no sweep.
    pub sweep: Option<Duration>,
    /// Where to look for programs before `PATH`.
    pub programs: Vec<PathBuf>,
    /// How a run in progress is shown.
    pub view: View,
    /// Where each run leaves its report and what its program wrote; none: nothing stays.
    pub keep: Option<PathBuf>,
}

/// How everybody fared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The scenario's title.
    pub scenario: String,
    /// When it began.
    pub began: String,
    /// On which machine.
    pub machine: String,
    /// How often each was run.
    pub rounds: u32,
    /// What the sweep tried.
    pub sweeps: Vec<Trial>,
    /// A rival each, in the order of the line-up.
    pub standings: Vec<Standing>,
}

/// How one rival fared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Standing {
    /// Name and variant.
    pub title: String,
    /// What stood for its own names.
    pub settings: BTreeMap<String, String>,
    /// Its runs; one is missing for each time that it could not take part.
    pub rounds: Vec<Run>,
    /// Why it could not, and what else a reader must know.
    pub notes: Vec<String>,
}

/// One run of one rival.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// Which round, from 1.
    pub round: u32,
    /// What it gave.
    pub figures: Figures,
    /// The whole report, for a closer look; written apart.
    #[serde(skip)]
    report: Option<Box<Report>>,
}

impl Contest {
    /// Runs everybody; `say` gets a line after each run.
    pub async fn run(mut self, say: &mut dyn FnMut(&str)) -> Comparison {
        let origin = &self.scenario.origin;
        let mut stage = Stage {
            optimum: Optimum {
                limit: origin.best_concurrency(),
                rate: origin.peak(),
            },
            servers: u16::try_from(origin.servers).unwrap_or(u16::MAX),
            ports: Ports::new(),
            programs: std::mem::take(&mut self.programs),
            view: self.view,
            keep: None,
        };
        let mut comparison = Comparison {
            scenario: self.scenario.title.clone(),
            began: report::written_date(report::now()),
            machine: report::described(),
            rounds: self.rounds,
            sweeps: Vec::new(),
            standings: Vec::new(),
        };
        if let Some(lasts) = self.sweep {
            let overload = sweep::overload(&self.scenario, lasts);
            for rival in &mut self.lineup.rivals {
                let trials = stage.sweep(rival, &overload, say).await;
                comparison.sweeps.extend(trials);
            }
        }
        stage.keep = self.keep;
        let standings = self.lineup.rivals.iter().map(|rival| stage.standing(rival));
        comparison.standings = standings.collect();
        let rivals = &self.lineup.rivals;
        for round in 0..self.rounds {
            for turn in 0..rivals.len() {
                let next = (turn + round as usize) % rivals.len();
                let (rival, standing) = (&rivals[next], &mut comparison.standings[next]);
                let run = stage.run(rival, &self.scenario, round + 1).await;
                let title = &standing.title;
                let heading = format!("round {} of {}, {title}", round + 1, self.rounds);
                say(&standing.enter(round + 1, &heading, run));
            }
        }
        comparison
    }
}

impl Standing {
    /// Keeps what a run came to; says it in a line.
    fn enter(&mut self, round: u32, heading: &str, run: Result<Played, Absent>) -> String {
        let played = match run {
            Ok(played) => played,
            Err(absent) => {
                let note = format!("could not take part in round {round}: {absent}");
                self.notes.push(note);
                return format!("{heading}: {absent}");
            }
        };
        let notes = played.report.notes.iter().chain(&played.ended);
        for note in notes {
            if !self.notes.contains(note) {
                self.notes.push(note.clone());
            }
        }
        let said = format!("{heading}: {}", played.figures.said());
        self.rounds.push(Run {
            round,
            figures: played.figures,
            report: Some(Box::new(played.report)),
        });
        said
    }
}

/// What a run came to.
struct Played {
    report: Report,
    figures: Figures,
    /// That the program ended before the crowd did, and how.
    ended: Option<String>,
}

/// Where rivals are run, one at a time.
struct Stage {
    optimum: Optimum,
    servers: u16,
    ports: Ports,
    programs: Vec<PathBuf>,
    view: View,
    keep: Option<PathBuf>,
}

impl Stage {
    /// A rival before its first run.
    fn standing(&self, rival: &Rival) -> Standing {
        let filled = |(name, setting): (&String, &setting::Setting)| {
            (name.clone(), setting.filled(self.optimum))
        };
        Standing {
            title: rival.title(),
            settings: rival.values.iter().map(filled).collect(),
            rounds: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Tries every setting of `rival`'s sweep and leaves it with the best.
    async fn sweep(
        &mut self,
        rival: &mut Rival,
        overload: &Scenario,
        say: &mut dyn FnMut(&str),
    ) -> Vec<Trial> {
        let combinations = rival.combinations();
        let mut trials = Vec::new();
        for settings in &combinations {
            let mut tried = rival.clone();
            tried.values.extend(settings.clone());
            let run = self.run(&tried, overload, 0).await;
            let title = rival.title();
            let settings = sweep::said(settings, self.optimum);
            let (figures, said) = match run {
                Ok(played) => {
                    let said = played.figures.said();
                    (Some(played.figures), said)
                }
                Err(absent) => (None, absent.to_string()),
            };
            say(&format!("sweep, {title}, {settings}: {said}"));
            trials.push(Trial {
                title,
                settings,
                figures,
                chosen: false,
            });
        }
        if let Some(best) = sweep::best(&trials) {
            let trial = &mut trials[best];
            trial.chosen = true;
            rival.values.extend(combinations[best].clone());
            say(&format!(
                "sweep, {}: goes on with {}",
                trial.title, trial.settings
            ));
        }
        trials
    }

    /// Runs `rival` once; `round` counts from 1, and names the folder that stays.
    async fn run(
        &mut self,
        rival: &Rival,
        scenario: &Scenario,
        round: u32,
    ) -> Result<Played, Absent> {
        let folder = program::folder(self.keep.as_deref(), &rival.title(), round)?;
        let place = folder.path().to_owned();
        let plan = |target| Plan {
            scenario: scenario.clone(),
            target,
            name: rival.title(),
            view: self.view,
        };
        let played = if rival.is_bare() {
            let report = run::run(plan(Target::Bare)).await?;
            Played {
                figures: Figures::of(&report, None),
                report,
                ended: None,
            }
        } else {
            let places = self.ports.places(self.servers)?;
            let names = self.names(rival, &places, &place.display().to_string());
            let listen = places.listen;
            let mut program = Program::start(rival, &names, folder, listen, &self.programs).await?;
            let watch = Watch::start(&template::fill(&rival.watch, &names), &place);
            let target = Target::Proxy {
                site: Site::at(listen),
                origin: places.origin,
            };
            let report = run::run(plan(target)).await?;
            drop(watch);
            let played = Played {
                figures: Figures::of(&report, Some(program.cpu())),
                report,
                ended: program.alive().err().map(|ended| ended.to_string()),
            };
            program.stop().await;
            played
        };
        if self.keep.is_some() {
            let report = serde_json::to_vec(&played.report).map_err(io::Error::other)?;
            fs::write(place.join(REPORT), report)?;
        }
        sleep(REST).await;
        Ok(played)
    }

    /// Everything that `rival`'s templates may name.
    fn names(&self, rival: &Rival, places: &Places, work: &str) -> template::Names {
        let mut names = places.names(self.servers, self.optimum, work);
        let filled = rival
            .values
            .iter()
            .map(|(name, setting)| (name.clone(), setting.filled(self.optimum)));
        names.single.extend(filled);
        names
    }
}

impl Comparison {
    /// Of each rival the whole report of its median round.
    #[must_use]
    pub fn median_reports(&self) -> Vec<Report> {
        let of = |standing: &Standing| {
            let figures = standing.rounds.iter().map(|run| run.figures.clone());
            let middle = figures::middle(&figures.collect::<Vec<_>>())?;
            standing.rounds[middle].report.as_deref().cloned()
        };
        self.standings.iter().filter_map(of).collect()
    }
}

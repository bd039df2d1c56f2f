//! A scenario against one target, from the first arrival to the report.
//!
//! The crowd has a thread of its own, the origin another one; here the events
//! are made to happen and the origin's counts are read, once a second.

mod ground;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::crowd::{Crowd, Site, Sources};
use crate::report::{self, Mark, Moment, Played, Report};
use crate::scenario::Scenario;
use crate::view::{Board, Column, View};
use ground::Ground;

/// Time between two samples.
const SAMPLED_EVERY: Duration = Duration::from_secs(1);

/// A scenario, where it is played, and what it is called there.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What happens.
    pub scenario: Scenario,
    /// Where.
    pub target: Target,
    /// The target's name in the report.
    pub name: String,
    /// Where the running figures go.
    pub view: View,
}

/// Where a crowd goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The scenario's origin, bare.
    Bare,
    /// A proxy in front of the scenario's origin.
    Proxy {
        /// The proxy.
        site: Site,
        /// Where the origin is started, and where the proxy expects it.
        origin: SocketAddr,
    },
    /// A site of one's own. Nobody can make anything happen to it, or ask it for the truth.
    Site(Site),
}

/// Plays the scenario to its end.
///
/// # Errors
/// The origin cannot be started.
pub async fn run(plan: Plan) -> io::Result<Report> {
    let Plan {
        scenario,
        target,
        name,
        view,
    } = plan;
    let ground = start(&scenario, &target).await?;
    let site = site(&scenario, &target, ground.as_ref());
    let mut board = Board::new(view, io::stdout());
    let mut report = Report {
        name,
        scenario: played(&scenario),
        began: report::now(),
        machine: report::described(),
        lasts: scenario.lasts.as_secs(),
        notes: notes(&scenario, &target, &site),
        ..Report::default()
    };
    let began = Instant::now();
    let crowd = Crowd::start(scenario.crowd_at(site));
    let mut sampler = Sampler::default();
    for instant in instants(&scenario) {
        sleep_until(began + instant.at).await;
        if let Some(ground) = &ground {
            if instant.sampled {
                sampler.sample(ground).await;
            }
            if instant.changes {
                ground.set(scenario.condition_at(instant.at)).await;
            }
        }
        if instant.sampled && instant.at < scenario.lasts {
            let column = Column {
                name: &report.name,
                tally: crowd.tally(),
                origin: sampler.last.clone(),
            };
            board.progress(
                instant.at,
                scenario.lasts,
                &heading(&scenario, instant.at),
                &[column],
            );
        }
    }
    report.tally = crowd.finish().await;
    if let Some(ground) = ground {
        report.origin = Some(ground.stop().await);
        report.seconds = sampler.seconds;
        report.events = scenario.events.iter().map(mark).collect();
    }
    report.goodput = report.goodput();
    Ok(report)
}

/// The origin, where it is ours.
async fn start(scenario: &Scenario, target: &Target) -> io::Result<Option<Ground>> {
    let mut settings = scenario.origin.clone();
    match target {
        Target::Bare => {}
        Target::Proxy { origin, .. } => settings.address = *origin,
        Target::Site(_) => return Ok(None),
    }
    Ground::start(settings).await.map(Some)
}

fn site(scenario: &Scenario, target: &Target, ground: Option<&Ground>) -> Site {
    match target {
        Target::Proxy { site, .. } | Target::Site(site) => site.clone(),
        Target::Bare => {
            let address = ground.map_or(scenario.origin.address, Ground::address);
            Site::at(address)
        }
    }
}

/// Something to do at an instant of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instants {
    at: Duration,
    /// A second is over.
    sampled: bool,
    /// An event begins or is over.
    changes: bool,
}

/// The ends of all seconds, and the instants at which the origin changes, in time.
fn instants(scenario: &Scenario) -> Vec<Instants> {
    let seconds = (1..).map(|second| SAMPLED_EVERY * second);
    let sampled: Vec<_> = seconds.take_while(|at| *at <= scenario.lasts).collect();
    let ends = scenario.events.iter().map(|event| event.at + event.lasts);
    let begins = scenario.events.iter().map(|event| event.at);
    let changes: Vec<_> = begins
        .chain(ends)
        .filter(|at| *at < scenario.lasts)
        .collect();
    let mut all = [sampled.as_slice(), &changes].concat();
    all.sort_unstable();
    all.dedup();
    let instants = all.into_iter().map(|at| Instants {
        at,
        sampled: sampled.contains(&at),
        changes: changes.contains(&at),
    });
    instants.collect()
}

/// The origin's counts of each second, from its counts since the begin.
#[derive(Debug, Default)]
struct Sampler {
    last: Option<crate::origin::OriginStats>,
    seconds: Vec<Moment>,
}

impl Sampler {
    async fn sample(&mut self, ground: &Ground) {
        let now = ground.stats().await;
        let before = self.last.take().unwrap_or_default();
        self.seconds.push(Moment {
            in_time: now.in_time.saturating_sub(before.in_time),
            useful: now.useful.saturating_sub(before.useful),
            wasted: now.wasted.saturating_sub(before.wasted),
            reset: now.reset.saturating_sub(before.reset),
            in_flight: now.in_flight,
            peak: now.peak,
        });
        self.last = Some(now);
    }
}

fn played(scenario: &Scenario) -> Played {
    Played {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        story: scenario.story.clone(),
        source: scenario.source.clone(),
        scale: scenario.scale,
        seed: scenario.seed,
    }
}

fn mark(event: &crate::scenario::Event) -> Mark {
    Mark {
        at: event.at.as_secs_f64(),
        lasts: event.lasts.as_secs_f64(),
        says: event.says.clone(),
    }
}

/// `30 come a second`, and what is happening.
fn heading(scenario: &Scenario, at: Duration) -> String {
    let rates = scenario
        .crowd
        .iter()
        .map(|group| group.arrivals.rate_at(at));
    let mut heading = format!("{:.0} come a second", rates.sum::<f64>());
    let now = |event: &&crate::scenario::Event| event.at <= at && at < event.at + event.lasts;
    if let Some(event) = scenario.events.iter().rfind(now) {
        heading.push_str(&format!(", {}", event.says));
    }
    heading
}

/// What a reader of this run has to know.
fn notes(scenario: &Scenario, target: &Target, site: &Site) -> Vec<String> {
    let mut notes = Vec::new();
    if matches!(target, Target::Site(_)) {
        notes.push(
            "The site is not the model origin: nothing says what it could have done, and \
             goodput is not known."
                .to_owned(),
        );
        if !scenario.events.is_empty() {
            notes.push(format!(
                "The scenario's events could not be made to happen and were left out: {}.",
                events(scenario)
            ));
        }
    }
    let loopback = |group: &crate::crowd::Group| group.sources == Sources::Loopback;
    if !site.address.ip().is_loopback() && scenario.crowd.iter().any(loopback) {
        notes.push(
            "Everybody came from this machine's one address; a limit per client counts them \
             as one."
                .to_owned(),
        );
    }
    notes
}

fn events(scenario: &Scenario) -> String {
    let events = scenario.events.iter().map(|event| event.says.as_str());
    events.collect::<Vec<_>>().join("; ")
}

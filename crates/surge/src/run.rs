//! A scenario against one target, from the first arrival to the report.
//!
//! The crowd has a thread of its own, the origin another one; here the events
//! are made to happen and the origin's counts are read, once a second.

mod ground;

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::crowd::{Behaviour, Crowd, Group, Site, Sources};
use crate::origin::OriginStats;
use crate::report::{self, Mark, Moment, Played, Report};
use crate::scenario::{Event, Scenario};
use crate::tally::Tally;
use crate::view::{Board, Column, View};
use ground::Ground;

/// Time between two samples.
const SAMPLED_EVERY: Duration = Duration::from_secs(1);

/// A machine that is later than this by its own clock is too busy to be believed.
const LATE_MAX: Duration = Duration::from_millis(250);

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
    run_until(plan, pending()).await
}

/// Plays the scenario to its end, or up to `stop`: then the report is of what there was,
/// and says so.
///
/// # Errors
/// The origin cannot be started.
pub async fn run_until(plan: Plan, stop: impl Future<Output = ()>) -> io::Result<Report> {
    let mut stop = pin!(stop);
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
        notes: notes(&scenario, &target, &site),
        ..blank(&scenario)
    };
    let began = Instant::now();
    let crowd = Crowd::start(scenario.crowd_at(site));
    let mut sampler = Sampler::default();
    let mut latest = Duration::ZERO;
    let mut stopped = None;
    for instant in instants(&scenario) {
        tokio::select! {
            () = sleep_until(began + instant.at) => {}
            () = &mut stop => {
                stopped = Some(began.elapsed());
                break;
            }
        }
        latest = latest.max(began.elapsed().saturating_sub(instant.at));
        if let Some(ground) = &ground {
            sampler.pass(instant, ground, &scenario).await;
        }
        if instant.sampled && instant.at < scenario.lasts {
            let column = Column {
                name: &report.name,
                tally: crowd.tally(),
                origin: sampler.last.clone(),
            };
            let says = heading(&scenario, instant.at);
            board.progress(instant.at, scenario.lasts, &says, &[column]);
        }
    }
    report.tally = match stopped {
        None => crowd.finish().await,
        Some(after) => cut_short(&mut report, &crowd, after),
    };
    report.notes.extend(busy_machine(latest));
    if let Some(ground) = ground {
        report.origin = Some(ground.stop().await);
        report.seconds = sampler.seconds;
        report.at_work = scenario.origin.best_concurrency().into();
        let begun = |event: &&Event| event.at.as_secs() < report.lasts;
        report.events = scenario.events.iter().filter(begun).map(mark).collect();
    }
    report.goodput = report.goodput();
    Ok(report)
}

/// The report before the run.
fn blank(scenario: &Scenario) -> Report {
    Report {
        scenario: played(scenario),
        began: report::now(),
        machine: report::described(),
        lasts: scenario.lasts.as_secs(),
        ..Report::default()
    }
}

/// The run ends here: what there was, and a note that it was not all.
fn cut_short(report: &mut Report, crowd: &Crowd, after: Duration) -> Tally {
    report.notes.push(format!(
        "The run was stopped from outside after {} of its {} seconds.",
        after.as_secs(),
        report.lasts
    ));
    report.lasts = after.as_secs();
    crowd.tally()
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
    last: Option<OriginStats>,
    seconds: Vec<Moment>,
}

impl Sampler {
    /// Samples first: what changes now belongs to the next second.
    async fn pass(&mut self, instant: Instants, ground: &Ground, scenario: &Scenario) {
        if instant.sampled {
            self.sample(ground).await;
        }
        if instant.changes {
            ground.set(scenario.condition_at(instant.at)).await;
        }
    }

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

fn mark(event: &Event) -> Mark {
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
    let now = |event: &&Event| event.at <= at && at < event.at + event.lasts;
    if let Some(event) = scenario.events.iter().rfind(now) {
        heading.push_str(&format!(", {}", event.says));
    }
    heading
}

/// Said where the machine kept this run itself from running.
fn busy_machine(latest: Duration) -> Option<String> {
    (latest > LATE_MAX).then(|| {
        format!(
            "The machine was so busy that the run's own clock came up to {} ms late: whatever \
             ran on it was kept waiting as well.",
            latest.as_millis()
        )
    })
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
    let loopback = |group: &Group| group.sources == Sources::Loopback;
    if !site.address.ip().is_loopback() && scenario.crowd.iter().any(loopback) {
        notes.push(
            "Everybody came from this machine's one address; a limit per client counts them \
             as one."
                .to_owned(),
        );
    }
    let programs = |group: &&Group| !matches!(group.behaviour, Behaviour::Visit(_));
    let programs = scenario.crowd.iter().filter(programs);
    let programs: Vec<_> = programs.map(|group| group.name.as_str()).collect();
    if !programs.is_empty() && !matches!(target, Target::Site(_)) {
        notes.push(format!(
            "The origin cannot tell who asks: its counts, and goodput, hold what it did for \
             these as well: {}.",
            programs.join("; ")
        ));
    }
    notes
}

fn events(scenario: &Scenario) -> String {
    let events = scenario.events.iter().map(|event| event.says.as_str());
    events.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENARIO: &str = r#"
        title = "Four seconds"
        story = "Something happens twice."
        lasts = "4s"
        [[event]]
        at = "1s"
        lasts = "1500ms"
        says = "slow"
        set = { slow = 2 }
        [[event]]
        at = "3s"
        says = "gone"
        set = { down = true }
        [[crowd]]
        name = "people"
        arrivals = [["0s", 8], ["4s", 8]]
        [[crowd]]
        name = "a program"
        arrivals = [["0s", 2], ["4s", 2]]
        script = {}
    "#;

    fn scenario() -> Scenario {
        Scenario::parse(SCENARIO, "four.toml").unwrap()
    }

    #[test]
    fn every_second_is_sampled_and_every_change_is_made_after_the_sample() {
        let found = instants(&scenario());
        let found = found
            .iter()
            .map(|now| (now.at.as_millis(), now.sampled, now.changes));
        let expected = [
            (1_000, true, true),
            (2_000, true, false),
            (2_500, false, true),
            (3_000, true, true),
            (4_000, true, false),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_heading_says_who_comes_and_what_is_wrong() {
        let headings = [1, 3].map(|second| heading(&scenario(), Duration::from_secs(second)));
        assert_eq!(
            headings,
            ["10 come a second, slow", "10 come a second, gone"]
        );
        assert_eq!(heading(&scenario(), Duration::ZERO), "10 come a second");
    }

    #[test]
    fn a_machine_that_is_late_by_its_own_clock_is_said_to_be_busy() {
        assert_eq!(busy_machine(Duration::from_millis(250)), None);
        let said = busy_machine(Duration::from_millis(1_400)).unwrap();
        assert!(said.contains("up to 1400 ms late"), "{said}");
    }

    #[test]
    fn what_limits_the_meaning_of_the_figures_is_said() {
        let near = Site::at(SocketAddr::from(([127, 0, 0, 1], 80)));
        let far = Site::at(SocketAddr::from(([192, 0, 2, 1], 80)));
        for (target, site, says) in [
            (
                Target::Bare,
                &near,
                "hold what it did for these as well: a program",
            ),
            (
                Target::Site(near.clone()),
                &near,
                "were left out: slow; gone",
            ),
            (
                Target::Site(far.clone()),
                &far,
                "from this machine's one address",
            ),
        ] {
            let notes = notes(&scenario(), &target, site).join(" ");
            assert!(notes.contains(says), "{says} is missing in {notes}");
        }
    }
}

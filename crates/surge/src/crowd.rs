//! The crowd: visitors who arrive whether or not the site answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::dice::Dice;
use crate::ledger::Ledger;
use crate::tally::Tally;
use crate::visitor::{Gate, Visitor};

/// A stretch of time with one arrival rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// How long it lasts.
    pub lasts: Duration,
    /// Visitors who arrive per second.
    pub rate: f64,
}

/// Who comes, how fast, and how patient they are.
#[derive(Debug, Clone, PartialEq)]
pub struct CrowdSettings {
    /// The site's socket.
    pub target: SocketAddr,
    /// What the visitors write into `Host`.
    pub host: String,
    /// The first page of a visit.
    pub path: String,
    /// Arrival rates, one after the other; the run ends with the last.
    pub steps: Vec<Step>,
    /// Pages of the form that a visit fills in; with 0 it ends with the first page.
    pub pages: u32,
    /// Mean time between a page and the visitor's next request; each is 0.5 to 1.5 times it.
    pub think: Duration,
    /// How long a visitor puts up with getting no page, counted from the last
    /// page; each has 0.5 to 1.5 times it.
    pub patience: Duration,
    /// The same for a visitor who has been told a place in line.
    pub patience_in_line: Duration,
    /// After this long without an answer an impatient visitor reloads.
    pub reload_after: Duration,
    /// Share of visitors who are impatient in that way.
    pub reload_probability: f64,
    /// Share of clients without cookies, which never wait in line.
    pub bots: f64,
    /// Share of visitors whose browser runs the waiting page's script.
    pub scripted: f64,
    /// Whether each visitor connects from an own address of 127.0.0.0/8; only for a
    /// loopback target.
    pub own_addresses: bool,
    /// How long an idle connection is kept for the visitor's next request.
    pub keep_alive: Duration,
    /// Bound of one connect.
    pub connect_timeout: Duration,
    /// Bound of one request, from its first byte to the answer's last.
    pub request_timeout: Duration,
    /// Visitors alive at once; who would come beyond is counted as not begun.
    pub visitors_max: usize,
    /// Connections open at once; a visitor beyond waits, and that is counted.
    pub connections_max: usize,
    /// Replays the run.
    pub seed: u64,
}

impl CrowdSettings {
    /// Ordinary people at `target`, `rate` of them a second for `lasts`.
    #[must_use]
    pub fn steady(target: SocketAddr, rate: f64, lasts: Duration) -> Self {
        Self {
            target,
            host: target.to_string(),
            path: "/".to_owned(),
            steps: vec![Step { lasts, rate }],
            pages: 3,
            think: Duration::from_millis(1_500),
            patience: Duration::from_secs(30),
            patience_in_line: Duration::from_secs(300),
            reload_after: Duration::from_secs(4),
            reload_probability: 0.7,
            bots: 0.0,
            scripted: 0.9,
            own_addresses: target.ip().is_loopback(),
            keep_alive: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            visitors_max: 20_000,
            connections_max: 3_000,
            seed: 1,
        }
    }

    /// How long the run lasts.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.steps.iter().map(|step| step.lasts).sum()
    }
}

/// A crowd on its way. Dropping it sends everybody home.
#[derive(Debug)]
pub struct Crowd {
    lasts: Duration,
    ledger: Arc<Ledger>,
    run: JoinSet<Tally>,
}

impl Crowd {
    /// Lets the crowd come, on the current tokio runtime.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn start(settings: CrowdSettings) -> Self {
        let ledger = Arc::new(Ledger::new());
        let lasts = settings.lasts();
        let mut run = JoinSet::new();
        run.spawn(arrivals(Arc::new(settings), Arc::clone(&ledger)));
        Self { lasts, ledger, run }
    }

    /// How long the run lasts in all.
    #[must_use]
    pub const fn lasts(&self) -> Duration {
        self.lasts
    }

    /// What has been seen so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.ledger.tally()
    }

    /// Waits for the end of the last step; who is still there then is counted as such.
    pub async fn finish(mut self) -> Tally {
        match self.run.join_next().await {
            Some(Ok(tally)) => tally,
            _ => self.ledger.tally(),
        }
    }
}

/// Lets visitors arrive as a Poisson process, whatever the site does.
async fn arrivals(settings: Arc<CrowdSettings>, ledger: Arc<Ledger>) -> Tally {
    let gate = Gate::new(settings.connections_max);
    let mut visitors = JoinSet::new();
    let mut dice = Dice::new(settings.seed);
    let mut index = 0;
    let mut step_ends = ledger.began();
    for step in &settings.steps {
        let mut planned = step_ends;
        step_ends += step.lasts;
        while let Some(gap) = gap(step.rate, &mut dice)
            && planned + gap < step_ends
        {
            planned += gap;
            sleep_until(planned).await;
            while visitors.try_join_next().is_some() {}
            if visitors.len() >= settings.visitors_max {
                ledger.visitor_turned_away_by_us();
                continue;
            }
            ledger.visitor_came(planned.elapsed());
            let visitor = Visitor::new(Arc::clone(&settings), Arc::clone(&ledger), &gate, index);
            visitors.spawn(visitor.visit());
            index += 1;
        }
        sleep_until(step_ends).await;
    }
    // Before the visitors are sent home: what they are doing now is part of the result.
    ledger.tally()
}

/// Time to the next arrival; none where nobody comes.
fn gap(rate: f64, dice: &mut Dice) -> Option<Duration> {
    Duration::try_from_secs_f64(dice.exponential() / rate).ok()
}

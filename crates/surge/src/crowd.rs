//! The crowd: clients who arrive whether or not the site answers.
//!
//! It runs on a thread of its own, with a runtime of its own: one core, so that
//! what it costs is known and nothing else delays it.

pub(crate) mod arrivals;
mod attackers;
mod curve;
pub(crate) mod farewell;
pub(crate) mod gate;
mod generator;
mod junk;
mod leave;
mod loris;
mod script;
mod settings;
pub(crate) mod source;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

pub use curve::{Curve, NotACurve, POINTS_MAX, Point, RATE_MAX, Step};
pub use settings::{Behaviour, CrowdSettings, Group, Leave, Loris, Script, Site, Sources, Visit};

use crate::dice::Dice;
use crate::ledger::Ledger;
use crate::tally::Tally;
use crate::visitor;
use arrivals::Arrivals;
use attackers::Attackers;
use gate::Gate;

/// A crowd on its way. Dropping it sends everybody home.
#[derive(Debug)]
pub struct Crowd {
    lasts: Duration,
    ledger: Arc<Ledger>,
    finished: oneshot::Receiver<Tally>,
    /// Its end ends the crowd.
    _stop: oneshot::Sender<()>,
}

impl Crowd {
    /// Lets the crowd come.
    ///
    /// # Panics
    /// When the system has no room for one thread more.
    #[must_use]
    pub fn start(settings: CrowdSettings) -> Self {
        let ledger = Arc::new(Ledger::new(&settings));
        let lasts = settings.lasts;
        let (stop, stopped) = oneshot::channel();
        let (finish, finished) = oneshot::channel();
        let written = Arc::clone(&ledger);
        let run = move || {
            if let Ok(Some(tally)) = run(Arc::new(settings), &written, stopped) {
                // Nobody waits for it when the crowd has been dropped.
                finish.send(tally).ok();
            }
        };
        thread::Builder::new()
            .name("crowd".to_owned())
            .spawn(run)
            .expect("the system has room for one thread more");
        Self {
            lasts,
            ledger,
            finished,
            _stop: stop,
        }
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

    /// Waits for the end of the run; who is still there then is counted as such.
    pub async fn finish(self) -> Tally {
        match self.finished.await {
            Ok(tally) => tally,
            Err(_thread_gone) => self.ledger.tally(),
        }
    }
}

/// The crowd's thread: its tally at the run's end, or none if it was stopped before.
fn run(
    settings: Arc<CrowdSettings>,
    ledger: &Arc<Ledger>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<Option<Tally>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let end = ledger.began() + settings.lasts;
        let mut account = generator::Account::new(ledger);
        let mut groups = groups(&settings, ledger);
        let come = async {
            tokio::join!(account.watch(), groups.join_next());
            std::future::pending::<()>().await
        };
        tokio::select! {
            () = sleep_until(end) => {}
            _dropped = stopped => return Ok(None),
            () = come => {}
        }
        // The last second is over as well, and its tick may not have come.
        account.read();
        // Before the visitors are sent home: what they are doing now is part of the result.
        Ok(Some(ledger.tally()))
    })
}

/// Starts every group.
fn groups(settings: &Arc<CrowdSettings>, ledger: &Arc<Ledger>) -> JoinSet<()> {
    let gate = Gate::new(settings.connections_max, settings.visitors_max);
    let mut groups = JoinSet::new();
    for (index, group) in settings.groups.iter().enumerate() {
        let shared = (Arc::clone(settings), Arc::clone(ledger), gate.clone());
        let (settings, ledger, gate) = shared;
        match &group.behaviour {
            Behaviour::Visit(_) => groups.spawn(visitor::run(index, settings, ledger, gate)),
            Behaviour::Script(_) => groups.spawn(script::run(index, settings, ledger, gate)),
            Behaviour::SlowHead(_) | Behaviour::SlowBody(_) => {
                groups.spawn(loris::run(Attackers {
                    group: index,
                    settings,
                    ledger,
                    gate,
                }))
            }
            Behaviour::Leave(_) => groups.spawn(leave::run(Attackers {
                group: index,
                settings,
                ledger,
                gate,
            })),
            Behaviour::Junk => groups.spawn(junk::run(Attackers {
                group: index,
                settings,
                ledger,
                gate,
            })),
        };
    }
    groups
}

impl CrowdSettings {
    /// Dice of the group's own: what one group does moves no other group's throws.
    pub(crate) fn dice(&self, group: usize) -> Dice {
        Dice::new(self.seed).fork(group as u64)
    }

    /// The planned instants of a group, from the run's begin.
    pub(crate) fn arrivals(&self, group: usize) -> Arrivals {
        let curve = self.groups[group].arrivals.clone();
        Arrivals::new(curve, self.lasts, self.dice(group).fork(u64::MAX))
    }

    /// The number in the whole crowd of a group's `index`-th client; no other has it.
    pub(crate) fn number(&self, group: usize, index: u64) -> u64 {
        index * self.groups.len() as u64 + group as u64
    }
}

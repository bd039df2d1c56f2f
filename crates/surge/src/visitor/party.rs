//! The visitors of one group come, whatever the site does.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::Visitor;
use crate::crowd::gate::Gate;
use crate::crowd::{Behaviour, CrowdSettings, Visit};
use crate::ledger::Ledger;

/// What the visitors of one group have in common.
#[derive(Debug)]
pub(super) struct Party {
    /// The group's index.
    pub(super) group: usize,
    pub(super) settings: Arc<CrowdSettings>,
    pub(super) visit: Visit,
    pub(super) ledger: Arc<Ledger>,
    pub(super) gate: Gate,
}

/// Runs one group of visitors.
pub(crate) async fn run(
    group: usize,
    settings: Arc<CrowdSettings>,
    ledger: Arc<Ledger>,
    gate: Gate,
) {
    let Behaviour::Visit(visit) = &settings.groups[group].behaviour else {
        return;
    };
    let arrivals = settings.arrivals(group);
    let party = Arc::new(Party {
        group,
        visit: visit.clone(),
        settings: Arc::clone(&settings),
        ledger,
        gate,
    });
    let mut visitors = JoinSet::new();
    for (index, planned) in (0..).zip(arrivals) {
        let planned = party.ledger.began() + planned;
        sleep_until(planned).await;
        while visitors.try_join_next().is_some() {}
        let Some(room) = party.gate.admit() else {
            party.ledger.visitor_turned_away_by_us(group);
            continue;
        };
        party.ledger.visitor_came(group, planned.elapsed());
        let visitor = Visitor::new(&party, index, planned);
        visitors.spawn(async move {
            visitor.visit().await;
            drop(room);
        });
    }
    // Whoever came stays as long as the crowd does.
    visitors.join_all().await;
}

//! Clients that mean harm, one connection and one request each, and what became of it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::farewell;
use super::gate::Gate;
use super::settings::CrowdSettings;
use super::source::Source;
use crate::ledger::Ledger;
use crate::outcome::{Kind, Outcome};
use crate::wire::{Connection, Exchange};

/// Bound of one connect.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// What came of one, and its connection.
pub(super) type Attacked = (Connection, Result<Exchange, Outcome>);

/// One group of attackers.
#[derive(Debug, Clone)]
pub(super) struct Attackers {
    pub(super) group: usize,
    pub(super) settings: Arc<CrowdSettings>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) gate: Gate,
}

impl Attackers {
    /// Lets them come. `attack` is what the one with this index does with its connection,
    /// and what comes of it.
    pub(super) async fn come<A, F>(self, attack: A)
    where
        A: Fn(Connection, u64) -> F + Clone + Send + 'static,
        F: Future<Output = Attacked> + Send + 'static,
    {
        let mut attackers = JoinSet::new();
        for (index, planned) in (0..).zip(self.settings.arrivals(self.group)) {
            sleep_until(self.ledger.began() + planned).await;
            while attackers.try_join_next().is_some() {}
            let Some(room) = self.gate.admit() else {
                self.ledger.visitor_turned_away_by_us(self.group);
                continue;
            };
            let (one, attack) = (self.clone(), attack.clone());
            attackers.spawn(async move {
                one.attack(index, attack).await;
                drop(room);
            });
        }
        attackers.join_all().await;
    }

    async fn attack<A, F>(self, index: u64, attack: A)
    where
        A: Fn(Connection, u64) -> F,
        F: Future<Output = Attacked>,
    {
        let permit = self.gate.enter(&self.ledger).await;
        self.ledger.request_begun(self.group);
        let sources = self.settings.groups[self.group].sources;
        let source = Source::of(sources, self.settings.number(self.group, index));
        let site = &self.settings.site;
        let outcome = match Connection::open(site, source.bound(), CONNECT_MAX).await {
            Ok(connection) => match attack(connection, index).await {
                (connection, Ok(Exchange { answer, .. })) => {
                    if answer.closes {
                        farewell::watch(connection, permit, &self.ledger, self.group);
                    }
                    Outcome::Answered(Kind::of(&answer))
                }
                (_broken, Err(outcome)) => outcome,
            },
            Err(outcome) => outcome,
        };
        self.ledger.attack_ended(self.group, outcome);
    }
}

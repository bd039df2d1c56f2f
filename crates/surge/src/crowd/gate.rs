//! Bounds the connections and the visitors of the whole crowd.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ledger::Ledger;

/// Room for connections and for visitors, shared by all clients of one crowd.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    connections: Arc<Semaphore>,
    visitors: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new(connections: usize, visitors: usize) -> Self {
        let places = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            connections: places(connections),
            visitors: places(visitors),
        }
    }

    /// Room for one more visitor, if there is.
    pub(crate) fn admit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.visitors).try_acquire_owned().ok()
    }

    /// Room for one more connection, waiting if there is none; the waiting is counted.
    pub(crate) async fn enter(&self, ledger: &Ledger) -> OwnedSemaphorePermit {
        if let Ok(permit) = Arc::clone(&self.connections).try_acquire_owned() {
            return permit;
        }
        ledger.connection_waited_for();
        Arc::clone(&self.connections)
            .acquire_owned()
            .await
            .expect("the gate is never closed")
    }
}

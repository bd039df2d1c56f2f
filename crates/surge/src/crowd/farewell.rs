//! The end of a connection that the site said it would close: by a FIN, or by a reset.
//!
//! It is watched beside whoever had the answer: a browser shows the page and goes on
//! when the page is whole, however long the site takes to close.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::ledger::Ledger;
use crate::wire::Connection;

/// Counts a reset of the group's. The connection keeps its permit meanwhile.
pub(crate) fn watch(
    connection: Connection,
    permit: OwnedSemaphorePermit,
    ledger: &Arc<Ledger>,
    group: usize,
) {
    let ledger = Arc::clone(ledger);
    tokio::spawn(async move {
        if connection.ends_by_reset().await {
            ledger.reset_at_end(group);
        }
        drop(permit);
    });
}

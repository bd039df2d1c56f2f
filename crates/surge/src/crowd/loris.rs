//! Clients that send byte by byte.

use std::sync::Arc;

use super::gate::Gate;
use super::settings::CrowdSettings;
use crate::ledger::Ledger;

/// Runs one group of slow clients.
pub(crate) async fn run(
    group: usize,
    settings: Arc<CrowdSettings>,
    ledger: Arc<Ledger>,
    gate: Gate,
) {
    let _ = (group, settings, ledger, gate);
}

//! Requests at a set rate over kept connections, whatever the site does.

use std::sync::Arc;

use super::gate::Gate;
use super::settings::CrowdSettings;
use crate::ledger::Ledger;

/// Runs one group of scripts.
pub(crate) async fn run(
    group: usize,
    settings: Arc<CrowdSettings>,
    ledger: Arc<Ledger>,
    gate: Gate,
) {
    let _ = (group, settings, ledger, gate);
}

//! The gates by the clock: abandoned permits, the limits' learning, and what is said about both.

use forebay_admission::limit::Moved;
use forebay_admission::priority::Priority;
use forebay_layers::gate::{GateStatus, Holds};
use forebay_layers::origin::Origin;
use forebay_telemetry::metrics::{LimitHolds, QueueClass};

use crate::live::Live;

/// One origin's turn. `starved`: this process is short of processor.
pub(super) fn tick(origin: &Origin, starved: bool) {
    origin.gate.sweep();
    origin.gate.tick(starved);
    let status = origin.gate.status();
    let metrics = &origin.metrics;
    if metrics.set_holds(holds(status.holds)) {
        say(&origin.name, &status);
    }
    metrics.limit.set(u64::from(status.limit));
    metrics.in_flight.set(u64::from(status.in_flight));
    metrics.queued.set(u64::from(status.queued));
    for (priority, shed) in status.shed.iter() {
        let class = class(priority);
        metrics.shed_late.of(class).raise_to(shed.late);
        metrics.shed_crowded.of(class).raise_to(shed.crowded);
    }
}

const fn class(priority: Priority) -> QueueClass {
    match priority {
        Priority::Operator => QueueClass::Operator,
        Priority::Submit => QueueClass::Submit,
        Priority::Navigation => QueueClass::Navigation,
        Priority::SubResource => QueueClass::SubResource,
        Priority::Stranger => QueueClass::Stranger,
        Priority::Bot => QueueClass::Bot,
    }
}

/// Keeps the limits that were found, where they differ from what is kept.
pub(super) fn save_limits(live: &Live) {
    for origin in live.now().origins.iter() {
        let Some(limit) = origin.gate.learned() else {
            continue;
        };
        let saved = live.store.limit(&origin.name).ok().flatten();
        if saved == Some(limit) {
            continue;
        }
        if let Err(error) = live.store.save_limit(&origin.name, limit) {
            live.metrics.process().store_errors.inc();
            tracing::error!(origin = &*origin.name, %error, "cannot save the limit");
        }
    }
}

fn holds(holds: Holds) -> LimitHolds {
    match holds {
        Holds::Operator => LimitHolds::Operator,
        Holds::Ceiling => LimitHolds::Ceiling,
        Holds::Learned(moved) => match moved {
            Moved::Never => LimitHolds::Never,
            Moved::Start => LimitHolds::Start,
            Moved::Worth => LimitHolds::Worth,
            Moved::Wasted => LimitHolds::Wasted,
            Moved::Congested => LimitHolds::Congested,
            Moved::Returned => LimitHolds::Returned,
            Moved::Lost => LimitHolds::Lost,
            Moved::Restored => LimitHolds::Restored,
        },
    }
}

/// Something else holds the limit than before. That it goes a little up and down is its daily
/// work; the rest an operator wants to see.
fn say(origin: &str, status: &GateStatus) {
    let (limit, by) = (status.limit, status.holds.name());
    match status.holds {
        Holds::Learned(moved @ (Moved::Worth | Moved::Wasted | Moved::Never)) => {
            tracing::debug!(origin, limit, by, why = moved.name(), "limit");
        }
        Holds::Learned(moved) => tracing::info!(origin, limit, by, why = moved.name(), "limit"),
        Holds::Operator | Holds::Ceiling => tracing::info!(origin, limit, by, "limit"),
    }
}

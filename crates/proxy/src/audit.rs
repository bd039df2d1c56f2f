//! Who changed a room, when, and what it was before and after. Each change is logged; the last
//! one of each room is kept for the status.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use forebay_admission::rate::Rate;
use forebay_admission::room::{InletRule, Settings};
use forebay_admission::time::WallTime;
use forebay_telemetry::access;
use serde::Serialize;
use serde_json::Value;

/// What an operator sets of a room, as it is written in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Terms {
    mode: &'static str,
    inlet: String,
    active: Value,
}

impl Terms {
    /// What of the settings an operator sets at a moment's notice.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            mode: settings.mode.name(),
            inlet: match settings.inlet {
                InletRule::Auto => "auto".to_owned(),
                InletRule::Shadow => "shadow".to_owned(),
                InletRule::Rate(rate) => written(rate),
            },
            active: settings
                .active
                .map_or_else(|| "unlimited".into(), |most| most.get().into()),
        }
    }
}

/// One change.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Change {
    /// RFC 3339, in UTC.
    at: String,
    /// Who asked for it.
    by: String,
    before: Terms,
    after: Terms,
}

/// The last change of each room.
#[derive(Debug, Default)]
pub(crate) struct Audit(Mutex<BTreeMap<Arc<str>, Change>>);

impl Audit {
    /// Logs what was asked for, and keeps it when something is different now.
    pub(crate) fn note(&self, room: &Arc<str>, by: &str, now: WallTime, terms: [Terms; 2]) {
        let [before, after] = terms;
        if before == after {
            tracing::info!(by, room = &**room, terms = ?after, "room stays as it is");
            return;
        }
        tracing::info!(by, room = &**room, ?before, ?after, "room changed");
        let change = Change {
            at: access::timestamp(now.as_millis()),
            by: by.to_owned(),
            before,
            after,
        };
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert(Arc::clone(room), change);
    }

    /// The room's last change since the process began.
    pub(crate) fn last(&self, room: &str) -> Option<Change> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(room).cloned()
    }
}

/// A rate as it is written: `50/s`, `300/min`, `1/h`, `0.1/s`.
fn written(rate: Rate) -> String {
    let count = rate.count();
    let unit = [(1, "s"), (60, "min"), (3_600, "h")]
        .into_iter()
        .find(|(seconds, _)| rate.per() == Duration::from_secs(*seconds));
    match unit {
        Some((_, unit)) => format!("{count}/{unit}"),
        None => format!("{}/s", f64::from(count.get()) / rate.per().as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_reads_as_it_was_written() {
        for (count, seconds, expected) in [
            (50, 1, "50/s"),
            (300, 60, "300/min"),
            (1, 3_600, "1/h"),
            (1, 10, "0.1/s"),
        ] {
            let rate = Rate::new(count, Duration::from_secs(seconds)).unwrap();
            assert_eq!(written(rate), expected);
        }
    }

    #[test]
    fn what_changes_nothing_is_not_the_last_change() {
        let audit = Audit::default();
        let room: Arc<str> = "main".into();
        let same = Terms::of(&Settings::default());
        let other = Terms {
            mode: "hold",
            ..same.clone()
        };
        let at = WallTime::from_millis(0);
        audit.note(&room, "uid 7", at, [same.clone(), other.clone()]);
        audit.note(&room, "uid 8", at, [other.clone(), other.clone()]);
        let last = audit.last("main").unwrap();
        assert_eq!((last.by.as_str(), last.after), ("uid 7", other));
        assert_eq!(last.at, "1970-01-01T00:00:00.000Z");
        assert!(audit.last("other").is_none());
    }
}

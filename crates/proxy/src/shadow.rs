//! Tells in the log what `inlet = "shadow"` would do: each change, and at most once in a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use forebay_admission::room::{Shadow, State};
use forebay_admission::time::Timestamp;
use forebay_layers::room::Desk;

/// One room says so much at most once in this time.
const EVERY: Duration = Duration::from_secs(5);

/// What was told last of each room whose inlet only looks on.
#[derive(Debug, Default)]
pub(crate) struct Shadows {
    told: HashMap<Arc<str>, (Timestamp, Shadow)>,
}

impl Shadows {
    /// Says what would be done, when that has changed.
    pub(crate) fn tell(&mut self, desk: &Desk, now: Timestamp) {
        let Some(shadow) = desk.shadow() else {
            self.told.remove(&desk.name);
            return;
        };
        if !self.is_news(&desk.name, shadow, now) {
            return;
        }
        tracing::info!(
            room = &*desk.name,
            state = shadow.state.name(),
            visitors_per_second = shadow.pace_milli as f64 / 1_000.0,
            "the inlet would"
        );
        self.told.insert(Arc::clone(&desk.name), (now, shadow));
    }

    fn is_news(&self, room: &str, shadow: Shadow, now: Timestamp) -> bool {
        let Some((at, told)) = self.told.get(room) else {
            return shadow.state != State::Open;
        };
        let due = now.saturating_since(*at) >= EVERY;
        let paced = shadow.state != State::Open && is_another(told.pace_milli, shadow.pace_milli);
        due && (told.state != shadow.state || paced)
    }
}

/// By more than a fifth.
const fn is_another(before: u64, now: u64) -> bool {
    before.abs_diff(now).saturating_mul(5) > before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_nanos(second * 1_000_000_000)
    }

    #[test]
    fn a_change_is_told_once_and_not_before_its_time() {
        let would = |state, pace_milli| Shadow { state, pace_milli };
        let mut shadows = Shadows::default();
        for (second, shadow, news) in [
            (0, would(State::Open, 9_000), false),
            (1, would(State::Queueing, 9_000), true),
            (2, would(State::Open, 9_000), false),
            (7, would(State::Queueing, 10_000), false),
            (8, would(State::Queueing, 12_000), true),
            (14, would(State::Open, 12_000), true),
            (20, would(State::Open, 50_000), false),
        ] {
            assert_eq!(shadows.is_news("a", shadow, at(second)), news, "{second}");
            if news {
                shadows.told.insert("a".into(), (at(second), shadow));
            }
        }
    }
}

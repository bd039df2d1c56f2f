//! The counting behind [`OriginStats`], which says what each count means.

use super::class::Class;
use super::stats::{ClassStats, OriginStats};

/// Counts, each at the place where it happens.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) in_flight_max: u64,
    pub(super) refused: u64,
    pub(super) lost: u64,
    pub(super) errors: u64,
    pub(super) in_time: u64,
    pub(super) truncated: u64,
    pub(super) forms: u64,
    pub(super) duplicates: u64,
    classes: [ByClass; Class::NAMES.len()],
}

/// What is counted of each kind of request.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ByClass {
    pub(super) arrived: u64,
    pub(super) in_flight: u64,
    pub(super) completed: u64,
    pub(super) useful: u64,
}

impl Counts {
    pub(super) const fn of(&mut self, class: Class) -> &mut ByClass {
        &mut self.classes[class.index()]
    }

    /// The counts as they are shown, but for what is not counted in here.
    pub(super) fn shown(&self) -> OriginStats {
        let sum = |of: fn(&ByClass) -> u64| self.classes.iter().map(of).sum();
        let (completed, useful) = (sum(|class| class.completed), sum(|class| class.useful));
        let classes = Class::NAMES.iter().zip(&self.classes);
        OriginStats {
            arrived: sum(|class| class.arrived),
            in_flight: sum(|class| class.in_flight),
            in_flight_max: self.in_flight_max,
            completed,
            useful,
            in_time: self.in_time,
            wasted: completed - useful,
            truncated: self.truncated,
            refused: self.refused,
            lost: self.lost,
            errors: self.errors,
            forms: self.forms,
            duplicates: self.duplicates,
            classes: classes.map(|(name, class)| class.shown(name)).collect(),
            ..OriginStats::default()
        }
    }
}

impl ByClass {
    fn shown(&self, name: &str) -> ClassStats {
        ClassStats {
            name: name.to_owned(),
            arrived: self.arrived,
            in_flight: self.in_flight,
            completed: self.completed,
            useful: self.useful,
            wasted: self.completed - self.useful,
        }
    }
}

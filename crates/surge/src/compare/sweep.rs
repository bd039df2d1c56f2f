//! A sweep: which of its settings serves a rival best, by a short steady overload of each.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::figures::Figures;
use super::lineup::Settings;
use super::setting::Optimum;
use crate::crowd::{Behaviour, Curve, Group, Sources, Visit};
use crate::scenario::Scenario;

/// How much more than the origin's peak the crowd of a sweep wants.
const OVERLOAD: f64 = 2.0;
/// How long its visitors think: short, so that a visit fits into a short run.
const THINK: Duration = Duration::from_millis(100);

/// What one setting gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The rival.
    pub title: String,
    /// The values tried, such as `QUEUE=50 PATIENCE=10s`.
    pub settings: String,
    /// What came of it; none where the rival could not take part.
    pub figures: Option<Figures>,
    /// Whether the comparison goes on with it.
    pub chosen: bool,
}

/// The same origin, healthy, with a steady crowd that wants twice its peak.
pub(super) fn overload(scenario: &Scenario, lasts: Duration) -> Scenario {
    let visit = scenario
        .crowd
        .iter()
        .find_map(|group| match &group.behaviour {
            Behaviour::Visit(visit) => Some(visit.clone()),
            _ => None,
        });
    let visit = Visit {
        think: THINK,
        ..visit.unwrap_or_default()
    };
    // A welcome page, each of the form's asked for and sent, and a last page.
    let pages = f64::from(2 + 2 * visit.pages);
    let rate = OVERLOAD * scenario.origin.peak() / pages;
    Scenario {
        lasts,
        events: Vec::new(),
        crowd: vec![Group {
            name: "overload".to_owned(),
            arrivals: Curve::steady(rate, lasts),
            sources: Sources::Loopback,
            behaviour: Behaviour::Visit(visit),
        }],
        ..scenario.clone()
    }
}

/// The index of the trial with most visits completed; of equals, with most useful work.
pub(super) fn best(trials: &[Trial]) -> Option<usize> {
    let score = |trial: &Trial| {
        let figures = trial.figures.as_ref()?;
        Some((figures.completed, figures.goodput.unwrap_or_default()))
    };
    let mut best: Option<(usize, (f64, f64))> = None;
    for (index, trial) in trials.iter().enumerate() {
        if let Some(score) = score(trial)
            && best.is_none_or(|(_index, most)| score > most)
        {
            best = Some((index, score));
        }
    }
    best.map(|(index, _score)| index)
}

/// The settings that differ from run to run, as they are filled in.
pub(super) fn said(settings: &Settings, optimum: Optimum) -> String {
    let each = settings
        .iter()
        .map(|(name, value)| format!("{name}={}", value.filled(optimum)));
    each.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::figures::tests::round;

    #[test]
    fn the_best_trial_has_most_visits_then_most_useful_work() {
        let trial = |figures| Trial {
            title: "one".to_owned(),
            settings: String::new(),
            figures,
            chosen: false,
        };
        let wasteful = Figures {
            goodput: Some(0.1),
            ..round(50.0)
        };
        let trials = [None, Some(wasteful), Some(round(50.0)), Some(round(49.0))];
        assert_eq!(best(&trials.map(trial)), Some(2));
        assert_eq!(best(&[trial(None)]), None);
    }
}

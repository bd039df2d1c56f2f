//! What happens: who comes when, and what becomes of the origin meanwhile.

use forebay_admission::room::{InletRule, Settings};

use super::origin::Model;

/// Who decides who enters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Inlet {
    /// The room, by this rule.
    Room(InletRule),
    /// Somebody who knows the origin's capacity and every visitor: the first in line enters at
    /// once while a permit is free and fewer are inside than the origin can serve.
    Oracle,
}

/// What finds the concurrency limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limit {
    /// The origin's best number in flight, whatever happens to it.
    Known,
    /// The adaptive limit.
    Found,
}

/// The origin from a second on.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) from: f64,
    pub(crate) model: Model,
    /// Refuses every request at once.
    pub(crate) dead: bool,
}

/// One evening.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) seed: u64,
    pub(crate) seconds: f64,
    /// (from, visitors a second over what the origin can serve of whole visits).
    pub(crate) arrivals: Vec<(f64, f64)>,
    pub(crate) origin: Vec<Turn>,
    pub(crate) limit: Limit,
    pub(crate) inlet: Inlet,
    pub(crate) settings: Settings,
    /// Pages of a visit: the first two are fetched, the others sent.
    pub(crate) pages: u32,
    /// Requests that each page needs besides, at once.
    pub(crate) parts: u32,
    /// Mean seconds between two pages, and their spread in the logarithm.
    pub(crate) think: (f64, f64),
    /// Of a thousand pages: after which the visitor leaves without a word.
    pub(crate) leaving: u64,
    /// Of a thousand clients: those without cookies.
    pub(crate) ghosts: u64,
}

impl Scene {
    /// Seven minutes of a ten-fold surge, nine pages, fifteen seconds between two.
    pub(crate) fn surge(model: Model, seed: u64) -> Self {
        Self {
            seed,
            seconds: 480.0,
            arrivals: vec![(0.0, 0.5), (60.0, 10.0)],
            origin: vec![Turn {
                from: 0.0,
                model,
                dead: false,
            }],
            limit: Limit::Known,
            inlet: Inlet::Room(InletRule::Auto),
            settings: Settings::default(),
            pages: 9,
            parts: 0,
            think: (15.0, 0.6),
            leaving: 10,
            ghosts: 0,
        }
    }

    /// The origin is another from `from` to `to`.
    pub(crate) fn changed(mut self, from: f64, to: f64, model: Model, dead: bool) -> Self {
        let usual = self.origin[0].model;
        self.origin.push(Turn { from, model, dead });
        self.origin.push(Turn {
            from: to,
            model: usual,
            dead: false,
        });
        self
    }

    pub(crate) fn by(mut self, inlet: Inlet) -> Self {
        self.inlet = inlet;
        self
    }

    /// Requests of a whole visit, in the mean.
    pub(crate) fn requests(&self) -> f64 {
        let stays = 1.0 - self.leaving as f64 / 1e3;
        let pages: f64 = (0..self.pages).map(|page| stays.powi(page as i32)).sum();
        pages * f64::from(1 + self.parts)
    }

    /// Whole visits a second that the origin can serve at first.
    pub(crate) fn visits(&self) -> f64 {
        self.origin[0].model.peak().1 / self.requests()
    }

    pub(crate) fn turn(&self, at: f64) -> Turn {
        *self.origin.iter().rfind(|turn| turn.from <= at).unwrap()
    }

    /// What the origin can do at a time, exchanges a second.
    pub(crate) fn peak(&self, at: f64) -> f64 {
        let turn = self.turn(at);
        if turn.dead { 0.0 } else { turn.model.peak().1 }
    }

    pub(crate) fn rate(&self, at: f64) -> f64 {
        let (_, over) = self.arrivals.iter().rfind(|(from, _)| *from <= at).unwrap();
        over * self.visits()
    }
}

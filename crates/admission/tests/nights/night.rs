//! A night before a room: who comes, how patient they are, what the operator sets, what breaks.

use std::num::NonZeroU32;
use std::time::Duration;

use forebay_admission::pass::PassRules;
use forebay_admission::rate::Rate;
use forebay_admission::room::{InletRule, Mode, Settings};

/// Milliseconds in a second, a minute.
pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;

/// The process dies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Death {
    pub(crate) at: u64,
    /// Until it is back.
    pub(crate) away: u64,
    /// Its counters are lost with it.
    pub(crate) lost: bool,
    /// The system's clock was set by so much meanwhile, in milliseconds.
    pub(crate) step: i64,
}

/// Somebody who has collected cookies and sends the old ones again and again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replays {
    pub(crate) cookies: usize,
    pub(crate) per_second: u64,
    pub(crate) from: u64,
    pub(crate) until: u64,
}

/// Of a thousand people.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kinds {
    /// Look at another tab while they wait.
    pub(crate) hidden: u64,
    /// Without JavaScript: press a link now and then.
    pub(crate) plain: u64,
    /// Cannot be held: a proxy in between answers too soon, or the connection is one of few.
    pub(crate) unheld: u64,
    /// Their phone sleeps for minutes, now and then.
    pub(crate) sleepy: u64,
}

/// One night; all times in milliseconds since its start.
#[derive(Clone, Debug)]
pub(crate) struct Night {
    pub(crate) seed: u64,
    /// (from, people a second); the last one says that nobody comes any more.
    pub(crate) arrivals: Vec<(u64, f64)>,
    /// Tickets that never come back, for each person.
    pub(crate) ghosts: f64,
    /// Mean patience in seconds; none: they wait for ever.
    pub(crate) patience: Option<f64>,
    /// Below 1, who has waited long goes on waiting (the shape of Weibull's distribution).
    pub(crate) patience_shape: f64,
    pub(crate) kinds: Kinds,
    /// (from, visitors a second).
    pub(crate) rates: Vec<(u64, u32)>,
    pub(crate) modes: Vec<(u64, Mode)>,
    /// The cap on visitors inside, and the mean length of their visits in seconds.
    pub(crate) active: Option<(u32, f64)>,
    pub(crate) deaths: Vec<Death>,
    pub(crate) replays: Replays,
    pub(crate) budget: u32,
    pub(crate) until: u64,
}

impl Night {
    /// `people` arrive evenly within `minutes`; `rate` enter each second.
    pub(crate) fn new(people: u64, minutes: u64, rate: u32) -> Self {
        let per_second = people as f64 / (minutes * 60) as f64;
        Self {
            seed: 1,
            arrivals: vec![(0, per_second), (minutes * MINUTE, 0.0)],
            ghosts: 0.0,
            patience: None,
            patience_shape: 1.0,
            kinds: Kinds::default(),
            rates: vec![(0, rate)],
            modes: Vec::new(),
            active: None,
            deaths: Vec::new(),
            replays: Replays::default(),
            budget: 5_000,
            until: 4 * 60 * MINUTE,
        }
    }

    /// 30,000 people in ten minutes, 20 a second.
    pub(crate) fn a() -> Self {
        Self::new(30_000, 10, 20)
    }

    /// 200,000 people in twenty minutes, 100 a second.
    pub(crate) fn b() -> Self {
        Self::new(200_000, 20, 100)
    }

    /// A million people in fifteen minutes, 200 a second.
    pub(crate) fn c() -> Self {
        Self {
            budget: 20_000,
            ..Self::new(1_000_000, 15, 200)
        }
    }

    /// People whose patience is exponential with this mean, in seconds.
    pub(crate) fn patience(mut self, mean: f64) -> Self {
        self.patience = Some(mean);
        self
    }

    /// As many ghosts as people: half of all tickets.
    pub(crate) fn half_ghosts(mut self) -> Self {
        self.ghosts = 1.0;
        self
    }

    pub(crate) fn kinds(mut self, kinds: Kinds) -> Self {
        self.kinds = kinds;
        self
    }

    pub(crate) fn until(mut self, minutes: u64) -> Self {
        self.until = minutes * MINUTE;
        self
    }

    pub(crate) fn settings(&self) -> Settings {
        let inlet = Rate::new(self.rate(0).max(1), Duration::from_secs(1));
        let (active, idle) = match self.active {
            Some((places, _)) => (NonZeroU32::new(places), 60),
            None => (None, 600),
        };
        Settings {
            inlet: inlet.map_or(InletRule::Auto, InletRule::Rate),
            active,
            pass: PassRules {
                idle: Duration::from_secs(idle),
                ..Settings::default().pass
            },
            poll_budget: self.budget,
            ..Settings::default()
        }
    }

    /// People a second at a time.
    pub(crate) fn coming(&self, at: u64) -> f64 {
        let part = self.arrivals.iter().rfind(|(from, _)| *from <= at);
        part.map_or(0.0, |(_, rate)| *rate)
    }

    /// When the arrivals change next.
    pub(crate) fn next_change(&self, at: u64) -> Option<u64> {
        let mut changes = self.arrivals.iter().map(|(from, _)| *from);
        changes.find(|from| *from > at)
    }

    /// Visitors a second at a time.
    pub(crate) fn rate(&self, at: u64) -> u32 {
        let part = self.rates.iter().rfind(|(from, _)| *from <= at);
        part.map_or(1, |(_, rate)| *rate)
    }

    /// The mode at a time.
    pub(crate) fn mode(&self, at: u64) -> Mode {
        let part = self.modes.iter().rfind(|(from, _)| *from <= at);
        part.map_or(Mode::Auto, |(_, mode)| *mode)
    }
}

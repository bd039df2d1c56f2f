//! What is wrong with the origin at the moment; it can be switched while it runs.

use serde::{Deserialize, Serialize};

/// Slower than this many times is a hang.
const SLOWEST: f64 = 1e6;

/// What is wrong. The default is healthy. In TOML and JSON every key may be left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// All work, the database's with it, takes this many times as long; 1 is healthy.
    pub slow: f64,
    /// The database's work, and what holds its hot row, takes this many times as long
    /// again; 1 is healthy.
    pub database: f64,
    /// Share of the servers that are dead: they refuse connections, have reset those
    /// they had and lost what was at work in them. What is left over of a share that
    /// makes no whole server takes that much of the next server's cores, and of what
    /// it had: half of one server is one with half of its cores.
    pub dead: f64,
    /// Nothing finishes, nothing is lost.
    pub hang: bool,
    /// Every request is answered by 500 after a millisecond, without work.
    pub errors: bool,
    /// So many of the servers, from the first, do the same.
    pub failing: u32,
    /// Share of bodies that are cut off half-way, and the connection with them.
    pub truncate: f64,
    /// As a stopped process: nothing is accepted, read or finished, nothing is lost.
    /// The kernel's listen queue fills up.
    pub silent: bool,
    /// The process is gone: connections are refused, those that were open reset, their
    /// work lost. When it comes back its caches are cold.
    pub down: bool,
}

impl Default for Condition {
    fn default() -> Self {
        Self {
            slow: 1.0,
            database: 1.0,
            dead: 0.0,
            hang: false,
            errors: false,
            failing: 0,
            truncate: 0.0,
            silent: false,
            down: false,
        }
    }
}

impl Condition {
    /// What is wrong with its numbers, and what to write instead, if anything.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        let factor = |factor: f64| factor > 0.0 && factor <= SLOWEST;
        let share = |share: f64| (0.0..=1.0).contains(&share);
        if !factor(self.slow) {
            Some("slow is how many times as long work takes: more than 0, at most a million")
        } else if !factor(self.database) {
            Some("database is how many times as long it takes: more than 0, at most a million")
        } else if !share(self.dead) {
            Some("dead is a share of the servers, 0 to 1")
        } else if !share(self.truncate) {
            Some("truncate is a share of the answers, 0 to 1")
        } else {
            None
        }
    }

    /// Whether `server` answers every request by 500.
    pub(crate) fn fails(&self, server: usize) -> bool {
        self.errors || u32::try_from(server).is_ok_and(|server| server < self.failing)
    }

    /// Whether work goes on at all.
    pub(crate) const fn is_stopped(&self) -> bool {
        self.hang || self.silent || self.down
    }
}

#[cfg(test)]
impl Condition {
    /// Healthy but for one thing.
    pub(super) fn but(change: impl FnOnce(&mut Self)) -> Self {
        let mut condition = Self::default();
        change(&mut condition);
        condition
    }
}

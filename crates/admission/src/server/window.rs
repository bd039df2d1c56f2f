//! Answers of the last five to ten seconds, in two halves that take turns.

use core::time::Duration;

use crate::time::Timestamp;

/// How long one half takes.
const HALF: Duration = Duration::from_secs(5);

/// Answers, and the failures among them; no answer in time is one, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub answers: u32,
    /// Those that failed.
    pub faults: u32,
}

impl Counts {
    /// The share of which everything failed.
    pub const SHARE_ONE: u32 = 1_000;

    /// Failures per thousand answers; 0 without answers.
    #[must_use]
    pub const fn share(self) -> u32 {
        if self.answers == 0 {
            return 0;
        }
        let share = self.faults as u64 * Self::SHARE_ONE as u64 / self.answers as u64;
        if share > Self::SHARE_ONE as u64 {
            Self::SHARE_ONE
        } else {
            share as u32
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            answers: self.answers.saturating_add(other.answers),
            faults: self.faults.saturating_add(other.faults),
        }
    }
}

/// The two halves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    current: Counts,
    before: Counts,
    since: Timestamp,
}

impl Window {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            current: Counts {
                answers: 0,
                faults: 0,
            },
            before: Counts {
                answers: 0,
                faults: 0,
            },
            since: now,
        }
    }

    pub(super) fn add(&mut self, more: Counts, now: Timestamp) {
        let age = now.saturating_since(self.since);
        if age >= HALF {
            self.before = if age < HALF * 2 {
                self.current
            } else {
                Counts::default()
            };
            self.current = Counts::default();
            self.since = now;
        }
        self.current = self.current.plus(more);
    }

    pub(super) const fn sum(&self) -> Counts {
        self.current.plus(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_ten_seconds_is_forgotten() {
        let mut window = Window::new(Timestamp::default());
        let ten = Counts {
            answers: 10,
            faults: 5,
        };
        for (second, expected) in [(1, 10), (4, 20), (6, 30), (9, 40), (12, 30), (60, 10)] {
            window.add(ten, Timestamp::default().plus(Duration::from_secs(second)));
            assert_eq!(window.sum().answers, expected, "after {second} s");
            assert_eq!(window.sum().share(), 500);
        }
    }
}

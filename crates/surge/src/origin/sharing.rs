//! One station that works on all its requests at once: processor sharing in virtual
//! time, exact from departure to departure.
//!
//! All requests advance at the same speed, so one clock of *work done per request*
//! orders their ends, whenever the caller happens to look.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::usl::Usl;

/// Requests at work in one station; instants are seconds since the start.
#[derive(Debug)]
pub(super) struct Sharing<T> {
    law: Usl,
    /// 1 when healthy, less when slowed down, 0 when nothing moves.
    pace: f64,
    /// Work that each request has had since the start, in seconds on the idle station.
    done: f64,
    /// The instant `done` stands for.
    at: f64,
    tasks: BinaryHeap<Reverse<Task<T>>>,
    sequence: u64,
}

/// A request at work, ordered by its end.
#[derive(Debug)]
struct Task<T> {
    /// What `done` has to be for this one to be finished.
    end: f64,
    sequence: u64,
    item: T,
}

impl<T> Sharing<T> {
    pub(super) const fn new(law: Usl) -> Self {
        Self {
            law,
            pace: 1.0,
            done: 0.0,
            at: 0.0,
            tasks: BinaryHeap::new(),
            sequence: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// When the next request is finished, if nothing changes; never, at a standstill.
    pub(super) fn next_end(&self) -> Option<f64> {
        let Reverse(task) = self.tasks.peek()?;
        let speed = self.speed();
        (speed > 0.0).then(|| self.at + (task.end - self.done).max(0.0) / speed)
    }

    /// Takes a request of `work` seconds at `now`.
    pub(super) fn begin(&mut self, now: f64, work: f64, item: T) {
        self.advance(now);
        self.sequence += 1;
        self.tasks.push(Reverse(Task {
            end: self.done + work,
            sequence: self.sequence,
            item,
        }));
    }

    /// Takes the request out that is finished at `now`, its [`next_end`](Self::next_end).
    pub(super) fn finish(&mut self, now: f64) -> Option<T> {
        let Reverse(task) = self.tasks.pop()?;
        self.done = task.end;
        self.at = self.at.max(now);
        Some(task.item)
    }

    /// From `now` on, works on `cores` and at `pace`.
    pub(super) fn change(&mut self, now: f64, cores: f64, pace: f64) {
        self.advance(now);
        self.law.cores = cores;
        self.pace = pace;
    }

    /// Takes out at `now` whatever `lost` names, in the order it would have ended.
    pub(super) fn lose(&mut self, now: f64, mut lost: impl FnMut(&T) -> bool) -> Vec<T> {
        self.advance(now);
        let mut gone = Vec::new();
        let mut kept = Vec::new();
        while let Some(Reverse(task)) = self.tasks.pop() {
            if lost(&task.item) {
                gone.push(task.item);
            } else {
                kept.push(Reverse(task));
            }
        }
        self.tasks = kept.into();
        gone
    }

    /// Brings the clock to `now`, before which nothing ends.
    fn advance(&mut self, now: f64) {
        self.done += (now - self.at).max(0.0) * self.speed();
        self.at = self.at.max(now);
    }

    fn speed(&self) -> f64 {
        self.pace * self.law.speed(self.tasks.len() as f64)
    }
}

impl<T> Ord for Task<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.end
            .total_cmp(&other.end)
            .then(self.sequence.cmp(&other.sequence))
    }
}

impl<T> PartialOrd for Task<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Task<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Task<T> {}

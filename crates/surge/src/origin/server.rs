//! One server at work: threads, and a backlog behind them.

use std::collections::VecDeque;

use super::settings::OriginSettings;
use super::sharing::Sharing;

/// Requests in one server; instants are seconds since the start.
#[derive(Debug)]
pub(super) struct Server<T> {
    threads: usize,
    backlog: usize,
    /// What is left of it: 1 is all, 0 is dead.
    alive: f64,
    /// Threads in use, those that wait for the database with them.
    busy: usize,
    sharing: Sharing<T>,
    queued: VecDeque<(f64, T)>,
}

impl<T> Server<T> {
    pub(super) fn new(settings: &OriginSettings) -> Self {
        Self {
            threads: settings.threads,
            backlog: settings.backlog,
            alive: 1.0,
            busy: 0,
            sharing: Sharing::new(settings.server()),
            queued: VecDeque::new(),
        }
    }

    /// Requests that have a thread or queue for one.
    pub(super) fn len(&self) -> usize {
        self.busy + self.queued.len()
    }

    pub(super) const fn alive(&self) -> f64 {
        self.alive
    }

    /// Whether one more request would find threads and backlog full.
    pub(super) fn is_full(&self) -> bool {
        self.alive <= 0.0 || self.len() >= self.threads + self.backlog
    }

    /// When the next request has had its work here.
    pub(super) fn next_end(&self) -> Option<f64> {
        self.sharing.next_end()
    }

    /// Takes a request of `work` seconds. The caller has asked [`is_full`](Self::is_full).
    pub(super) fn arrive(&mut self, now: f64, work: f64, item: T) {
        self.queued.push_back((work, item));
        self.hand_out(now);
    }

    /// Takes out the request that has had its work here at `now`. Its thread stays taken.
    pub(super) fn finish(&mut self, now: f64) -> Option<T> {
        self.sharing.finish(now)
    }

    /// The thread of a request that has been answered, or lost at the database, is free.
    pub(super) fn release(&mut self, now: f64) {
        debug_assert!(self.busy > 0, "every thread is released once");
        self.busy = self.busy.saturating_sub(1);
        self.hand_out(now);
    }

    /// From `now` on, `alive` of it works, at `pace`.
    pub(super) fn change(&mut self, now: f64, cores: u32, alive: f64, pace: f64) {
        self.alive = alive;
        self.sharing.change(now, f64::from(cores) * alive, pace);
    }

    /// Takes out at `now` whatever `lost` names of the requests that are not at the database.
    pub(super) fn lose(&mut self, now: f64, mut lost: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut gone = self.sharing.lose(now, &mut lost);
        self.busy -= gone.len();
        let (out, kept): (VecDeque<_>, _) =
            self.queued.drain(..).partition(|(_work, item)| lost(item));
        self.queued = kept;
        gone.extend(out.into_iter().map(|(_work, item)| item));
        self.hand_out(now);
        gone
    }

    fn hand_out(&mut self, now: f64) {
        while self.busy < self.threads
            && let Some((work, item)) = self.queued.pop_front()
        {
            self.busy += 1;
            self.sharing.begin(now, work, item);
        }
    }
}

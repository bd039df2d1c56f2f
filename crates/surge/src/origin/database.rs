//! The database at work: a pool of connections, a machine that is shared, and a row that
//! only one may change at a time.

use std::collections::VecDeque;

use super::settings::Database;
use super::sharing::Sharing;
use super::usl::Usl;

/// Requests at the database; instants are seconds since the start.
#[derive(Debug)]
pub(super) struct AtDatabase<T> {
    pool: usize,
    cores: f64,
    /// Waiting for a connection, first in first out.
    waiting: VecDeque<(Queries, T)>,
    machine: Sharing<(Queries, T)>,
    /// Waiting for the row, with their connection, first in first out.
    row_waiting: VecDeque<(Queries, T)>,
    /// Who holds the row: at most one.
    row: Sharing<T>,
}

/// What a request asks of the database, in seconds on an idle one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Queries {
    /// Work of its queries; 0 if it has none.
    pub(super) work: f64,
    /// How long it then holds the row; 0 if it does not.
    pub(super) row: f64,
}

impl<T> AtDatabase<T> {
    pub(super) fn new(database: &Database) -> Self {
        let machine = database.machine();
        Self {
            pool: database.pool,
            cores: machine.cores,
            waiting: VecDeque::new(),
            machine: Sharing::new(machine),
            row_waiting: VecDeque::new(),
            row: Sharing::new(Usl {
                service: 1.0,
                cores: 1.0,
                sigma: 0.0,
                kappa: 0.0,
            }),
        }
    }

    /// When the next request leaves the machine or the row.
    pub(super) fn next_end(&self) -> Option<f64> {
        match (self.machine.next_end(), self.row.next_end()) {
            (Some(machine), Some(row)) => Some(machine.min(row)),
            (machine, row) => machine.or(row),
        }
    }

    pub(super) fn arrive(&mut self, now: f64, queries: Queries, item: T) {
        self.waiting.push_back((queries, item));
        self.hand_out(now);
    }

    /// Whoever leaves the machine or the row at `now`, the [`next_end`](Self::next_end);
    /// `None` if it only went on to the row.
    pub(super) fn step(&mut self, now: f64) -> Option<T> {
        let row_first = match (self.row.next_end(), self.machine.next_end()) {
            (Some(row), Some(machine)) => row <= machine,
            (row, _) => row.is_some(),
        };
        let left = if row_first {
            self.row.finish(now)
        } else {
            match self.machine.finish(now)? {
                (queries, item) if queries.row > 0.0 => {
                    self.row_waiting.push_back((queries, item));
                    None
                }
                (_queries, item) => Some(item),
            }
        };
        self.hand_out(now);
        left
    }

    /// From `now` on, works at `pace`.
    pub(super) fn change(&mut self, now: f64, pace: f64) {
        self.machine.change(now, self.cores, pace);
        self.row.change(now, 1.0, pace);
    }

    /// Takes out at `now` whatever `lost` names; transactions are rolled back.
    pub(super) fn lose(&mut self, now: f64, mut lost: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut gone = self.row.lose(now, &mut lost);
        let machine = self.machine.lose(now, |(_queries, item)| lost(item));
        gone.extend(machine.into_iter().map(|(_queries, item)| item));
        for queue in [&mut self.row_waiting, &mut self.waiting] {
            let (out, kept): (VecDeque<_>, _) =
                queue.drain(..).partition(|(_queries, item)| lost(item));
            *queue = kept;
            gone.extend(out.into_iter().map(|(_queries, item)| item));
        }
        self.hand_out(now);
        gone
    }

    /// Gives the row and the connections that are free to whoever waits for them.
    fn hand_out(&mut self, now: f64) {
        if self.row.len() == 0
            && let Some((queries, item)) = self.row_waiting.pop_front()
        {
            self.row.begin(now, queries.row, item);
        }
        while self.connections() < self.pool
            && let Some((queries, item)) = self.waiting.pop_front()
        {
            self.machine.begin(now, queries.work, (queries, item));
        }
    }

    /// Connections in use.
    fn connections(&self) -> usize {
        self.machine.len() + self.row_waiting.len() + self.row.len()
    }
}

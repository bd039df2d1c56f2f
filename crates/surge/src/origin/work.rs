//! The work at the origin, in virtual time: servers, and the database behind them.
//!
//! A request has a thread of its server from the beginning of its work to its answer,
//! also while it waits for the database. Nothing is ever cancelled, except by the death
//! of a server. Every change is made at the exact instant at which it happens, however
//! late the caller looks, in a time that grows with the logarithm of what is in flight.

use std::time::Duration;

use super::condition::Condition;
use super::database::{AtDatabase, Queries};
use super::peak::alive;
use super::server::Server;
use super::settings::OriginSettings;
use crate::dice::Dice;

/// All requests of the origin; `J` is whatever has to be told at the end.
#[derive(Debug)]
pub(super) struct Work<J> {
    settings: OriginSettings,
    condition: Condition,
    servers: Vec<Server<Request<J>>>,
    database: Option<AtDatabase<Request<J>>>,
    /// The last instant that was looked at, in seconds since the start.
    at: f64,
    /// By how much the work of a request is now more than usual, because caches are cold.
    excess: f64,
}

/// What a request asks for, in seconds on idle machines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Demand {
    /// Work of its server.
    pub(super) own: f64,
    /// What it then asks of the database, if there is one.
    pub(super) queries: Queries,
}

#[derive(Debug)]
struct Request<J> {
    server: usize,
    queries: Queries,
    job: J,
}

/// Where something ends next.
#[derive(Debug, Clone, Copy)]
enum Place {
    Server(usize),
    Database,
}

impl<J> Work<J> {
    pub(super) fn new(settings: OriginSettings) -> Self {
        Self {
            condition: Condition::default(),
            servers: (0..settings.servers)
                .map(|_server| Server::new(&settings))
                .collect(),
            database: settings.database.as_ref().map(AtDatabase::new),
            at: 0.0,
            excess: 0.0,
            settings,
        }
    }

    pub(super) const fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Requests at work or queued.
    pub(super) fn len(&self) -> usize {
        self.servers.iter().map(Server::len).sum()
    }

    /// Whether one more request would find threads and backlog of `server` full.
    pub(super) fn is_full(&self, server: usize) -> bool {
        self.servers[server].is_full()
    }

    /// Takes a request at `server`, one of [`OriginSettings::servers`]. The caller has
    /// called [`advance`](Self::advance) with the same instant.
    ///
    /// # Errors
    /// Threads and backlog are full: the job comes back.
    pub(super) fn arrive(&mut self, server: usize, demand: Demand, job: J) -> Result<(), J> {
        if self.is_full(server) {
            return Err(job);
        }
        let colder = 1.0 + self.excess;
        let request = Request {
            server,
            queries: Queries {
                work: demand.queries.work * colder,
                row: demand.queries.row,
            },
            job,
        };
        self.servers[server].arrive(self.at, demand.own * colder, request);
        Ok(())
    }

    /// Lets the work go on until `now` (since the start); returns who is finished, with
    /// the instant, in order.
    pub(super) fn advance(&mut self, now: Duration) -> Vec<(Duration, J)> {
        let now = now.as_secs_f64();
        let mut finished = Vec::new();
        while let Some((end, place)) = self.next_end()
            && end <= now
        {
            self.at = self.at.max(end);
            if let Some(request) = self.end_at(place) {
                self.servers[request.server].release(self.at);
                self.excess *= (-1.0 / f64::from(self.settings.warm)).exp();
                finished.push((Duration::from_secs_f64(self.at), request.job));
            }
        }
        self.at = self.at.max(now);
        finished
    }

    /// When somebody will have got on next (since the start), if nobody else comes.
    pub(super) fn next(&self) -> Option<Duration> {
        let (end, _place) = self.next_end()?;
        let end = Duration::try_from_secs_f64(end).unwrap_or(Duration::MAX);
        // A nanosecond later: rounded down, the end would not have come yet at that instant.
        Some(end.saturating_add(Duration::from_nanos(1)))
    }

    /// Switches what is wrong, at the instant of the last [`advance`](Self::advance);
    /// returns what was lost with servers that died. `dice` say which, where part of
    /// a server died.
    pub(super) fn set(&mut self, condition: Condition, dice: &mut Dice) -> Vec<J> {
        self.condition = condition;
        let dead = if self.condition.down {
            1.0
        } else {
            self.condition.dead
        };
        let pace = if self.condition.is_stopped() {
            0.0
        } else {
            1.0 / self.condition.slow
        };
        let mut lost = Vec::new();
        for (server, alive) in alive(self.settings.servers, dead).enumerate() {
            let before = self.servers[server].alive();
            self.servers[server].change(self.at, self.settings.cores, alive, pace);
            if alive < before {
                lost.extend(self.lose(server, 1.0 - alive / before, dice));
            }
            // What comes back has read nothing yet.
            let restarted = (alive - before).max(0.0) / f64::from(self.settings.servers);
            self.excess += (self.settings.cold - 1.0) * restarted;
        }
        if let Some(database) = &mut self.database {
            database.change(self.at, pace / self.condition.database);
        }
        lost
    }

    /// Takes a share of what `server` has in flight out of wherever it is.
    fn lose(&mut self, server: usize, share: f64, dice: &mut Dice) -> Vec<J> {
        let mut gone = self.servers[server].lose(self.at, |_request| dice.chance(share));
        if let Some(database) = &mut self.database {
            let there = database.lose(self.at, |request| {
                request.server == server && dice.chance(share)
            });
            for _thread in &there {
                self.servers[server].release(self.at);
            }
            gone.extend(there);
        }
        gone.into_iter().map(|request| request.job).collect()
    }

    /// What ends next, and when.
    fn next_end(&self) -> Option<(f64, Place)> {
        let servers = self.servers.iter().enumerate();
        let servers =
            servers.filter_map(|(index, server)| Some((server.next_end()?, Place::Server(index))));
        let database = self.database.as_ref().and_then(AtDatabase::next_end);
        servers
            .chain(database.map(|end| (end, Place::Database)))
            .min_by(|(one, _), (other, _)| one.total_cmp(other))
    }

    /// Somebody gets on at `place`; the request, if that was its end.
    fn end_at(&mut self, place: Place) -> Option<Request<J>> {
        match place {
            Place::Database => self.database.as_mut()?.step(self.at),
            Place::Server(server) => {
                let request = self.servers[server].finish(self.at)?;
                match &mut self.database {
                    Some(database) if request.queries.work > 0.0 => {
                        database.arrive(self.at, request.queries, request);
                        None
                    }
                    _nothing_to_ask => Some(request),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

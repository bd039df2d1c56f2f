//! Requests at a set rate over kept connections, whatever the site does.
//!
//! Open loop: the instants at which requests are meant to go out are planned by the
//! curve alone. Each goes to the connection that has been free longest; where none is
//! free it waits for one, and its wait is part of its time. A site that stalls is
//! charged with every request that was due meanwhile, not only with the few that were
//! under way (what a closed loop leaves out is called coordinated omission).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{JoinSet, consume_budget};
use tokio::time::{Instant, sleep_until};

use super::farewell;
use super::gate::Gate;
use super::settings::{Behaviour, CrowdSettings, Script};
use super::source::Source;
use crate::cookies::Cookies;
use crate::ledger::Ledger;
use crate::outcome::{Kind, Outcome};
use crate::wire::{Connection, Exchange, Keep};

/// Requests that wait for a free connection; one more is counted as not begun.
const WAITING_MAX: usize = 1_000_000;

/// Bound of one connect, where the request's own is not shorter.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// What a browser says of a request for a page, by which a site knows it.
const NAVIGATION: &str =
    "Accept: text/html\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate";

/// Runs one group of scripts.
pub(crate) async fn run(
    group: usize,
    settings: Arc<CrowdSettings>,
    ledger: Arc<Ledger>,
    gate: Gate,
) {
    let Behaviour::Script(script) = &settings.groups[group].behaviour else {
        return;
    };
    let desk = Arc::new(Desk::new(script.connections));
    let mut lines = JoinSet::new();
    for index in 0..script.connections {
        let source = Source::of(
            settings.groups[group].sources,
            settings.number(group, index as u64),
        );
        let line = Line {
            group,
            request: request(&settings, script, source),
            bound: script.request_timeout,
            source,
            settings: Arc::clone(&settings),
            ledger: Arc::clone(&ledger),
            gate: gate.clone(),
            open: None,
            jars: jars(script, index),
        };
        lines.spawn(line.work(index, Arc::clone(&desk)));
    }
    for planned in settings.arrivals(group) {
        let intended = ledger.began() + planned;
        let mut now = Instant::now();
        if now < intended {
            sleep_until(intended).await;
            now = Instant::now();
        } else {
            // Behind its plan, it still lets the connections have their turn.
            consume_budget().await;
        }
        ledger.page_wanted(intended);
        ledger.request_came_late(now.saturating_duration_since(intended));
        if !desk.bring(intended) {
            ledger.page_settled();
            ledger.visitor_turned_away_by_us(group);
        }
    }
    desk.close();
    lines.join_all().await;
}

/// The one request that the script sends.
fn request(settings: &CrowdSettings, script: &Script, source: Source) -> String {
    let (path, host) = (&script.path, &settings.site.host);
    let from = match source {
        Source::Forwarded(address) => format!("X-Forwarded-For: {address}\r\n"),
        Source::Any | Source::Bound(_) => String::new(),
    };
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: surge-script/1.0\r\n\
         Accept: */*\r\n{from}\r\n"
    )
}

/// The cookie jars of the connection at `index`: its share of them all.
fn jars(script: &Script, index: usize) -> VecDeque<Cookies> {
    let all = script.connections.max(1);
    let own = script.jars / all + usize::from(index < script.jars % all);
    std::iter::repeat_n(Cookies::default(), own).collect()
}

/// One kept connection and who uses it.
#[derive(Debug)]
struct Line {
    group: usize,
    request: String,
    bound: Duration,
    source: Source,
    settings: Arc<CrowdSettings>,
    ledger: Arc<Ledger>,
    gate: Gate,
    open: Option<(Connection, OwnedSemaphorePermit)>,
    /// The next request uses the first, which then goes to the end.
    jars: VecDeque<Cookies>,
}

impl Line {
    /// Sends what the desk gives it, one request after the other.
    async fn work(mut self, index: usize, desk: Arc<Desk>) {
        while let Some(intended) = desk.next(index).await {
            self.ledger.request_begun(self.group);
            let outcome = match self.send().await {
                Ok(exchange) => Outcome::Answered(Kind::of(&exchange.answer)),
                Err(outcome) => outcome,
            };
            let took = intended.elapsed();
            self.ledger.request_ended(self.group, outcome, took);
            self.ledger.page_settled();
        }
    }

    async fn send(&mut self) -> Result<Exchange, Outcome> {
        let (mut connection, permit) = self.connection().await?;
        let mut jar = self.jars.pop_front();
        let with = jar.as_ref().map(|jar| self.with(jar));
        let request = with.as_ref().unwrap_or(&self.request);
        let asked = connection.ask(request.as_bytes(), self.bound, Keep::OfARoom);
        let asked = asked.await;
        if let (Some(jar), Ok(exchange)) = (&mut jar, &asked) {
            let set = exchange.answer.all("set-cookie");
            set.for_each(|field| jar.set(field));
        }
        self.jars.extend(jar);
        let exchange = asked?;
        if exchange.stays {
            self.open = Some((connection, permit));
        } else if exchange.answer.closes {
            farewell::watch(connection, permit, &self.ledger, self.group);
        }
        Ok(exchange)
    }

    /// The request of a browser with these cookies.
    fn with(&self, jar: &Cookies) -> String {
        let cookies: Vec<_> = jar
            .pairs()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = self.request.replace("Accept: */*", NAVIGATION);
        if !cookies.is_empty() {
            let end = request.len() - "\r\n".len();
            request.insert_str(end, &format!("Cookie: {}\r\n", cookies.join("; ")));
        }
        request
    }

    /// The connection that is still open, or a new one.
    async fn connection(&mut self) -> Result<(Connection, OwnedSemaphorePermit), Outcome> {
        if let Some((mut connection, permit)) = self.open.take()
            && connection.reusable(Duration::MAX)?
        {
            return Ok((connection, permit));
        }
        let permit = self.gate.enter(&self.ledger).await;
        let bound = self.bound.min(CONNECT_MAX);
        let site = &self.settings.site;
        let connection = Connection::open(site, self.source.bound(), bound).await?;
        Ok((connection, permit))
    }
}

/// Where requests that are due meet connections that are free.
#[derive(Debug)]
struct Desk(Mutex<Queues>);

#[derive(Debug)]
struct Queues {
    /// Intended instants of the requests that wait for a connection, the oldest first.
    due: VecDeque<Instant>,
    /// Connections that wait for a request, the longest free first.
    free: VecDeque<usize>,
    seats: Vec<Seat>,
    closed: bool,
}

/// What a free connection waits with, and for.
#[derive(Debug, Default)]
struct Seat {
    waker: Option<Waker>,
    waiting: bool,
    given: Option<Instant>,
}

impl Desk {
    fn new(connections: usize) -> Self {
        Self(Mutex::new(Queues {
            due: VecDeque::new(),
            free: VecDeque::with_capacity(connections),
            seats: std::iter::repeat_with(Seat::default)
                .take(connections)
                .collect(),
            closed: false,
        }))
    }

    /// Takes a request that is due; false where too many wait already.
    fn bring(&self, intended: Instant) -> bool {
        let mut queues = self.queues();
        if let Some(index) = queues.free.pop_front() {
            let seat = &mut queues.seats[index];
            seat.given = Some(intended);
            if let Some(waker) = &seat.waker {
                waker.wake_by_ref();
            }
            return true;
        }
        let room = queues.due.len() < WAITING_MAX;
        if room {
            queues.due.push_back(intended);
        }
        room
    }

    /// The next request for the connection at `index`, waiting for one to be due; none once
    /// there will be no more.
    async fn next(&self, index: usize) -> Option<Instant> {
        poll_fn(|context| {
            let mut queues = self.queues();
            let queues = &mut *queues;
            let seat = &mut queues.seats[index];
            let given = seat.given.take().or_else(|| {
                // Once in the line of the free, only `bring` gives.
                (!seat.waiting).then(|| queues.due.pop_front()).flatten()
            });
            if given.is_some() || queues.closed {
                seat.waiting = false;
                return Poll::Ready(given);
            }
            if !seat.waiting {
                seat.waiting = true;
                queues.free.push_back(index);
            }
            match &mut seat.waker {
                Some(waker) => waker.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
            Poll::Pending
        })
        .await
    }

    /// No more requests will come.
    fn close(&self) {
        let mut queues = self.queues();
        queues.closed = true;
        for seat in &queues.seats {
            if let Some(waker) = &seat.waker {
                waker.wake_by_ref();
            }
        }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        // A panic in between leaves at worst one connection unused.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests that were due so many seconds ago.
    fn due(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_request_goes_first_to_whoever_comes_free() {
        let desk = Desk::new(2);
        for seconds in [1, 2, 3] {
            assert!(desk.bring(due(seconds)));
        }
        assert_eq!(desk.next(1).await, Some(due(1)));
        assert_eq!(desk.next(0).await, Some(due(2)));
        assert_eq!(desk.next(1).await, Some(due(3)));
        desk.close();
        assert_eq!(desk.next(0).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_free_connection_gets_the_next_request() {
        let desk = Arc::new(Desk::new(3));
        let mut waiting = JoinSet::new();
        for index in [2, 0, 1] {
            let desk = Arc::clone(&desk);
            waiting.spawn(async move { (index, desk.next(index).await) });
            tokio::task::yield_now().await;
        }
        desk.bring(due(5));
        assert_eq!(
            waiting.join_next().await.unwrap().unwrap(),
            (2, Some(due(5)))
        );
        desk.bring(due(6));
        assert_eq!(
            waiting.join_next().await.unwrap().unwrap(),
            (0, Some(due(6)))
        );
        desk.close();
        assert_eq!(waiting.join_next().await.unwrap().unwrap(), (1, None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_when_the_desk_closes_is_still_sent() {
        let desk = Desk::new(1);
        desk.bring(due(1));
        desk.close();
        assert_eq!(desk.next(0).await, Some(due(1)));
        assert_eq!(desk.next(0).await, None);
    }
}

//! The work on the real clock: requests wait here until their work is done, and what
//! became of them is counted.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::class::Class;
use super::condition::Condition;
use super::counts::Counts;
use super::settings::OriginSettings;
use super::stats::OriginStats;
use super::tokens::Tokens;
use super::work::{Demand, Work};
use crate::dice::Dice;

/// What an answer by [`Condition::errors`] takes.
const ERROR_AFTER: Duration = Duration::from_millis(1);

/// Servers and database at work. Every request takes its lock once on its way in;
/// who is finished is told in batches.
#[derive(Debug)]
pub(super) struct Machine {
    settings: OriginSettings,
    began: Instant,
    inside: Mutex<Inside>,
    /// Something ends before the instant that [`run`](Self::run) sleeps until.
    sooner: Notify,
    condition: watch::Sender<Condition>,
}

#[derive(Debug)]
struct Inside {
    work: Work<Job>,
    counts: Counts,
    dice: Dice,
    tokens: Tokens,
    /// Until when [`Machine::run`] sleeps, if it does.
    sleeping_until: Option<Duration>,
    /// Of the present condition.
    peak: f64,
}

/// A request under way.
#[derive(Debug)]
struct Job {
    class: Class,
    arrived: Duration,
    form: Option<Form>,
    visitor: oneshot::Sender<Done>,
}

/// A page of the form that was posted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Equal for two posts that are one and the same to the visitor.
    pub(super) key: u64,
    /// Whether it is the last page.
    pub(super) last: bool,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Its work is done.
    Whole,
    /// Its work is done, but its answer is to be cut off.
    Truncated,
    /// No work was done; the answer is an error.
    Failed,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// Threads and backlog are full: the connection is reset.
    #[error("threads and backlog are full")]
    Refused,
    /// The server has died, or the origin is stopping.
    #[error("the server has died")]
    Lost,
}

impl Machine {
    pub(super) fn new(settings: OriginSettings) -> Self {
        let inside = Inside {
            work: Work::new(settings.clone()),
            counts: Counts::default(),
            dice: Dice::new(settings.seed),
            tokens: Tokens::default(),
            sleeping_until: None,
            peak: settings.peak(),
        };
        Self {
            began: Instant::now(),
            inside: Mutex::new(inside),
            sooner: Notify::new(),
            condition: watch::Sender::default(),
            settings,
        }
    }

    pub(super) const fn settings(&self) -> &OriginSettings {
        &self.settings
    }

    pub(super) fn condition(&self) -> Condition {
        self.condition.borrow().clone()
    }

    /// Follows the condition.
    pub(super) fn watch(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }

    /// The counts, but for those of connections.
    pub(super) fn stats(&self) -> OriginStats {
        let mut inside = self.lock();
        inside.catch_up(self.began.elapsed(), self.settings.deadline);
        let peak = (inside.peak * 10.0 - 1e-6).ceil() / 10.0;
        OriginStats {
            peak,
            ..inside.counts.shown()
        }
    }

    /// Whether a new connection to `server` would only be reset.
    pub(super) fn is_full(&self, server: usize) -> bool {
        self.lock().work.is_full(server)
    }

    /// Two numbers for a page: nothing that is sent twice is the same.
    pub(super) fn throw(&self) -> (u64, u64) {
        let dice = &mut self.lock().dice;
        (dice.next(), dice.next())
    }

    /// Switches what is wrong from now on.
    pub(super) fn set(&self, condition: Condition) {
        // Outside of the lock: with a database it takes milliseconds.
        let peak = self.settings.peak_under(&condition);
        let mut inside = self.lock();
        inside.catch_up(self.began.elapsed(), self.settings.deadline);
        let inside = &mut *inside;
        inside.peak = peak;
        for job in inside.work.set(condition.clone(), &mut inside.dice) {
            inside.counts.lost += 1;
            inside.counts.of(job.class).in_flight -= 1;
        }
        self.condition.send_replace(condition);
        self.sooner.notify_one();
    }

    /// Returns when the origin reads what has come: at once, unless it is silent.
    pub(super) async fn listening(&self) {
        if self.condition.borrow().silent {
            let mut condition = self.watch();
            // It cannot fail: the sender lives as long as the machine.
            condition.wait_for(|condition| !condition.silent).await.ok();
        }
    }

    /// Moves the work on for as long as it is polled.
    pub(super) async fn run(&self) {
        loop {
            let next = {
                let mut inside = self.lock();
                inside.catch_up(self.began.elapsed(), self.settings.deadline);
                inside.sleeping_until = inside.work.next();
                inside.sleeping_until
            };
            match next.and_then(|next| self.began.checked_add(next)) {
                Some(next) => tokio::select! {
                    () = sleep_until(next) => {}
                    () = self.sooner.notified() => {}
                },
                None => self.sooner.notified().await,
            }
        }
    }

    /// Takes the time of a request of `class` at `server`. Leaving early cancels nothing.
    pub(super) async fn work(
        &self,
        server: usize,
        class: Class,
        form: Option<Form>,
    ) -> Result<Done, Unanswered> {
        let Some(finished) = self.begin(server, class, form)? else {
            sleep(ERROR_AFTER).await;
            return Ok(Done::Failed);
        };
        finished.await.map_err(|_died| Unanswered::Lost)
    }

    /// Takes in a request; `None` if no work is to be done for it.
    fn begin(
        &self,
        server: usize,
        class: Class,
        form: Option<Form>,
    ) -> Result<Option<oneshot::Receiver<Done>>, Unanswered> {
        let (visitor, finished) = oneshot::channel();
        let arrived = self.began.elapsed();
        let mut inside = self.lock();
        let inside = &mut *inside;
        inside.catch_up(arrived, self.settings.deadline);
        inside.counts.of(class).arrived += 1;
        if inside.work.condition().fails(server) {
            inside.counts.errors += 1;
            return Ok(None);
        }
        let demand = Demand::draw(&self.settings, class, &mut inside.dice);
        let job = Job {
            class,
            arrived,
            form,
            visitor,
        };
        if inside.work.arrive(server, demand, job).is_err() {
            inside.counts.refused += 1;
            return Err(Unanswered::Refused);
        }
        inside.counts.of(class).in_flight += 1;
        let in_flight = inside.work.len() as u64;
        inside.counts.in_flight_max = inside.counts.in_flight_max.max(in_flight);
        // One more slows the others down, so it is this one or nobody.
        let next = inside.work.next();
        if next.is_some_and(|next| inside.sleeping_until.is_none_or(|until| next < until)) {
            inside.sleeping_until = next;
            self.sooner.notify_one();
        }
        Ok(Some(finished))
    }

    /// A panic elsewhere leaves nothing half-done in here.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// Brings the work up to `now` and tells whoever is finished.
    fn catch_up(&mut self, now: Duration, deadline: Duration) {
        for (at, job) in self.work.advance(now) {
            self.note(job.form);
            let truncated = self.dice.chance(self.work.condition().truncate);
            let done = if truncated {
                Done::Truncated
            } else {
                Done::Whole
            };
            // Nobody listens any more: the work was done for a visitor who had left.
            let useful = job.visitor.send(done).is_ok() && !truncated;
            let in_time = useful && at.saturating_sub(job.arrived) <= deadline;
            self.counts.truncated += u64::from(truncated);
            self.counts.in_time += u64::from(in_time);
            let class = self.counts.of(job.class);
            class.in_flight -= 1;
            class.completed += 1;
            class.useful += u64::from(useful);
        }
    }

    /// Notes a page of the form whose work is done, whether or not anybody is told.
    fn note(&mut self, form: Option<Form>) {
        let Some(form) = form else { return };
        if !self.tokens.first_time(form.key) {
            self.counts.duplicates += 1;
        } else if form.last {
            self.counts.forms += 1;
        }
    }
}

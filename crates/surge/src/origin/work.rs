//! The work at the origin: processor sharing on a virtual clock, time as an argument.
//!
//! All requests at work advance at the same speed, so one clock of *work done
//! per request* orders their ends; it is moved exactly from departure to
//! departure, whenever the caller happens to look. Nothing is ever cancelled.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::settings::OriginSettings;

/// Requests at work and in the queue behind them; `J` is whatever has to be told at the end.
#[derive(Debug)]
pub(super) struct Work<J> {
    settings: OriginSettings,
    /// Work that each request at work has had since the start, in seconds on an idle server.
    done: f64,
    /// The instant `done` stands for, in seconds since the start.
    at: f64,
    working: BinaryHeap<Reverse<Task<J>>>,
    queued: VecDeque<(f64, J)>,
    sequence: u64,
}

/// A request at work, ordered by its end.
#[derive(Debug)]
struct Task<J> {
    /// What `done` has to be for this one to be finished.
    end: f64,
    sequence: u64,
    job: J,
}

impl<J> Work<J> {
    pub(super) const fn new(settings: OriginSettings) -> Self {
        Self {
            settings,
            done: 0.0,
            at: 0.0,
            working: BinaryHeap::new(),
            queued: VecDeque::new(),
            sequence: 0,
        }
    }

    /// Requests at work or queued.
    pub(super) fn len(&self) -> usize {
        self.working.len() + self.queued.len()
    }

    /// Whether one more request would find threads and backlog full.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.settings.threads + self.settings.backlog
    }

    /// Takes a request that is `weight` times the mean work. The caller has called
    /// [`advance`](Self::advance) with the same instant.
    ///
    /// # Errors
    /// Threads and backlog are full: the job comes back.
    pub(super) fn arrive(&mut self, weight: f64, job: J) -> Result<(), J> {
        if self.is_full() {
            return Err(job);
        }
        let work = weight * self.settings.service.as_secs_f64();
        if self.working.len() < self.settings.threads {
            self.begin(work, job);
        } else {
            self.queued.push_back((work, job));
        }
        Ok(())
    }

    /// Lets the work go on until `now` (since the start); returns who is finished, in order.
    pub(super) fn advance(&mut self, now: Duration) -> Vec<J> {
        let now = now.as_secs_f64();
        let mut finished = Vec::new();
        while let Some(end) = self.next_end()
            && end <= now
        {
            let Some(Reverse(task)) = self.working.pop() else {
                break;
            };
            self.done = task.end;
            self.at = end;
            finished.push(task.job);
            if let Some((work, job)) = self.queued.pop_front() {
                self.begin(work, job);
            }
        }
        self.done += (now - self.at).max(0.0) * self.speed();
        self.at = self.at.max(now);
        finished
    }

    /// When the next request will be finished (since the start), if nobody else comes.
    pub(super) fn next(&self) -> Option<Duration> {
        // A nanosecond later: rounded down, the end would not have come yet at that instant.
        self.next_end()
            .map(|end| Duration::from_secs_f64(end) + Duration::from_nanos(1))
    }

    fn next_end(&self) -> Option<f64> {
        let Reverse(task) = self.working.peek()?;
        Some(self.at + (task.end - self.done).max(0.0) / self.speed())
    }

    /// Speed of each request at work; the machine's own limit is never reached at zero.
    fn speed(&self) -> f64 {
        self.settings.server().speed(self.working.len() as f64)
    }

    fn begin(&mut self, work: f64, job: J) {
        self.sequence += 1;
        let task = Task {
            end: self.done + work,
            sequence: self.sequence,
            job,
        };
        self.working.push(Reverse(task));
    }
}

impl<J> Ord for Task<J> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.end
            .total_cmp(&other.end)
            .then(self.sequence.cmp(&other.sequence))
    }
}

impl<J> PartialOrd for Task<J> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<J> PartialEq for Task<J> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<J> Eq for Task<J> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// One server that gives each of n requests 1/n of itself, up to `threads` at once.
    fn plain(threads: usize, backlog: usize) -> Work<u32> {
        let (service, cores, sigma, kappa) = (seconds(1), 1, 1.0, 0.0);
        let default = OriginSettings::default();
        Work::new(OriginSettings {
            service,
            cores,
            sigma,
            kappa,
            threads,
            backlog,
            ..default
        })
    }

    #[test]
    fn a_request_alone_takes_its_service_time() {
        let mut work = plain(10, 0);
        work.arrive(3.0, 7).unwrap();
        assert_eq!(work.next(), Some(seconds(3) + Duration::from_nanos(1)));
        assert!(work.advance(Duration::from_millis(2_999)).is_empty());
        assert_eq!(work.advance(seconds(3)), [7]);
    }

    #[test]
    fn two_requests_share_the_server_and_the_shorter_leaves_first() {
        let mut work = plain(10, 0);
        work.arrive(3.0, 1).unwrap();
        work.arrive(1.0, 2).unwrap();
        assert_eq!(
            work.advance(seconds(2)),
            [2],
            "one unit of work at half speed"
        );
        assert_eq!(
            work.next().unwrap().as_secs(),
            4,
            "two units left, at full speed again"
        );
    }

    #[test]
    fn looking_late_changes_nothing_about_what_happened() {
        let mut often = plain(10, 10);
        let mut once = plain(10, 10);
        for (weight, job) in [(3.0, 1), (1.0, 2), (2.5, 3)] {
            often.arrive(weight, job).unwrap();
            once.arrive(weight, job).unwrap();
        }
        let stepped: Vec<_> = (0..70)
            .flat_map(|tenth| often.advance(Duration::from_millis(tenth * 100)))
            .collect();
        assert_eq!(stepped, once.advance(Duration::from_millis(6_900)));
        assert_eq!(stepped, [2, 3, 1]);
    }

    #[test]
    fn who_finds_threads_and_backlog_full_comes_back() {
        let mut work = plain(1, 1);
        assert_eq!(work.arrive(1.0, 1), Ok(()));
        assert_eq!(work.arrive(1.0, 2), Ok(()));
        assert_eq!(work.arrive(1.0, 3), Err(3));
        assert_eq!(
            work.advance(seconds(2)),
            [1, 2],
            "the queued one began when a thread was free"
        );
    }

    #[test]
    fn a_closed_loop_at_the_best_concurrency_has_the_peak_throughput() {
        let settings = OriginSettings::default();
        for (in_flight, share) in [(settings.best_concurrency(), 1.0), (348, 0.58)] {
            let mut work = Work::new(settings.clone());
            let mut dice = Dice::new(1);
            for job in 0..in_flight {
                work.arrive(dice.exponential(), job).unwrap();
            }
            let mut finished = 0_u32;
            while let Some(next) = work.next()
                && next < seconds(60)
            {
                for job in work.advance(next) {
                    finished += 1;
                    work.arrive(dice.exponential(), job).unwrap();
                }
            }
            let rate = f64::from(finished) / 60.0 / settings.peak();
            assert!(
                (rate / share - 1.0).abs() < 0.05,
                "{in_flight} in flight: {rate} of the peak"
            );
        }
    }
}

//! Processor sharing degraded by the Universal Scalability Law.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::dice::Dice;

/// How unequal requests are; the mean is 1 except for [`Work::Heavy`].
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Work {
    Exponential,
    /// Exponential, and one in a hundred a hundred times as much.
    Heavy,
    /// Pareto with α = 1.5, cut at a hundred times the mean.
    Tailed,
    Equal,
}

/// A model origin.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    /// Seconds of work of a mean request on an idle server.
    pub(crate) service: f64,
    pub(crate) servers: f64,
    pub(crate) sigma: f64,
    pub(crate) kappa: f64,
    pub(crate) work: Work,
}

impl Model {
    pub(crate) const fn new(service: f64, servers: f64, sigma: f64, kappa: f64) -> Self {
        let work = Work::Exponential;
        Self {
            service,
            servers,
            sigma,
            kappa,
            work,
        }
    }

    /// The same with other work.
    pub(crate) const fn of(self, work: Work) -> Self {
        Self { work, ..self }
    }

    /// The work of one request.
    pub(crate) fn weight(&self, dice: &mut Dice) -> f64 {
        match self.work {
            Work::Exponential => dice.exponential(),
            Work::Heavy if dice.unit() < 0.01 => 100.0 * dice.exponential(),
            Work::Heavy => dice.exponential(),
            Work::Tailed => ((1.0 - dice.unit()).powf(-1.0 / 1.5) / 3.0).min(100.0),
            Work::Equal => 1.0,
        }
    }

    fn mean_weight(&self) -> f64 {
        if self.work == Work::Heavy { 1.99 } else { 1.0 }
    }

    fn speed(&self, n: f64) -> f64 {
        let m = (n / self.servers).max(1.0);
        1.0 / (1.0 + self.sigma * (m - 1.0) + self.kappa * m * (m - 1.0))
    }
    fn throughput(&self, n: f64) -> f64 {
        n * self.speed(n) / self.service / self.mean_weight()
    }
    /// Requests in flight at which it does most, and how many a second it does then.
    pub(crate) fn peak(&self) -> (u32, f64) {
        (1..2000)
            .map(|n| (n, self.throughput(f64::from(n))))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap()
    }
}

#[derive(PartialEq)]
struct End(f64, u64);
impl Eq for End {}
impl PartialOrd for End {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for End {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

pub(crate) struct Origin {
    pub(crate) model: Model,
    done: f64,
    at: f64,
    working: BinaryHeap<Reverse<End>>,
}

impl Origin {
    pub(crate) fn new(model: Model) -> Self {
        Self {
            model,
            done: 0.0,
            at: 0.0,
            working: BinaryHeap::new(),
        }
    }
    fn speed(&self) -> f64 {
        self.model.speed(self.working.len() as f64) / self.model.service
    }
    pub(crate) fn to(&mut self, now: f64) {
        if !self.working.is_empty() {
            self.done += (now - self.at).max(0.0) * self.speed();
        }
        self.at = self.at.max(now);
    }
    /// Call after `to`.
    pub(crate) fn arrive(&mut self, weight: f64, id: u64) {
        self.working.push(Reverse(End(self.done + weight, id)));
    }
    pub(crate) fn next(&self) -> Option<f64> {
        let Reverse(End(end, _)) = self.working.peek()?;
        Some(self.at + (end - self.done).max(0.0) / self.speed())
    }
    pub(crate) fn finish(&mut self) -> u64 {
        let Reverse(End(end, id)) = self.working.pop().unwrap();
        self.done = self.done.max(end);
        id
    }
}

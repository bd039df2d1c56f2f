//! What the model origin can take: its parameters and what follows from them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Parameters of the model origin.
///
/// With `n` requests at work on `cores` servers, each server holds `m = n / cores`
/// of them and each request advances at `1 / (S (1 + σ(m−1) + κ m(m−1)))`: processor
/// sharing degraded by Gunther's Universal Scalability Law.
#[derive(Debug, Clone, PartialEq)]
pub struct OriginSettings {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// Mean work of one page on an idle server (`S`).
    pub service: Duration,
    /// Servers that share the work, at least 1.
    pub cores: u32,
    /// Contention `σ`, in `[0, 1)`.
    pub sigma: f64,
    /// Crosstalk `κ`, 0 or more. With 0 the origin slows down but never collapses.
    pub kappa: f64,
    /// Requests at work at once; the next ones queue.
    pub threads: usize,
    /// Requests that may queue; beyond, connections are reset.
    pub backlog: usize,
    /// Pages of the form under `/apply/`, at least 1.
    pub pages: u32,
    /// Seed of the pages' individual amounts of work.
    pub seed: u64,
}

impl Default for OriginSettings {
    /// A small portal: about 200 requests a second at best, with 87 in flight.
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            service: Duration::from_millis(148),
            cores: 4,
            sigma: 0.05,
            kappa: 0.002,
            threads: 400,
            backlog: 511,
            pages: 3,
            seed: 1,
        }
    }
}

impl OriginSettings {
    /// The same origin made faster or slower, so that [`peak`](Self::peak) is `rate`
    /// requests a second.
    #[must_use]
    pub fn with_peak(self, rate: f64) -> Self {
        let faster = rate / self.peak();
        Self {
            service: self.service.div_f64(faster),
            ..self
        }
    }

    /// Pages a second with `in_flight` requests at work, for mean work.
    #[must_use]
    pub fn throughput(&self, in_flight: f64) -> f64 {
        in_flight * self.speed(in_flight) / self.service.as_secs_f64()
    }

    /// The highest throughput this origin can have, in requests a second.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.throughput(f64::from(self.best_concurrency()))
    }

    /// How many requests in flight give the highest throughput: `cores · √((1−σ)/κ)`,
    /// never more than `threads`.
    #[must_use]
    pub fn best_concurrency(&self) -> u32 {
        let threads = u32::try_from(self.threads).unwrap_or(u32::MAX);
        if self.kappa <= 0.0 {
            return threads;
        }
        let exact = f64::from(self.cores) * ((1.0 - self.sigma) / self.kappa).sqrt();
        let below = (exact.floor() as u32).clamp(1, threads);
        let above = (below + 1).min(threads);
        // Two neighbours can be equally good: then fewer, whatever the last bit says.
        let gain = self.throughput(f64::from(above)) / self.throughput(f64::from(below));
        if gain > 1.0 + 1e-9 { above } else { below }
    }

    /// Speed of one request among `in_flight`, as a share of its speed alone.
    pub(crate) fn speed(&self, in_flight: f64) -> f64 {
        let shared = (in_flight / f64::from(self.cores)).max(1.0);
        1.0 / (1.0 + self.sigma * (shared - 1.0) + self.kappa * shared * (shared - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(service: u64, cores: u32, sigma: f64, kappa: f64) -> OriginSettings {
        let service = Duration::from_millis(service);
        OriginSettings {
            service,
            cores,
            sigma,
            kappa,
            ..OriginSettings::default()
        }
    }

    #[test]
    fn peaks_are_those_of_the_three_reference_origins() {
        // Requests a second, and in flight: OVERLOAD.md's fast, slow and tiny.
        for (settings, peak, best) in [
            (origin(50, 4, 0.05, 0.002), 592.0, 87),
            (origin(600, 4, 0.05, 0.002), 49.3, 87),
            (origin(200, 1, 0.1, 0.01), 17.9, 9),
        ] {
            assert!(
                (settings.peak() / peak - 1.0).abs() < 0.01,
                "{}",
                settings.peak()
            );
            assert_eq!(settings.best_concurrency(), best);
        }
    }

    #[test]
    fn a_wanted_peak_is_reached_by_changing_the_speed_alone() {
        let origin = OriginSettings::default().with_peak(50.0);
        assert!((origin.peak() - 50.0).abs() < 0.01, "{}", origin.peak());
        assert_eq!(
            origin.best_concurrency(),
            OriginSettings::default().best_concurrency()
        );
    }

    #[test]
    fn four_times_the_best_concurrency_costs_nearly_half_of_the_throughput() {
        let origin = OriginSettings::default();
        let overrun = origin.throughput(4.0 * f64::from(origin.best_concurrency()));
        assert!(overrun < 0.6 * origin.peak(), "{overrun}");
    }
}

//! How busy this process keeps the processors it may use. When the proxy itself is the bottleneck
//! an origin looks slow that is not, and nothing may be learned about it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// The share of its processors above which the process is short of them.
const STARVED: f64 = 0.85;

/// Over how long the share is taken.
const SPAN: Duration = Duration::from_millis(500);

/// The processor time of this process, in turns of half a second.
#[derive(Debug)]
pub(crate) struct Processor {
    cores: f64,
    since: Instant,
    used: Duration,
    starved: bool,
}

impl Processor {
    /// With `workers` threads that serve requests.
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            cores: workers.max(1) as f64,
            since: Instant::now(),
            used: used(),
            starved: false,
        }
    }

    /// Whether the last turn used more than 85 % of what the workers could.
    pub(crate) fn starved(&mut self) -> bool {
        let span = self.since.elapsed();
        if span >= SPAN {
            let used = used();
            self.starved = is_starved(used.saturating_sub(self.used), span, self.cores);
            self.used = used;
            self.since += span;
        }
        self.starved
    }
}

fn is_starved(used: Duration, span: Duration, cores: f64) -> bool {
    used.as_secs_f64() > STARVED * cores * span.as_secs_f64()
}

fn used() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_uses_nearly_all_of_its_processors_is_starved() {
        let millis = Duration::from_millis;
        for (used, span, cores, expected) in [
            (0, 500, 1.0, false),
            (420, 500, 1.0, false),
            (430, 500, 1.0, true),
            (430, 500, 2.0, false),
            (900, 500, 2.0, true),
        ] {
            let found = is_starved(millis(used), millis(span), cores);
            assert_eq!(found, expected, "{used} of {span} ms on {cores}");
        }
    }
}

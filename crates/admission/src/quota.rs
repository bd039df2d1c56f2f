//! A rate allowance per client: governor's GCRA (the generic cell rate algorithm of ITU-T I.371)
//! over a table of fixed size that all workers share.
//!
//! A client is granted at most `burst + rate × t` in any time t, counted over all workers. What
//! is refused costs the client nothing: the wait that is told does not grow by asking again.

mod table;

use core::fmt;
use core::num::NonZeroU32;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use governor::RateLimiter;
use governor::clock::{Clock, Reference as _};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;

use crate::rate::Rate;
use crate::time::Timestamp;

pub use table::{ClientKey, SharedTable, Table};

/// What one client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What is granted again as time passes.
    pub rate: Rate,
    /// What may be used at once after a pause.
    pub burst: NonZeroU32,
}

/// A refill of the whole burst takes at most so long, which keeps all sums of process time and
/// quota within 64 bits of nanoseconds. A slower rate with such a burst is rounded up to it.
const REFILL_MAX_NANOS: u64 = 100 * 365 * 86_400 * 1_000_000_000;

impl Allowance {
    /// The time between two grants once the burst is used up.
    #[must_use]
    pub fn interval(&self) -> Duration {
        let longest = REFILL_MAX_NANOS / u64::from(self.burst.get());
        self.rate.interval().min(Duration::from_nanos(longest))
    }

    /// The time in which a used-up burst is granted again, rounded up to whole seconds: with
    /// [`burst`](Self::burst) the `w` and `q` of a `RateLimit-Policy` field
    /// (draft-ietf-httpapi-ratelimit-headers-10 section 3).
    #[must_use]
    pub fn window_seconds(&self) -> u64 {
        whole_seconds(self.interval().saturating_mul(self.burst.get()))
    }

    fn quota(&self) -> governor::Quota {
        governor::Quota::with_period(self.interval())
            .expect("an interval is at least a nanosecond")
            .allow_burst(self.burst)
    }
}

/// A wait in the whole seconds of `Retry-After` and `RateLimit` fields: rounded up, at least one.
#[must_use]
pub fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
        .max(1)
}

/// What a quota says of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Granted.
    Within {
        /// How many more are granted at once.
        remaining: u32,
        /// When the whole burst is there again.
        reset: Duration,
    },
    /// Refused.
    Exceeded {
        /// When the next one is granted, if nobody else uses the allowance.
        retry_after: Duration,
    },
}

/// The clock that governor reads: set by hand, once per request.
#[derive(Debug, Default)]
pub struct Hand(AtomicU64);

impl Hand {
    fn set(&self, now: Timestamp) {
        self.0.store(now.as_nanos(), Relaxed);
    }
}

impl Clock for Hand {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.load(Relaxed))
    }
}

/// An allowance over a shared table. Each worker has its own, which is cheap to make: a quota
/// that changes on reload is made anew over the same table.
pub struct Quota {
    allowance: Allowance,
    limiter: RateLimiter<ClientKey, SharedTable, Hand, StateInformationMiddleware>,
}

impl Quota {
    /// A quota that grants each client of `table` the `allowance`.
    #[must_use]
    pub fn new(allowance: Allowance, table: SharedTable) -> Self {
        // The limiter measures from the time at which it is made. All hands start at zero, so
        // that every worker writes the same time into the table.
        let limiter = RateLimiter::new(allowance.quota(), table, Hand::default());
        Self { allowance, limiter }
    }

    /// What each client is granted.
    #[must_use]
    pub const fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// Charges one request at `now` to `key`.
    #[must_use]
    pub fn check(&self, key: ClientKey, now: Timestamp) -> Decision {
        self.limiter.clock().set(now);
        match self.limiter.check_key(&key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let spent = self.allowance.burst.get().saturating_sub(remaining);
                let reset = self.allowance.interval().saturating_mul(spent);
                Decision::Within { remaining, reset }
            }
            Err(refused) => {
                let next = refused.earliest_possible();
                let wait = next.duration_since(Nanos::from(now.as_nanos()));
                Decision::Exceeded {
                    retry_after: wait.into(),
                }
            }
        }
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota")
            .field("allowance", &self.allowance)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLIENT: ClientKey = ClientKey::new(0x5eed);

    fn allowance(count: u32, per: Duration, burst: u32) -> Allowance {
        Allowance {
            rate: Rate::new(count, per).unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
        }
    }

    fn per_second(rate: u32, burst: u32) -> Allowance {
        allowance(rate, Duration::from_secs(1), burst)
    }

    fn quota(allowance: Allowance) -> Quota {
        Quota::new(allowance, SharedTable::new(64))
    }

    const fn at_ms(millis: u64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn granted(quota: &Quota, now: Timestamp) -> bool {
        matches!(quota.check(CLIENT, now), Decision::Within { .. })
    }

    #[test]
    fn a_burst_is_granted_then_the_rate() {
        let quota = quota(per_second(10, 3));
        for (ms, expected) in [
            (
                0,
                Decision::Within {
                    remaining: 2,
                    reset: Duration::from_millis(100),
                },
            ),
            (
                0,
                Decision::Within {
                    remaining: 1,
                    reset: Duration::from_millis(200),
                },
            ),
            (
                0,
                Decision::Within {
                    remaining: 0,
                    reset: Duration::from_millis(300),
                },
            ),
            (
                0,
                Decision::Exceeded {
                    retry_after: Duration::from_millis(100),
                },
            ),
            (
                60,
                Decision::Exceeded {
                    retry_after: Duration::from_millis(40),
                },
            ),
            (
                100,
                Decision::Within {
                    remaining: 0,
                    reset: Duration::from_millis(300),
                },
            ),
            (
                100,
                Decision::Exceeded {
                    retry_after: Duration::from_millis(100),
                },
            ),
            (
                10_000,
                Decision::Within {
                    remaining: 2,
                    reset: Duration::from_millis(100),
                },
            ),
        ] {
            assert_eq!(quota.check(CLIENT, at_ms(ms)), expected, "at {ms} ms");
        }
    }

    #[test]
    fn clients_do_not_share_an_allowance() {
        let quota = quota(per_second(1, 1));
        assert!(granted(&quota, at_ms(0)));
        assert!(!granted(&quota, at_ms(0)));
        let other = quota.check(ClientKey::new(77), at_ms(0));
        assert!(matches!(other, Decision::Within { .. }));
    }

    #[test]
    fn workers_share_a_client_s_allowance() {
        let table = SharedTable::new(64);
        let early = Quota::new(per_second(1, 5), table.clone());
        let used = (0..5).filter(|_| granted(&early, at_ms(9_000))).count();
        assert_eq!(used, 5);
        let late = Quota::new(per_second(1, 5), table);
        assert!(
            !granted(&late, at_ms(9_000)),
            "made later, it reads the same time"
        );
        assert!(granted(&late, at_ms(10_000)));
    }

    #[test]
    fn many_threads_on_one_client_never_exceed_burst_and_rate() {
        const SPAN_MS: u64 = 400;
        let table = SharedTable::new(64);
        let total: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    let quota = Quota::new(per_second(100, 20), table.clone());
                    scope.spawn(move || {
                        (0..SPAN_MS)
                            .flat_map(|ms| [at_ms(ms); 8])
                            .filter(|now| granted(&quota, *now))
                            .count()
                    })
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap())
                .sum()
        });
        assert!(
            (20..=60).contains(&total),
            "20 + 0.4 s of 100/s, not {total}"
        );
    }

    #[test]
    fn the_window_is_what_a_used_up_burst_takes_to_come_back() {
        for (allowance, expected) in [
            (per_second(100, 500), 5),
            (per_second(20, 100), 5),
            (per_second(100, 1), 1),
            (allowance(1, Duration::from_secs(60), 3), 180),
            (per_second(3, 10), 4),
        ] {
            assert_eq!(allowance.window_seconds(), expected, "{allowance:?}");
        }
    }

    #[test]
    fn an_absurd_allowance_does_not_overflow() {
        let century = Duration::from_secs(100 * 365 * 86_400);
        for rate in [
            Rate::new(1, century).unwrap(),
            Rate::new(u32::MAX, Duration::from_nanos(1)).unwrap(),
        ] {
            for burst in [1, u32::MAX] {
                let quota = quota(Allowance {
                    rate,
                    burst: NonZeroU32::new(burst).unwrap(),
                });
                for years in [0, 300] {
                    assert!(
                        granted(&quota, at_ms(years * 365 * 86_400_000)),
                        "{rate:?} {burst}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_granted_never_exceeds_burst_and_rate(
            rate in 1u32..2_000,
            burst in 1u32..200,
            steps in proptest::collection::vec((0u64..2_000_000, 1usize..40), 1..60),
        ) {
            let allowance = per_second(rate, burst);
            let quota = quota(allowance);
            let (mut now, mut total) = (1_000_000_000u64, 0u128);
            let start = now;
            for (wait_us, tries) in steps {
                now += wait_us * 1_000;
                let tries = core::iter::repeat_n(Timestamp::from_nanos(now), tries);
                total += tries.filter(|now| granted(&quota, *now)).count() as u128;
                let earned = u128::from(now - start) / allowance.interval().as_nanos();
                prop_assert!(total <= u128::from(burst) + earned, "{} granted", total);
            }
        }

        #[test]
        fn who_waits_as_told_is_granted(rate in 1u32..2_000, burst in 1u32..50, start in 0u64..10_000) {
            let quota = quota(per_second(rate, burst));
            let mut now = at_ms(start);
            for _ in 0..100 {
                if let Decision::Exceeded { retry_after } = quota.check(CLIENT, now) {
                    now = now.plus(retry_after);
                    prop_assert!(granted(&quota, now), "at {:?}", now);
                }
            }
        }
    }
}

//! What is asked a second time, and how often: a budget, so that retries never become a load of
//! their own.
//!
//! Requests pay in a share of a retry each, and one a second comes for free, so that a quiet site
//! may retry too; a retry takes a whole one out. The stock is bounded: an hour without failures
//! does not pay for a minute of nothing but retries. This is Finagle's `RetryBudget` and gRPC's
//! retry throttling (gRFC A6) in one: there as here a share of the requests, a small constant,
//! and a bound.

use core::time::Duration;

use crate::time::Timestamp;

/// What one retry costs, in the unit of the stock.
const RETRY: u64 = 1_000_000;

/// Retries that come for free each second.
const FREE_PER_SECOND: u64 = 1;

/// Retries that may be in stock.
const STOCK_MAX: u64 = 100;

/// Retries in stock at the start.
const STOCK_FIRST: u64 = 10;

/// How much may be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryRules {
    /// Further attempts of one request: 0 or 1.
    pub attempts: u32,
    /// Retries per thousand requests.
    pub per_thousand: u32,
}

/// The stock of retries of one origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    stock: u64,
    /// Total of requests when the stock was last looked at.
    requests: u64,
    at: Timestamp,
}

impl Budget {
    /// A budget at `now`, after a total of `requests`.
    #[must_use]
    pub const fn new(requests: u64, now: Timestamp) -> Self {
        Self {
            stock: STOCK_FIRST * RETRY,
            requests,
            at: now,
        }
    }

    /// Takes one retry, if there is one: `requests` is the total of requests so far.
    #[must_use]
    pub fn take(&mut self, rules: RetryRules, requests: u64, now: Timestamp) -> bool {
        if rules.attempts == 0 || rules.per_thousand == 0 {
            return false;
        }
        self.earn(rules, requests, now);
        let Some(rest) = self.stock.checked_sub(RETRY) else {
            return false;
        };
        self.stock = rest;
        true
    }

    fn earn(&mut self, rules: RetryRules, requests: u64, now: Timestamp) {
        let paid = requests
            .saturating_sub(self.requests)
            .saturating_mul(u64::from(rules.per_thousand) * (RETRY / 1_000));
        let free = free(now.saturating_since(self.at));
        self.requests = self.requests.max(requests);
        self.at = self.at.max(now);
        let stock = self.stock.saturating_add(paid).saturating_add(free);
        self.stock = stock.min(STOCK_MAX * RETRY);
    }
}

fn free(span: Duration) -> u64 {
    let earned = span.as_micros() * u128::from(FREE_PER_SECOND * RETRY) / 1_000_000;
    u64::try_from(earned).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: RetryRules = RetryRules {
        attempts: 1,
        per_thousand: 100,
    };

    /// Seconds at `rate` requests a second of which all want a retry: how many get one.
    fn retried(rules: RetryRules, rate: u64, seconds: u64) -> u64 {
        let mut budget = Budget::new(0, Timestamp::default());
        let granted = (1..=rate * seconds).filter(|n| {
            let now = Timestamp::from_nanos(n * 1_000_000_000 / rate);
            budget.take(rules, *n, now)
        });
        granted.count() as u64
    }

    #[test]
    fn a_share_of_the_requests_and_a_little_more_is_retried() {
        let none = RetryRules {
            attempts: 0,
            ..RULES
        };
        let nothing = RetryRules {
            per_thousand: 0,
            ..RULES
        };
        for (what, rules, rate, seconds, expected) in [
            ("busy", RULES, 1_000, 60, 6_000..=6_070),
            ("quiet", RULES, 1, 60, 60..=60),
            ("a second of failures", RULES, 1_000, 1, 110..=112),
            ("not wanted", none, 1_000, 60, 0..=0),
            ("no budget", nothing, 1_000, 60, 0..=0),
        ] {
            let seen = retried(rules, rate, seconds);
            assert!(expected.contains(&seen), "{what}: {seen}");
        }
    }

    #[test]
    fn an_hour_without_failures_does_not_pay_for_a_storm() {
        let hour = Timestamp::from_nanos(3_600_000_000_000);
        let mut budget = Budget::new(0, Timestamp::default());
        let granted = (0..1_000).filter(|_| budget.take(RULES, 3_600_000, hour));
        assert_eq!(granted.count(), 100);
    }

    proptest! {
        #[test]
        fn retries_never_exceed_the_budget(
            steps in prop::collection::vec((0_u64..100, 0_u64..2_000), 1..300),
            per_thousand in 1_u32..1_000,
        ) {
            let rules = RetryRules { attempts: 1, per_thousand };
            let mut budget = Budget::new(0, Timestamp::default());
            let (mut requests, mut millis, mut granted) = (0, 0, 0);
            for (more, later) in steps {
                requests += more;
                millis += later;
                let now = Timestamp::from_nanos(millis * 1_000_000);
                granted += u64::from(budget.take(rules, requests, now));
                let most = STOCK_FIRST
                    + requests * u64::from(per_thousand) / 1_000
                    + millis / 1_000 + 2;
                prop_assert!(granted <= most, "{granted} of {most}");
            }
        }
    }
}

//! How busy the crowd's own thread is, by the kernel's account. Time that it had to wait for a
//! processor counts as well: on a machine that is busy with other things the crowd is the limit
//! long before it has used a whole core.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::ledger::Ledger;

/// How often the account is read.
const EVERY: Duration = Duration::from_secs(1);

/// The calling thread's processor time, in nanoseconds, and then what it waited for one.
const ACCOUNT: &str = "/proc/thread-self/schedstat";

/// Shorter stretches say nothing: one turn of the thread weighs too much in them.
const SHORTEST: Duration = Duration::from_millis(250);

/// The calling thread's account, and how far it has been read.
#[derive(Debug)]
pub(super) struct Account<'a> {
    ledger: &'a Ledger,
    at: Instant,
    used: Option<Duration>,
}

impl<'a> Account<'a> {
    pub(super) fn new(ledger: &'a Ledger) -> Self {
        Self {
            ledger,
            at: ledger.began(),
            used: used(),
        }
    }

    /// Writes down for what share of the time the thread works or would have to, second by
    /// second, without end.
    pub(super) async fn watch(&mut self) {
        let mut ticks = interval_at(self.ledger.began() + EVERY, EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.read();
        }
    }

    /// Writes down that share for the time since the last reading.
    pub(super) fn read(&mut self) {
        let (at, used) = (Instant::now(), used());
        if at - self.at < SHORTEST {
            return;
        }
        if let (Some(before), Some(after)) = (self.used, used) {
            let share = permille(after.saturating_sub(before), at - self.at);
            let began = self.ledger.began();
            self.ledger.thread_used(self.at - began, at - began, share);
        }
        (self.at, self.used) = (at, used);
    }
}

/// Processor time of this thread so far, and what it waited for one; none where the kernel
/// does not say.
fn used() -> Option<Duration> {
    let account = std::fs::read_to_string(ACCOUNT).ok()?;
    let mut figures = account.split_ascii_whitespace().map(str::parse);
    let (ran, waited): (u64, u64) = (figures.next()?.ok()?, figures.next()?.ok()?);
    Some(Duration::from_nanos(ran.saturating_add(waited)))
}

/// `part` in thousandths of `whole`.
fn permille(part: Duration, whole: Duration) -> u64 {
    let share = 1_000.0 * part.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
    share.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_has_used_processor_time() {
        let before = used().unwrap();
        let mut sum = 0_u64;
        while used().unwrap() - before < Duration::from_millis(5) {
            sum = (0..100_000_u64).fold(sum, |sum, number| std::hint::black_box(sum ^ number));
        }
        assert_eq!(permille(Duration::from_millis(900), EVERY), 900);
    }
}

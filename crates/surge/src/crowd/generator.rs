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

/// Writes down for what share of the time the calling thread works or would have to, second by
/// second, without end.
pub(super) async fn watch(ledger: &Ledger) {
    let mut ticks = interval_at(ledger.began() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut last = (ledger.began(), used());
    loop {
        ticks.tick().await;
        let now = (Instant::now(), used());
        if let ((from, Some(before)), (to, Some(after))) = (last, now) {
            let share = permille(after.saturating_sub(before), to - from);
            let began = ledger.began();
            ledger.thread_used(from - began, to - began, share);
        }
        last = now;
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

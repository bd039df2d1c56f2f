//! Waiting for a state, not for a moment.

use std::thread;
use std::time::{Duration, Instant};

/// Pause between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks at `condition` until it holds or `within` has passed; says whether it held.
///
/// Level-triggered: a state that was reached before the call counts.
#[must_use]
pub fn holds_within(within: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + within;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not hold `within` that time.
#[track_caller]
pub fn wait_until(within: Duration, condition: impl FnMut() -> bool) {
    assert!(
        holds_within(within, condition),
        "the condition did not come true within {within:?}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_already_holds_needs_no_wait() {
        assert!(holds_within(Duration::ZERO, || true));
    }

    #[test]
    fn a_state_that_never_comes_ends_the_wait() {
        assert!(!holds_within(Duration::from_millis(20), || false));
    }
}

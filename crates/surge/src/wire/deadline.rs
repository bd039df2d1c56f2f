//! One timer for a connection's whole life: each request moves the deadline, and the
//! timer is set anew only when it fires too early. A timer per request would cost as
//! much as its system calls.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// A moment that can be moved, and waited for.
#[derive(Debug)]
pub(super) struct Deadline {
    until: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub(super) const fn new(until: Instant) -> Self {
        Self { until, timer: None }
    }

    /// Moves it to `until`.
    pub(super) const fn set(&mut self, until: Instant) {
        self.until = until;
    }

    /// Ready once it has passed.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let until = self.until;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        while timer.as_mut().poll(context).is_ready() {
            if timer.deadline() >= until {
                return Poll::Ready(());
            }
            timer.as_mut().reset(until);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Waker;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_passes_when_it_was_last_set_to_and_not_before() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut deadline = Deadline::new(at(10));
        // Later, earlier than the timer, and passed already.
        for (set, passes) in [(10, 10), (30, 30), (35, 35), (34, 35), (60, 60)] {
            deadline.set(at(set));
            poll_fn(|context| deadline.poll(context)).await;
            assert_eq!(Instant::now(), at(passes), "set to {set}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_deadline_moves_the_timer() {
        let began = Instant::now();
        let mut deadline = Deadline::new(began + Duration::from_secs(30));
        let mut once = Context::from_waker(Waker::noop());
        assert!(deadline.poll(&mut once).is_pending());
        deadline.set(began + Duration::from_secs(2));
        poll_fn(|context| deadline.poll(context)).await;
        assert_eq!(Instant::now(), began + Duration::from_secs(2));
    }
}

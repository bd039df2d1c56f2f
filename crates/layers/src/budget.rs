//! A bound that is counted: streams, bytes of buffered bodies, lingering sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// So much there is, shared by all workers.
#[derive(Debug)]
pub struct Budget {
    used: AtomicU64,
    max: AtomicU64,
}

impl Budget {
    /// A budget of `max`, all of it free.
    #[must_use]
    pub fn new(max: u64) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicU64::new(0),
            max: AtomicU64::new(max),
        })
    }

    /// Changes the bound; what is taken stays taken.
    pub fn set_max(&self, max: u64) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// The bound.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.max.load(Ordering::Relaxed)
    }

    /// What is taken now.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes `amount` until the slot is dropped; `None` when it is not there.
    #[must_use]
    pub fn take(self: &Arc<Self>, amount: u64) -> Option<Slot> {
        let max = self.max.load(Ordering::Relaxed);
        let more = |used: u64| used.checked_add(amount).filter(|sum| *sum <= max);
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Slot {
            budget: Arc::clone(self),
            amount,
        })
    }
}

/// A part of a [`Budget`], given back by its drop.
#[derive(Debug)]
pub struct Slot {
    budget: Arc<Budget>,
    amount: u64,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_bound_is_not_given_and_a_drop_gives_back() {
        let budget = Budget::new(10);
        let slot = budget.take(7).unwrap();
        assert!(budget.take(4).is_none());
        drop(slot);
        assert!(budget.take(10).is_some());
        assert_eq!(budget.used(), 0);
    }
}

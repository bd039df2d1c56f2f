//! The gate's words that every exchange touches.
//!
//! They lie on one cache line of their own: an exchange that takes a permit and gives it back moves
//! that one line to its core, and reads on it whatever else it has to know.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use forebay_admission::limit::Outcome;

/// Permits, and totals of what came of them.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Counts {
    in_flight: AtomicU32,
    limit: AtomicU32,
    queued: AtomicU32,
    good: AtomicU64,
    congested: AtomicU64,
    other: AtomicU64,
    lost: AtomicU64,
    tries: AtomicU64,
}

const _: () = assert!(size_of::<Counts>() == 64, "one cache line");

impl Counts {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit: AtomicU32::new(limit),
            ..Self::default()
        }
    }

    /// Takes one place under the limit; how many are taken then.
    pub(super) fn take(&self) -> Option<u32> {
        let limit = self.limit();
        let more = |taken: u32| (taken < limit).then_some(taken + 1);
        let before = self
            .in_flight
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        before.ok().map(|before| before + 1)
    }

    /// Gives one place back; how many were taken before.
    pub(super) fn put_back(&self) -> u32 {
        let before = self.in_flight.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(before > 0, "a permit is given back once");
        before
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::SeqCst)
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit.load(Ordering::SeqCst)
    }

    /// Puts another limit in force; whether it is another.
    pub(super) fn set_limit(&self, limit: u32) -> bool {
        self.limit.swap(limit, Ordering::SeqCst) != limit
    }

    pub(super) fn queued(&self) -> u32 {
        self.queued.load(Ordering::SeqCst)
    }

    pub(super) fn set_queued(&self, queued: u32) {
        self.queued.store(queued, Ordering::SeqCst);
    }

    /// An exchange ended at the origin.
    pub(super) fn ended(&self, outcome: Outcome) {
        let total = match outcome {
            Outcome::Success => &self.good,
            Outcome::Congested => &self.congested,
            Outcome::Failed | Outcome::Ignored => &self.other,
        };
        total.fetch_add(1, Ordering::Relaxed);
    }

    /// The origin refused, reset, or came too late: there was no whole answer.
    pub(super) fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// A page was asked for by a visitor inside.
    pub(super) fn tried(&self) {
        self.tries.fetch_add(1, Ordering::Relaxed);
    }

    /// Exchanges that ended well, in all.
    pub(super) fn good(&self) -> u64 {
        self.good.load(Ordering::Relaxed)
    }

    /// Signs that the origin has too much, in all.
    pub(super) fn failed(&self) -> u64 {
        self.congested.load(Ordering::Relaxed) + self.lost.load(Ordering::Relaxed)
    }

    /// Exchanges that ended at the origin, in all.
    pub(super) fn completed(&self) -> u64 {
        self.good() + self.congested.load(Ordering::Relaxed) + self.other.load(Ordering::Relaxed)
    }

    pub(super) fn tries(&self) -> u64 {
        self.tries.load(Ordering::Relaxed)
    }
}

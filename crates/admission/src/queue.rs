//! The short queue in front of an origin: bounded in length and in time, ordered by class and by
//! the time of the *first* try, so that nobody who was turned away once starts over.
//!
//! At its bound the worst leaves: the newcomer when nobody waiting is worse. The queue never
//! holds more than its length, and never hands out a waiter whose deadline has passed.

mod floor;
mod lane;
mod patience;
pub mod short;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::num::NonZeroUsize;
use core::time::Duration;

use crate::priority::Priority;
use crate::time::Timestamp;

/// Waiters of type `W`, which the shell wakes when their turn comes.
#[derive(Clone, Debug)]
pub struct Queue<W> {
    length: NonZeroUsize,
    sequence: u64,
    waiting: BTreeMap<Place, Waiter<W>>,
    deadlines: BTreeSet<(Timestamp, Place)>,
}

#[derive(Clone, Debug)]
struct Waiter<W> {
    deadline: Timestamp,
    waiter: W,
}

/// The order of the queue: class, first try, and order of coming between equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    priority: Priority,
    first_try: Timestamp,
    sequence: u64,
}

/// Names one who waits; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(Place);

/// What came of a [`push`](Queue::push) that found a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed<W> {
    /// Names the newcomer.
    pub entry: Entry,
    /// Who had to leave for it, and of which class.
    pub evicted: Option<(Priority, W)>,
}

impl<W> Queue<W> {
    /// An empty queue for at most `length` waiters.
    #[must_use]
    pub const fn new(length: NonZeroUsize) -> Self {
        Self {
            length,
            sequence: 0,
            waiting: BTreeMap::new(),
            deadlines: BTreeSet::new(),
        }
    }

    /// Takes a waiter in until `deadline`. `first_try` is when this page was first asked for,
    /// which may be before it came here.
    ///
    /// # Errors
    /// The waiter itself, when the queue is full of others who are no worse.
    pub fn push(
        &mut self,
        priority: Priority,
        first_try: Timestamp,
        deadline: Timestamp,
        waiter: W,
    ) -> Result<Pushed<W>, W> {
        let place = Place {
            priority,
            first_try,
            sequence: self.sequence,
        };
        let full = self.waiting.len() >= self.length.get();
        if full
            && self
                .waiting
                .last_key_value()
                .is_some_and(|(worst, _)| *worst <= place)
        {
            return Err(waiter);
        }
        let evicted = if full { self.take_worst() } else { None };
        self.sequence = self.sequence.saturating_add(1);
        self.waiting.insert(place, Waiter { deadline, waiter });
        self.deadlines.insert((deadline, place));
        self.invariants();
        Ok(Pushed {
            entry: Entry(place),
            evicted,
        })
    }

    /// Takes out the best whose deadline has not passed at `now`. Who is past it stays for
    /// [`expire`](Self::expire), which gives it an answer.
    pub fn pop(&mut self, now: Timestamp) -> Option<W> {
        let best = self
            .waiting
            .iter()
            .find(|(_, waiter)| waiter.deadline > now);
        let place = best.map(|(place, _)| *place)?;
        self.take(place)
    }

    /// Takes out one who waits, `None` when it has left already.
    pub fn remove(&mut self, entry: Entry) -> Option<W> {
        self.take(entry.0)
    }

    /// Takes out everyone whose deadline is not after `now`, the longest overdue first.
    #[must_use]
    pub fn expire(&mut self, now: Timestamp) -> Vec<(Priority, W)> {
        let mut expired = Vec::new();
        while let Some((deadline, place)) = self.deadlines.first().copied() {
            if deadline > now {
                break;
            }
            expired.extend(self.take(place).map(|waiter| (place.priority, waiter)));
        }
        expired
    }

    /// When the next deadline passes.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many may wait.
    #[must_use]
    pub const fn length(&self) -> NonZeroUsize {
        self.length
    }

    /// The time since the earliest first try among those who wait; zero when nobody does.
    #[must_use]
    pub fn longest_wait(&self, now: Timestamp) -> Duration {
        let earliest = Priority::ALL.into_iter().filter_map(|priority| {
            let from = Place {
                priority,
                first_try: Timestamp::default(),
                sequence: 0,
            };
            let (place, _) = self.waiting.range(from..).next()?;
            (place.priority == priority).then_some(place.first_try)
        });
        earliest
            .min()
            .map_or(Duration::ZERO, |first| now.saturating_since(first))
    }

    /// Changes how many may wait, and takes out the worst who no longer fit, worst first.
    #[must_use]
    pub fn set_length(&mut self, length: NonZeroUsize) -> Vec<(Priority, W)> {
        self.length = length;
        let mut evicted = Vec::new();
        while self.waiting.len() > length.get() {
            evicted.extend(self.take_worst());
        }
        self.invariants();
        evicted
    }

    fn take_worst(&mut self) -> Option<(Priority, W)> {
        let place = *self.waiting.last_key_value()?.0;
        self.take(place).map(|waiter| (place.priority, waiter))
    }

    fn take(&mut self, place: Place) -> Option<W> {
        let waiter = self.waiting.remove(&place)?;
        self.deadlines.remove(&(waiter.deadline, place));
        Some(waiter.waiter)
    }

    fn invariants(&self) {
        debug_assert!(
            self.waiting.len() <= self.length.get(),
            "never longer than its bound"
        );
        debug_assert_eq!(
            self.waiting.len(),
            self.deadlines.len(),
            "a deadline for each"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Priority::{Navigation, Stranger, SubResource, Submit};
    use proptest::prelude::*;

    fn queue(length: usize) -> Queue<u32> {
        Queue::new(NonZeroUsize::new(length).unwrap())
    }

    const fn at(second: u64) -> Timestamp {
        Timestamp::from_nanos(second * 1_000_000_000)
    }

    /// Pushes (class, first try) with the waiters 0, 1, 2 … and a deadline far away.
    fn filled(length: usize, waiters: &[(Priority, u64)]) -> Queue<u32> {
        let mut queue = queue(length);
        for (name, (priority, first_try)) in (0..).zip(waiters) {
            queue
                .push(*priority, at(*first_try), at(1_000), name)
                .unwrap();
        }
        queue
    }

    fn drained(mut queue: Queue<u32>) -> Vec<u32> {
        core::iter::from_fn(|| queue.pop(at(0))).collect()
    }

    #[test]
    fn the_order_is_class_then_first_try_then_coming() {
        let waiters = [
            (Stranger, 1),
            (Navigation, 9),
            (Submit, 9),
            (Navigation, 2),
            (Stranger, 1),
        ];
        assert_eq!(drained(filled(8, &waiters)), [2, 3, 1, 0, 4]);
    }

    #[test]
    fn at_the_bound_the_worst_leaves() {
        for (newcomer, expected) in [
            ((Stranger, 9), Err(7)),
            ((Stranger, 5), Err(7)),
            ((Stranger, 4), Ok(Some((Stranger, 1)))),
            ((SubResource, 9), Ok(Some((Stranger, 1)))),
            ((Submit, 9), Ok(Some((Stranger, 1)))),
        ] {
            let mut queue = filled(2, &[(Navigation, 1), (Stranger, 5)]);
            let found = queue.push(newcomer.0, at(newcomer.1), at(1_000), 7);
            assert_eq!(found.map(|pushed| pushed.evicted), expected, "{newcomer:?}");
            assert_eq!(queue.len(), 2);
        }
    }

    #[test]
    fn who_is_past_the_deadline_is_expired_and_never_popped() {
        let mut queue = queue(4);
        queue.push(Submit, at(0), at(5), 0).unwrap();
        queue.push(Navigation, at(0), at(9), 1).unwrap();
        queue.push(Stranger, at(0), at(4), 2).unwrap();
        assert_eq!(queue.next_deadline(), Some(at(4)));
        assert_eq!(queue.pop(at(5)), Some(1));
        assert_eq!(queue.expire(at(5)), [(Stranger, 2), (Submit, 0)]);
        assert!(queue.is_empty());
    }

    #[test]
    fn an_entry_is_removed_once() {
        let mut queue = queue(4);
        let first = queue.push(Navigation, at(1), at(9), 0).unwrap().entry;
        let second = queue.push(Navigation, at(1), at(9), 1).unwrap().entry;
        assert_eq!(queue.remove(first), Some(0));
        assert_eq!(queue.remove(first), None);
        assert_eq!(queue.pop(at(2)), Some(1));
        assert_eq!(queue.remove(second), None);
    }

    #[test]
    fn the_longest_wait_is_of_the_earliest_first_try_in_any_class() {
        let queue = filled(4, &[(Submit, 5), (Stranger, 2), (Stranger, 3)]);
        assert_eq!(queue.longest_wait(at(9)), Duration::from_secs(7));
        assert_eq!(filled(4, &[]).longest_wait(at(9)), Duration::ZERO);
    }

    #[test]
    fn a_shorter_queue_turns_the_worst_away() {
        let mut queue = filled(
            4,
            &[(Stranger, 1), (Submit, 3), (Stranger, 2), (Navigation, 1)],
        );
        let evicted = queue.set_length(NonZeroUsize::new(2).unwrap());
        assert_eq!(evicted, [(Stranger, 2), (Stranger, 0)]);
        assert_eq!(drained(queue), [1, 3]);
    }

    proptest! {
        #[test]
        fn nobody_is_lost_and_nobody_is_served_twice(
            length in 1usize..6,
            steps in proptest::collection::vec((0usize..8, 0u64..20, 1u64..10), 0..80),
        ) {
            let mut queue = queue(length);
            let (mut came, mut left, mut now) = (0u32, Vec::new(), 0);
            for (what, first_try, patience) in steps {
                now += 1;
                match what {
                    0 => left.extend(queue.pop(at(now))),
                    1 => left.extend(queue.expire(at(now)).into_iter().map(|(_, name)| name)),
                    _ => {
                        let class = Priority::ALL[what - 2];
                        let deadline = at(now + patience);
                        match queue.push(class, at(first_try), deadline, came) {
                            Ok(pushed) => left.extend(pushed.evicted.map(|(_, name)| name)),
                            Err(name) => left.push(name),
                        }
                        came += 1;
                    }
                }
                prop_assert!(queue.len() <= length);
            }
            left.extend(queue.expire(at(1_000)).into_iter().map(|(_, name)| name));
            left.sort_unstable();
            prop_assert_eq!(left, (0..came).collect::<Vec<_>>());
        }
    }
}

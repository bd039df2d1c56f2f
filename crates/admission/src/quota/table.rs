//! A fixed table of counters, one per client, without a lock: governor's own keyed stores grow
//! with every client that ever came.
//!
//! A full set gives up its most idle slot, so a newcomer is never refused for want of a slot,
//! and a flood of invented clients costs the idle their history and nobody their request.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use governor::nanos::Nanos;
use governor::state::StateStore;

/// Slots that a key may be in.
const WAYS: usize = 8;

/// Names a client: a keyed hash made by the shell, so that nobody can aim at one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientKey(u64);

impl ClientKey {
    /// The key for a hash. Zero, which marks an empty slot, becomes one.
    #[must_use]
    pub const fn new(hash: u64) -> Self {
        Self(if hash == 0 { 1 } else { hash })
    }

    /// The hash; never zero.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The slots. 16 bytes each, zeroed by the system when first touched.
///
/// Key and time are two words, so a slot may change hands between them. The worst that comes of
/// it is one request charged to the neighbour who took the slot, or a newcomer who starts with
/// what the evicted one had spent. While its slot is not evicted, a key is exact.
#[derive(Debug)]
pub struct Table {
    /// Keys, then the theoretical arrival times in nanoseconds of process time.
    sets: Box<[[AtomicU64; 2 * WAYS]]>,
}

impl Table {
    /// A table for `entries` clients, rounded up to a power of two of at least 8.
    #[must_use]
    pub fn new(entries: usize) -> Self {
        let sets = entries.div_ceil(WAYS).max(1).next_power_of_two();
        Self {
            sets: bytemuck::zeroed_slice_box(sets),
        }
    }

    /// How many clients have a slot at once.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// The time word of `key`'s slot, and its key word to notice when it changes hands.
    fn slot(&self, key: ClientKey) -> (&AtomicU64, &AtomicU64) {
        let (keys, times) = self.set(key);
        loop {
            let slots = || keys.iter().zip(times);
            if let Some((name, time)) = slots().find(|(name, _)| name.load(Relaxed) == key.0) {
                return (time, name);
            }
            // Whoever wins the slot, the next look tells: two threads with the same key end at
            // the same slot, the first one in the set.
            let free = slots().find(|(name, _)| name.load(Relaxed) == 0);
            let idlest = || slots().min_by_key(|(_, time)| time.load(Relaxed));
            if let Some((name, time)) = free.or_else(idlest) {
                evict(name, time, key);
            }
        }
    }

    fn set(&self, key: ClientKey) -> (&[AtomicU64], &[AtomicU64]) {
        let mask = self.sets.len() - 1;
        let index = usize::try_from(key.0 & mask as u64).expect("masked by a usize");
        self.sets
            .get(index)
            .expect("the number of sets is a power of two")
            .split_at(WAYS)
    }
}

/// Gives the slot to `key`, unless somebody else was faster, with an allowance unspent.
fn evict(name: &AtomicU64, time: &AtomicU64, key: ClientKey) {
    let (before, spent) = (name.load(Relaxed), time.load(Relaxed));
    if before != key.0
        && name
            .compare_exchange(before, key.0, Relaxed, Relaxed)
            .is_ok()
    {
        // Fails when the newcomer's other thread has charged it already: that charge stands.
        let _charged = time.compare_exchange(spent, 0, Relaxed, Relaxed);
    }
}

/// One table, held by the quota of each worker.
#[derive(Clone, Debug)]
pub struct SharedTable(Arc<Table>);

impl SharedTable {
    /// Shares a new table of `entries` slots; see [`Table::new`].
    #[must_use]
    pub fn new(entries: usize) -> Self {
        Self(Arc::new(Table::new(entries)))
    }

    /// How many clients have a slot at once.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl StateStore for SharedTable {
    type Key = ClientKey;

    fn measure_and_replace<T, F, E>(&self, key: &ClientKey, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        loop {
            let (time, name) = self.0.slot(*key);
            let before = time.load(Relaxed);
            if name.load(Relaxed) != key.0 {
                continue;
            }
            // An empty slot's zero lies in the past, which is all that "never seen" means.
            let (outcome, after) = decide(Some(Nanos::from(before)))?;
            if time
                .compare_exchange_weak(before, after.as_u64(), Relaxed, Relaxed)
                .is_ok()
            {
                return Ok(outcome);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `time` for `key` and returns what stood there.
    fn charge(table: &SharedTable, key: u64, time: u64) -> u64 {
        table
            .measure_and_replace(&ClientKey::new(key), |before| {
                Ok::<_, ()>((before.map_or(0, Nanos::as_u64), Nanos::from(time)))
            })
            .unwrap()
    }

    #[test]
    fn the_length_is_a_power_of_two_of_at_least_eight() {
        for (entries, expected) in [(0, 8), (1, 8), (8, 8), (9, 16), (100, 128), (1_000, 1_024)] {
            assert_eq!(Table::new(entries).capacity(), expected);
        }
    }

    #[test]
    fn a_key_keeps_its_own_time() {
        let table = SharedTable::new(512);
        for key in 1..=512 {
            assert_eq!(charge(&table, key, key), 0, "{key} is new");
        }
        for key in 1..=512 {
            assert_eq!(charge(&table, key, 9), key, "each set holds eight");
        }
    }

    #[test]
    fn a_full_set_gives_up_its_most_idle_slot_and_nobody_else_s() {
        let table = SharedTable::new(8);
        for key in 1..=8 {
            charge(&table, key, 100 + key);
        }
        assert_eq!(charge(&table, 1, 300), 101);
        assert_eq!(charge(&table, 99, 200), 0, "a newcomer starts unspent");
        for key in (3..=8).chain([1]) {
            assert_ne!(charge(&table, key, 400), 0, "{key} was not the most idle");
        }
        assert_eq!(charge(&table, 2, 400), 0, "2 was the most idle");
    }

    #[test]
    fn threads_that_evict_each_other_always_find_a_slot() {
        let table = SharedTable::new(8);
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let table = table.clone();
                scope.spawn(move || {
                    for turn in 0..5_000 {
                        charge(&table, 1 + (turn * 7 + thread) % 40, turn + 1);
                    }
                });
            }
        });
    }
}

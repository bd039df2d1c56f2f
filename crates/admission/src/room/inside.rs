//! How many visitors are inside, without knowing any of them.
//!
//! A pass is counted where it was signed last: in an epoch of a second while it was seen once
//! (it then counts for 30 s), in an epoch of `idle`/8 later (it then counts for `idle`). Signing it
//! anew moves the count; an epoch that ends takes those who left with it.

use alloc::collections::VecDeque;
use core::time::Duration;

use super::recent::Recent;
use crate::pass::Pass;
use crate::time::WallTime;

/// A pass that was seen once counts for so long.
const ONCE: Duration = Duration::from_secs(30);
/// A visitor whom the open room let through counts for so long before a pass is granted.
const ENTERING: Duration = Duration::from_secs(6);

/// Visitors inside.
#[derive(Debug)]
pub(super) struct Inside {
    /// Let through, but not yet granted a pass.
    pub(super) entering: Ring,
    /// Seen once.
    pub(super) once: Ring,
    /// Seen at least twice.
    pub(super) known: Ring,
    renewed: Recent,
}

impl Inside {
    pub(super) fn new(idle: Duration) -> Self {
        Self {
            entering: Ring::new(ENTERING, 6),
            once: Ring::new(ONCE, 30),
            known: Ring::new(idle, EPOCHS),
            renewed: Recent::new(14),
        }
    }

    /// Takes a new `idle`; the counts go on in its epochs.
    pub(super) fn set_idle(&mut self, idle: Duration, now: WallTime) {
        let mut known = Ring::new(idle, EPOCHS);
        if self.known.life != known.life {
            known.add(now, self.known.count);
            self.known = known;
        }
    }

    pub(super) const fn count(&self) -> u64 {
        self.entering.count + self.once.count + self.known.count
    }

    /// Somebody is let through and will ask for a pass.
    pub(super) fn let_through(&mut self, now: WallTime) {
        self.entering.add(now, 1);
    }

    /// Somebody who was let through did not get in.
    pub(super) fn turned_back(&mut self) {
        self.entering.remove_newest();
    }

    /// A first pass.
    pub(super) fn enter(&mut self, now: WallTime) {
        self.once.add(now, 1);
    }

    /// A pass is signed anew: moves one count, once for each signature; false when it had been
    /// moved before.
    pub(super) fn renew(&mut self, pass: &Pass, now: WallTime) -> bool {
        if self
            .renewed
            .note(Recent::key(pass.id, pass.seen.as_millis()))
        {
            return false;
        }
        self.ring(pass).remove(pass.seen);
        self.known.add(now, 1);
        true
    }

    /// A visit is over.
    pub(super) fn end(&mut self, pass: &Pass) {
        if !self
            .renewed
            .note(Recent::key(pass.id, pass.seen.as_millis()))
        {
            let ring = self.ring(pass);
            let before = ring.count;
            ring.remove(pass.seen);
            ring.left += before - ring.count;
        }
    }

    /// Forgets those who left; says how many have left so far.
    pub(super) fn sweep(&mut self, now: WallTime) -> u64 {
        self.entering.sweep(now);
        self.once.sweep(now);
        self.known.sweep(now);
        self.once.left + self.known.left
    }

    /// How many will have left by `time` if they do not ask again.
    pub(super) fn leaving(&self, time: WallTime) -> u64 {
        self.once.leaving(time) + self.known.leaving(time)
    }

    const fn ring(&mut self, pass: &Pass) -> &mut Ring {
        if pass.confirmed {
            &mut self.known
        } else {
            &mut self.once
        }
    }
}

/// Epochs in `idle`: as often as a pass is signed anew.
const EPOCHS: u32 = 8;
const EPOCH_MIN: Duration = Duration::from_millis(100);

/// Counts by epoch; an epoch is forgotten as a whole when its last moment is a life ago.
#[derive(Debug)]
pub(super) struct Ring {
    pub(super) life: Duration,
    epochs: u32,
    /// The number of the front's epoch.
    pub(super) first: u64,
    pub(super) counts: VecDeque<u64>,
    pub(super) count: u64,
    /// Total of counts that were forgotten.
    left: u64,
}

impl Ring {
    pub(super) fn new(life: Duration, epochs: u32) -> Self {
        let life = life.max(EPOCH_MIN * epochs);
        Self {
            life,
            epochs,
            first: 0,
            counts: VecDeque::new(),
            count: 0,
            left: 0,
        }
    }

    /// Takes the counts of another ring, whose epochs may differ in length.
    pub(super) fn take_over(&mut self, kept: Self) {
        if kept.life == self.life {
            *self = kept;
            return;
        }
        let latest = kept.first + kept.counts.len().saturating_sub(1) as u64;
        let latest = WallTime::from_millis(latest.saturating_mul(kept.epoch_millis()));
        self.add(latest, kept.count);
    }

    pub(super) const fn epochs(&self) -> u32 {
        self.epochs
    }

    const fn epoch_millis(&self) -> u64 {
        // Never zero: an epoch is at least EPOCH_MIN.
        let millis = self.life.as_millis() as u64 / self.epochs as u64;
        if millis == 0 { 1 } else { millis }
    }

    const fn epoch(&self, time: WallTime) -> u64 {
        time.as_millis() / self.epoch_millis()
    }

    pub(super) fn add(&mut self, now: WallTime, count: u64) {
        if count == 0 {
            return;
        }
        self.sweep(now);
        let epoch = self.epoch(now);
        if self.counts.is_empty() {
            self.first = epoch;
        }
        // The sweep leaves at most `epochs` before this one; a clock behind counts as the oldest.
        let index = usize::try_from(epoch.saturating_sub(self.first)).unwrap_or(usize::MAX);
        while self.counts.len() <= index.min(self.epochs as usize) {
            self.counts.push_back(0);
        }
        if let Some(cell) = self.counts.get_mut(index) {
            *cell += count;
            self.count += count;
        }
    }

    fn remove(&mut self, time: WallTime) {
        let index = self.epoch(time).checked_sub(self.first);
        let index = index.and_then(|index| usize::try_from(index).ok());
        if let Some(cell) = index.and_then(|index| self.counts.get_mut(index))
            && *cell > 0
        {
            *cell -= 1;
            self.count -= 1;
        }
    }

    fn remove_newest(&mut self) {
        if let Some(cell) = self.counts.iter_mut().rev().find(|cell| **cell > 0) {
            *cell -= 1;
            self.count -= 1;
        }
    }

    pub(super) fn sweep(&mut self, now: WallTime) {
        let oldest = self.epoch(now).saturating_sub(u64::from(self.epochs));
        while self.first < oldest {
            let Some(count) = self.counts.pop_front() else {
                break;
            };
            self.left += count;
            self.count -= count;
            self.first += 1;
        }
    }

    fn leaving(&self, time: WallTime) -> u64 {
        let oldest = self.epoch(time).saturating_sub(u64::from(self.epochs));
        let epochs = self.counts.iter().zip(self.first..oldest);
        epochs.map(|(count, _)| *count).sum()
    }

    pub(super) fn holds(&self) -> bool {
        self.counts.iter().sum::<u64>() == self.count
            && self.counts.len() <= self.epochs as usize + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::RoomId;

    const IDLE: Duration = Duration::from_secs(600);

    fn at(second: u64) -> WallTime {
        WallTime::from_millis(1_800_000_000_000 + second * 1_000)
    }

    fn pass(id: u64, seen: u64, confirmed: bool) -> Pass {
        Pass {
            room: RoomId(1),
            id,
            began: at(0),
            seen: at(seen),
            confirmed,
        }
    }

    #[test]
    fn a_pass_seen_once_counts_for_half_a_minute() {
        let mut inside = Inside::new(IDLE);
        inside.enter(at(0));
        for (second, expected) in [(1, 1), (29, 1), (32, 0)] {
            inside.sweep(at(second));
            assert_eq!(inside.count(), expected, "after {second} s");
        }
    }

    #[test]
    fn a_page_and_its_pictures_count_once() {
        let mut inside = Inside::new(IDLE);
        inside.enter(at(0));
        for _ in 0..20 {
            inside.renew(&pass(1, 0, false), at(2));
        }
        assert_eq!(inside.count(), 1);
        for _ in 0..20 {
            inside.renew(&pass(1, 2, true), at(90));
        }
        assert_eq!(inside.count(), 1);
        inside.sweep(at(680));
        assert_eq!(inside.count(), 1, "seen at 90 s, so inside until 690 s");
        inside.sweep(at(800));
        assert_eq!(inside.count(), 0);
    }

    #[test]
    fn an_ended_visit_frees_its_place_once() {
        let mut inside = Inside::new(IDLE);
        inside.enter(at(0));
        inside.enter(at(0));
        inside.end(&pass(1, 0, false));
        inside.end(&pass(1, 0, false));
        assert_eq!(inside.count(), 1);
    }

    #[test]
    fn a_new_idle_time_loses_nobody() {
        let mut inside = Inside::new(IDLE);
        inside.renew(&pass(1, 0, true), at(10));
        inside.set_idle(IDLE / 2, at(20));
        assert_eq!(inside.count(), 1);
        inside.sweep(at(400));
        assert_eq!(inside.count(), 0);
    }
}

//! What was counted a moment ago, so that the same credential arriving in parallel (a page and
//! its pictures, two tabs, a reload) moves a count once.
//!
//! A table of fixed size without chains: a newer entry may push out an older one, and then a
//! repetition counts once more. Bounded and harmless, where an exact set would grow with people.

use alloc::vec;
use alloc::vec::Vec;

use crate::mix::mix;

/// Keys noted recently.
#[derive(Debug)]
pub(super) struct Recent {
    /// A power of two of slots; zero is an empty one.
    slots: Vec<u64>,
}

impl Recent {
    /// With room for `1 << bits` keys.
    pub(super) fn new(bits: u32) -> Self {
        Self {
            slots: vec![0; 1 << bits],
        }
    }

    /// One key for an id and what was counted of it.
    pub(super) const fn key(id: u64, part: u64) -> u64 {
        let key = mix(id ^ mix(part));
        if key == 0 { 1 } else { key }
    }

    /// Notes the key; true when it was noted before and is still known.
    pub(super) fn note(&mut self, key: u64) -> bool {
        self.slot(key)
            .is_some_and(|slot| core::mem::replace(slot, key) == key)
    }

    /// Whether the key is known.
    pub(super) fn knows(&self, key: u64) -> bool {
        self.slots.get(self.index(key)) == Some(&key)
    }

    /// Forgets the key.
    pub(super) fn forget(&mut self, key: u64) {
        if let Some(slot) = self.slot(key)
            && *slot == key
        {
            *slot = 0;
        }
    }

    fn slot(&mut self, key: u64) -> Option<&mut u64> {
        let index = self.index(key);
        self.slots.get_mut(index)
    }

    const fn index(&self, key: u64) -> usize {
        key as usize & (self.slots.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_is_known_until_it_is_forgotten() {
        let mut recent = Recent::new(4);
        let key = Recent::key(7, 1);
        assert!(!recent.note(key));
        assert!(recent.note(key));
        assert!(recent.knows(key));
        recent.forget(key);
        assert!(!recent.note(key));
    }

    #[test]
    fn it_never_grows() {
        let mut recent = Recent::new(4);
        let repeated = (0..10_000)
            .filter(|&id| recent.note(Recent::key(id, 0)))
            .count();
        assert_eq!((repeated, recent.slots.len()), (0, 16));
    }
}

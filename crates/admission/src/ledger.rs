//! What was taken back and what was used up: passes that were revoked, codes that were opened
//! once. Names with an end, in tables of fixed size, so that nobody makes them grow.

use alloc::vec::Vec;

use crate::rotation::KEPT;
use crate::time::WallTime;

/// Entries of each table; sixteen bytes each.
pub const ENTRIES_MAX: usize = 16_384;

/// Names with an end each, in the order of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names(Vec<(u64, WallTime)>);

impl Names {
    fn knows(&self, name: u64) -> bool {
        self.0.binary_search_by_key(&name, |entry| entry.0).is_ok()
    }

    /// Forgets what has ended.
    fn sweep(&mut self, now: WallTime) {
        self.0.retain(|(_, until)| *until > now);
    }

    fn is_full(&self) -> bool {
        self.0.len() >= ENTRIES_MAX
    }

    fn put(&mut self, name: u64, until: WallTime) {
        match self.0.binary_search_by_key(&name, |entry| entry.0) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = entry.1.max(until);
                }
            }
            Err(at) => self.0.insert(at, (name, until)),
        }
        debug_assert!(self.0.len() <= ENTRIES_MAX, "a bounded table");
    }

    /// The entry that ends first makes room.
    fn crowd_out(&mut self) {
        let ends = self.0.iter().enumerate().map(|(at, entry)| (entry.1, at));
        if let Some((_, at)) = ends.min() {
            self.0.remove(at);
        }
    }
}

/// Who is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// One pass, by its id.
    Pass(u64),
    /// Every pass with the reference that people are shown: the upper half of its id. Among
    /// 100,000 visitors another one has the same in one of 43,000 cases; that one gets in line
    /// again, as the one who was meant.
    Reference(u32),
}

/// What became of somebody who came with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// For the first time.
    First,
    /// It was opened before.
    Again,
    /// Too many codes were opened lately to remember one more.
    Full,
}

/// The tables of one room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    passes: Names,
    references: Names,
    codes: Names,
}

impl Ledger {
    /// Revokes for as long as any ticket or pass of that visitor could be opened. Says whether an
    /// older revocation had to make room.
    pub fn revoke(&mut self, whom: Whom, now: WallTime) -> bool {
        let (names, name) = match whom {
            Whom::Pass(id) => (&mut self.passes, id),
            Whom::Reference(upper) => (&mut self.references, u64::from(upper)),
        };
        names.sweep(now);
        let crowded = names.is_full() && !names.knows(name);
        if crowded {
            names.crowd_out();
        }
        names.put(name, now.plus(KEPT));
        crowded
    }

    /// Whether the pass of this id is worth nothing any more.
    #[must_use]
    pub fn is_revoked(&self, pass: u64) -> bool {
        self.passes.knows(pass) || self.references.knows(pass >> 32)
    }

    /// Whether anybody is revoked.
    #[must_use]
    pub const fn revokes(&self) -> bool {
        !self.passes.0.is_empty() || !self.references.0.is_empty()
    }

    /// Opens a code that is good until `until`: the first time only. A full table refuses, because
    /// forgetting one would make it good again.
    pub fn open(&mut self, code: u64, until: WallTime, now: WallTime) -> Opening {
        self.codes.sweep(now);
        if self.codes.knows(code) {
            return Opening::Again;
        }
        if self.codes.is_full() {
            return Opening::Full;
        }
        self.codes.put(code, until);
        Opening::First
    }

    /// Whether a code was opened before.
    #[must_use]
    pub fn was_opened(&self, code: u64) -> bool {
        self.codes.knows(code)
    }

    /// As bytes: for each table the number of its entries, then name and end of each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for Names(entries) in [&self.passes, &self.references, &self.codes] {
            out.extend_from_slice(&(entries.len() as u64).to_be_bytes());
            for (name, until) in entries {
                out.extend_from_slice(&name.to_be_bytes());
                out.extend_from_slice(&until.as_millis().to_be_bytes());
            }
        }
        out
    }

    /// What [`to_bytes`](Self::to_bytes) wrote; `None` for anything else.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (passes, rest) = names(bytes)?;
        let (references, rest) = names(rest)?;
        let (codes, rest) = names(rest)?;
        rest.is_empty().then_some(Self {
            passes,
            references,
            codes,
        })
    }
}

fn names(bytes: &[u8]) -> Option<(Names, &[u8])> {
    let (count, rest) = bytes.split_first_chunk()?;
    let count = usize::try_from(u64::from_be_bytes(*count)).ok()?;
    if count > ENTRIES_MAX {
        return None;
    }
    let (entries, rest) = rest.split_at_checked(count * 16)?;
    let (entries, _) = entries.as_chunks::<16>();
    let read = |entry: &[u8; 16]| {
        let (name, until) = entry.split_first_chunk()?;
        let (until, _) = until.split_first_chunk()?;
        let until = WallTime::from_millis(u64::from_be_bytes(*until));
        Some((u64::from_be_bytes(*name), until))
    };
    let entries: Vec<_> = entries.iter().map(read).collect::<Option<_>>()?;
    let ordered = entries.is_sorted_by(|one, next| one.0 < next.0);
    ordered.then_some((Names(entries), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::AGE_MAX;
    use core::time::Duration;

    const NOW: WallTime = WallTime::from_millis(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn who_is_revoked_stays_so_as_long_as_a_cookie_could_be_opened() {
        let mut ledger = Ledger::default();
        assert!(!ledger.revokes());
        ledger.revoke(Whom::Pass(7), NOW);
        ledger.revoke(Whom::Reference(9), NOW);
        assert!(ledger.revokes());
        for (pass, revoked) in [
            (7, true),
            (8, false),
            (9 << 32, true),
            ((9 << 32) + 5, true),
            (10 << 32, false),
        ] {
            assert_eq!(ledger.is_revoked(pass), revoked, "{pass}");
        }
        ledger.revoke(Whom::Pass(1), NOW.plus(AGE_MAX));
        assert!(ledger.is_revoked(7), "still");
        ledger.revoke(Whom::Pass(1), NOW.plus(AGE_MAX + HOUR * 25));
        assert!(!ledger.is_revoked(7), "forgotten");
    }

    #[test]
    fn a_full_table_gives_up_the_oldest_revocation_and_no_opened_code() {
        let mut ledger = Ledger::default();
        for turn in 0..ENTRIES_MAX as u64 {
            let now = NOW.plus(Duration::from_millis(turn));
            assert!(!ledger.revoke(Whom::Pass(turn), now));
            assert_eq!(ledger.open(turn, NOW.plus(HOUR), NOW), Opening::First);
        }
        assert!(ledger.revoke(Whom::Pass(u64::MAX), NOW.plus(HOUR)));
        assert!(!ledger.is_revoked(0) && ledger.is_revoked(1) && ledger.is_revoked(u64::MAX));
        assert!(
            !ledger.revoke(Whom::Pass(1), NOW.plus(HOUR)),
            "it is there already"
        );
        let new = u64::MAX;
        assert_eq!(ledger.open(new, NOW.plus(HOUR * 2), NOW), Opening::Full);
        assert_eq!(ledger.open(0, NOW.plus(HOUR), NOW), Opening::Again);
        let later = NOW.plus(HOUR);
        assert_eq!(
            ledger.open(new, later.plus(HOUR), later),
            Opening::First,
            "the others have ended"
        );
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else_is() {
        let mut ledger = Ledger::default();
        ledger.revoke(Whom::Pass(3), NOW);
        ledger.revoke(Whom::Reference(4), NOW);
        ledger.open(5, NOW.plus(HOUR), NOW);
        ledger.open(2, NOW.plus(HOUR), NOW);
        let bytes = ledger.to_bytes();
        assert_eq!(Ledger::of_bytes(&bytes), Some(ledger));
        for length in 0..bytes.len() {
            assert_eq!(Ledger::of_bytes(&bytes[..length]), None, "{length} bytes");
        }
        for (at, what) in [(0, 0xff), (7, 200), (8, 0xff), (bytes.len() - 24, 9)] {
            let mut other = bytes.clone();
            other[at] = what;
            // Whatever is read is in order, so that it is found again.
            if let Some(found) = Ledger::of_bytes(&other) {
                assert!(found.codes.0.is_sorted_by(|one, next| one.0 < next.0));
            }
        }
    }
}

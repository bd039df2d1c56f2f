//! A draw's rule: who knows the seed and a reference knows the rank, and nobody else does.
//!
//! Before a draw its commitment is published, SHA-256 of the seed; from the draw on the seed
//! itself. The rank is the first 64 bits of SHA-256 over the seed's 32 bytes and the reference's
//! 8 bytes, both as published; the lowest rank goes first. With a fixed length and a secret
//! prefix of 256 bits nothing about a rank shows before the seed does.

use core::fmt;

use crate::digest::sha256;
use crate::pass::Pass;

/// What decides a draw. Secret until the draw; never printed by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A seed of these bytes, which must be unguessable.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for who may know them: from the draw on, everybody.
    #[must_use]
    pub const fn expose(&self) -> [u8; 32] {
        self.0
    }

    /// What is published before the draw, and binds it.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        sha256(&self.0)
    }

    /// The rank of a visitor's full reference, which is the pass's id; the lowest goes first.
    #[must_use]
    pub fn rank(&self, reference: u64) -> u64 {
        let mut message = [0; 40];
        let bytes = self.0.into_iter().chain(reference.to_be_bytes());
        for (place, byte) in message.iter_mut().zip(bytes) {
            *place = byte;
        }
        let digest = sha256(&message);
        let (first, _) = digest.as_chunks::<8>();
        first
            .first()
            .copied()
            .map(u64::from_be_bytes)
            .unwrap_or_default()
    }

    /// The rank of a ticket.
    #[must_use]
    pub fn rank_of(&self, ticket: u64) -> u64 {
        self.rank(Pass::id_of(ticket))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Seed = Seed::new([7; 32]);

    #[test]
    fn a_seed_is_never_printed() {
        assert_eq!(format!("{SEED:?}"), "Seed(..)");
    }

    /// `(printf '\x07%.0s' {1..32}; printf '\x01\x23\x45\x67\x89\xab\xcd\xef') | sha256sum`
    #[test]
    fn the_rule_is_what_anybody_can_recompute_with_sha256sum() {
        assert_eq!(SEED.rank(0x0123_4567_89ab_cdef), RANK);
        assert_ne!(SEED.rank(0x0123_4567_89ab_cdee), RANK);
        assert_ne!(Seed::new([8; 32]).rank(0x0123_4567_89ab_cdef), RANK);
        assert_eq!(SEED.commitment()[..4], COMMITMENT);
    }

    const RANK: u64 = 0x295f_4f39_4e84_8e56;
    const COMMITMENT: [u8; 4] = [0x4b, 0xb0, 0x6f, 0x8e];
}

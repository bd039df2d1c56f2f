//! Randomness for ids and keys, from the system through aws-lc.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use forebay_layers::request_id::RequestIds;

/// Thirty-two random bytes.
///
/// # Panics
/// When the system has no randomness: then no ticket would be worth anything.
#[must_use]
pub(crate) fn bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system gives random bytes");
    bytes
}

/// Names for tickets and passes: they differ and tell nothing, but what makes them safe is their
/// MAC; so a counter, mixed under a random start, is enough, and costs nothing in a surge.
pub(crate) fn ids() -> impl Fn() -> u64 + Send + Sync {
    let ids = RequestIds::new(word(), word());
    move || ids.word()
}

/// One random word.
#[must_use]
pub(crate) fn word() -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Half a random word.
#[must_use]
pub(crate) fn half_word() -> u32 {
    let [a, b, c, d, ..] = bytes();
    u32::from_le_bytes([a, b, c, d])
}

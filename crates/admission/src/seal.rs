//! The MAC under tickets and passes, as an argument: this crate says what is signed and how it
//! is checked, the shell holds the keys and computes.

/// Names one of the keys that are alive; travels in clear in each credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub u8);

/// Bytes of the MAC that travel in a credential: 128 bits, truncated as RFC 2104 section 5 allows.
pub const MAC_BYTES: usize = 16;

/// The keys, held elsewhere. Two or more may be alive while keys change.
pub trait Seal {
    /// The key that signs what is issued now. [`mac`](Self::mac) knows it.
    fn signing_key(&self) -> KeyId;

    /// HMAC-SHA-256 of `message` under `key`; `None` when that key is not (or no longer) known.
    fn mac(&self, key: KeyId, message: &[u8]) -> Option<[u8; 32]>;
}

/// Compares without a branch on the content, so that the time taken tells a forger nothing.
/// Only the lengths, which are public, may end it early.
#[must_use]
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let differing = left
        .iter()
        .zip(right)
        .fold(0u8, |acc, (l, r)| acc | (l ^ r));
    core::hint::black_box(differing) == 0
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn equal_is_equality() {
        let cases: [(&[u8], &[u8], bool); 5] = [
            (b"", b"", true),
            (b"abc", b"abc", true),
            (b"abc", b"abd", false),
            (b"abc", b"bbc", false),
            (b"abc", b"ab", false),
        ];
        for (left, right, expected) in cases {
            assert_eq!(equal(left, right), expected, "{left:?} {right:?}");
        }
    }
}

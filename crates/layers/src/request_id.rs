//! The request's name: in logs, on pages, at the origin (`X-Request-Id`).
//!
//! A trusted proxy's id is kept when it is a plain token; everybody else gets a fresh one, so
//! that nobody writes into the log what is not theirs.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;

/// The longest id that is taken over from a trusted proxy, in bytes.
pub const FOREIGN_MAX: usize = 64;

/// One request's id, at most [`FOREIGN_MAX`] bytes of token characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    bytes: [u8; FOREIGN_MAX],
    length: u8,
}

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }

    /// The id as a header's value.
    #[must_use]
    pub fn to_value(&self) -> HeaderValue {
        HeaderValue::from_bytes(self.as_bytes()).unwrap_or(HeaderValue::from_static("-"))
    }

    /// Takes over an id that a trusted proxy gave; `None` when it is no plain token.
    #[must_use]
    pub fn foreign(value: &HeaderValue) -> Option<Self> {
        let text = value.as_bytes();
        let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:".contains(b);
        if text.is_empty() || text.len() > FOREIGN_MAX || !text.iter().all(plain) {
            return None;
        }
        Some(Self::of(text))
    }

    fn of(text: &[u8]) -> Self {
        let mut bytes = [0; FOREIGN_MAX];
        let mut length = 0;
        for (slot, byte) in bytes.iter_mut().zip(text) {
            *slot = *byte;
            length += 1;
        }
        Self { bytes, length }
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes ids: a random start for each worker and a count, mixed so that ids do not tell how
/// many requests there were.
#[derive(Debug)]
pub struct RequestIds {
    start: u64,
    key: u64,
    count: AtomicU64,
}

impl RequestIds {
    /// Ids that begin anywhere; `start` and `key` are random.
    #[must_use]
    pub const fn new(start: u64, key: u64) -> Self {
        Self {
            start,
            key,
            count: AtomicU64::new(0),
        }
    }

    /// The next id of one word.
    #[must_use]
    pub fn word(&self) -> u64 {
        mix(self.start ^ self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// The next id: 32 hexadecimal digits.
    #[must_use]
    pub fn next(&self) -> RequestId {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let words = [mix(self.start ^ count), mix(self.key.wrapping_add(count))];
        let mut text = [0; 32];
        for (index, slot) in text.iter_mut().enumerate() {
            let word = words[index / 16];
            *slot = DIGITS[((word >> (60 - 4 * (index % 16))) & 15) as usize];
        }
        RequestId::of(&text)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014): a bijection, so ids do not repeat.
pub(crate) const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_32_hexadecimal_digits_and_differ() {
        let ids = RequestIds::new(7, 9);
        let (first, second) = (ids.next(), ids.next());
        assert_ne!(first.as_str(), second.as_str());
        assert_eq!(first.as_str().len(), 32);
        assert!(first.as_str().bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn only_plain_tokens_are_taken_over() {
        let cases = [
            ("abc-1", true),
            ("", false),
            ("a b", false),
            ("a\"b", false),
        ];
        for (text, taken) in cases {
            let value = HeaderValue::from_str(text).unwrap();
            assert_eq!(RequestId::foreign(&value).is_some(), taken, "{text:?}");
        }
        let long = HeaderValue::from_str(&"a".repeat(FOREIGN_MAX + 1)).unwrap();
        assert!(RequestId::foreign(&long).is_none());
    }
}

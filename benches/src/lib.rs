//! Benchmarks: `micro/` with criterion, `load/` on real programs. Here is what they share.

use aws_lc_rs::hmac;
use forebay_admission::seal::{KeyId, Seal};

/// One key under credentials, held as the shell holds it.
#[derive(Debug)]
pub struct Key(hmac::Key);

impl Default for Key {
    fn default() -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]))
    }
}

impl Seal for Key {
    fn signing_key(&self) -> KeyId {
        KeyId(1)
    }

    fn mac(&self, key: KeyId, message: &[u8]) -> Option<[u8; 32]> {
        (key == KeyId(1)).then(|| hmac::sign(&self.0, message).as_ref().try_into().ok())?
    }
}

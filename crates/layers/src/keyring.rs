//! The keys under tickets and passes: the first signs, all verify.

use aws_lc_rs::hmac;
use forebay_admission::seal::{KeyId, Seal};

/// HMAC-SHA-256 keys, with their inner and outer states computed once.
pub struct Keyring {
    signing: KeyId,
    keys: Vec<(KeyId, hmac::Key)>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Keyring {
    /// A ring of the given secrets; the first signs. Empty: nothing can be signed or verified,
    /// so the caller makes sure of one.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let keys: Vec<_> = secrets
            .into_iter()
            .map(|secret| (id_of(secret), hmac::Key::new(hmac::HMAC_SHA256, secret)))
            .collect();
        Self {
            signing: keys.first().map_or(KeyId(0), |(id, _)| *id),
            keys,
        }
    }
}

/// A key's id is drawn from the key itself, so that every node names it alike and the order in
/// the file may change.
fn id_of(secret: &[u8]) -> KeyId {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret);
    KeyId(digest.as_ref().first().copied().unwrap_or_default())
}

impl Seal for Keyring {
    fn signing_key(&self) -> KeyId {
        self.signing
    }

    fn mac(&self, key: KeyId, message: &[u8]) -> Option<[u8; 32]> {
        let (_, key) = self.keys.iter().find(|(id, _)| *id == key)?;
        hmac::sign(key, message).as_ref().try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_key_verifies_and_the_first_signs() {
        let old = Keyring::new([&b"old secret"[..]]);
        let both = Keyring::new([&b"new secret"[..], b"old secret"]);
        let message = b"a place in line";
        assert_ne!(both.signing_key(), old.signing_key());
        assert_eq!(
            both.mac(old.signing_key(), message),
            old.mac(old.signing_key(), message)
        );
        assert_eq!(old.mac(both.signing_key(), message), None);
    }
}

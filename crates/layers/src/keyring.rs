//! The keys under tickets and passes: the first signs, all verify. They change while requests
//! are under way, for all workers at the same instant.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
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

    /// A secret for one purpose, which tells nothing of the keys. It is of the oldest of them: the
    /// same after a new one was put before it, and on every node that has the same keys.
    #[must_use]
    pub fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let digest = |key: &hmac::Key| hmac::sign(key, purpose).as_ref().try_into().ok();
        let derived = self.keys.last().and_then(|(_, key)| digest(key));
        derived.unwrap_or_default()
    }

    /// The names of its keys, the one that signs first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|(id, _)| *id)
    }

    /// Whether no two keys have the same name: else the later one could verify nothing.
    #[must_use]
    pub fn is_distinct(&self) -> bool {
        let known = |at| self.ids().take(at);
        self.ids()
            .enumerate()
            .all(|(at, id)| known(at).all(|other| other != id))
    }
}

/// The keys in force. Whoever signs or verifies takes them once for it, without a lock, so that a
/// change in between finds the whole of the old ring or the whole of the new one.
/// One for the process: a worker must not see a ticket before it knows the key.
#[derive(Debug)]
pub struct Keys(ArcSwap<Keyring>);

impl Keys {
    /// These keys, until others replace them.
    #[must_use]
    pub fn new(ring: Keyring) -> Self {
        Self(ArcSwap::from_pointee(ring))
    }

    /// The keys in force.
    #[must_use]
    pub fn now(&self) -> Guard<Arc<Keyring>> {
        self.0.load()
    }

    /// Puts others in force.
    pub fn replace(&self, ring: Keyring) {
        self.0.store(Arc::new(ring));
    }
}

/// A key's id is drawn from the key itself, so that every node names it alike and the order in
/// the file may change.
#[must_use]
pub fn id_of(secret: &[u8]) -> KeyId {
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
    fn what_is_derived_stays_when_a_new_key_signs() {
        let old = Keyring::new([&b"old secret"[..]]);
        let both = Keyring::new([&b"new secret"[..], b"old secret"]);
        assert_eq!(both.derive(b"a draw"), old.derive(b"a draw"));
        assert_ne!(old.derive(b"a draw"), old.derive(b"another"));
        assert_ne!(
            old.derive(b"a draw"),
            Keyring::new([&b"other"[..]]).derive(b"a draw")
        );
    }

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
    #[test]
    fn two_keys_of_one_name_are_found_out() {
        let secrets: Vec<[u8; 4]> = (0..400u32).map(u32::to_be_bytes).collect();
        let ring = |count| Keyring::new(secrets.iter().take(count).map(|secret| &secret[..]));
        assert!(ring(0).is_distinct() && ring(1).is_distinct());
        // 400 keys cannot have different names of one byte.
        assert!(!ring(400).is_distinct());
        let distinct = (0..400)
            .take_while(|count| ring(*count).is_distinct())
            .count();
        let names: std::collections::BTreeSet<_> = ring(distinct).ids().map(|id| id.0).collect();
        assert_eq!(names.len() + 1, distinct, "the last one repeats a name");
    }
}

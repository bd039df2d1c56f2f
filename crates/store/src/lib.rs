//! Where rooms' states, the keys of their tickets and the limits found survive the process.
//!
//! A save that has returned survives the death of the process; one that has been synced since
//! also survives the loss of power. What cannot be read is an error that names the file, never
//! an empty room: whether a line of people starts over is not decided here.
#![forbid(unsafe_code)]

mod embedded;
mod error;

use std::fmt;

pub use embedded::Embedded;
pub use error::StoreError;

/// The verbs that rooms and limits need. All of them block on files or the network, each for a bounded
/// time on a healthy disk: they are called off the workers.
pub trait Store: Send + Sync {
    /// The newest snapshot of a room; `None` when none was ever saved.
    ///
    /// # Errors
    /// It cannot be read, or what is there is damaged.
    fn load(&self, room: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps a snapshot. When it returns, the death of the process does not lose it; what was
    /// saved before stays readable until then, and when saving fails.
    ///
    /// # Errors
    /// It could not be written; the snapshot saved before is still there.
    fn save(&self, room: &str, snapshot: &[u8]) -> Result<(), StoreError>;

    /// The limit that an origin's adaptive law had found; `None` when none was ever saved.
    ///
    /// # Errors
    /// It cannot be read, or what is there is damaged.
    fn limit(&self, origin: &str) -> Result<Option<u32>, StoreError>;

    /// Keeps the limit of an origin, as [`save`](Self::save) keeps a room.
    ///
    /// # Errors
    /// It could not be written; what was saved before is still there.
    fn save_limit(&self, origin: &str, limit: u32) -> Result<(), StoreError>;

    /// What was revoked and opened in a room; `None` when nothing ever was.
    ///
    /// # Errors
    /// It cannot be read, or what is there is damaged.
    fn ledger(&self, room: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps what was revoked and opened in a room, as [`save`](Self::save) keeps the room.
    ///
    /// # Errors
    /// It could not be written; what was saved before is still there.
    fn save_ledger(&self, room: &str, ledger: &[u8]) -> Result<(), StoreError>;

    /// Makes what has been saved survive the loss of power. Takes as long as the disk takes;
    /// saves go on meanwhile.
    ///
    /// # Errors
    /// Of the first record for which it failed; the others were still tried.
    fn sync(&self) -> Result<(), StoreError>;

    /// The keys of tickets and passes; `None` when none were ever saved.
    ///
    /// # Errors
    /// They cannot be read, or what is there is damaged.
    fn keys(&self) -> Result<Option<StoredKeys>, StoreError>;

    /// Keeps the keys in place of those before, whole or not at all. When it returns, not even
    /// the loss of power loses them: only then anything may be signed with a new one.
    ///
    /// # Errors
    /// They could not be written; those saved before are still there.
    fn save_keys(&self, keys: &StoredKeys) -> Result<(), StoreError>;
}

/// The keys of tickets and passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredKeys {
    /// Those that verify, the newest first: it signs. At most 255.
    pub live: Vec<StoredKey>,
    /// The names of keys that ended at once, which no new key may take for a while. At most 255.
    pub gone: Vec<GoneKey>,
}

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The secret.
    pub bytes: KeyBytes,
    /// Since when it signs or signed: milliseconds since 1970; zero where nobody noted it.
    pub since_millis: u64,
}

/// A key that was taken away before its time; the secret is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoneKey {
    /// Its name in tickets and passes.
    pub id: u8,
    /// When it ended: milliseconds since 1970.
    pub ended_millis: u64,
}

/// A secret key. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyBytes(pub [u8; 32]);

impl AsRef<[u8]> for KeyBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBytes(..)")
    }
}

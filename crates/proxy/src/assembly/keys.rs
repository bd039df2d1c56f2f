//! The keys of tickets and passes in the running process. Those of the configuration are the
//! operator's to change. Those that were made here change by the clock or by command, are on disk
//! before they sign, and verify for as long as what they signed may be worth something.

use std::time::Duration;

use forebay_admission::rotation::{self, KEYS_MAX};
use forebay_admission::seal::KeyId;
use forebay_admission::time::WallTime;
use forebay_config::Config;
use forebay_layers::keyring::{Keyring, id_of};
use forebay_store::{GoneKey, KeyBytes, Store, StoreError, StoredKey, StoredKeys};

use crate::random;

/// Names of keys that ended at once and are remembered; the oldest are forgotten first.
const GONE_MAX: usize = 64;

/// The keys that were made here; empty where the configuration names its own.
#[derive(Default)]
pub(super) struct MadeKeys {
    kept: Option<StoredKeys>,
}

/// Why keys cannot be used, or cannot change.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The state directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Two configured keys are called alike.
    #[error(
        "two of state.keys begin their SHA-256 with the same byte, by which keys are called: \
         put another one in the place of one of them"
    )]
    Alike,
    /// The configuration names the keys.
    #[error(
        "the keys are those of state.keys: add the new one at its end and reload, on every node; \
         then put it first and reload again"
    )]
    Configured,
    /// Each of them may still be needed.
    #[error(
        "{KEYS_MAX} keys are alive, and what they signed may still be good; \
         --distrust ends them at once, and with them every ticket and pass"
    )]
    TooMany,
}

/// What a change of keys is to do with those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// They verify until nothing of theirs is worth anything.
    Kept,
    /// They end at once: every ticket and pass is worthless.
    Ended,
}

impl MadeKeys {
    /// The ring of a configuration; reads the kept keys, or makes the first one.
    pub(super) fn ring(
        &mut self,
        config: &Config,
        store: &dyn Store,
        now: WallTime,
    ) -> Result<Keyring, KeysError> {
        if !config.state.keys.is_empty() {
            self.kept = None;
            let ring = Keyring::new(config.state.keys.iter().map(|key| key.expose()));
            return if ring.is_distinct() {
                Ok(ring)
            } else {
                Err(KeysError::Alike)
            };
        }
        let kept = match self.kept.take() {
            Some(kept) => Some(kept),
            None => store.keys()?,
        };
        let mut kept = match kept {
            Some(kept) => kept,
            None => {
                let first = with_new(&StoredKeys::default(), Trust::Kept, now);
                store.save_keys(&first)?;
                first
            }
        };
        kept.live.truncate(rotation::needed(&since(&kept), now));
        Ok(ring_of(self.kept.insert(kept)))
    }

    /// A new key signs. It is in the file when this returns.
    pub(super) fn rotate(
        &mut self,
        trust: Trust,
        store: &dyn Store,
        now: WallTime,
    ) -> Result<Keyring, KeysError> {
        let kept = self.kept.as_mut().ok_or(KeysError::Configured)?;
        kept.live.truncate(rotation::needed(&since(kept), now));
        if trust == Trust::Kept && kept.live.len() >= KEYS_MAX {
            return Err(KeysError::TooMany);
        }
        let new = with_new(kept, trust, now);
        store.save_keys(&new)?;
        *kept = new;
        Ok(ring_of(kept))
    }

    /// Whether the clock asks for a new key.
    pub(super) fn is_due(&self, period: Option<Duration>, now: WallTime) -> bool {
        let kept = self.kept.as_ref();
        kept.is_some_and(|kept| rotation::is_due(&since(kept), period, now))
    }

    /// The ring without keys that are no longer needed, when there are any.
    pub(super) fn without_old(&mut self, now: WallTime) -> Option<Keyring> {
        let kept = self.kept.as_mut()?;
        let needed = rotation::needed(&since(kept), now);
        (needed < kept.live.len()).then(|| {
            kept.live.truncate(needed);
            ring_of(kept)
        })
    }
}

fn since(keys: &StoredKeys) -> Vec<WallTime> {
    let times = keys.live.iter().map(|key| key.since_millis);
    times.map(WallTime::from_millis).collect()
}

fn ring_of(keys: &StoredKeys) -> Keyring {
    Keyring::new(keys.live.iter().map(|key| key.bytes.as_ref()))
}

fn id(key: &StoredKey) -> KeyId {
    id_of(key.bytes.as_ref())
}

/// The keys with a new one before them, called like none of which anything can still be around.
fn with_new(keys: &StoredKeys, trust: Trust, now: WallTime) -> StoredKeys {
    let mut gone: Vec<GoneKey> = keys.gone.clone();
    let mut live = keys.live.clone();
    if trust == Trust::Ended {
        let ended_millis = now.as_millis();
        let ended = live.drain(..).map(|key| GoneKey {
            id: id(&key).0,
            ended_millis,
        });
        gone.extend(ended);
    }
    let around = |gone: &GoneKey| {
        now.saturating_since(WallTime::from_millis(gone.ended_millis)) <= rotation::KEPT
    };
    gone.retain(around);
    gone.drain(..gone.len().saturating_sub(GONE_MAX));
    let taken = |id: KeyId| {
        live.iter().any(|key| self::id(key) == id) || gone.iter().any(|gone| gone.id == id.0)
    };
    let fresh = std::iter::repeat_with(random::bytes)
        .find(|secret| !taken(id_of(secret)))
        .expect("at most 72 of 256 names are taken");
    let key = StoredKey {
        bytes: KeyBytes(fresh),
        since_millis: now.as_millis(),
    };
    live.insert(0, key);
    StoredKeys { live, gone }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const DAY: u64 = 24 * 3_600 * 1_000;

    #[test]
    fn a_name_comes_back_only_when_nothing_of_its_key_can_be_around() {
        let mut keys = StoredKeys::default();
        let mut recent: Vec<(u64, u8)> = Vec::new();
        for turn in 0..600 {
            let day = turn / 2;
            let now = WallTime::from_millis(day * DAY);
            let trust = if turn % 3 == 0 {
                Trust::Ended
            } else {
                Trust::Kept
            };
            keys = with_new(&keys, trust, now);
            let names: BTreeSet<u8> = keys.live.iter().map(|key| id(key).0).collect();
            assert_eq!(names.len(), keys.live.len(), "no two alike");
            let newest = id(&keys.live[0]).0;
            let around = recent.iter().filter(|(ended, _)| day - ended <= 31);
            assert!(
                around.clone().count() <= GONE_MAX,
                "the test itself asks for too much"
            );
            assert!(around.clone().all(|(_, id)| *id != newest), "day {day}");
            recent.push((day, newest));
        }
    }
}

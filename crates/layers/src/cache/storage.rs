//! Where copies lie: sharded, bounded in bytes, the least used go first. Beside it, who is just
//! being asked for: one request fetches an answer, the others wait for it.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahash::RandomState;
use forebay_admission::time::Timestamp;
use http::HeaderMap;
use quick_cache::sync::{Cache as Shards, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};
use tokio::sync::watch;

use super::key::{Key, Varying};
use super::stored::Stored;
use crate::budget::{Budget, Slot};

/// How large a cache is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSize {
    /// Bytes of all copies together, names and fields included (`cache.size`).
    pub all: u64,
    /// Bytes of one answer's body (`cache.object`).
    pub object: u64,
}

/// Independent parts, each with a lock and an equal share of the bytes. Few, so that the share is
/// several times the largest object.
const SHARDS: usize = 4;

/// What a copy costs beside its own bytes.
const OVERHEAD: usize = 256;

/// So long nobody waits for an answer that turned out not to be kept.
const UNKEPT: Duration = Duration::from_secs(10);

/// Fetches that others may wait for at once; further ones fetch for themselves alone.
const FETCHES_MAX: usize = 4_096;

/// The cache of one process.
pub struct Cache {
    size: CacheSize,
    copies: Shards<Key, Kept, Weight, RandomState>,
    generations: AtomicU64,
    fetches: Mutex<HashMap<Key, watch::Receiver<Fetched>, RandomState>>,
    /// Bytes of answers that are being read, half as many as are kept.
    reading: Arc<Budget>,
}

/// What is known under a name.
#[derive(Clone)]
enum Kept {
    /// A copy.
    Copy(Arc<Stored>),
    /// The answer has several forms.
    Forms(Varying, u64),
    /// The answer is not kept: until then nobody waits for it.
    Nothing(Timestamp),
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Kept> for Weight {
    fn weight(&self, key: &Key, kept: &Kept) -> u64 {
        let size = match kept {
            Kept::Copy(stored) => stored.size(),
            Kept::Forms(..) | Kept::Nothing(_) => 0,
        };
        (key.len() + size + OVERHEAD) as u64
    }
}

/// What was found for a request.
pub(super) enum Found {
    /// A copy, fresh or stale.
    Copy(Arc<Stored>),
    /// An answer that is not kept.
    Unkept,
    /// Nothing.
    Nothing,
}

/// What came of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// Nothing yet; with the fetch gone: nobody fetches any more, somebody else may.
    NotYet,
    /// It is there, or is not to be kept, or failed: everybody looks, then asks alone.
    Over,
}

/// Whether a request is the one that fetches.
pub(super) enum Turn {
    /// It is; the others wait for this.
    Fetch(Fetch),
    /// Another one is on its way.
    Wait(watch::Receiver<Fetched>),
    /// Too many are on their way.
    Alone,
}

/// One fetch on its way. Its drop lets those go who wait.
pub(super) struct Fetch {
    cache: Arc<Cache>,
    key: Key,
    done: watch::Sender<Fetched>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Cache {
    /// An empty cache of this size.
    #[must_use]
    pub fn new(size: CacheSize) -> Arc<Self> {
        let items = usize::try_from(size.all / (16 * 1024)).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .shards(SHARDS)
            .estimated_items_capacity(items.clamp(256, 1 << 16))
            .weight_capacity(size.all)
            .build()
            .expect("all that is needed is set");
        let lifecycle = DefaultLifecycle::default();
        Arc::new(Self {
            size,
            copies: Shards::with_options(options, Weight, RandomState::new(), lifecycle),
            generations: AtomicU64::new(0),
            fetches: Mutex::new(HashMap::default()),
            reading: Budget::new(size.all / 2),
        })
    }

    /// How large it is.
    #[must_use]
    pub const fn size(&self) -> CacheSize {
        self.size
    }

    /// What is kept for a request with these fields, and the name under which the form that it
    /// gets is kept.
    pub(super) fn find(&self, key: &Key, fields: &HeaderMap, now: Timestamp) -> (Found, Key) {
        match self.copies.get(key) {
            Some(Kept::Forms(varying, generation)) => {
                let Some(form) = varying.form(key, generation, fields) else {
                    return (Found::Unkept, key.clone());
                };
                (found(self.copies.get(&form), now), form)
            }
            kept => (found(kept, now), key.clone()),
        }
    }

    /// Whether an answer is known not to be kept.
    pub(super) fn is_unkept(&self, key: &Key, now: Timestamp) -> bool {
        matches!(found(self.copies.get(key), now), Found::Unkept)
    }

    /// Keeps a copy, in the form for a request with these fields.
    pub(super) fn keep(&self, key: &Key, headers: &HeaderMap, stored: Arc<Stored>) {
        let varying = stored.varying();
        if varying.is_nothing() {
            self.copies.insert(key.clone(), Kept::Copy(stored));
            return;
        }
        let generation = match self.copies.get(key) {
            Some(Kept::Forms(known, generation)) if known == varying => generation,
            _ => {
                let generation = self.generations.fetch_add(1, Ordering::Relaxed);
                let forms = Kept::Forms(varying, generation);
                self.copies.insert(key.clone(), forms);
                generation
            }
        };
        if let Some(form) = varying.form(key, generation, headers) {
            self.copies.insert(form, Kept::Copy(stored));
        }
    }

    /// Forgets what is kept under a name, all its forms included: they belong to an index that is
    /// gone.
    pub(super) fn forget(&self, key: &Key) {
        self.copies.remove(key);
    }

    /// Room for a body that is about to be read; `None`: there is none.
    pub(super) fn room(&self, bytes: u64) -> Option<Slot> {
        (bytes <= self.size.object)
            .then(|| self.reading.take(bytes))
            .flatten()
    }

    /// Whose turn it is to fetch what is kept under this name.
    pub(super) fn turn(self: &Arc<Self>, key: &Key) -> Turn {
        let mut fetches = self.fetches();
        if let Some(fetch) = fetches.get(key) {
            return Turn::Wait(fetch.clone());
        }
        if fetches.len() >= FETCHES_MAX {
            return Turn::Alone;
        }
        let (done, waiting) = watch::channel(Fetched::NotYet);
        fetches.insert(key.clone(), waiting);
        Turn::Fetch(Fetch {
            cache: Arc::clone(self),
            key: key.clone(),
            done,
        })
    }

    fn fetches(&self) -> MutexGuard<'_, HashMap<Key, watch::Receiver<Fetched>, RandomState>> {
        // A map of receivers stays whole when a thread panics while it holds the lock.
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found(kept: Option<Kept>, now: Timestamp) -> Found {
    match kept {
        Some(Kept::Copy(stored)) => Found::Copy(stored),
        Some(Kept::Nothing(until)) if now < until => Found::Unkept,
        Some(Kept::Forms(..) | Kept::Nothing(_)) | None => Found::Nothing,
    }
}

impl Fetch {
    /// The answer is not one to keep: for a while nobody waits for the next one.
    pub(super) fn keep_nothing(&self, now: Timestamp) {
        let until = now.plus(UNKEPT);
        self.cache
            .copies
            .insert(self.key.clone(), Kept::Nothing(until));
    }

    /// It came to an end, whichever: who waits looks, and does not wait again.
    pub(super) fn over(self) {
        self.done.send_replace(Fetched::Over);
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.cache.fetches().remove(&self.key);
    }
}

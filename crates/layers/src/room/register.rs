//! The room's ledger at work: asked without a lock, and kept in a file of its own.
//!
//! While nobody is revoked, and that is nearly always, asking costs one atomic load.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use forebay_admission::ledger::{Ledger, Opening, Whom};
use forebay_admission::time::WallTime;
use forebay_store::{Store, StoreError};

/// One room's ledger.
pub struct Register {
    revokes: AtomicBool,
    /// What is read without a lock; replaced as a whole by each change.
    now: ArcSwap<Ledger>,
    /// Held by who changes it.
    changing: Mutex<()>,
    unsaved: AtomicBool,
    /// Held by who saves, so that the newest state is written last.
    saving: Mutex<()>,
    room: Arc<str>,
    store: Arc<dyn Store>,
}

fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Register {
    /// A room's ledger as it was saved. One that cannot be read is an error: nobody who was
    /// revoked comes back by a damaged file.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn open(room: Arc<str>, store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let saved = store.ledger(&room)?;
        let ledger = match saved {
            None => Ledger::default(),
            Some(bytes) => {
                Ledger::of_bytes(&bytes).ok_or_else(|| StoreError::Unreadable(room.to_string()))?
            }
        };
        Ok(Self {
            revokes: AtomicBool::new(ledger.revokes()),
            now: ArcSwap::from_pointee(ledger),
            changing: Mutex::new(()),
            unsaved: AtomicBool::new(false),
            saving: Mutex::new(()),
            room,
            store,
        })
    }

    /// Whether the pass of this id is worth nothing any more.
    #[must_use]
    pub fn is_revoked(&self, pass: u64) -> bool {
        self.revokes.load(Ordering::Acquire) && self.now.load().is_revoked(pass)
    }

    /// Revokes, at once in all workers. The next [`save`](Self::save) keeps it; the room's tick
    /// saves what nobody else has.
    pub fn revoke(&self, whom: Whom, now: WallTime) {
        let crowded = self.change(|ledger| ledger.revoke(whom, now));
        self.revokes.store(true, Ordering::Release);
        if crowded {
            tracing::warn!(
                room = &*self.room,
                "too many revoked: the oldest may return"
            );
        }
    }

    /// Opens a code: the first time only. It may be acted upon when [`save`](Self::save) has
    /// returned, or a kill in between would make it good again.
    pub fn open_code(&self, code: u64, until: WallTime, now: WallTime) -> Opening {
        self.change(|ledger| ledger.open(code, until, now))
    }

    /// Whether a code was opened before.
    #[must_use]
    pub fn was_opened(&self, code: u64) -> bool {
        self.now.load().was_opened(code)
    }

    fn change<T>(&self, what: impl FnOnce(&mut Ledger) -> T) -> T {
        let _turn = lock(&self.changing);
        let mut ledger = Ledger::clone(&self.now.load());
        let result = what(&mut ledger);
        self.now.store(Arc::new(ledger));
        self.unsaved.store(true, Ordering::Release);
        result
    }

    /// Keeps what has changed since the last time; blocks on a file, and costs one atomic swap
    /// when nothing has.
    ///
    /// # Errors
    /// It could not be written; the next save tries again.
    pub fn save(&self) -> Result<(), StoreError> {
        let _turn = lock(&self.saving);
        if !self.unsaved.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let bytes = self.now.load().to_bytes();
        let saved = self.store.save_ledger(&self.room, &bytes);
        if saved.is_err() {
            self.unsaved.store(true, Ordering::Release);
        }
        saved
    }
}

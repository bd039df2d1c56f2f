//! State in files of this machine: one directory, used by one process at a time.
//!
//! ```text
//! lock              held while a process runs, with its number
//! keys              the keys of tickets and passes, mode 0600
//! room-NAME.0 … .3  the slots of a room's snapshot
//! ledger-NAME.0 … .3 the slots of what was revoked and opened in a room
//! limit-NAME.0 … .3 the slots of an origin's limit
//! ```

mod keys;
mod name;
mod slot;
mod slots;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::slots::Slots;
use crate::{Store, StoreError, StoredKeys};

/// State in a directory of this machine.
#[derive(Debug)]
pub struct Embedded {
    directory: PathBuf,
    records: Mutex<BTreeMap<(&'static str, String), Arc<Slots>>>,
    /// Held so that one `sync` runs at a time.
    syncing: Mutex<()>,
    /// Its lock ends with the process, however that ends.
    _lock: File,
}

impl Embedded {
    /// Takes a directory, and makes it (mode 0700) when it is not there.
    ///
    /// # Errors
    /// Another process has it, or it cannot be made or written.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(StoreError::io("make", directory))?;
        Ok(Self {
            directory: directory.to_owned(),
            records: Mutex::default(),
            syncing: Mutex::default(),
            _lock: lock_directory(directory)?,
        })
    }

    fn record(&self, kind: &'static str, name: &str) -> Result<Arc<Slots>, StoreError> {
        let key = (kind, name.to_owned());
        if let Some(slots) = lock(&self.records).get(&key) {
            return Ok(Arc::clone(slots));
        }
        let opened = Arc::new(Slots::open(&self.directory, kind, name)?);
        let mut records = lock(&self.records);
        Ok(Arc::clone(records.entry(key).or_insert(opened)))
    }
}

/// The kinds of records.
const ROOM: &str = "room";
const LIMIT: &str = "limit";
const LEDGER: &str = "ledger";

impl Store for Embedded {
    fn load(&self, room: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.record(ROOM, room)?.load()
    }

    fn save(&self, room: &str, snapshot: &[u8]) -> Result<(), StoreError> {
        self.record(ROOM, room)?.save(snapshot)
    }

    fn limit(&self, origin: &str) -> Result<Option<u32>, StoreError> {
        let bytes = self.record(LIMIT, origin)?.load()?;
        Ok(bytes.and_then(|bytes| bytes.try_into().ok().map(u32::from_be_bytes)))
    }

    fn save_limit(&self, origin: &str, limit: u32) -> Result<(), StoreError> {
        self.record(LIMIT, origin)?.save(&limit.to_be_bytes())
    }

    fn ledger(&self, room: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.record(LEDGER, room)?.load()
    }

    fn save_ledger(&self, room: &str, ledger: &[u8]) -> Result<(), StoreError> {
        self.record(LEDGER, room)?.save(ledger)
    }

    fn sync(&self) -> Result<(), StoreError> {
        let _turn = lock(&self.syncing);
        let records: Vec<_> = lock(&self.records).values().cloned().collect();
        let mut results = Vec::with_capacity(records.len());
        for record in records {
            results.push(record.sync());
        }
        results.into_iter().collect()
    }

    fn keys(&self) -> Result<Option<StoredKeys>, StoreError> {
        keys::load(&self.directory)
    }

    fn save_keys(&self, keys: &StoredKeys) -> Result<(), StoreError> {
        keys::save(&self.directory, keys)
    }
}

/// Makes new, removed and renamed entries of a directory survive the loss of power.
fn sync_directory(directory: &Path) -> Result<(), StoreError> {
    File::open(directory)
        .and_then(|opened| opened.sync_all())
        .map_err(StoreError::io("sync", directory))
}

/// Options for a file that only its owner reads.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

fn lock_directory(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join("lock");
    let mut file = private()
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(StoreError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = file.read_to_string(&mut text);
            let pid = read.ok().and_then(|_| text.trim().parse().ok());
            return Err(StoreError::Locked {
                directory: directory.to_owned(),
                pid,
            });
        }
        Err(TryLockError::Error(source)) => return Err(StoreError::io("lock", &path)(source)),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(StoreError::io("write", &path))?;
    Ok(file)
}

/// What these locks guard stays whole when a thread panics while it holds one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The slots of one record: four files, of which the newest valid one counts.
//!
//! A save overwrites a slot in place, and never
//! - the newest, so a process that dies while writing leaves the save before;
//! - the one last synced, so a power cut at any time leaves what was synced;
//! - one that is being synced, which becomes the last synced one.
//!
//! That leaves at least one of four. A slot is first made under another name and renamed, so a
//! slot that cannot be read is damage and not a beginning.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::slot::{self, Slot};
use super::{lock, name, private, sync_directory};
use crate::StoreError;

const SLOTS: usize = 4;

/// The files of one record.
#[derive(Debug)]
pub(super) struct Slots {
    directory: PathBuf,
    name: String,
    stem: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: [Option<File>; SLOTS],
    /// The slot saved last.
    newest: Option<usize>,
    /// The slot that survives the loss of power.
    synced: Option<usize>,
    syncing: Option<usize>,
    sequence: u64,
    /// Files that the directory may not know yet after the loss of power.
    made: bool,
    damage: Option<(PathBuf, &'static str)>,
    buffer: Vec<u8>,
}

impl Slots {
    /// Looks at what is there. The newest slot is synced before anything may be overwritten:
    /// who wrote it may have died before syncing it.
    pub(super) fn open(directory: &Path, kind: &str, name: &str) -> Result<Self, StoreError> {
        let this = Self {
            directory: directory.to_owned(),
            name: name.to_owned(),
            stem: name::stem(kind, name),
            state: Mutex::default(),
        };
        let mut state = State::default();
        for index in 0..SLOTS {
            let path = this.path(index);
            match private().open(&path) {
                Ok(file) => state.files[index] = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(StoreError::io("open", &path)(error)),
            }
            match this.read(index)? {
                None => {}
                Some(Ok(slot)) if state.newest.is_some() && slot.sequence < state.sequence => {}
                Some(Ok(slot)) => {
                    state.newest = Some(index);
                    state.sequence = slot.sequence;
                }
                Some(Err(why)) => state.damage = Some((path, why)),
            }
        }
        if let Some((index, file)) = state.newest_file() {
            file.sync_data()
                .map_err(StoreError::io("sync", &this.path(index)))?;
            sync_directory(directory)?;
            state.synced = Some(index);
        }
        *lock(&this.state) = state;
        Ok(this)
    }

    /// The newest snapshot.
    pub(super) fn load(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let state = lock(&self.state);
        let Some(index) = state.newest else {
            return match &state.damage {
                Some((path, why)) => Err(StoreError::Damaged {
                    path: path.clone(),
                    why,
                }),
                None => Ok(None),
            };
        };
        match self.read(index)? {
            Some(Ok(slot)) => Ok(Some(slot.snapshot)),
            Some(Err(why)) => Err(StoreError::Damaged {
                path: self.path(index),
                why,
            }),
            None => Err(StoreError::Damaged {
                path: self.path(index),
                why: "it is gone",
            }),
        }
    }

    /// Writes a snapshot into a slot that nobody needs.
    pub(super) fn save(&self, snapshot: &[u8]) -> Result<(), StoreError> {
        let mut state = lock(&self.state);
        let index = state.free();
        let sequence = state.sequence.saturating_add(1);
        let mut bytes = std::mem::take(&mut state.buffer);
        let written = slot::encode(&mut bytes, &self.name, sequence, snapshot)
            .and_then(|()| self.write(&mut state, index, &bytes));
        state.buffer = bytes;
        written?;
        state.newest = Some(index);
        state.sequence = sequence;
        state.damage = None;
        Ok(())
    }

    fn write(&self, state: &mut State, index: usize, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(index);
        // A file without a name, because somebody emptied the directory, would take every save
        // and lose it with the process.
        let named = |file: &&File| file.metadata().is_ok_and(|metadata| metadata.nlink() > 0);
        if let Some(file) = state.files[index].as_ref().filter(named) {
            return file
                .write_all_at(bytes, 0)
                .map_err(StoreError::io("write", &path));
        }
        let new = self.directory.join(format!("{}.new", self.stem));
        let file = private()
            .create(true)
            .truncate(true)
            .open(&new)
            .map_err(StoreError::io("make", &new))?;
        file.write_all_at(bytes, 0)
            .map_err(StoreError::io("write", &new))?;
        fs::rename(&new, &path).map_err(StoreError::io("make", &path))?;
        state.files[index] = Some(file);
        state.made = true;
        Ok(())
    }

    /// Makes the newest slot survive the loss of power. Saves go on meanwhile.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let Some((index, file, made)) = lock(&self.state).begin_sync() else {
            return Ok(());
        };
        let path = self.path(index);
        let mut result = file
            .and_then(|file| file.sync_data())
            .map_err(StoreError::io("sync", &path));
        if made && result.is_ok() {
            result = sync_directory(&self.directory);
        }
        let mut state = lock(&self.state);
        state.syncing = None;
        match &result {
            Ok(()) => state.synced = Some(index),
            Err(_) => state.made |= made,
        }
        result
    }

    /// What stands in a slot: `None` when it holds nothing, as after a power cut before its
    /// first sync.
    fn read(&self, index: usize) -> Result<Option<Result<Slot, &'static str>>, StoreError> {
        let path = self.path(index);
        match fs::read(&path) {
            Ok(bytes) if bytes.is_empty() => Ok(None),
            Ok(bytes) => Ok(Some(slot::decode(&self.name, &bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("read", &path)(error)),
        }
    }

    fn path(&self, index: usize) -> PathBuf {
        self.directory.join(format!("{}.{index}", self.stem))
    }
}

impl State {
    /// A slot that may be overwritten.
    fn free(&self) -> usize {
        let needed = [self.newest, self.synced, self.syncing];
        (0..SLOTS)
            .find(|index| !needed.contains(&Some(*index)))
            .expect("three of four slots are needed at most")
    }

    fn newest_file(&self) -> Option<(usize, &File)> {
        let index = self.newest?;
        self.files[index].as_ref().map(|file| (index, file))
    }

    /// The slot to be synced, its file, and whether the directory must be, too.
    fn begin_sync(&mut self) -> Option<(usize, io::Result<File>, bool)> {
        if self.newest == self.synced {
            return None;
        }
        let (index, file) = self
            .newest_file()
            .map(|(index, file)| (index, file.try_clone()))?;
        self.syncing = Some(index);
        Some((index, file, std::mem::take(&mut self.made)))
    }
}

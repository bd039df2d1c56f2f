//! The keys of tickets and passes: on disk, whole, before the first ticket is signed with one.
//!
//! ```text
//! 0  "FBKEYS" 6 version 2 7 live u8 8 gone u8
//! 9  live keys: since u64, 32 bytes each   gone ones: id u8, ended u64 each   checksum u32 (CRC-32)
//! ```
//! Numbers are big endian. Version 1 had no `gone` and no times: what it holds is read, and its
//! keys count as signing since nobody knows when.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::{private, sync_directory};
use crate::{GoneKey, KeyBytes, StoreError, StoredKey, StoredKeys};

const MAGIC: [u8; 6] = *b"FBKEYS";
const VERSION: u8 = 2;
const KEY: usize = 32;

pub(super) fn load(directory: &Path) -> Result<Option<StoredKeys>, StoreError> {
    let path = directory.join("keys");
    match fs::read(&path) {
        Ok(bytes) => decode(&bytes)
            .map(Some)
            .map_err(|why| StoreError::Damaged { path, why }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", &path)(error)),
    }
}

/// Under another name first, so that half a file of keys is never found.
pub(super) fn save(directory: &Path, keys: &StoredKeys) -> Result<(), StoreError> {
    let (path, new) = (directory.join("keys"), directory.join("keys.new"));
    // What a kill left behind goes first: its rights may be others.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(StoreError::io("remove", &new)(error));
        }
        _ => {}
    }
    let file = private()
        .create_new(true)
        .open(&new)
        .map_err(StoreError::io("make", &new))?;
    file.write_all_at(&encode(keys), 0)
        .and_then(|()| file.sync_all())
        .map_err(StoreError::io("write", &new))?;
    fs::rename(&new, &path).map_err(StoreError::io("make", &path))?;
    sync_directory(directory)
}

fn encode(keys: &StoredKeys) -> Vec<u8> {
    let count = |length| u8::try_from(length).expect("a few keys are alive or remembered at once");
    let mut bytes = MAGIC.to_vec();
    bytes.extend([VERSION, count(keys.live.len()), count(keys.gone.len())]);
    for key in &keys.live {
        bytes.extend_from_slice(&key.since_millis.to_be_bytes());
        bytes.extend_from_slice(&key.bytes.0);
    }
    for gone in &keys.gone {
        bytes.push(gone.id);
        bytes.extend_from_slice(&gone.ended_millis.to_be_bytes());
    }
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_be_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Result<StoredKeys, &'static str> {
    const SHORT: &str = "it is too short";
    let (covered, sum) = bytes.split_last_chunk::<4>().ok_or(SHORT)?;
    let mut left = Left(covered);
    if left.take::<6>() != Some(MAGIC) {
        return Err("it does not begin as it should");
    }
    if crc32fast::hash(covered) != u32::from_be_bytes(*sum) {
        return Err("its checksum is wrong");
    }
    let keys = match left.byte() {
        Some(1) => left.first_version(),
        Some(VERSION) => left.keys(),
        _ => return Err("it is of another version"),
    };
    keys.filter(|keys| left.0.is_empty() && !keys.live.is_empty())
        .ok_or("its length is wrong")
}

/// What is left to read.
struct Left<'a>(&'a [u8]);

impl Left<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn first_version(&mut self) -> Option<StoredKeys> {
        let live = self.byte()?;
        let live = (0..live).map(|_| self.secret(0)).collect::<Option<_>>()?;
        let gone = Vec::new();
        Some(StoredKeys { live, gone })
    }

    fn keys(&mut self) -> Option<StoredKeys> {
        let (live, gone) = (self.byte()?, self.byte()?);
        let live = (0..live).map(|_| self.key()).collect::<Option<_>>()?;
        let gone = (0..gone).map(|_| self.gone()).collect::<Option<_>>()?;
        Some(StoredKeys { live, gone })
    }

    fn key(&mut self) -> Option<StoredKey> {
        let since = self.number()?;
        self.secret(since)
    }

    fn secret(&mut self, since_millis: u64) -> Option<StoredKey> {
        let bytes = KeyBytes(self.take::<KEY>()?);
        Some(StoredKey {
            bytes,
            since_millis,
        })
    }

    fn gone(&mut self) -> Option<GoneKey> {
        let (id, ended_millis) = (self.byte()?, self.number()?);
        Some(GoneKey { id, ended_millis })
    }
}

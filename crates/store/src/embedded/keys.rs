//! The keys of tickets and passes: made once, on disk before the first ticket is signed.
//!
//! ```text
//! 0  "FBKEYS" 6 version 1 7 count u8   8  keys, 32 bytes each   checksum u32 (CRC-32)
//! ```

use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::{private, sync_directory};
use crate::{KeyBytes, StoreError};

const MAGIC: [u8; 7] = *b"FBKEYS\x01";
const HEADER: usize = 8;
const KEY: usize = 32;

pub(super) fn load_or_make(
    directory: &Path,
    fresh: &dyn Fn() -> [u8; KEY],
) -> Result<Vec<KeyBytes>, StoreError> {
    let path = directory.join("keys");
    match fs::read(&path) {
        Ok(bytes) => decode(&bytes).map_err(|why| StoreError::Damaged { path, why }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let keys = vec![KeyBytes(fresh())];
            write(directory, &path, &encode(&keys))?;
            Ok(keys)
        }
        Err(error) => Err(StoreError::io("read", &path)(error)),
    }
}

/// Under another name first, so that half a file of keys is never found.
fn write(directory: &Path, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let new = directory.join("keys.new");
    let file = private()
        .create(true)
        .truncate(true)
        .open(&new)
        .map_err(StoreError::io("make", &new))?;
    file.write_all_at(bytes, 0)
        .and_then(|()| file.sync_all())
        .map_err(StoreError::io("write", &new))?;
    fs::rename(&new, path).map_err(StoreError::io("make", path))?;
    sync_directory(directory)
}

fn encode(keys: &[KeyBytes]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(u8::try_from(keys.len()).expect("a few keys are alive at once"));
    keys.iter().for_each(|key| bytes.extend_from_slice(&key.0));
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_be_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Result<Vec<KeyBytes>, &'static str> {
    let (covered, sum) = bytes.split_last_chunk::<4>().ok_or("it is too short")?;
    let (header, rest) = covered.split_at_checked(HEADER).ok_or("it is too short")?;
    if header[..MAGIC.len()] != MAGIC {
        return Err("it does not begin as it should");
    }
    if crc32fast::hash(covered) != u32::from_be_bytes(*sum) {
        return Err("its checksum is wrong");
    }
    let (keys, odd) = rest.as_chunks::<KEY>();
    if keys.is_empty() || !odd.is_empty() || keys.len() != usize::from(header[MAGIC.len()]) {
        return Err("its length is wrong");
    }
    Ok(keys.iter().map(|key| KeyBytes(*key)).collect())
}

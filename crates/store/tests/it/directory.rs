use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use forebay_store::{Embedded, GoneKey, KeyBytes, Store as _, StoreError, StoredKey, StoredKeys};

use super::with;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_second_process_is_an_error_that_names_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let first = Embedded::open(directory.path()).unwrap();
    let Err(StoreError::Locked { pid, .. }) = Embedded::open(directory.path()) else {
        panic!("the directory is locked");
    };
    assert_eq!(pid, Some(std::process::id()));
    drop(first);
    Embedded::open(directory.path()).unwrap();
}

#[test]
fn nobody_else_reads_what_is_stored() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("a/state");
    with(&directory, |store| {
        store.save("main", b"snapshot").unwrap();
        store.save_keys(&keys(3)).unwrap();
    });
    assert_eq!(mode(&directory), 0o700);
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_that_names_it() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Embedded::open(&file.join("state")).unwrap_err();
    assert!(error.to_string().contains("file/state"), "{error}");
}

fn keys(count: u8) -> StoredKeys {
    let key = |number| StoredKey {
        bytes: KeyBytes([number; 32]),
        since_millis: u64::from(number) << 40,
    };
    let gone = |id| GoneKey {
        id,
        ended_millis: 1 << 41,
    };
    StoredKeys {
        live: (1..=count).rev().map(key).collect(),
        gone: (1..count).map(gone).collect(),
    }
}

#[test]
fn keys_stay_as_they_were_saved_and_are_never_printed() {
    let directory = tempfile::tempdir().unwrap();
    with(directory.path(), |store| {
        assert_eq!(store.keys().unwrap(), None);
    });
    for count in [1, 2, 8, 3] {
        with(directory.path(), |store| {
            store.save_keys(&keys(count)).unwrap()
        });
        let found = with(directory.path(), |store| store.keys().unwrap());
        assert_eq!(found, Some(keys(count)));
        let shown = format!("{:?}", found.unwrap().live[0]);
        assert!(shown.contains("KeyBytes(..)"), "{shown}");
    }
}

#[test]
fn the_keys_of_an_earlier_version_still_verify() {
    let directory = tempfile::tempdir().unwrap();
    let mut bytes = b"FBKEYS\x01\x02".to_vec();
    bytes.extend([[7; 32], [9; 32]].concat());
    bytes.extend(crc32(&bytes).to_be_bytes());
    fs::write(directory.path().join("keys"), bytes).unwrap();
    let found = with(directory.path(), |store| store.keys().unwrap()).unwrap();
    let secrets: Vec<_> = found.live.iter().map(|key| key.bytes.0).collect();
    assert_eq!(secrets, [[7; 32], [9; 32]]);
    assert!(found.live.iter().all(|key| key.since_millis == 0));
}

/// CRC-32 by its definition (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 * (sum & 1))
        })
    })
}

#[test]
fn damaged_keys_are_an_error_and_never_none() {
    let directory = tempfile::tempdir().unwrap();
    with(directory.path(), |store| store.save_keys(&keys(3)).unwrap());
    let path = directory.path().join("keys");
    let whole = fs::read(&path).unwrap();
    let damaged = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let found = with(directory.path(), |store| store.keys());
        matches!(found, Err(StoreError::Damaged { .. }))
    };
    for length in 0..whole.len() {
        assert!(damaged(&whole[..length]), "cut off at {length}");
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        assert!(damaged(&bytes), "another byte at {at}");
    }
}

#[test]
fn a_write_of_keys_that_breaks_off_leaves_those_before() {
    let directory = tempfile::tempdir().unwrap();
    with(directory.path(), |store| store.save_keys(&keys(2)).unwrap());
    // What a kill in the middle of a write leaves behind.
    fs::write(directory.path().join("keys.new"), "FBKEYS and half a key").unwrap();
    with(directory.path(), |store| {
        assert_eq!(store.keys().unwrap(), Some(keys(2)));
        store.save_keys(&keys(3)).unwrap();
        assert_eq!(store.keys().unwrap(), Some(keys(3)));
    });
    assert_eq!(mode(&directory.path().join("keys")), 0o600);
}

#[test]
fn rooms_do_not_touch_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let rooms = ["main", "Main", "", "../up", "a/b", "é"];
    with(directory.path(), |store| {
        for room in rooms {
            assert_eq!(store.load(room).unwrap(), None);
            store.save(room, room.as_bytes()).unwrap();
        }
    });
    with(directory.path(), |store| {
        for room in rooms {
            assert_eq!(store.load(room).unwrap().as_deref(), Some(room.as_bytes()));
        }
    });
}

#[test]
fn a_limit_is_kept_for_each_origin_and_is_no_room() {
    let directory = tempfile::tempdir().unwrap();
    with(directory.path(), |store| {
        store.save("portal", b"room").unwrap();
        assert_eq!(store.limit("portal").unwrap(), None);
        store.save_limit("portal", 73).unwrap();
        store.save_limit("documents", 9).unwrap();
    });
    with(directory.path(), |store| {
        assert_eq!(store.limit("portal").unwrap(), Some(73));
        assert_eq!(store.limit("documents").unwrap(), Some(9));
        assert_eq!(store.load("portal").unwrap().as_deref(), Some(&b"room"[..]));
    });
}

#[test]
fn saving_fails_while_the_directory_is_gone_and_works_when_it_is_back() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("state");
    let store = Embedded::open(&directory).unwrap();
    for snapshot in [b"1", b"2", b"3", b"4", b"5"] {
        store.save("main", snapshot).unwrap();
    }
    fs::remove_dir_all(&directory).unwrap();
    assert!(matches!(
        store.save("main", b"6"),
        Err(StoreError::Io { .. })
    ));
    fs::create_dir(&directory).unwrap();
    store.save("main", b"7").unwrap();
    store.sync().unwrap();
    assert_eq!(store.load("main").unwrap().as_deref(), Some(&b"7"[..]));
}

#[test]
fn saves_go_on_while_another_thread_syncs() {
    let directory = tempfile::tempdir().unwrap();
    with(directory.path(), |store| {
        std::thread::scope(|scope| {
            let syncing = scope.spawn(|| (0..20).try_for_each(|_| store.sync()));
            for turn in 0..400u32 {
                store.save("main", &turn.to_be_bytes()).unwrap();
                assert_eq!(
                    store.load("main").unwrap().as_deref(),
                    Some(&turn.to_be_bytes()[..])
                );
            }
            syncing.join().unwrap().unwrap();
        });
    });
}

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use forebay_store::{Embedded, Store as _, StoreError};

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
        store.keys(&|| [1; 32]).unwrap();
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

#[test]
fn keys_are_made_once_and_stay() {
    let directory = tempfile::tempdir().unwrap();
    let made = Cell::new(0);
    let fresh = || {
        made.set(made.get() + 1);
        [made.get(); 32]
    };
    let first = with(directory.path(), |store| store.keys(&fresh).unwrap());
    let again = with(directory.path(), |store| store.keys(&fresh).unwrap());
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].0, [1; 32]);
    assert_eq!(again, first);
    assert_eq!(format!("{first:?}"), "[KeyBytes(..)]");
}

#[test]
fn damaged_keys_are_an_error_and_never_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    with(directory.path(), |store| store.keys(&|| [1; 32]).unwrap());
    let path = directory.path().join("keys");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let found = with(directory.path(), |store| store.keys(&|| [2; 32]));
        assert!(
            matches!(found, Err(StoreError::Damaged { .. })),
            "cut off at {length}"
        );
    }
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

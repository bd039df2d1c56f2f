use std::fs;
use std::path::Path;

use forebay_store::{Store as _, StoreError};
use proptest::prelude::*;

use super::{found, slots, with};

/// Saves the snapshots one after the other in a fresh directory.
fn saved(directory: &Path, snapshots: &[Vec<u8>]) {
    with(directory, |store| {
        for snapshot in snapshots {
            store.save("main", snapshot).unwrap();
        }
    });
}

/// The slot into which the next save went, and what it held before and holds now.
fn overwritten(directory: &Path, next: &[u8]) -> (std::path::PathBuf, Vec<u8>, Vec<u8>) {
    let before: Vec<_> = (0..4)
        .map(|index| directory.join(format!("room-main.{index}")))
        .map(|path| (fs::read(&path).unwrap_or_default(), path))
        .collect();
    with(directory, |store| store.save("main", next).unwrap());
    let (old, path) = before
        .into_iter()
        .find(|(old, path)| fs::read(path).unwrap_or_default() != *old)
        .expect("a save changes one slot");
    let new = fs::read(&path).unwrap();
    (path, old, new)
}

#[test]
fn a_save_that_breaks_off_at_any_byte_leaves_the_older_or_the_newer_snapshot() {
    let snapshots: Vec<_> = [90, 300, 10, 200, 150, 60]
        .map(|length| vec![7; length])
        .into();
    for (older, newer) in [(vec![1; 120], vec![2; 100]), (vec![1; 40], vec![2; 160])] {
        let directory = tempfile::tempdir().unwrap();
        saved(directory.path(), &snapshots);
        with(directory.path(), |store| {
            store.save("main", &older).unwrap()
        });
        let (slot, before, after) = overwritten(directory.path(), &newer);
        for written in 0..=after.len() {
            let mut torn = after[..written].to_vec();
            torn.extend(before.get(written..).unwrap_or_default());
            fs::write(&slot, &torn).unwrap();
            let expected = if torn == after { &newer } else { &older };
            let found = found(directory.path()).unwrap();
            assert!(
                found == *expected || found == newer,
                "torn after {written} bytes"
            );
        }
    }
}

#[test]
fn a_slot_cut_off_at_any_byte_leaves_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let (older, newer) = (vec![1; 50], vec![2; 70]);
    saved(directory.path(), std::slice::from_ref(&older));
    let (slot, _, whole) = overwritten(directory.path(), &newer);
    for length in 0..whole.len() {
        fs::write(&slot, &whole[..length]).unwrap();
        assert_eq!(
            found(directory.path()).as_ref(),
            Some(&older),
            "cut off at {length}"
        );
    }
}

#[test]
fn a_power_cut_that_tears_all_that_was_written_since_leaves_what_was_synced() {
    for (before, after) in (0..9).flat_map(|before| (0..9).map(move |after| (before, after))) {
        let directory = tempfile::tempdir().unwrap();
        let read = |path: &std::path::PathBuf| (path.clone(), fs::read(path).unwrap());
        let synced = with(directory.path(), |store| {
            for turn in 0..before {
                store.save("main", &[1, turn]).unwrap();
            }
            store.save("main", b"synced").unwrap();
            store.sync().unwrap();
            let synced: Vec<_> = slots(directory.path()).iter().map(read).collect();
            for turn in 0..after {
                store.save("main", &[2, turn]).unwrap();
            }
            synced
        });
        for (path, bytes) in slots(directory.path()).iter().map(read) {
            if !synced.contains(&(path.clone(), bytes)) {
                fs::write(path, "half of what was written, half of what was there").unwrap();
            }
        }
        let found = found(directory.path());
        assert_eq!(
            found.as_deref(),
            Some(&b"synced"[..]),
            "{before} saves, sync, {after} saves"
        );
    }
}

#[test]
fn damage_everywhere_is_an_error_that_names_the_file_and_never_an_empty_room() {
    let directory = tempfile::tempdir().unwrap();
    saved(directory.path(), &[vec![1; 50], vec![2; 50], vec![3; 50]]);
    for slot in slots(directory.path()) {
        fs::write(slot, "not a slot, and not short of bytes either").unwrap();
    }
    with(directory.path(), |store| {
        let Err(StoreError::Damaged { path, .. }) = store.load("main") else {
            panic!("damage is said");
        };
        assert!(slots(directory.path()).contains(&path));
        store.save("main", b"started over").unwrap();
        assert_eq!(
            store.load("main").unwrap().as_deref(),
            Some(&b"started over"[..])
        );
    });
    assert_eq!(
        found(directory.path()).as_deref(),
        Some(&b"started over"[..])
    );
}

#[test]
fn another_room_s_file_is_not_taken_for_this_one() {
    let directory = tempfile::tempdir().unwrap();
    with(directory.path(), |store| {
        store.save("other", b"theirs").unwrap()
    });
    fs::rename(
        directory.path().join("room-other.0"),
        directory.path().join("room-main.0"),
    )
    .unwrap();
    with(directory.path(), |store| {
        assert!(matches!(
            store.load("main"),
            Err(StoreError::Damaged { .. })
        ));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_newest_save_is_found_and_one_damaged_slot_costs_at_most_that_save(
        saves in proptest::collection::vec((any::<u8>(), 0usize..300, any::<bool>()), 2..12),
        damaged: proptest::sample::Index,
        at: proptest::sample::Index,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let snapshots: Vec<_> = saves
            .iter()
            .zip(0u8..)
            .map(|((fill, length, _), index)| [&[index], &vec![*fill; *length][..]].concat())
            .collect();
        with(directory.path(), |store| {
            for (snapshot, (.., sync)) in snapshots.iter().zip(&saves) {
                store.save("main", snapshot).unwrap();
                if *sync {
                    store.sync().unwrap();
                }
            }
        });
        prop_assert_eq!(found(directory.path()), snapshots.last().cloned());

        let slots = slots(directory.path());
        let slot = damaged.get(&slots);
        let mut bytes = fs::read(slot).unwrap();
        let byte = at.index(bytes.len());
        bytes[byte] ^= 0x55;
        fs::write(slot, bytes).unwrap();
        let found = found(directory.path());
        let last_two = &snapshots[snapshots.len() - 2..];
        prop_assert!(found.is_some_and(|found| last_two.contains(&found)));
    }
}

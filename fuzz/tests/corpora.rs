//! The corpora, and a short search from each.
#![allow(missing_docs, reason = "a test's name says what it claims")]

use std::fs;
use std::path::Path;

use forebay_fuzz::{TARGETS, search};

/// Inputs of one target: a few seconds on a slow machine.
const INPUTS: u64 = 20_000;

#[test]
fn no_input_breaks_a_promise() {
    for target in &TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target.name);
        let corpus: Vec<Vec<u8>> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect();
        assert!(!corpus.is_empty(), "{} has a corpus", target.name);
        let found = search(target, &corpus, 5, |tried| tried < INPUTS);
        let broken = found.broken.as_deref().map(String::from_utf8_lossy);
        assert_eq!(broken, None, "{}", target.name);
        assert!(found.shapes > 1, "{} sees one kind of input", target.name);
    }
}

#[test]
fn a_broken_promise_is_found() {
    let mut target = TARGETS[3];
    target.run = |input| {
        assert!(
            !input
                .windows(4)
                .any(|piece| piece == b"room" && input.len() % 7 == 3)
        );
        input.len() as u64
    };
    let found = search(&target, &[], 5, |tried| tried < INPUTS);
    assert!(found.broken.is_some(), "{found:?}");
}

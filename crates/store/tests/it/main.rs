//! State on real files: what survives damage, a second process, and kill -9.
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of these tests fail the test, too"
)]

mod damaged;
mod directory;
mod killed;

use std::path::{Path, PathBuf};

use forebay_store::{Embedded, Store as _};

/// Opens the directory for as long as `use_it` runs.
fn with<T>(directory: &Path, use_it: impl FnOnce(&Embedded) -> T) -> T {
    use_it(&Embedded::open(directory).unwrap())
}

/// What a new process finds in room `main`; `None` when it finds damage.
fn found(directory: &Path) -> Option<Vec<u8>> {
    with(directory, |store| store.load("main").ok().flatten())
}

/// The slots of room `main` that exist.
fn slots(directory: &Path) -> Vec<PathBuf> {
    let paths = (0..4).map(|index| directory.join(format!("room-main.{index}")));
    paths.filter(|path| path.exists()).collect()
}

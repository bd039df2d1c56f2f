//! What can go wrong with stored state, each naming the file it is about.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why state could not be read or kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The system refused.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried: a verb.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another process uses the directory.
    #[error("{} is in use by {}", directory.display(), whom(*pid))]
    Locked {
        /// The directory.
        directory: PathBuf,
        /// Who holds it, where the lock says.
        pid: Option<u32>,
    },
    /// What is there is not what was written.
    #[error("{} is damaged: {why}; move it away to start over", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A record that is whole, and not what was written by us.
    #[error(
        "what was revoked and opened in the room `{0}` cannot be read; move its ledger away to start over"
    )]
    Unreadable(String),
    /// A snapshot beyond what a slot can hold, 4 GiB.
    #[error("a snapshot of {0} bytes is too large")]
    TooLarge(usize),
}

impl StoreError {
    /// For `map_err`: what was tried with which file.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            what,
            path: path.to_owned(),
            source,
        }
    }
}

fn whom(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

//! What the operator sees and keeps: state, admin, log, secrets.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Where the rooms' counters and keys are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Directory of the durable file; made at start where it is missing.
    pub directory: PathBuf,
    /// Keys of tickets and passes, 32 bytes or more each: the first signs, all
    /// verify. Empty: they are made here and kept in the directory.
    pub keys: Vec<Secret>,
    /// How long a key that was made here signs, five days or more; `None`: until
    /// a command says otherwise.
    pub rotate: Option<Duration>,
}

/// The operator's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Reads: metrics, health, status. `None`: not served.
    pub address: Option<SocketAddr>,
    /// Writes, by a Unix socket of mode 0600. `None`: not served.
    pub socket: Option<PathBuf>,
    /// Who shows it may write over the address too. `None`: nobody may.
    pub token: Option<Secret>,
}

/// What is written about requests and about the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// One JSON line for each request; `None`: no access log.
    pub access: Option<Access>,
    /// Diagnostics below this are left out.
    pub level: Level,
}

/// The access log, one JSON line for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Where the lines go.
    pub to: LogTarget,
}

/// Where log lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard output.
    Stdout,
    /// Appended to a file.
    File(PathBuf),
}

/// How much is said about the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What needs somebody now.
    Error,
    /// And what may need somebody.
    Warn,
    /// And what happened.
    Info,
    /// And why.
    Debug,
    /// And every step.
    Trace,
}

impl Level {
    /// The word in the configuration: `error`, `warn`, `info`, `debug` or `trace`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Bytes that are never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Hides `bytes` from `Debug`.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for whoever signs with them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

//! `[state]`, `[admin]`, `[log]`.

use std::net::SocketAddr;

use crate::checked::{Level, LogTarget};
use crate::read::{
    At, FromText, Key, NeverWord, NoneWord, Or, PathText, Period, Token, Word, Wrong, table,
};

table! {
    /// Where the rooms' counters and keys are kept.
    State, later ["redis", "on_loss"], {
        /// "embedded": in this process, with a durable file.
        store: Store = "'embedded'",
        /// Directory of the durable file.
        directory: PathText = "'state'",
        /// Keys of tickets and passes, 32 bytes or more each: the first signs,
        /// all verify. None: they are made here and kept in the directory.
        keys: Vec<At<Key>> = "[]",
        /// How long a key that was made here signs before a new one does; what
        /// the older ones signed stays good. At least "5d"; "never": by command
        /// only.
        rotate: Or<NeverWord, Period> = "'30d'",
    }
}

table! {
    /// The operator's side.
    Admin, later [], {
        /// Where metrics, health and status are read, or "none".
        address: Or<NoneWord, SocketAddr> = "'127.0.0.1:9901'",
        /// Unix socket of mode 0600 for writes, or "none". Default:
        /// "admin.sock" in the state directory.
        socket: Or<NoneWord, PathText> = optional,
        /// With it the address takes changes too, from whoever shows it as
        /// "Authorization: Bearer TOKEN". Best from outside the file:
        /// { env = "FOREBAY_ADMIN_TOKEN" }. Default: the address only reads.
        token: Token = optional,
    }
}

table! {
    /// What is written about requests and about the process.
    Log, later [], {
        /// The access log, one line for each request, or "none".
        access: Or<NoneWord, Access> = "{}",
        /// Diagnostics below this are left out.
        level: Level = "'info'",
    }
}

table! {
    /// The access log.
    Access, later [], {
        /// How a line looks.
        format: Format = "'json'",
        /// "stdout", or a file to append to.
        to: LogTarget = "'stdout'",
    }
}

/// Where the rooms' counters are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Store {
    /// In this process, with a durable file.
    Embedded,
}

impl Word for Store {
    const WORDS: &'static [(&'static str, Self)] = &[("embedded", Self::Embedded)];
    const LATER: &'static [&'static str] = &["redis"];
}

/// How a line of the access log looks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    /// One JSON object.
    Json,
}

impl Word for Format {
    const WORDS: &'static [(&'static str, Self)] = &[("json", Self::Json)];
}

impl Word for Level {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

impl FromText for LogTarget {
    const WRITE: &'static str = "write \"stdout\" or a path";

    fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "stdout" => Ok(Self::Stdout),
            "" => Err(Wrong::new("which is no path", Self::WRITE)),
            path => Ok(Self::File(path.into())),
        }
    }
}

//! The configuration: TOML text becomes values that can run, or a list of
//! everything that is wrong with it.
//!
//! A file goes through two stages. The first keeps what was written together
//! with its place in the text; the second is plain checked data that the rest
//! of Forebay uses without checking again. A file with ten mistakes yields ten
//! problems, each with its line, its column and what to write instead.
#![forbid(unsafe_code)]

mod checked;
mod problem;

pub use checked::{
    Access, Admin, Client, Config, Forwarded, HostHeader, HostPattern, Inlet, IpNet, Level, Limits,
    Linger, Listener, ListenerTls, Log, LogTarget, Origin, Pass, PathPattern, Per, Poll, Queue,
    Quota, Rate, Room, RoomMode, Route, RoutePriority, Runtime, Secret, Server, State, Ticket,
};
pub use problem::{Loaded, Problem, Problems, Severity};

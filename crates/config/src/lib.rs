//! The configuration: TOML text becomes values that can run, or a list of
//! everything that is wrong with it.
//!
//! A file goes through two stages. The first keeps what was written together
//! with its place in the text; the second is plain checked data that the rest
//! of Forebay uses without checking again. A file with ten mistakes yields ten
//! problems, each with its line, its column and what to write instead.
#![forbid(unsafe_code)]

mod argument;
mod check;
mod checked;
mod first;
mod load;
mod problem;
mod raw;
mod read;
mod report;
mod schema;

pub use argument::Unfit;
pub use checked::{
    Access, Admin, Bypass, Cache, Client, Config, Event, Forwarded, Health, HostHeader,
    HostPattern, Inlet, Invite, IpNet, Language, Level, Limit, Limits, Linger, Listener,
    ListenerTls, Log, LogTarget, Origin, Pass, PathPattern, Per, Poll, Queue, Quota, Rate, Retry,
    Room, RoomMode, RoomOrder, Route, RouteCache, RoutePriority, Runtime, Secret, Server, Site,
    State, Template, Ticket,
};
pub use first::init;
pub use load::{load, parse};
pub use problem::{Loaded, Problem, Problems, Severity};
pub use schema::{reference, schema};

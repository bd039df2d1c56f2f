//! What can run: every value is in bounds, every name is resolved to an index,
//! every relative path is joined to the configuration file's directory.
//!
//! All fields are public because every value that reaches here is right; the
//! only way to build one from text is [`parse`](crate::parse()) or
//! [`load`](crate::load()).

mod bypass;
mod cache;
mod edge;
mod operation;
mod origin;
mod quota;
mod room;
mod route;
mod site;

pub use bypass::Bypass;
pub use cache::{Cache, RouteCache};
pub use edge::{Client, Forwarded, Limits, Linger, Listener, ListenerTls, Runtime};
pub use ipnet::IpNet;
pub use operation::{Access, Admin, Level, Log, LogTarget, Secret, State};
pub use origin::{Health, HostHeader, Limit, Origin, Queue, Retry, Server};
pub use quota::{Per, Quota, Rate};
pub use room::{Event, Inlet, Invite, Pass, Poll, Room, RoomMode, RoomOrder, Ticket};
pub use route::{HostPattern, PathPattern, Route, RoutePriority};
pub use site::{Language, Site, Template};

/// A whole configuration, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where clients connect; at least one, no address twice.
    pub listeners: Vec<Listener>,
    /// The process itself.
    pub runtime: Runtime,
    /// What protects the proxy itself.
    pub limits: Limits,
    /// Who counts as one client.
    pub client: Client,
    /// The protected sites; at least one.
    pub origins: Vec<Origin>,
    /// In file order; the first that matches is taken. Never empty.
    pub routes: Vec<Route>,
    /// In file order, then the implied ones. Always holds `client`, `pass` and `room`.
    pub quotas: Vec<Quota>,
    /// In file order, then the implied one. Always holds `main`.
    pub rooms: Vec<Room>,
    /// What the pages say of the site.
    pub site: Site,
    /// Kept answers.
    pub cache: Cache,
    /// Where the rooms' counters and keys are kept.
    pub state: State,
    /// The operator's side.
    pub admin: Admin,
    /// What is written about requests and about the process.
    pub log: Log,
    /// Path under which Forebay answers itself on every proxied host: begins
    /// with `/`, ends without one. Default `/__forebay`.
    pub prefix: String,
}

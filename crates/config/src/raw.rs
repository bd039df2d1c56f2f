//! What was written: one declaration per table, with every key, its meaning,
//! its type and its default. The JSON schema is made from these too.

mod bypass;
mod cache;
mod edge;
mod operation;
mod origin;
mod quota;
mod room;
mod route;
mod site;

pub(crate) use bypass::Bypass;
pub(crate) use cache::{Cache, RouteCache};
pub(crate) use edge::{Client, Limits, Linger, Listener, ListenerTls, Runtime};
pub(crate) use operation::{Admin, Format, Log, State, Store};
pub(crate) use origin::{Health, HostName, Limit, LimitMode, Member, Origin, Percent, Queue};
pub(crate) use quota::Quota;
pub(crate) use room::{Event, Language, Pass, Poll, Room};
pub(crate) use route::Route;
pub(crate) use site::Site;

use crate::read::{At, FromText, Named, Number, Wrong, table};

/// A count that fits into 32 bits; zero would switch something off unseen.
pub(crate) type Count = Number<1, { u32::MAX as u64 }>;

table! {
    /// Forebay's configuration. Relative paths are relative to the file. Any
    /// string may be { env = "NAME" } or { file = "path" }.
    File, later [], {
        /// Path under which Forebay answers itself on every proxied host.
        prefix: Prefix = "'/__forebay'",
        /// Where clients connect; one table for each address.
        listener: Vec<At<Listener>> = "[]",
        /// The process itself.
        runtime: Runtime = "{}",
        /// What protects the proxy itself.
        limits: Limits = "{}",
        /// Who counts as one client.
        client: Client = "{}",
        /// The protected sites by name.
        origin: Named<Origin> = "{}",
        /// Which requests go where; the first that matches is taken. Without
        /// any, everything goes to the one origin, through the room "main".
        route: Vec<At<Route>> = "[]",
        /// Rate allowances by name. "client", "pass" and "room" are implied.
        quota: Named<Quota> = "{}",
        /// Waiting rooms by name. "main" is implied.
        room: Named<Room> = "{}",
        /// What the pages say of the site.
        site: Site = "{}",
        /// Kept answers, of the routes that ask for it.
        cache: Cache = "{}",
        /// Where the rooms' counters and keys are kept.
        state: State = "{}",
        /// The operator's side.
        admin: Admin = "{}",
        /// What is written about requests and about the process.
        log: Log = "{}",
    }
}

/// A path of segments that need no encoding.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(pub(crate) String);

impl FromText for Prefix {
    const WRITE: &'static str = "write one such as \"/__forebay\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let segment = |segment: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            !segment.is_empty() && !matches!(segment, "." | "..") && segment.bytes().all(plain)
        };
        match text.strip_prefix('/') {
            Some(rest) if rest.split('/').all(segment) => Ok(Self(text.to_owned())),
            _ => Err(Wrong::new(
                "which is no path of plain segments",
                Self::WRITE,
            )),
        }
    }
}

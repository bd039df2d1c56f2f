//! This worker's idle connections to the origins' servers, newest first: the one used last is
//! the least likely to have been closed meanwhile.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forebay_admission::time::Timestamp;
use forebay_admission::verdict::Reason;
use forebay_layers::clock::Clock;
use forebay_layers::origin::Origin;
use forebay_layers::request_id::RequestIds;
use forebay_layers::server::Server;

use tokio::time::timeout;

use super::connection::{Connected, Link, dial};

/// One worker's pools, by server.
#[derive(Debug)]
pub struct Pools {
    clock: Clock,
    /// Where the choice of servers takes its chance from.
    dice: RequestIds,
    idle: Mutex<HashMap<SocketAddr, Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    link: Link,
    since: Timestamp,
}

impl Pools {
    /// Pools with nothing in them.
    #[must_use]
    pub fn new(clock: Clock, dice: RequestIds) -> Arc<Self> {
        Arc::new(Self {
            clock,
            dice,
            idle: Mutex::default(),
        })
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<SocketAddr, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Any number.
    pub(super) fn random(&self) -> u64 {
        self.dice.word()
    }

    /// An idle connection, or with `fresh` or without an idle one, a new one.
    pub(super) async fn checkout(
        &self,
        origin: &Arc<Origin>,
        server: &Arc<Server>,
        fresh: bool,
    ) -> Result<Connected, Reason> {
        // Counted from here on: a server that is slow to connect is loaded, too.
        let at = server.begin();
        if !fresh {
            while let Some(mut link) = self.take(server.address, origin.rules.keep_alive) {
                // Its connection's task may still be on its way to the end of the last exchange.
                if link.sender.is_ready() || settles(&mut link, origin).await {
                    return Ok(Connected::new(link, origin, at, true));
                }
            }
        }
        let link = match dial(origin, server).await {
            // Nothing is left for a fresh connection while idle ones are held here.
            Err(Reason::OriginBusy) if self.drop_oldest(server.address) => {
                dial(origin, server).await?
            }
            dialled => dialled?,
        };
        Ok(Connected::new(link, origin, at, false))
    }

    fn take(&self, server: SocketAddr, keep_alive: Duration) -> Option<Link> {
        let now = self.clock.now();
        let mut idle = self.idle();
        let stack = idle.get_mut(&server)?;
        while let Some(Idle { link, since }) = stack.pop() {
            if now.saturating_since(since) > keep_alive {
                // What lies below is older still.
                stack.clear();
                return None;
            }
            if !link.sender.is_closed() {
                return Some(link);
            }
        }
        None
    }

    /// Closes the connection that has been idle longest; says whether there was one.
    fn drop_oldest(&self, server: SocketAddr) -> bool {
        let mut idle = self.idle();
        let stack = idle.get_mut(&server).filter(|stack| !stack.is_empty());
        stack.map(|stack| stack.remove(0)).is_some()
    }

    /// Takes back a connection whose exchange is over, when it is worth keeping.
    pub(super) fn put(&self, connected: Connected) {
        let Some(link) = connected.into_link() else {
            return;
        };
        let since = self.clock.now();
        self.idle()
            .entry(link.server().address)
            .or_default()
            .push(Idle { link, since });
    }

    /// Closes what has been idle for longer than `keep_alive`. Called about once a second.
    pub fn sweep(&self, keep_alive: Duration) {
        let now = self.clock.now();
        let mut idle = self.idle();
        for stack in idle.values_mut() {
            stack.retain(|entry| {
                !entry.link.sender.is_closed() && now.saturating_since(entry.since) <= keep_alive
            });
        }
        idle.retain(|_, stack| !stack.is_empty());
    }
}

/// Whether the end of the last exchange comes soon.
async fn settles(link: &mut Link, origin: &Origin) -> bool {
    let ready = timeout(origin.rules.connect_timeout, link.sender.ready()).await;
    matches!(ready, Ok(Ok(())))
}

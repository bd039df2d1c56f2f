//! One generation of the configuration, as requests meet it: routes, origins, rooms, quotas,
//! pages, keys. Each worker has a site of its own; what must be one for the process (gates,
//! rooms, quota tables, budgets) is shared by all of them and survives a reload.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ahash::RandomState;
use forebay_admission::priority::RoutePriority;
use forebay_admission::quota::Quota;
use forebay_telemetry::metrics::RouteMetrics;
use http::HeaderName;
use ipnet::IpNet;

use crate::body::BodyRules;
use crate::budget::Budget;
use crate::bypass::Bypass;
use crate::cache::{Cache, CacheRules};
use crate::keyring::Keys;
use crate::origin::Origin;
use crate::page::Pages;
use crate::room::Desk;
use crate::route::{Found, Router};

/// What counts as one client in a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// An address prefix.
    Client,
    /// A pass; without one, the address prefix.
    Pass,
    /// All clients together.
    Route,
}

/// A quota in use: this worker's limiter over the process's table.
#[derive(Debug)]
pub struct NamedQuota {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Whom it counts.
    pub per: Per,
    /// The limiter.
    pub quota: Quota,
}

/// Which header names the client when a trusted proxy is in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Standard,
    /// None: the peer is the client.
    None,
}

/// Who is a client.
#[derive(Clone, Debug)]
pub struct ClientRules {
    /// Proxies in front of us whose word counts.
    pub trusted: Vec<IpNet>,
    /// The header they write.
    pub forwarded: Forwarded,
    /// Bits of an IPv4 address that make one client.
    pub ipv4_prefix: u8,
    /// Bits of an IPv6 address that make one client.
    pub ipv6_prefix: u8,
    /// Makes quota keys; keyed at random, so that nobody can aim at another's slot.
    pub hasher: RandomState,
}

/// One route in use.
#[derive(Debug)]
pub struct RouteEntry {
    /// The route as configured: the label in metrics.
    pub name: Arc<str>,
    /// Where it leads.
    pub origin: Arc<Origin>,
    /// The room in front; `None`: nobody waits here.
    pub room: Option<Arc<Desk>>,
    /// Whom that room never holds; `None`: it holds everybody.
    pub bypass: Option<Arc<Bypass>>,
    /// How its answers are kept; `None`: they are not.
    pub cache: Option<CacheRules>,
    /// What strangers are counted by; `None`: nothing is.
    pub quota: Option<Arc<NamedQuota>>,
    /// What visitors with a pass are counted by, unless the route counts nobody.
    pub pass_quota: Arc<NamedQuota>,
    /// One class up or down in the queue.
    pub priority: RoutePriority,
    /// Its metrics.
    pub metrics: Arc<RouteMetrics>,
}

/// Everything that a request may need to look up.
#[derive(Debug)]
pub struct Site {
    /// Which route a request takes.
    pub router: Router,
    /// The routes, by index.
    pub entries: Vec<RouteEntry>,
    /// The rooms, by index, for the status address.
    pub rooms: Vec<Arc<Desk>>,
    /// Who is a client.
    pub client: ClientRules,
    /// What a request body may be.
    pub body: BodyRules,
    /// How much of a body is read before a permit is taken, in bytes.
    pub body_buffer: usize,
    /// What all those buffers may hold together.
    pub body_buffers: Arc<Budget>,
    /// Streams and upgraded connections outside the limit.
    pub streams: Arc<Budget>,
    /// The budget of the rooms' pages and polls.
    pub room_quota: Arc<NamedQuota>,
    /// The error pages.
    pub pages: Arc<Pages>,
    /// The keys under tickets and passes.
    pub keyring: Arc<Keys>,
    /// Kept answers; `None`: no route keeps any.
    pub cache: Option<Arc<Cache>>,
    /// Headers with secrets by which somebody goes past a room: no origin sees them.
    pub hidden: Vec<HeaderName>,
    /// Where our own addresses begin, such as `/__forebay`.
    pub prefix: String,
    /// Whether connections are to end after their answers: draining, or too many are open.
    pub closing: Arc<Closing>,
    /// Metrics of requests that found no route.
    pub unrouted: Arc<RouteMetrics>,
}

/// Why answers may end their connections.
#[derive(Debug, Default)]
pub struct Closing {
    draining: AtomicBool,
    crowded: AtomicBool,
}

impl Closing {
    /// Every answer ends its connection from now on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the process is stopping.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Says whether more than half of the connections are taken.
    pub fn set_crowded(&self, crowded: bool) {
        self.crowded.store(crowded, Ordering::Relaxed);
    }

    /// Whether an answer of our own ends its connection.
    #[must_use]
    pub fn ends_own_answers(&self) -> bool {
        self.crowded.load(Ordering::Relaxed) || self.is_draining()
    }
}

impl Site {
    /// The route for a host, path and method.
    #[must_use]
    pub fn find(&self, host: &str, path: &str, method: &http::Method) -> Found {
        self.router.find(host, path, method)
    }
}

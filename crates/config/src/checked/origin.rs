//! A protected site: its servers, and how much may wait for it and run on it.

use std::num::NonZeroU32;
use std::time::Duration;

/// A protected site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The `NAME` of `[origin.NAME]`.
    pub name: String,
    /// At least one, none twice.
    pub servers: Vec<Server>,
    /// From the first SYN to an open connection.
    pub connect_timeout: Duration,
    /// From the request to the response's head.
    pub response_timeout: Duration,
    /// How long an idle connection is kept; shorter than the servers' own.
    pub keep_alive: Duration,
    /// The `Host` that the servers see.
    pub host: HostHeader,
    /// Connections to each server.
    pub connections: usize,
    /// Requests in flight at the origin.
    pub limit: Limit,
    /// The short queue in front of the limit.
    pub queue: Queue,
    /// How long work goes on at the origin after we gave up; `None`: the last
    /// p90 response time, 1 to 30 s.
    pub abort_grace: Option<Duration>,
    /// Response header by which a server may state a ceiling, in lower case.
    pub hint: Option<String>,
    /// Active probes; `None`: requests find out who is back.
    pub health: Option<Health>,
    /// What is asked of a second server.
    pub retry: Retry,
}

/// Active probes of each server of an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What is asked for by GET; begins with `/`.
    pub path: String,
    /// From probe to probe.
    pub interval: Duration,
}

/// What is asked of a second server when the first one failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Further attempts of one request: 0 or 1.
    pub attempts: u32,
    /// Retries per thousand requests; at most 1000.
    pub per_thousand: u32,
}

/// Who says how many requests may be in flight at the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The operator.
    Fixed(NonZeroU32),
    /// What the origin does, within these.
    Adaptive {
        /// Never below.
        min: NonZeroU32,
        /// Never above; at least `min`.
        max: NonZeroU32,
    },
}

impl Limit {
    /// The most that may ever be in flight.
    #[must_use]
    pub const fn most(self) -> NonZeroU32 {
        match self {
            Self::Fixed(limit) => limit,
            Self::Adaptive { max, .. } => max,
        }
    }
}

/// One server of an origin, spoken to in cleartext HTTP/1.1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// Host name in lower case, or an address; an IPv6 address without brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
    /// Its share beside the other servers'; 1 to 100.
    pub weight: NonZeroU32,
}

/// The `Host` header of forwarded requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostHeader {
    /// What the client sent.
    Preserve,
    /// Always this.
    Fixed(String),
}

/// Bounds of the short queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Requests that wait at once; `None`: four times the limit, 1024 or more.
    pub length: Option<usize>,
    /// Longest wait of an admitted visitor's unsafe method.
    pub submit: Duration,
    /// Longest wait of an admitted visitor's page.
    pub visitor: Duration,
    /// Longest wait of everybody else; `None`: from the response times.
    pub stranger: Option<Duration>,
}

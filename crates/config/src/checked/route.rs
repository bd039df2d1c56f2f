//! Which requests go where.

use super::RouteCache;

/// One row of the routing table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Host and path as written, such as `apply.example/apply/*`, and `*` for
    /// a route without either: the metrics' label.
    pub name: String,
    /// Hosts that match; `None`: all.
    pub host: Option<HostPattern>,
    /// Paths that match; `None`: all.
    pub path: Option<PathPattern>,
    /// Methods that match, in upper case; `None`: all.
    pub methods: Option<Vec<String>>,
    /// Index into [`Config::origins`](crate::Config::origins).
    pub origin: usize,
    /// Index into [`Config::rooms`](crate::Config::rooms); `None`: nobody waits.
    pub room: Option<usize>,
    /// Index into [`Config::quotas`](crate::Config::quotas); `None`: no quota.
    pub quota: Option<usize>,
    /// Moves the route's requests one class up or down in the short queue.
    pub priority: RoutePriority,
    /// How its answers are kept; `None`: they are not.
    pub cache: Option<RouteCache>,
}

/// One class up or down, never into the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoutePriority {
    /// One class up.
    High,
    /// As it comes.
    #[default]
    Normal,
    /// One class down.
    Low,
}

/// Hosts that match. Names are kept in lower case, without port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// Exactly this name.
    Exact(String),
    /// `*.example`: every name below `example`, kept as `.example`.
    Below(String),
}

impl HostPattern {
    /// Whether `host`, without port, matches; letter case does not count
    /// (RFC 9110, section 4.2.3).
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => host.eq_ignore_ascii_case(name),
            Self::Below(suffix) => {
                let (host, suffix) = (host.as_bytes(), suffix.as_bytes());
                host.len() > suffix.len()
                    && host[host.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
            }
        }
    }
}

/// Paths that match, compared byte by byte, without query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPattern {
    /// Exactly this path.
    Exact(String),
    /// `/x/*`: `/x` and everything below it, kept as `/x`; `/*` is kept empty.
    Below(String),
}

impl PathPattern {
    /// Whether `path`, without query, matches.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Below(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

//! Who comes, how many, from where, and how they behave.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::curve::Curve;

/// The site that a crowd visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its socket.
    pub address: SocketAddr,
    /// What the visitors write into `Host`.
    pub host: String,
    /// The first page of a visit.
    pub path: String,
    /// Whether they speak TLS; nobody looks at the certificate.
    pub tls: bool,
}

impl Site {
    /// The site at `address`, which is its name as well.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            host: address.to_string(),
            path: "/".to_owned(),
            tls: false,
        }
    }
}

/// A crowd, and its bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct CrowdSettings {
    /// Where they go.
    pub site: Site,
    /// Who comes; each group's arrivals and luck are its own.
    pub groups: Vec<Group>,
    /// How long the run lasts.
    pub lasts: Duration,
    /// Connections open at once; a visitor beyond waits, and that is counted.
    pub connections_max: usize,
    /// Visitors alive at once; who would come beyond is counted as not begun.
    pub visitors_max: usize,
    /// A whole answer later than this after its intended start is counted as late.
    pub late_after: Duration,
    /// Replays the run.
    pub seed: u64,
}

impl CrowdSettings {
    /// Ordinary people at `site`, `rate` of them a second for `lasts`.
    #[must_use]
    pub fn steady(site: Site, rate: f64, lasts: Duration) -> Self {
        let sources = if site.address.ip().is_loopback() {
            Sources::Loopback
        } else {
            Sources::Same
        };
        let people = Group {
            name: "people".to_owned(),
            arrivals: Curve::steady(rate, lasts),
            sources,
            behaviour: Behaviour::Visit(Visit::default()),
        };
        Self {
            site,
            groups: vec![people],
            lasts,
            connections_max: 3_000,
            visitors_max: 20_000,
            late_after: Duration::from_secs(1),
            seed: 1,
        }
    }

    /// How many come a second at `at`, of all groups.
    #[must_use]
    pub fn rate_at(&self, at: Duration) -> f64 {
        let rates = self.groups.iter().map(|group| group.arrivals.rate_at(at));
        rates.sum()
    }
}

/// Clients of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What the report calls them.
    pub name: String,
    /// How many come per second; for [`Behaviour::Script`], requests per second.
    pub arrivals: Curve,
    /// Which addresses they have.
    pub sources: Sources,
    /// What they do.
    pub behaviour: Behaviour,
}

/// Which addresses clients have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// The machine's own, all the same.
    Same,
    /// Each one of 127.0.0.0/8; only for a loopback target.
    Loopback,
    /// Each says in `X-Forwarded-For` that it comes from an address of this /16.
    Forwarded {
        /// The first two parts of the address.
        prefix: [u8; 2],
    },
}

/// What a client does.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    /// People, or programs that go through the site as people do.
    Visit(Visit),
    /// Requests at a set rate over kept connections.
    Script(Script),
    /// Sends a request's head byte by byte.
    SlowHead(Loris),
    /// Sends a form's content byte by byte.
    SlowBody(Loris),
    /// Asks for the first page and leaves before it can come.
    Leave(Leave),
    /// Sends what is no proper request.
    Junk,
}

/// How visitors go through the site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Visit {
    /// Pages of the form that a visit fills in, at most: a longer form it never gets to the end
    /// of. With 0 the visit ends with the first page.
    pub pages: u32,
    /// Mean time between a page and the visitor's next request; each is 0.5 to 1.5 times it.
    #[serde(with = "crate::span")]
    pub think: Duration,
    /// How long a visitor puts up with getting no page, counted from the last
    /// page; each has 0.5 to 1.5 times it.
    #[serde(with = "crate::span")]
    pub patience: Duration,
    /// The same for a visitor who has been told a place in line.
    #[serde(with = "crate::span")]
    pub patience_in_line: Duration,
    /// After this long without an answer an impatient visitor reloads.
    #[serde(with = "crate::span")]
    pub reload_after: Duration,
    /// Share of visitors who are impatient in that way.
    pub reload_probability: f64,
    /// Whether they keep cookies; who keeps none never waits in line.
    pub cookies: bool,
    /// Share of visitors whose browser runs the waiting page's script.
    pub scripted: f64,
    /// Share of visits that also open the heavy page.
    pub heavy: f64,
    /// Where the heavy page is.
    pub heavy_page: String,
    /// How long an idle connection is kept for the visitor's next request.
    #[serde(with = "crate::span")]
    pub keep_alive: Duration,
    /// Bound of one connect.
    #[serde(with = "crate::span")]
    pub connect_timeout: Duration,
    /// Bound of one request, from its first byte to the answer's last.
    #[serde(with = "crate::span")]
    pub request_timeout: Duration,
}

impl Default for Visit {
    fn default() -> Self {
        Self {
            pages: 3,
            think: Duration::from_millis(1_500),
            patience: Duration::from_secs(30),
            patience_in_line: Duration::from_secs(300),
            reload_after: Duration::from_secs(4),
            reload_probability: 0.7,
            cookies: true,
            scripted: 0.9,
            heavy: 0.0,
            heavy_page: "/slow".to_owned(),
            keep_alive: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
        }
    }
}

/// How a script asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// What it asks for.
    pub path: String,
    /// Kept connections that carry the requests.
    pub connections: usize,
    /// Cookie jars that the requests use in turn, as so many browsers would; 0: no cookies.
    pub jars: usize,
    /// Bound of one request, from its first byte to the answer's last.
    #[serde(with = "crate::span")]
    pub request_timeout: Duration,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            connections: 64,
            jars: 0,
            request_timeout: Duration::from_secs(30),
        }
    }
}

/// How soon a client leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Leave {
    /// Time from the connect to its end.
    #[serde(with = "crate::span")]
    pub after: Duration,
}

impl Default for Leave {
    fn default() -> Self {
        Self {
            after: Duration::from_millis(20),
        }
    }
}

/// How slowly a client sends that means harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Loris {
    /// Time between two bytes.
    #[serde(with = "crate::span")]
    pub every: Duration,
    /// When it gives up, counted from the connect.
    #[serde(with = "crate::span")]
    pub patience: Duration,
}

impl Default for Loris {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(1),
            patience: Duration::from_secs(120),
        }
    }
}

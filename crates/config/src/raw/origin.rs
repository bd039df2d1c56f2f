//! `[origin.NAME]`.

use super::Count;
use crate::checked::{HostHeader, Server};
use crate::read::{At, Auto, FromText, Number, Or, Period, Wait, Word, Wrong, table};

table! {
    /// A protected site.
    Origin, later ["hint", "health", "retry", "tls"], {
        /// Its servers, such as "http://127.0.0.1:3000".
        servers: Vec<At<Server>> = required,
        /// Longest wait for an open connection.
        connect_timeout: Period = "'1s'",
        /// Longest wait for the response's head.
        response_timeout: Period = "'30s'",
        /// How long an idle connection is kept; shorter than the servers' own.
        keep_alive: Period = "'4s'",
        /// The Host that the servers see: "preserve" for the client's, or a fixed name.
        host: HostHeader = "'preserve'",
        /// Connections to each server.
        connections: Count = "1024",
        /// How many requests may be in flight at the origin.
        limit: Limit = "{}",
        /// The short queue in front of the limit.
        queue: Queue = "{}",
        /// How long work goes on at the origin after we gave up on it. "auto":
        /// the last p90 response time, 1 to 30 s.
        abort_grace: Or<Auto, Wait> = "'auto'",
    }
}

table! {
    /// How many requests may be in flight at the origin.
    Limit, later [], {
        /// Who sets the number: "adaptive" finds it out by itself, "fixed" takes yours.
        mode: LimitMode = "'adaptive'",
        /// The number of "fixed".
        concurrency: Count = optional,
        /// "adaptive" goes never below.
        min: Count = "4",
        /// "adaptive" goes never above.
        max: Count = "1000",
    }
}

table! {
    /// The short queue in front of the limit.
    Queue, later [], {
        /// Requests that wait at once. "auto": four times the limit, 1024 or more.
        length: Or<Auto, Number<1, 1_000_000>> = "'auto'",
        /// Longest wait of a form that an admitted visitor sends.
        submit: Wait = "'30s'",
        /// Longest wait of a page that an admitted visitor asks for.
        visitor: Wait = "'5s'",
        /// Longest wait of everybody else. "auto": from the response times.
        stranger: Or<Auto, Wait> = "'auto'",
    }
}

/// Who sets the concurrency limit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LimitMode {
    /// What the origin does.
    Adaptive,
    /// The operator.
    Fixed,
}

impl Word for LimitMode {
    const WORDS: &'static [(&'static str, Self)] =
        &[("adaptive", Self::Adaptive), ("fixed", Self::Fixed)];
}

impl FromText for Server {
    const WRITE: &'static str = "write one such as \"http://127.0.0.1:3000\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if text.starts_with("https://") {
            let what = "and https comes in a later version";
            return Err(Wrong::new(what, "write an http:// address for now"));
        }
        let wrong = |what: &str| Wrong::new(what, Self::WRITE);
        let authority = text
            .strip_prefix("http://")
            .ok_or_else(|| wrong("which is no server"))?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.contains(['/', '?', '#']) {
            return Err(wrong("which goes on behind the port"));
        }
        if authority.contains('@') {
            return Err(wrong("which names a user"));
        }
        let HostName { host, port } =
            HostName::parse(authority).ok_or_else(|| wrong("which names no host"))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        match port {
            Some(0) => Err(wrong("and there is no port 0")),
            port => Ok(Self {
                host,
                port: port.unwrap_or(80),
            }),
        }
    }
}

impl FromText for HostHeader {
    const WRITE: &'static str = "write \"preserve\" or a name such as \"www.example\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "preserve" => Ok(Self::Preserve),
            _ if HostName::parse(text).is_some() => Ok(Self::Fixed(text.to_owned())),
            _ => Err(Wrong::new("which is no host", Self::WRITE)),
        }
    }
}

/// `host` and perhaps `port` of an authority (RFC 3986, section 3.2).
pub(crate) struct HostName {
    /// In lower case; an IPv6 address keeps its brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl HostName {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let colon = text
            .rfind(':')
            .filter(|&colon| !text[colon..].contains(']'));
        let (host, port) = text.split_at(colon.unwrap_or(text.len()));
        let port = match port.strip_prefix(':') {
            // `u16::from_str` would take "+80".
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(port.parse().ok()?)
            }
            Some(_) => return None,
            None => None,
        };
        let address = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let fits = address.map_or_else(
            || is_name(host),
            |address| address.parse::<std::net::Ipv6Addr>().is_ok(),
        );
        fits.then(|| Self {
            host: host.to_ascii_lowercase(),
            port,
        })
    }
}

/// Labels of letters, digits, `-` and `_`, which also fits an IPv4 address.
fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(plain)
    };
    host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_scheme_a_host_and_a_port() {
        let cases = [
            ("http://127.0.0.1:3000", Some(("127.0.0.1", 3000))),
            ("http://Portal.Example", Some(("portal.example", 80))),
            ("http://portal_1:8080/", Some(("portal_1", 8080))),
            ("http://[::1]:8080", Some(("::1", 8080))),
            ("http://[::1]", Some(("::1", 80))),
            ("https://portal.example", None),
            ("portal.example:80", None),
            ("http://", None),
            ("http://:80", None),
            ("http://a:0", None),
            ("http://a:65536", None),
            ("http://a:+80", None),
            ("http://a:", None),
            ("http://a/path", None),
            ("http://user@a", None),
            ("http://::1", None),
            ("http://[zz]", None),
            ("http://a b", None),
            ("http://a..b", None),
            ("http://é", None),
        ];
        for (text, expected) in cases {
            let server = Server::parse(text).ok();
            let expected = expected.map(|(host, port)| Server {
                host: host.to_owned(),
                port,
            });
            assert_eq!(server, expected, "{text}");
        }
    }
}

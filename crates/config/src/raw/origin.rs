//! `[origin.NAME]`.

use std::num::NonZeroU32;

use serde_json::{Value as Json, json};
use toml::de::DeTable;

use super::Count;
use crate::checked::{HostHeader, Server};
use crate::read::{
    At, Auto, FromText, Node, NoneWord, Number, Or, Period, Reader, Value, Wait, Word, Wrong, table,
};

table! {
    /// A protected site.
    Origin, later ["tls"], {
        /// Its servers, such as "http://127.0.0.1:3000", or with a weight as
        /// { url = "http://127.0.0.1:3001", weight = 2 }.
        servers: Vec<At<Member>> = required,
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
        /// Response header in which a server may say how many requests it wants
        /// at once. "none": nobody is asked.
        hint: Or<NoneWord, HeaderText> = "'forebay-limit'",
        /// Active probes of each server.
        health: Health = optional,
        /// What is asked of a second server when the first one failed.
        retry: Retry = "{}",
    }
}

table! {
    /// A server with a weight.
    Weighted, later [], {
        /// Such as "http://127.0.0.1:3000".
        url: Server = required,
        /// Its share beside the other servers'.
        weight: Number<1, 100> = "1",
    }
}

table! {
    /// Active probes of each server.
    Health, later [], {
        /// Asked by GET; 2xx and 3xx are well.
        path: TargetText = required,
        /// Time from probe to probe.
        interval: Period = "'5s'",
    }
}

table! {
    /// What is asked of a second server when the first one failed: never what
    /// changes something, and never more than once.
    Retry, later [], {
        /// Further attempts of one request: 0 or 1.
        attempts: Number<0, 1> = "1",
        /// Retries as a share of all requests.
        budget: Percent = "'10%'",
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

/// A server of the list, alone or with a weight.
#[derive(Debug, Clone)]
pub(crate) struct Member(pub(crate) Server);

impl Value for Member {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let weighted = |table: &DeTable<'_>| {
            let has = |key: &str| table.contains_key(key);
            has("url") || has("weight")
        };
        if !node.value.as_table().is_some_and(weighted) {
            return Server::read(node, reader).map(Self);
        }
        let Weighted { url, weight } = Weighted::read(node, reader)?;
        let weight = NonZeroU32::new(weight.value.fit()).expect("a weight is 1 or more");
        url.map(|url| {
            Self(Server {
                weight,
                ..url.value
            })
        })
    }

    fn schema() -> Json {
        json!({ "anyOf": [Server::schema(), Weighted::schema()] })
    }
}

/// The name of a header field.
#[derive(Debug, Clone)]
pub(crate) struct HeaderText(pub(crate) String);

impl FromText for HeaderText {
    const WRITE: &'static str = "write a name such as \"forebay-limit\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        // What HTTP itself rests on is taken out of no answer.
        const NEEDED: [&str; 4] = [
            "connection",
            "content-length",
            "content-type",
            "transfer-encoding",
        ];
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let name = text.to_ascii_lowercase();
        if name.is_empty() || name.len() > 64 || !name.bytes().all(token) {
            return Err(Wrong::new("which is no header", Self::WRITE));
        }
        if NEEDED.contains(&name.as_str()) {
            let what = "which the answer itself needs";
            return Err(Wrong::new(what, "take a header of its own"));
        }
        Ok(Self(name))
    }
}

/// The target of a request: a path, perhaps with a query.
#[derive(Debug, Clone)]
pub(crate) struct TargetText(pub(crate) String);

impl FromText for TargetText {
    const WRITE: &'static str = "write a path such as \"/healthz\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        if !text.starts_with('/') || text.len() > 1024 || !text.bytes().all(plain) {
            return Err(Wrong::new("which is no path", Self::WRITE));
        }
        Ok(Self(text.to_owned()))
    }

    fn text_schema() -> Json {
        json!({ "type": "string", "pattern": "^/[!-\"$-~]*$" })
    }
}

/// A share, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Percent(pub(crate) u32);

impl FromText for Percent {
    const WRITE: &'static str = "write one such as \"10%\", up to \"100%\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let none = || Wrong::new("which is no share", Self::WRITE);
        let number = text.strip_suffix('%').ok_or_else(none)?;
        let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str, most: usize| {
            let fits = (1..=most).contains(&text.len());
            let parsed = text.bytes().all(|byte| byte.is_ascii_digit());
            (fits && parsed).then(|| text.parse::<u32>().ok()).flatten()
        };
        let whole = digits(whole, 3).ok_or_else(none)?;
        let tenths = digits(tenths, 1).ok_or_else(none)?;
        let share = whole * 10 + tenths;
        if share > 1_000 {
            return Err(Wrong::new("which is more than all", Self::WRITE));
        }
        Ok(Self(share))
    }

    fn text_schema() -> Json {
        json!({ "type": "string", "pattern": r"^\d{1,3}(\.\d)?%$" })
    }
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
                weight: NonZeroU32::MIN,
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
                weight: NonZeroU32::MIN,
            });
            assert_eq!(server, expected, "{text}");
        }
    }

    #[test]
    fn a_share_is_a_number_of_percent() {
        for (text, expected) in [
            ("10%", Some(100)),
            ("0%", Some(0)),
            ("2.5%", Some(25)),
            ("100%", Some(1_000)),
            ("100.1%", None),
            ("10", None),
            ("%", None),
            ("-1%", None),
            ("+1%", None),
            ("1.25%", None),
            ("1.%", None),
        ] {
            let share = Percent::parse(text).ok().map(|share| share.0);
            assert_eq!(share, expected, "{text}");
        }
    }

    #[test]
    fn a_header_is_a_token_that_the_answer_can_do_without() {
        for (text, expected) in [
            ("forebay-limit", Some("forebay-limit")),
            ("X-Capacity", Some("x-capacity")),
            ("", None),
            ("two words", None),
            ("name:", None),
            ("Content-Length", None),
        ] {
            let name = HeaderText::parse(text).ok().map(|name| name.0);
            assert_eq!(name.as_deref(), expected, "{text}");
        }
    }
}

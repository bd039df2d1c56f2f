//! Whom a room never holds: by a secret header, by address, by path, by method; and preflights.
//!
//! The room steps aside, and nothing else does: quotas, the limit and the short queue count as
//! for everybody. Who shows the secret or comes from one of the addresses is the operator's own
//! and stands at that queue with the visitors inside; a path or a method is open to anybody and
//! stands with the strangers, who wait behind all who were let in. In maintenance only the
//! operator's own go on, to see whether the site works again.

use std::fmt;
use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::request::Parts;
use http::{HeaderName, Method};
use ipnet::IpNet;

use crate::route::PathPattern;

/// The rule by which somebody bypasses a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A header has the secret value.
    Header,
    /// The client's address is in one of the networks.
    Address,
    /// The path is one that never waits.
    Path,
    /// The method is one that never waits.
    Method,
    /// A preflight (Fetch standard section 4.8): it never carries a cookie, so it could never show
    /// a pass, and a browser whose preflight fails hides the answer to the request itself. What
    /// it asks for only the origin may grant, or a script would be let past a guard of the
    /// origin's while a room is open.
    Preflight,
}

impl Rule {
    /// Whether only somebody whom the operator named can match it.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::Header | Self::Address)
    }
}

/// The rules of one room.
#[derive(Clone, Debug, Default)]
pub struct Bypass {
    /// Networks of clients.
    pub addresses: Vec<IpNet>,
    /// Paths that never wait.
    pub paths: Vec<PathPattern>,
    /// Methods that never wait.
    pub methods: Vec<Method>,
    /// Headers, each with its secret.
    pub headers: Vec<(HeaderName, Secret)>,
}

/// A header's secret value; never printed.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Hides `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Compares in a time that tells nothing but the length.
    fn is(&self, value: &[u8]) -> bool {
        verify_slices_are_equal(&self.0, value).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Bypass {
    /// The first rule that a request from `client` matches.
    #[must_use]
    pub fn rule(&self, head: &Parts, client: IpAddr) -> Option<Rule> {
        let shown = |(name, secret): &(HeaderName, Secret)| {
            let mut values = head.headers.get_all(name).iter();
            values.any(|value| secret.is(value.as_bytes()))
        };
        if self.headers.iter().any(shown) {
            Some(Rule::Header)
        } else if self.addresses.iter().any(|net| net.contains(&client)) {
            Some(Rule::Address)
        } else if self.goes_past(head.uri.path()) {
            Some(Rule::Path)
        } else {
            self.methods.contains(&head.method).then_some(Rule::Method)
        }
    }

    /// What an origin may read as another path is held: `/static/../apply` is `/apply` to many
    /// (RFC 3986 section 5.2.4).
    fn goes_past(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| pattern.matches(path)) && is_plain(path)
    }
}

/// Whether a path has no segment that leads back up, nor bytes that hide one.
fn is_plain(path: &str) -> bool {
    let dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    let hidden = |bytes: &[u8]| {
        bytes[0] == b'%'
            && matches!(
                &bytes[1..],
                [b'2', b'e' | b'E' | b'f' | b'F'] | [b'5', b'c' | b'C'] | b"00"
            )
    };
    !path.split('/').any(dots) && !path.contains('\\') && !path.as_bytes().windows(3).any(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn rules() -> Bypass {
        Bypass {
            addresses: vec!["192.0.2.0/24".parse().unwrap()],
            paths: vec![
                PathPattern::Exact("/robots.txt".to_owned()),
                PathPattern::Below("/static".to_owned()),
            ],
            methods: vec![Method::OPTIONS],
            headers: vec![(
                HeaderName::from_static("x-monitor"),
                Secret::new(b"sixteen is enough"),
            )],
        }
    }

    fn rule(method: &str, path: &str, monitor: Option<&str>, client: &str) -> Option<Rule> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(value) = monitor {
            request = request
                .header("x-monitor", "first")
                .header("x-monitor", value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        rules().rule(&head, client.parse().unwrap())
    }

    #[test]
    fn who_matches_a_rule_goes_past_the_room_and_nobody_else() {
        let far = "198.51.100.7";
        let secret = Some("sixteen is enough");
        let cases = [
            ("GET", "/", None, far, None),
            ("GET", "/", secret, far, Some(Rule::Header)),
            ("GET", "/", Some("sixteen is enougH"), far, None),
            ("GET", "/", Some("sixteen is enough "), far, None),
            ("GET", "/", Some(""), far, None),
            ("GET", "/", None, "192.0.2.9", Some(Rule::Address)),
            ("GET", "/", None, "192.0.3.9", None),
            ("GET", "/robots.txt", None, far, Some(Rule::Path)),
            ("GET", "/robots.txt/", None, far, None),
            ("GET", "/static", None, far, Some(Rule::Path)),
            ("POST", "/static/a/b.css?x", None, far, Some(Rule::Path)),
            ("GET", "/statics", None, far, None),
            ("OPTIONS", "/apply", None, far, Some(Rule::Method)),
            // The rule that says most about who asks counts.
            (
                "OPTIONS",
                "/static/a",
                secret,
                "192.0.2.9",
                Some(Rule::Header),
            ),
            (
                "OPTIONS",
                "/static/a",
                None,
                "192.0.2.9",
                Some(Rule::Address),
            ),
        ];
        for (method, path, monitor, client, expected) in cases {
            let found = rule(method, path, monitor, client);
            assert_eq!(found, expected, "{method} {path} {monitor:?} {client}");
        }
    }

    #[test]
    fn a_path_that_may_be_read_as_another_is_held() {
        for path in [
            "/static/../apply",
            "/static/..",
            "/static/./../apply",
            "/static/%2e%2e/apply",
            "/static/.%2E/apply",
            "/static/..;x/apply",
            "/static/..%2fapply",
            "/static/..%5Capply",
            "/static/..\\apply",
            "/static/a%00/b",
        ] {
            assert!(!rules().goes_past(path), "{path}");
        }
        for path in ["/static/a..b", "/static/...", "/static/%20", "/static//a"] {
            assert!(rules().goes_past(path), "{path}");
        }
    }

    #[test]
    fn the_secret_is_never_printed() {
        assert!(!format!("{:?}", rules()).contains("sixteen"));
    }
}

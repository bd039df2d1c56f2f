//! Hop-by-hop fields (RFC 9110 section 7.6.1): what concerns one connection ends at it.

use http::header::{CONNECTION, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Fields that a `Connection` option may not take away: without them the message would be
/// another one, or somebody could make us drop what we or the origin rely on.
const KEPT: [&str; 9] = [
    "host",
    "content-length",
    "content-type",
    "cookie",
    "authorization",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "cache-control",
];

/// Whether the message asks to switch to WebSocket (RFC 6455 section 4.1); no other protocol is
/// tunnelled: `h2c` would lead past every layer.
#[must_use]
pub fn is_websocket(headers: &HeaderMap) -> bool {
    let wants = headers
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    wants && options(headers).any(|option| option.eq_ignore_ascii_case("upgrade"))
}

fn options(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|option| !option.is_empty())
}

/// Which hop-by-hop fields a message has: found in one pass, because most have none and a look-up
/// for each would cost more than everything else that is done with the head.
#[derive(Clone, Copy, Default)]
struct Present {
    connection: bool,
    te: bool,
    transfer_encoding: bool,
    upgrade: bool,
    others: bool,
}

/// Fields that are always removed.
const OTHERS: [&str; 4] = [
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
];

impl Present {
    fn of(headers: &HeaderMap) -> Self {
        let mut present = Self::default();
        for name in headers.keys() {
            match name.as_str() {
                "connection" => present.connection = true,
                "te" => present.te = true,
                "transfer-encoding" => present.transfer_encoding = true,
                "upgrade" => present.upgrade = true,
                name => present.others |= OTHERS.contains(&name),
            }
        }
        present
    }
}

/// Removes the hop-by-hop fields. With `upgrade` the switch to WebSocket stays, in its one plain
/// form. `TE` stays when it says `trailers`, which is all we pass on.
pub fn remove(headers: &mut HeaderMap, upgrade: bool) {
    let present = Present::of(headers);
    let trailers = present.te && wants_trailers(headers);
    if present.connection {
        remove_named(headers, upgrade);
    }
    if present.others {
        for name in OTHERS {
            headers.remove(name);
        }
    }
    if present.transfer_encoding {
        headers.remove(TRANSFER_ENCODING);
    }
    if present.te && headers.remove(TE).is_some() && trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    if upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    } else if present.upgrade {
        headers.remove(UPGRADE);
    }
}

/// Removes what `Connection` names, and itself.
fn remove_named(headers: &mut HeaderMap, upgrade: bool) {
    let named: Vec<HeaderName> = options(headers)
        .filter(|option| !KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(option)))
        .filter_map(|option| HeaderName::from_bytes(option.as_bytes()).ok())
        .collect();
    for name in named {
        if name != UPGRADE || !upgrade {
            headers.remove(name);
        }
    }
    headers.remove(CONNECTION);
}

fn wants_trailers(headers: &HeaderMap) -> bool {
    headers
        .get_all(TE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = [(&'static str, &'static str)];

    fn left(fields: &[(&str, &str)], upgrade: bool) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        remove(&mut headers, upgrade);
        let mut left: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        left.sort();
        left
    }

    #[test]
    fn what_concerns_one_connection_ends_at_it() {
        let cases: [(&Fields, &[&str]); 5] = [
            (&[("host", "a"), ("keep-alive", "5")], &["host: a"]),
            (
                &[
                    ("connection", "close, x-own"),
                    ("x-own", "1"),
                    ("x-else", "2"),
                ],
                &["x-else: 2"],
            ),
            (&[("connection", "host"), ("host", "a")], &["host: a"]),
            (&[("te", "gzip, trailers")], &["te: trailers"]),
            (
                &[
                    ("te", "gzip"),
                    ("upgrade", "h2c"),
                    ("connection", "upgrade"),
                ],
                &[],
            ),
        ];
        for (fields, expected) in cases {
            assert_eq!(left(fields, false), expected, "{fields:?}");
        }
    }

    #[test]
    fn a_websocket_keeps_its_switch() {
        let fields = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
        ];
        assert_eq!(
            left(&fields, true),
            ["connection: upgrade", "upgrade: websocket"]
        );
    }
}

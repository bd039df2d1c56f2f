//! Under which name a copy is kept: everything of a request on which the answer may depend.

use std::fmt::Write;

use http::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, HOST, ORIGIN, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::exchange::Exchange;

/// Bytes of a name. A longer request goes past the cache.
const KEY_MAX: usize = 2 * 1024;

/// Fields by which an answer may vary and still be kept; an answer that varies by anything else
/// has too many forms to be worth it.
const VARYING: [HeaderName; 4] = [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, ORIGIN];

/// Fields that some origins build links from although no `Vary` says so. Without them in the name
/// one visitor could choose what all others are sent.
const STEERING: [&str; 9] = [
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-scheme",
    "x-host",
    "x-http-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-method-override",
];

/// A name of a copy.
pub(super) type Key = Box<[u8]>;

/// The name under which an exchange's target is kept; `None`: too long.
pub(super) fn key(exchange: &Exchange) -> Option<Key> {
    let head = &exchange.head;
    let mut key = Vec::with_capacity(128);
    key.extend_from_slice(exchange.entry().origin.name.as_bytes());
    key.extend_from_slice(if exchange.client.https {
        b"\0s"
    } else {
        b"\0p"
    });
    if let Some(host) = head.headers.get(HOST) {
        key.extend(host.as_bytes().to_ascii_lowercase());
    }
    key.push(0);
    let target = head.uri.path_and_query();
    key.extend_from_slice(target.map_or("/", |target| target.as_str()).as_bytes());
    for name in STEERING {
        for value in head.headers.get_all(name) {
            key.push(0);
            key.extend_from_slice(name.as_bytes());
            key.push(b':');
            key.extend_from_slice(value.as_bytes());
        }
    }
    (key.len() <= KEY_MAX).then(|| key.into())
}

/// The fields by which an answer varies (RFC 9111 section 4.1), as bits of [`VARYING`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Varying(u8);

impl Varying {
    /// What `Vary` says; `None`: the answer is for one request alone, or has too many forms.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut bits = 0;
        for value in headers.get_all(VARY) {
            for name in value.to_str().ok()?.split(',').map(str::trim) {
                if name.is_empty() {
                    continue;
                }
                let at = VARYING
                    .iter()
                    .position(|known| name.eq_ignore_ascii_case(known.as_str()))?;
                bits |= 1 << at;
            }
        }
        Some(Self(bits))
    }

    /// Whether every request gets the same.
    pub(super) const fn is_nothing(self) -> bool {
        self.0 == 0
    }

    /// The name of the form that a request with these fields gets; `generation` tells an index's
    /// forms from those of the index before it. `None`: too long.
    pub(super) fn form(self, key: &[u8], generation: u64, headers: &HeaderMap) -> Option<Key> {
        let mut form = key.to_vec();
        form.push(0);
        form.extend_from_slice(&generation.to_be_bytes());
        for (bit, name) in VARYING.iter().enumerate() {
            if self.0 & (1 << bit) != 0 {
                form.push(0);
                form.extend(said(headers, name));
            }
        }
        (form.len() <= KEY_MAX).then(|| form.into())
    }
}

/// The fields of a request that a later [`Varying::form`] may ask for.
pub(super) fn varying(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(VARYING.len());
    for name in VARYING {
        for value in headers.get_all(&name) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

/// What a request says in a field, in one form for all who mean the same (RFC 9111 section 4.1
/// allows that): letter case and spaces do not count, and of the codings only those that are used
/// on the web and not refused.
fn said(headers: &HeaderMap, name: &HeaderName) -> Vec<u8> {
    let lines: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let mut plain = lines.join(&b","[..]).to_ascii_lowercase();
    plain.retain(|byte| !matches!(byte, b' ' | b'\t'));
    if *name != ACCEPT_ENCODING {
        return plain;
    }
    let text = String::from_utf8_lossy(&plain);
    let taken = |coding: &str| {
        text.split(',').any(|one| match one.split_once(";q=") {
            Some((name, weight)) => {
                name == coding && weight.bytes().any(|b| (b'1'..=b'9').contains(&b))
            }
            None => one == coding,
        })
    };
    let mut codings = String::new();
    for coding in ["br", "deflate", "gzip", "zstd", "*", "identity"] {
        if taken(coding) {
            // Writing to a string cannot fail.
            _ = write!(codings, "{coding},");
        }
    }
    codings.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_known_fields_make_forms() {
        let of = |line| Varying::of(&headers(&[("vary", line)]));
        assert_eq!(Varying::of(&HeaderMap::new()), Some(Varying(0)));
        assert_eq!(
            of("Accept-Encoding,ACCEPT-LANGUAGE ,"),
            Some(Varying(0b110))
        );
        for line in ["*", "Accept, *", "Cookie", "User-Agent", "Accept Encoding"] {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn who_means_the_same_gets_the_same_form() {
        let varying = Varying::of(&headers(&[("vary", "accept-encoding, accept-language")]));
        let form = |fields: &[(&'static str, &'static str)]| {
            varying.and_then(|varying| varying.form(b"key", 7, &headers(fields)))
        };
        let (encoding, language) = ("accept-encoding", "accept-language");
        let same = [
            form(&[(encoding, "gzip, br"), (language, "fr, en;q=0.5")]),
            form(&[
                (encoding, "BR;q=1.0,gzip;q=0.001"),
                (language, "FR,en;q=0.5"),
            ]),
            form(&[
                (encoding, "br"),
                (encoding, "gzip, x-own"),
                (language, "fr,en;q=0.5"),
            ]),
        ];
        assert!(same[0].is_some());
        assert!(same.iter().all(|one| *one == same[0]));
        for other in [
            form(&[(encoding, "gzip, br;q=0"), (language, "fr, en;q=0.5")]),
            form(&[(encoding, "gzip, br"), (language, "en;q=0.5, fr")]),
            form(&[]),
        ] {
            assert_ne!(other, same[0]);
        }
    }
}

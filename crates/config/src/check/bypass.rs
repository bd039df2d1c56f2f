//! Whom a room never holds: what lets everybody in, or cannot be kept secret, is pointed out.

use crate::checked::{Bypass, PathPattern, Secret};
use crate::raw;
use crate::read::{At, Reader};

/// Bytes of a secret below which somebody may find it by trying.
const SECRET_MIN: usize = 16;

/// Fields without which a message would be another one, and those that Forebay reads or writes
/// itself: they cannot be taken away.
const KEPT: [&str; 20] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-request-id",
];

pub(super) fn bypass(raw: &raw::Bypass, reader: &mut Reader<'_>) -> Bypass {
    let everybody = "lets everybody past the room";
    for At { place, value } in &raw.addresses.value {
        if value.prefix_len() == 0 {
            let write = "write a narrower network, or mode = \"off\"";
            reader.report.warning(place, everybody, write);
        }
    }
    for At { place, value } in &raw.paths.value {
        if matches!(value, PathPattern::Below(path) if path.is_empty()) {
            let write = "write a narrower path, or mode = \"off\"";
            reader.report.warning(place, everybody, write);
        }
    }
    for At { place, value } in &raw.methods.value {
        if value.0 == "GET" {
            let write = "leave it out, or write mode = \"off\"";
            reader.report.warning(place, everybody, write);
        }
    }
    Bypass {
        addresses: values(&raw.addresses.value, |net| *net),
        paths: values(&raw.paths.value, Clone::clone),
        methods: values(&raw.methods.value, |method| method.0.clone()),
        headers: headers(&raw.headers.value.0, reader),
    }
}

fn values<T, U>(list: &[At<T>], value: impl Fn(&T) -> U) -> Vec<U> {
    list.iter().map(|at| value(&at.value)).collect()
}

fn headers(raw: &[(At<String>, Secret)], reader: &mut Reader<'_>) -> Vec<(String, Secret)> {
    let mut list: Vec<(String, Secret)> = Vec::new();
    for (name, secret) in raw {
        let At { place, value: name } = name;
        let lower = name.to_ascii_lowercase();
        let problem = if !is_token(name) {
            Some(("is no name of a header", "write one such as \"x-monitor\""))
        } else if KEPT.contains(&lower.as_str()) {
            Some((
                "is a header that is needed on the way",
                "take a name of your own, such as \"x-monitor\"",
            ))
        } else if list.iter().any(|(other, _)| *other == lower) {
            Some(("is there twice", "leave one out"))
        } else {
            wrong_secret(secret.expose())
        };
        if let Some((what, write)) = problem {
            reader.report.error(place, what, write);
        } else if secret.expose().len() < SECRET_MIN {
            let what = "has a value that somebody may find by trying";
            reader
                .report
                .warning(place, what, "make it 16 random characters or more");
        }
        list.push((lower, secret.clone()));
    }
    list
}

/// RFC 9110 section 5.6.2.
fn is_token(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.len() <= 64 && name.bytes().all(fits)
}

/// RFC 9110 section 5.5: what a client can send, and what arrives as it was sent.
fn wrong_secret(secret: &[u8]) -> Option<(&'static str, &'static str)> {
    if secret.is_empty() {
        return Some(("has an empty value", "make it 16 random characters or more"));
    }
    let fits = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let whole = secret.trim_ascii().len() == secret.len() && secret.iter().all(fits);
    (!whole).then_some((
        "has a value that no header can have",
        "make it 16 random letters and digits or more",
    ))
}

//! The room's one cookie, for ticket and pass: found among the others, removed before the origin
//! sees the request, and written with the attributes that keep it.
//!
//! Its name is `__Host-forebay-<room>` where the visitor's connection is TLS, else
//! `forebay-<room>` (RFC 6265bis section 4.1.3 for the prefix); both are read.

use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The names of one room's cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieNames {
    secure: String,
    plain: String,
}

impl CookieNames {
    /// The names for a room, whose name the configuration has checked to be a cookie token.
    #[must_use]
    pub fn of(room: &str) -> Self {
        Self {
            secure: format!("__Host-forebay-{room}"),
            plain: format!("forebay-{room}"),
        }
    }

    /// The `Set-Cookie` value.
    #[must_use]
    pub fn set(&self, value: &str, https: bool, max_age: Duration) -> Option<HeaderValue> {
        let (name, secure) = if https {
            (&self.secure, "; Secure")
        } else {
            (&self.plain, "")
        };
        let text = format!(
            "{name}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            max_age.as_secs(),
        );
        HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()
    }

    /// The cookie's values in the order of the header; more than one when a visitor moved from
    /// http to https, or somebody planted one.
    pub fn values<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        pairs(headers).filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let name = name.trim();
            (name == self.secure || name == self.plain).then(|| value.trim())
        })
    }
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
}

/// Whether a cookie's name is one of ours, whatever the room.
fn ours(pair: &str) -> bool {
    let name = pair.split_once('=').map_or(pair, |(name, _)| name).trim();
    name.starts_with("__Host-forebay-") || name.starts_with("forebay-")
}

/// Removes every room's cookie, and leaves all others as they were.
pub fn remove_ours(headers: &mut HeaderMap) {
    let found = |value: &HeaderValue| memchr::memmem::find(value.as_bytes(), b"forebay-").is_some();
    if !headers.get_all(COOKIE).iter().any(found) {
        return;
    }
    let kept: Vec<HeaderValue> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(without_ours)
        .collect();
    headers.remove(COOKIE);
    for value in kept {
        headers.append(COOKIE, value);
    }
}

fn without_ours(value: &HeaderValue) -> Option<HeaderValue> {
    let Ok(line) = value.to_str() else {
        return Some(value.clone());
    };
    let kept: Vec<&str> = line
        .split(';')
        .map(str::trim)
        .filter(|pair| !pair.is_empty() && !ours(pair))
        .collect();
    if kept.is_empty() {
        return None;
    }
    HeaderValue::from_str(&kept.join("; ")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn both_names_are_read_and_other_rooms_are_not() {
        let names = CookieNames::of("main");
        let sent = headers(&[
            "a=1; forebay-main=x; forebay-other=y",
            "__Host-forebay-main=z",
        ]);
        assert_eq!(names.values(&sent).collect::<Vec<_>>(), ["x", "z"]);
    }

    #[test]
    fn only_our_cookies_are_removed() {
        let cases: [(&[&str], &[&str]); 4] = [
            (&["a=1; b=2"], &["a=1; b=2"]),
            (&["a=1; forebay-main=x; b=2"], &["a=1; b=2"]),
            (&["forebay-main=x"], &[]),
            (
                &["a=forebay-main", "__Host-forebay-x=1;c=3"],
                &["a=forebay-main", "c=3"],
            ),
        ];
        for (sent, kept) in cases {
            let mut headers = headers(sent);
            remove_ours(&mut headers);
            let left: Vec<_> = headers.get_all(COOKIE).iter().collect();
            assert_eq!(left, kept, "{sent:?}");
        }
    }

    #[test]
    fn the_prefix_comes_with_secure() {
        let names = CookieNames::of("main");
        let hour = Duration::from_secs(3600);
        let secure = names.set("v", true, hour).unwrap();
        assert_eq!(
            secure,
            "__Host-forebay-main=v; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure"
        );
        let plain = names.set("v", false, hour).unwrap();
        assert_eq!(
            plain,
            "forebay-main=v; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"
        );
    }
}

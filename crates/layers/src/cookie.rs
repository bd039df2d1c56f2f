//! The room's one cookie, for ticket and pass: found among the others, removed before the origin
//! sees the request, and written with the attributes that keep it.
//!
//! Its name is `__Host-forebay-<room>` where the visitor's connection is TLS, else
//! `forebay-<room>` (RFC 6265bis section 4.1.3 for the prefix); both are read.

use std::time::Duration;

use forebay_admission::credential::ATTEMPT_MAX;
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
            let name = name.trim_ascii();
            (name == self.secure || name == self.plain).then(|| value.trim_ascii())
        })
    }
}

/// The cookie of a page's first try. No room has a name with a tilde.
const ATTEMPT: &str = "forebay-~try";

/// The `Set-Cookie` value that carries a page's first try to the next one. It comes back with this
/// page only.
#[must_use]
pub fn set_attempt(value: &str, path: &str, https: bool) -> Option<HeaderValue> {
    // What could end the attribute, or is very long, is the whole site's instead.
    let plain = path.len() <= 200
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b';');
    let path = if plain { path } else { "/" };
    let secure = if https { "; Secure" } else { "" };
    let text = format!(
        "{ATTEMPT}={value}; Path={path}; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        ATTEMPT_MAX.as_secs(),
    );
    HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()
}

/// The texts of the first tries that a request carries; nearly none does.
pub fn attempts(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let found =
        |value: &HeaderValue| memchr::memmem::find(value.as_bytes(), ATTEMPT.as_bytes()).is_some();
    let any = headers.get_all(COOKIE).iter().any(found);
    let all = any.then(|| pairs(headers)).into_iter().flatten();
    all.filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (name.trim_ascii() == ATTEMPT).then(|| value.trim_ascii())
    })
}

/// The pairs of all lines, one by one: browsers send what scripts wrote in any bytes, and what one
/// cookie holds must not hide another.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok())
}

/// Whether a cookie's name is one of ours, whatever the room.
fn ours(pair: &[u8]) -> bool {
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or(pair);
    let name = name.trim_ascii();
    name.starts_with(b"__Host-forebay-") || name.starts_with(b"forebay-")
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
    let kept: Vec<&[u8]> = value
        .as_bytes()
        .split(|byte| *byte == b';')
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty() && !ours(pair))
        .collect();
    if kept.is_empty() {
        return None;
    }
    HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok()
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
    fn what_other_cookies_hold_hides_none_of_ours() {
        let names = CookieNames::of("main");
        for other in [&b"name=\xc3\xa9"[..], b"raw=\xff\xfe", b"\xc2\xa0"] {
            let line = [other, b"; forebay-main=x"].concat();
            let mut sent = HeaderMap::new();
            sent.insert(COOKIE, HeaderValue::from_bytes(&line).unwrap());
            assert_eq!(names.values(&sent).collect::<Vec<_>>(), ["x"], "{other:?}");
            remove_ours(&mut sent);
            assert_eq!(sent[COOKIE].as_bytes(), other);
        }
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
    fn a_first_try_comes_back_with_its_page_only() {
        let path = |path| {
            let text = set_attempt("v", path, false).unwrap();
            text.to_str()
                .unwrap()
                .split("; ")
                .nth(1)
                .unwrap()
                .to_owned()
        };
        assert_eq!(path("/form/3"), "Path=/form/3");
        assert_eq!(path("/a;b"), "Path=/");
        assert_eq!(path(&"/a".repeat(200)), "Path=/");
        let mut sent = headers(&["a=1; forebay-~try=x", "forebay-main=y"]);
        assert_eq!(attempts(&sent).collect::<Vec<_>>(), ["x"]);
        remove_ours(&mut sent);
        assert_eq!(sent.get(COOKIE).unwrap(), "a=1");
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

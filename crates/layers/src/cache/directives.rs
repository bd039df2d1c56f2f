//! `Cache-Control` of an answer (RFC 9111 section 5.2.2), as far as a shared cache has to know it.

use std::time::Duration;

use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderMap, HeaderValue};

/// Longer times are taken for this one (RFC 9111 section 1.2.2 asks for 2^31 at least).
const SECONDS_MAX: u64 = 1 << 31;

/// What `Cache-Control` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    /// `no-store`, `private` or `no-cache`, with or without field names: not for us to keep.
    pub(super) forbids: bool,
    /// `public`.
    pub(super) public: bool,
    /// `must-revalidate` or `proxy-revalidate`: never served stale.
    pub(super) revalidate: bool,
    /// `s-maxage`.
    pub(super) s_maxage: Option<Duration>,
    /// `max-age`.
    pub(super) max_age: Option<Duration>,
    /// `stale-if-error` (RFC 5861 section 4).
    pub(super) stale_if_error: Option<Duration>,
    /// `stale-while-revalidate` (RFC 5861 section 3).
    pub(super) stale_while_revalidate: Option<Duration>,
}

impl Directives {
    /// Reads all lines of the field. What cannot be read counts as stale at once, or as
    /// forbidding: the safe reading of each.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut all = Self::default();
        for value in headers.get_all(CACHE_CONTROL) {
            match value.to_str() {
                Ok(line) => split(line).for_each(|one| all.read(one)),
                Err(_) => all.forbids = true,
            }
        }
        let pragma = headers.get(PRAGMA).map(HeaderValue::as_bytes);
        if !headers.contains_key(CACHE_CONTROL) && pragma == Some(b"no-cache") {
            all.forbids = true;
        }
        all
    }

    fn read(&mut self, directive: &str) {
        let (name, value) = match directive.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (directive.trim(), None),
        };
        let seconds = || {
            let seconds = value.and_then(|text| text.parse::<u64>().ok());
            Some(Duration::from_secs(seconds.unwrap_or(0).min(SECONDS_MAX)))
        };
        match name.to_ascii_lowercase().as_str() {
            "no-store" | "private" | "no-cache" => self.forbids = true,
            "public" => self.public = true,
            "must-revalidate" | "proxy-revalidate" => self.revalidate = true,
            "s-maxage" => self.s_maxage = least(self.s_maxage, seconds()),
            "max-age" => self.max_age = least(self.max_age, seconds()),
            "stale-if-error" => self.stale_if_error = least(self.stale_if_error, seconds()),
            "stale-while-revalidate" => {
                self.stale_while_revalidate = least(self.stale_while_revalidate, seconds());
            }
            _ => {}
        }
    }
}

/// Of a directive that is there twice the stricter one counts (RFC 9111 section 4.2.1).
fn least(before: Option<Duration>, now: Option<Duration>) -> Option<Duration> {
    before.into_iter().chain(now).min()
}

/// The directives of one line; a comma inside quotes divides nothing.
fn split(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    line.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Directives {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CACHE_CONTROL, HeaderValue::from_str(line).unwrap());
        }
        Directives::of(&headers)
    }

    const fn seconds(count: u64) -> Option<Duration> {
        Some(Duration::from_secs(count))
    }

    #[test]
    fn directives_are_read_in_any_case_and_the_strict_way() {
        let none = Directives::default();
        let forbidden = Directives {
            forbids: true,
            ..none
        };
        let cases: [(&[&str], Directives); 10] = [
            (&[""], none),
            (&["No-Store"], forbidden),
            (&["private"], forbidden),
            (&["private=\"x-a, x-b\""], forbidden),
            (&["no-cache"], forbidden),
            (&["extension=\"no-store, private\""], none),
            (
                &["PUBLIC, max-age=60", "s-maxage=\"10\", must-revalidate"],
                Directives {
                    public: true,
                    revalidate: true,
                    max_age: seconds(60),
                    s_maxage: seconds(10),
                    ..none
                },
            ),
            (
                &["max-age=60, max-age=5"],
                Directives {
                    max_age: seconds(5),
                    ..none
                },
            ),
            (
                &["max-age=soon, stale-if-error=-1"],
                Directives {
                    max_age: seconds(0),
                    stale_if_error: seconds(0),
                    ..none
                },
            ),
            (
                &["max-age=99999999999999, stale-while-revalidate=7"],
                Directives {
                    max_age: seconds(SECONDS_MAX),
                    stale_while_revalidate: seconds(7),
                    ..none
                },
            ),
        ];
        for (lines, expected) in cases {
            assert_eq!(of(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn the_old_pragma_counts_only_where_nothing_newer_is_said() {
        let mut headers = HeaderMap::new();
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        assert!(Directives::of(&headers).forbids);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=1"));
        assert!(!Directives::of(&headers).forbids);
    }
}

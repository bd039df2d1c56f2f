//! Whether an answer may be kept for everybody, and for how long (RFC 9111 sections 3 and 4.2,
//! RFC 5861). Pure: the time comes as an argument.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use forebay_admission::time::WallTime;
use http::header::{AGE, DATE, EXPIRES, SET_COOKIE};
use http::{HeaderMap, HeaderName, StatusCode};

use super::directives::Directives;
use super::key::Varying;

/// What a route says of its answers (`route.cache`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheRules {
    /// How long an answer is fresh of which the origin says nothing; `None`: it is not kept.
    pub fresh: Option<Duration>,
    /// How long after that a copy is served while the origin cannot answer in time, unless the
    /// answer itself says otherwise.
    pub stale: Duration,
}

/// How long a copy serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// Its age when it came.
    pub(super) age: Duration,
    /// Up to this age it is fresh.
    pub(super) fresh: Duration,
    /// So long after that it serves while it is asked for again.
    pub(super) while_revalidate: Duration,
    /// So long after that it serves while the origin cannot answer.
    pub(super) if_error: Duration,
    /// Whether the origin says that cookies do not matter.
    pub(super) public: bool,
}

impl Life {
    /// The life of an answer, which came `took` after it was asked for by somebody `with_cookie`s;
    /// `None`: not to be kept.
    pub(super) fn of(
        status: StatusCode,
        headers: &HeaderMap,
        with_cookie: bool,
        rules: CacheRules,
        (now, took): (WallTime, Duration),
    ) -> Option<Self> {
        let said = Directives::of(headers);
        let barred = status != StatusCode::OK
            || said.forbids
            || headers.contains_key(SET_COOKIE)
            || (with_cookie && !said.public)
            || Varying::of(headers).is_none();
        if barred {
            return None;
        }
        let date = time(headers, DATE).unwrap_or(now);
        let fresh = said
            .s_maxage
            .or(said.max_age)
            .or_else(|| expires(headers, date))
            .or(rules.fresh)?;
        // RFC 9111 section 4.2.3.
        let told = seconds(headers, AGE).unwrap_or_default() + took;
        let age = now.saturating_since(date).max(told);
        let while_revalidate = said.stale_while_revalidate.unwrap_or_default();
        let if_error = match said.stale_if_error {
            Some(told) => told,
            // It includes `proxy-revalidate` (RFC 9111 section 5.2.2.10).
            None if said.s_maxage.is_some() => Duration::ZERO,
            None => rules.stale,
        };
        let stale = |span| {
            if said.revalidate {
                Duration::ZERO
            } else {
                span
            }
        };
        (age < fresh).then_some(Self {
            age,
            fresh,
            while_revalidate: stale(while_revalidate),
            if_error: stale(if_error),
            public: said.public,
        })
    }
}

/// `Expires` after `Date`; one that cannot be read is in the past (RFC 9111 section 5.3).
fn expires(headers: &HeaderMap, date: WallTime) -> Option<Duration> {
    headers.contains_key(EXPIRES).then(|| {
        time(headers, EXPIRES).map_or(Duration::ZERO, |expires| expires.saturating_since(date))
    })
}

/// The one value of a field as an HTTP date.
pub(super) fn time(headers: &HeaderMap, name: HeaderName) -> Option<WallTime> {
    let text = headers.get(name)?.to_str().ok()?;
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok();
    let time = httpdate::parse_http_date(text).ok().and_then(since)?;
    Some(WallTime::default().plus(time))
}

fn seconds(headers: &HeaderMap, name: HeaderName) -> Option<Duration> {
    let text = headers.get(name)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const RULES: CacheRules = CacheRules {
        fresh: Some(Duration::from_secs(10)),
        stale: Duration::from_secs(600),
    };

    /// Sun, 06 Nov 1994 08:49:37 GMT, and half a second to fetch it.
    const NOW: (WallTime, Duration) = (
        WallTime::from_millis(784_111_777_000),
        Duration::from_millis(500),
    );

    type Fields = [(&'static str, &'static str)];

    fn life(status: u16, fields: &Fields, cookie: bool, rules: CacheRules) -> Option<Life> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let status = StatusCode::from_u16(status).unwrap();
        Life::of(status, &headers, cookie, rules, NOW)
    }

    const CC: &str = "cache-control";

    /// Of which the route says nothing either.
    const SILENT: CacheRules = CacheRules {
        fresh: None,
        ..RULES
    };

    /// Seconds: fresh, while it is asked for again, on error.
    type Spans = Option<(u64, u64, u64)>;

    #[test]
    fn what_is_kept_and_how_long_follows_the_answer_then_the_route() {
        let cases: [(&Fields, CacheRules, Spans); 11] = [
            (&[], RULES, Some((10, 0, 600))),
            (&[], SILENT, None),
            (&[(CC, "max-age=60")], SILENT, Some((60, 0, 600))),
            (&[(CC, "max-age=60, s-maxage=20")], SILENT, Some((20, 0, 0))),
            (&[(CC, "max-age=0")], RULES, None),
            (
                &[(CC, "max-age=60, must-revalidate")],
                RULES,
                Some((60, 0, 0)),
            ),
            (
                &[(CC, "max-age=60, stale-if-error=5, stale-while-revalidate=6")],
                RULES,
                Some((60, 6, 5)),
            ),
            (
                &[(CC, "s-maxage=9, stale-if-error=5")],
                RULES,
                Some((9, 0, 5)),
            ),
            (
                &[
                    ("date", "Sun, 06 Nov 1994 08:49:30 GMT"),
                    ("expires", "Sun, 06 Nov 1994 08:50:00 GMT"),
                ],
                RULES,
                Some((30, 0, 600)),
            ),
            (&[("expires", "0")], RULES, None),
            (
                &[(CC, "max-age=60"), ("age", "59")],
                RULES,
                Some((60, 0, 600)),
            ),
        ];
        for (fields, rules, expected) in cases {
            let found = life(200, fields, false, rules).map(|life| {
                let spans = [life.fresh, life.while_revalidate, life.if_error];
                spans.map(|span| span.as_secs()).into()
            });
            assert_eq!(found, expected, "{fields:?}");
        }
    }

    #[test]
    fn what_is_too_old_when_it_comes_is_not_kept() {
        const MINUTE: (&str, &str) = (CC, "max-age=60");
        for old in [("age", "60"), ("date", "Sun, 06 Nov 1994 08:48:37 GMT")] {
            assert_eq!(life(200, &[MINUTE, old], false, RULES), None, "{old:?}");
        }
    }

    #[test]
    fn what_is_one_persons_or_no_whole_answer_is_never_kept() {
        let public = (CC, "public, max-age=60");
        let cases: [(u16, &Fields, bool, bool); 10] = [
            (200, &[public], false, true),
            (200, &[public], true, true),
            (200, &[(CC, "max-age=60")], true, false),
            (200, &[public, ("set-cookie", "a=b")], false, false),
            (200, &[(CC, "private, max-age=60")], false, false),
            (200, &[(CC, "no-store, max-age=60")], false, false),
            (200, &[public, ("vary", "*")], false, false),
            (200, &[public, ("vary", "cookie")], false, false),
            (206, &[public], false, false),
            (404, &[public], false, false),
        ];
        for (status, fields, cookie, kept) in cases {
            let found = life(status, fields, cookie, RULES).is_some();
            assert_eq!(found, kept, "{status} {fields:?} cookie: {cookie}");
        }
    }
}

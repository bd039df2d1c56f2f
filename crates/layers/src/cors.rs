//! What lets a script of another origin read the answers that Forebay makes itself: without it a
//! browser shows the script a network error instead of a 503 with the place in line.
//!
//! Our answers say nothing but what our own cookie, if it came along, is worth, and that cookie
//! is `SameSite=Lax`: scripts of other sites are told what anybody is told. So every origin may
//! read them, and with credentials where the browser is one that knows `SameSite` (those that
//! send fetch metadata do). Preflights are never answered here: what they ask for is the
//! origin's to grant.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The headers of ours that a script may read beside those that every script may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "retry-after, ratelimit, ratelimit-policy, proxy-status, x-request-id",
);

/// The origin of a script that asks from elsewhere.
#[derive(Clone, Debug)]
pub struct Caller {
    origin: HeaderValue,
    modern: bool,
}

impl Caller {
    /// Whoever asks, when it is a script of another origin, as its browser says.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let origin = headers.get(ORIGIN)?;
        let site = headers.get(SEC_FETCH_SITE);
        // An opaque origin is everybody's and nobody's.
        if origin == "null" || site.is_some_and(|site| site == "same-origin") {
            return None;
        }
        Some(Self {
            origin: origin.clone(),
            modern: site.is_some(),
        })
    }

    /// Lets the caller read an answer of ours.
    pub fn allow(&self, headers: &mut HeaderMap) {
        if self.modern {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
            headers.insert(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        } else {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        headers.append(VARY, HeaderValue::from_static("origin, sec-fetch-site"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origin: &'static str, site: Option<&'static str>) -> Option<(String, bool)> {
        let mut asked = HeaderMap::new();
        asked.insert(ORIGIN, HeaderValue::from_static(origin));
        if let Some(site) = site {
            asked.insert(SEC_FETCH_SITE, HeaderValue::from_static(site));
        }
        let mut answer = HeaderMap::new();
        Caller::of(&asked)?.allow(&mut answer);
        assert_eq!(answer[VARY], "origin, sec-fetch-site");
        let origin = answer[ACCESS_CONTROL_ALLOW_ORIGIN].to_str().unwrap();
        let credentials = answer.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS);
        Some((origin.to_owned(), credentials))
    }

    #[test]
    fn scripts_from_elsewhere_read_and_with_credentials_only_in_browsers_that_keep_cookies_home() {
        let app = "https://app.example";
        for (origin, site, expected) in [
            (app, Some("same-site"), Some((app, true))),
            (app, Some("cross-site"), Some((app, true))),
            (app, None, Some(("*", false))),
            (app, Some("same-origin"), None),
            ("null", Some("cross-site"), None),
        ] {
            let expected = expected.map(|(origin, with)| (origin.to_owned(), with));
            assert_eq!(allowed(origin, site), expected, "{origin} {site:?}");
        }
    }

    #[test]
    fn who_names_no_origin_is_told_nothing() {
        assert!(Caller::of(&HeaderMap::new()).is_none());
    }
}

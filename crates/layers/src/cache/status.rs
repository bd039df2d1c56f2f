//! `Cache-Status` (RFC 9211): what a copy had to do with an answer.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Why a request went on to the origin (RFC 9211 section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forward {
    /// It is none that a copy could answer.
    Bypass,
    /// Nothing was kept.
    Miss,
    /// What was kept is stale.
    Stale,
}

impl Forward {
    const fn name(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Miss => "uri-miss",
            Self::Stale => "stale",
        }
    }
}

/// A copy, fresh for so much longer.
pub(super) fn hit(left: Duration, waited: bool) -> String {
    if waited {
        // The request of somebody else went on for this one, too.
        format!("forebay; fwd=uri-miss; collapsed; ttl={}", left.as_secs())
    } else {
        format!("forebay; hit; ttl={}", left.as_secs())
    }
}

/// A copy, stale for so long, and why it was good enough.
pub(super) fn stale(by: Duration, why: &str) -> String {
    format!("forebay; hit; ttl=-{}; detail={why}", by.as_secs())
}

/// A stale copy, after the origin was asked and did not answer well.
pub(super) fn stale_after(status: Option<u16>, why: &str) -> String {
    match status {
        Some(status) => format!("forebay; fwd=stale; fwd-status={status}; detail={why}"),
        None => format!("forebay; fwd=stale; detail={why}"),
    }
}

/// The origin's answer.
pub(super) fn forwarded(why: Forward, status: u16, stored: bool) -> String {
    let stored = if stored { "; stored" } else { "" };
    format!("forebay; fwd={}; fwd-status={status}{stored}", why.name())
}

/// Says it, after what other caches said.
pub(super) fn say(headers: &mut HeaderMap, text: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)) {
        headers.append(CACHE_STATUS, value);
    }
}

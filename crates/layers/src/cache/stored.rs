//! One copy, and the answers that are made from it.

use std::time::Duration;

use bytes::Bytes;
use forebay_admission::time::{Timestamp, WallTime};
use http::header::{
    AGE, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_LOCATION,
    CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, EXPIRES, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, VARY, VIA,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::key::Varying;
use super::life::{Life, time};
use crate::body::AnswerBody;

/// A whole answer, kept. It shares no bytes with the connection that it came by: a slice of a read
/// buffer would hold all of it in memory.
#[derive(Debug)]
pub(super) struct Stored {
    headers: HeaderMap,
    body: Bytes,
    life: Life,
    received: Timestamp,
    size: usize,
}

/// How old a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// For so much longer fresh.
    Fresh(Duration),
    /// Stale for so long.
    Stale(Duration),
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What belongs to one exchange, or is worked out for each answer.
const OWN: [HeaderName; 5] = [AGE, CONNECTION, CONTENT_LENGTH, CONTENT_RANGE, X_REQUEST_ID];

/// What a 304 repeats of the answer that it stands for (RFC 9110 section 15.4.5).
const NOT_MODIFIED: [HeaderName; 8] = [
    CACHE_CONTROL,
    CONTENT_LOCATION,
    DATE,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    VARY,
    VIA,
];

impl Stored {
    pub(super) fn new(
        headers: &HeaderMap,
        body: Bytes,
        life: Life,
        (received, wall): (Timestamp, WallTime),
    ) -> Self {
        let mut kept = HeaderMap::with_capacity(headers.len() + 1);
        let mut size = body.len();
        for (name, value) in headers {
            if OWN.contains(name) {
                continue;
            }
            size += name.as_str().len() + value.len() + 64;
            kept.append(name.clone(), copy(value));
        }
        if !kept.contains_key(DATE) {
            // RFC 9110 section 6.6.1: whoever keeps an answer without a date adds it.
            let at = std::time::UNIX_EPOCH + Duration::from_millis(wall.as_millis());
            if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(at)) {
                kept.insert(DATE, date);
            }
        }
        Self {
            headers: kept,
            body,
            life,
            received,
            size,
        }
    }

    /// The same answer after the origin has confirmed it with a 304 that has these fields
    /// (RFC 9111 section 3.2).
    pub(super) fn confirmed(&self, by: &HeaderMap) -> HeaderMap {
        let mut headers = self.headers.clone();
        let new = |name: &HeaderName| {
            !OWN.contains(name) && !matches!(*name, CONTENT_ENCODING | CONTENT_TYPE)
        };
        for name in by.keys().filter(|name| new(name)) {
            headers.remove(name);
            for value in by.get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
        headers.remove(AGE);
        if !by.contains_key(DATE) {
            // It was confirmed now.
            headers.remove(DATE);
        }
        headers
    }

    /// Bytes that it takes.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    pub(super) const fn life(&self) -> Life {
        self.life
    }

    pub(super) fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// By which fields it varies.
    pub(super) fn varying(&self) -> Varying {
        Varying::of(&self.headers).unwrap_or_default()
    }

    fn age(&self, now: Timestamp) -> Duration {
        self.life.age + now.saturating_since(self.received)
    }

    pub(super) fn standing(&self, now: Timestamp) -> Standing {
        let age = self.age(now);
        match self.life.fresh.checked_sub(age) {
            Some(left) if !left.is_zero() => Standing::Fresh(left),
            _ => Standing::Stale(age.saturating_sub(self.life.fresh)),
        }
    }

    /// Makes a request one that asks whether this copy still holds; false: it has nothing to ask
    /// by.
    pub(super) fn ask_whether_it_holds(&self, headers: &mut HeaderMap) -> bool {
        let mut asks = false;
        for (name, by) in [(IF_NONE_MATCH, ETAG), (IF_MODIFIED_SINCE, LAST_MODIFIED)] {
            if let Some(value) = self.headers.get(by) {
                headers.insert(name, value.clone());
                asks = true;
            }
        }
        asks
    }

    /// The answer to a request with these conditions.
    pub(super) fn answer(
        &self,
        conditions: &HeaderMap,
        head: bool,
        now: Timestamp,
    ) -> Response<AnswerBody> {
        if self.is_known_to(conditions) {
            let mut response = Response::new(AnswerBody::Empty);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            let headers = response.headers_mut();
            for name in NOT_MODIFIED {
                for value in self.headers.get_all(&name) {
                    headers.append(name.clone(), value.clone());
                }
            }
            headers.insert(AGE, HeaderValue::from(self.age(now).as_secs()));
            return response;
        }
        let body = if head {
            AnswerBody::Empty
        } else {
            AnswerBody::full(self.body.clone())
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(AGE, HeaderValue::from(self.age(now).as_secs()));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        response
    }

    /// Whether the client has this very answer (RFC 9110 sections 13.1.2, 13.1.3 and 13.2.2).
    fn is_known_to(&self, conditions: &HeaderMap) -> bool {
        let mut tags = conditions.get_all(IF_NONE_MATCH).iter().peekable();
        if tags.peek().is_some() {
            let own = self.headers.get(ETAG).map(|tag| opaque(tag.as_bytes()));
            return tags.any(|line| {
                line.as_bytes()
                    .split(|byte| *byte == b',')
                    .any(|tag| tag.trim_ascii() == b"*" || Some(opaque(tag.trim_ascii())) == own)
            });
        }
        let since = time(conditions, IF_MODIFIED_SINCE);
        let changed = time(&self.headers, LAST_MODIFIED);
        matches!((changed, since), (Some(changed), Some(since)) if changed <= since)
    }
}

/// A tag without its weakness (RFC 9110 section 8.8.3.2: the weak comparison).
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

fn copy(value: &HeaderValue) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| value.clone())
}

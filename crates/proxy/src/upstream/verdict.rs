//! What an answer says about its server, beside what it says to the client.

use std::time::Duration;

use forebay_layers::origin::Origin;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, StatusCode};

use super::Sent;

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    status: StatusCode,
}

impl Said {
    /// Whether another server may do better: this one has nothing behind it, or no time.
    pub(super) fn asks_again(self) -> bool {
        matches!(
            self.status,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE
        )
    }
}

/// Tells the origin's servers what this answer says of them, and takes out what is meant for us
/// alone.
pub(super) fn heard(origin: &Origin, sent: &mut Sent, took: Option<Duration>) -> Said {
    let server = sent.connected.server();
    let status = sent.response.status();
    origin.servers.answered(server, status.as_u16(), took);
    let headers = sent.response.headers_mut();
    if let Some(hint) = &origin.rules.hint
        && let Some(most) = hinted(headers, hint)
    {
        origin.servers.hint(server, most);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE
        && let Some(wait) = retry_after(headers)
    {
        origin.servers.rest(server, wait);
    }
    Said { status }
}

/// The ceiling in the header of that name, which goes no further.
fn hinted(headers: &mut HeaderMap, name: &HeaderName) -> Option<u32> {
    headers.remove(name)?.to_str().ok()?.trim().parse().ok()
}

/// `Retry-After` in seconds; as a date it says when a page comes back rather than a server.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const HINT: HeaderName = HeaderName::from_static("forebay-limit");

    #[test]
    fn a_hint_is_a_whole_number_and_goes_no_further() {
        for (text, expected) in [
            ("40", Some(40)),
            (" 7 ", Some(7)),
            ("0", Some(0)),
            ("", None),
            ("-1", None),
            ("4.5", None),
            ("many", None),
            ("99999999999", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HINT, HeaderValue::from_static(text));
            assert_eq!(hinted(&mut headers, &HINT), expected, "{text:?}");
            assert!(headers.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_rest_is_asked_for_in_seconds() {
        for (text, expected) in [
            ("5", Some(5)),
            ("0", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", None),
            ("soon", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            let expected = expected.map(Duration::from_secs);
            assert_eq!(retry_after(&headers), expected, "{text:?}");
        }
    }
}

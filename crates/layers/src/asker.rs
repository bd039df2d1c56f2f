//! What kind of client asks, as far as its headers say: a person's navigation, a part of a page,
//! a program. Headers may lower what a request gets, never raise it.

use forebay_admission::priority::{RoutePriority, Traits};
use http::header::{ACCEPT, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// The form in which somebody wants our own answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page for a person.
    Page,
    /// `application/problem+json` (RFC 9457).
    Problem,
    /// Plain text.
    Text,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A person opens a page.
    Navigation,
    /// A part of a page, a favicon, a prefetch: neither creates nor claims a ticket.
    Part,
    /// A program, or a script of a page.
    Program,
}

/// What the request says about who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// What for.
    pub purpose: Purpose,
    /// In which form to answer.
    pub form: Form,
    /// Whether the method is safe (RFC 9110 section 9.2.1).
    pub safe: bool,
    /// Whether only the header is wanted.
    pub head: bool,
    /// Whether it is a prefetch.
    pub prefetch: bool,
    /// Whether it asks if a script of another origin may send a request (Fetch standard, section
    /// 4.8, "CORS-preflight fetch"); never for a place in line.
    pub preflight: bool,
}

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");
const PURPOSE: HeaderName = HeaderName::from_static("purpose");

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Media types and purposes are written in lower case by everybody who is not out to test us;
/// who writes them otherwise gets the plainer answer.
fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

impl Asker {
    /// Reads the request's method and headers.
    #[must_use]
    pub fn of(head: &Parts) -> Self {
        let headers = &head.headers;
        let accept = headers.get(ACCEPT).map_or(&b""[..], HeaderValue::as_bytes);
        let prefetch = text(headers, SEC_PURPOSE)
            .or_else(|| text(headers, PURPOSE))
            .is_some_and(|purpose| contains(purpose.as_bytes(), b"prefetch"));
        let preflight = head.method == Method::OPTIONS
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
            && headers.contains_key(ORIGIN);
        let purpose = if prefetch || preflight {
            Purpose::Part
        } else {
            purpose(headers, accept)
        };
        Self {
            purpose,
            form: form(accept, purpose),
            safe: is_safe(&head.method),
            head: head.method == Method::HEAD,
            prefetch,
            preflight,
        }
    }

    /// What the queue's classes are chosen by. Looks for robots here and not in [`of`](Self::of),
    /// because only a request that has to wait needs to know.
    #[must_use]
    pub fn traits(&self, headers: &HeaderMap, inside: bool, route: RoutePriority) -> Traits {
        Traits {
            inside,
            safe: self.safe,
            sub_resource: matches!(self.purpose, Purpose::Part),
            prefetch: self.prefetch,
            bot: headers.get(USER_AGENT).is_some_and(is_bot),
            route,
        }
    }

    /// Whether this request may create or claim a ticket.
    #[must_use]
    pub const fn may_queue(&self) -> bool {
        !self.head && !matches!(self.purpose, Purpose::Part)
    }
}

/// Whether the method is safe (RFC 9110 section 9.2.1).
#[must_use]
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Fetch metadata says it best; without it the order of `Accept` tells a page from its parts.
fn purpose(headers: &HeaderMap, accept: &[u8]) -> Purpose {
    match text(headers, SEC_FETCH_DEST) {
        Some("document" | "iframe" | "frame" | "embed" | "object") => Purpose::Navigation,
        Some("empty" | "serviceworker" | "sharedworker" | "worker") => Purpose::Program,
        Some(_) => Purpose::Part,
        None if contains(accept, b"text/html") => Purpose::Navigation,
        None if [&b"image/"[..], b"text/css", b"font/", b"audio/", b"video/"]
            .iter()
            .any(|start| {
                accept.len() >= start.len() && accept[..start.len()].eq_ignore_ascii_case(start)
            }) =>
        {
            Purpose::Part
        }
        None => Purpose::Program,
    }
}

fn form(accept: &[u8], purpose: Purpose) -> Form {
    if purpose == Purpose::Part {
        Form::Text
    } else if contains(accept, b"text/html") {
        Form::Page
    } else if contains(accept, b"json") {
        Form::Problem
    } else if purpose == Purpose::Navigation {
        Form::Page
    } else {
        Form::Text
    }
}

fn is_bot(agent: &HeaderValue) -> bool {
    let agent = agent.as_bytes().to_ascii_lowercase();
    [&b"bot"[..], b"crawler", b"spider", b"slurp"]
        .iter()
        .any(|word| contains(&agent, word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    type Fields = [(&'static str, &'static str)];

    fn asker(headers: &[(&str, &str)]) -> Asker {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Asker::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn purpose_and_form_follow_the_headers() {
        let cases: [(&Fields, Purpose, Form); 9] = [
            (&[], Purpose::Program, Form::Text),
            (&[("accept", "*/*")], Purpose::Program, Form::Text),
            (
                &[("accept", "text/html,*/*")],
                Purpose::Navigation,
                Form::Page,
            ),
            (
                &[("accept", "application/json")],
                Purpose::Program,
                Form::Problem,
            ),
            (
                &[("accept", "application/problem+json")],
                Purpose::Program,
                Form::Problem,
            ),
            (
                &[("accept", "image/avif,image/webp,*/*")],
                Purpose::Part,
                Form::Text,
            ),
            (
                &[("accept", "*/*"), ("sec-fetch-dest", "script")],
                Purpose::Part,
                Form::Text,
            ),
            (
                &[("accept", "*/*"), ("sec-fetch-dest", "empty")],
                Purpose::Program,
                Form::Text,
            ),
            (
                &[
                    ("accept", "text/html"),
                    ("sec-purpose", "prefetch;prerender"),
                ],
                Purpose::Part,
                Form::Text,
            ),
        ];
        for (headers, purpose, form) in cases {
            let asker = asker(headers);
            assert_eq!((asker.purpose, asker.form), (purpose, form), "{headers:?}");
        }
    }

    #[test]
    fn a_robot_is_known_by_its_own_word() {
        assert!(is_bot(&HeaderValue::from_static(
            "Mozilla/5.0 (compatible; ExampleBot/2.1)"
        )));
        assert!(!is_bot(&HeaderValue::from_static(
            "Mozilla/5.0 (X11; Linux) Firefox/140.0"
        )));
    }
}

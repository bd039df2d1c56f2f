//! One meaning per request: one host, one length, one form of target, or a clear refusal; and
//! the route that it takes.
//!
//! What is refused here is what different servers read differently (RFC 9112 section 11): such a
//! request must never reach an origin that reads it in another way than we do.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use forebay_admission::verdict::Reason;
use forebay_telemetry::metrics::BadRequest;
use futures_util::future::{self, Either, Ready};
use http::header::{CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Uri};
use http::{HeaderMap, HeaderValue, Method, Version};
use pin_project_lite::pin_project;
use tower::Service;

use crate::exchange::{Answer, Exchange, Refusal};
use crate::hop;
use crate::local;
use crate::route::Found;

/// Refuses what is ambiguous, removes what is hop-by-hop, finds the route.
#[derive(Clone, Debug)]
pub struct Normalize<S> {
    inner: S,
}

impl<S> Normalize<S> {
    /// Normalizes before `inner`.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Exchange> for Normalize<S>
where
    S: Service<Exchange, Response = Answer, Error = Refusal>,
{
    type Response = Answer;
    type Error = Refusal;
    type Future = Either<Ready<Result<Answer, Refusal>>, Routed<S::Future>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut exchange: Exchange) -> Self::Future {
        match normalize(&mut exchange) {
            Ok(()) => {
                let route = exchange.route.and_then(|route| u32::try_from(route).ok());
                Either::Right(Routed {
                    inner: self.inner.call(exchange),
                    route,
                })
            }
            Err(Wrong { reason, fault }) => {
                let mut refusal = Refusal::new(reason);
                refusal.unread = exchange.body.is_streaming();
                refusal.note.fault = fault;
                Either::Left(future::ready(Err(refusal)))
            }
        }
    }
}

pin_project! {
    /// The answer, with its route noted.
    #[derive(Debug)]
    pub struct Routed<F> {
        #[pin]
        inner: F,
        route: Option<u32>,
    }
}

impl<F> Future for Routed<F>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    type Output = Result<Answer, Refusal>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut result = ready!(this.inner.poll(cx));
        match &mut result {
            Ok(answer) => answer.note.route = *this.route,
            Err(refusal) => refusal.note.route = *this.route,
        }
        Poll::Ready(result)
    }
}

/// Why a request goes no further.
struct Wrong {
    reason: Reason,
    fault: Option<BadRequest>,
}

impl From<Reason> for Wrong {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            fault: None,
        }
    }
}

impl Wrong {
    const fn form(fault: BadRequest) -> Self {
        Self {
            reason: Reason::BadRequest,
            fault: Some(fault),
        }
    }
}

fn normalize(exchange: &mut Exchange) -> Result<(), Wrong> {
    let body_max = exchange.site.body.size;
    let head = &mut exchange.head;
    if matches!(head.method, Method::CONNECT | Method::TRACE) {
        return Err(Reason::MethodNotAllowed.into());
    }
    check_framing(&head.headers).map_err(Wrong::form)?;
    check_expectation(&head.headers)?;
    target(head).map_err(Wrong::form)?;
    let length = content_length(&head.headers);
    if length.is_some_and(|length| length > body_max) {
        return Err(Reason::BodyTooLarge.into());
    }
    let upgrade = head.method == Method::GET && hop::is_websocket(&head.headers);
    hop::remove(&mut head.headers, upgrade);
    if let Some(desk) = local::desk(exchange) {
        exchange.desk = desk;
        return Ok(());
    }
    let route = route(exchange)?;
    exchange.desk = exchange.site.entries[route].room.clone();
    exchange.route = Some(route);
    Ok(())
}

fn route(exchange: &Exchange) -> Result<usize, Reason> {
    let head = &exchange.head;
    let host = head
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    match exchange
        .site
        .find(without_port(host), head.uri.path(), &head.method)
    {
        Found::Route(index) => Ok(index),
        Found::NoRoute => Err(Reason::NoRoute),
        Found::UnknownHost => Err(Reason::UnknownHost),
    }
}

/// The host of `host:port`; brackets of an IPv6 address stay.
fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        Some(colon) if !host.ends_with(']') => &host[..colon],
        _ => host,
    }
}

/// The length that the header tells; checked before to be one plain number.
#[must_use]
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// RFC 9112 section 6: one framing. hyper has refused what it cannot read; this refuses what it
/// would pass on although another server may read it differently.
fn check_framing(headers: &HeaderMap) -> Result<(), BadRequest> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    if let Some(length) = lengths.next() {
        let digits = length.as_bytes();
        let plain = !digits.is_empty()
            && digits.len() <= 19
            && digits.iter().all(u8::is_ascii_digit)
            && (digits.len() == 1 || !digits.starts_with(b"0"));
        if !plain || lengths.next().is_some() || headers.contains_key(TRANSFER_ENCODING) {
            return Err(BadRequest::Framing);
        }
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        let chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !chunked || codings.next().is_some() {
            return Err(BadRequest::Framing);
        }
    }
    Ok(())
}

/// RFC 9110 section 10.1.1: `100-continue` is the only expectation there is.
fn check_expectation(headers: &HeaderMap) -> Result<(), Reason> {
    let known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if headers.get_all(EXPECT).iter().all(known) {
        Ok(())
    } else {
        Err(Reason::ExpectationFailed)
    }
}

/// RFC 9112 section 3.2 and 3.3: origin-form, absolute-form (whose authority replaces `Host`) or,
/// for OPTIONS alone, asterisk-form; and one `Host` that is a host.
fn target(head: &mut Parts) -> Result<(), BadRequest> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let host = hosts.next().cloned();
    if hosts.next().is_some() {
        return Err(BadRequest::Host);
    }
    if let Some(host) = &host {
        check_host(host.as_bytes())?;
    } else if head.version >= Version::HTTP_11 {
        return Err(BadRequest::Host);
    }
    if !head
        .uri
        .path_and_query()
        .is_none_or(|target| target.as_str().is_ascii())
    {
        return Err(BadRequest::Target);
    }
    if let Some(authority) = head.uri.authority() {
        return absolute(head, &authority.clone());
    }
    match head.uri.path() {
        "*" if head.method == Method::OPTIONS => Ok(()),
        path if path.starts_with('/') => Ok(()),
        _ => Err(BadRequest::Target),
    }
}

fn absolute(head: &mut Parts, authority: &Authority) -> Result<(), BadRequest> {
    let http = head.uri.scheme_str().is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    });
    check_host(authority.as_str().as_bytes())?;
    if !http {
        return Err(BadRequest::Target);
    }
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| BadRequest::Target)?;
    head.headers.insert(HOST, host);
    let path = head.uri.path_and_query().cloned();
    head.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    Ok(())
}

/// RFC 9110 section 7.2 and RFC 3986 section 3.2.2: a host, perhaps a port, no user.
fn check_host(host: &[u8]) -> Result<(), BadRequest> {
    let (name, port) = match host.iter().rposition(|b| *b == b':') {
        Some(colon) if host.last() != Some(&b']') => (&host[..colon], &host[colon + 1..]),
        _ => (host, &b""[..]),
    };
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(b);
    let fits = match name {
        [] => false,
        [b'[', inner @ .., b']'] => {
            std::str::from_utf8(inner).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
        }
        name => name.iter().all(allowed),
    };
    let port_fits = port.iter().all(u8::is_ascii_digit) && port.len() <= 5;
    if fits && port_fits {
        Ok(())
    } else {
        Err(BadRequest::Host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn target_of(method: &str, uri: &str, hosts: &[&str]) -> Result<(String, String), BadRequest> {
        let mut request = Request::builder().method(method).uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        target(&mut head)?;
        let host = head
            .headers
            .get(HOST)
            .map_or("", |host| host.to_str().unwrap());
        Ok((head.uri.to_string(), host.to_owned()))
    }

    #[test]
    fn a_target_has_one_form_and_one_host() {
        let bad = Err(BadRequest::Target);
        let no_host = Err(BadRequest::Host);
        let good = |uri: &str, host: &str| Ok((uri.to_owned(), host.to_owned()));
        let cases = [
            ("GET", "/a?b", &["x.example"][..], good("/a?b", "x.example")),
            (
                "GET",
                "http://y.example:80/a",
                &["x.example"],
                good("/a", "y.example:80"),
            ),
            (
                "GET",
                "http://y.example",
                &["x.example"],
                good("/", "y.example"),
            ),
            ("GET", "ftp://y.example/", &["x.example"], bad.clone()),
            ("OPTIONS", "*", &["x.example"], good("*", "x.example")),
            ("GET", "*", &["x.example"], bad),
            ("GET", "/", &[], no_host.clone()),
            ("GET", "/", &["a", "a"], no_host.clone()),
            ("GET", "/", &["a b"], no_host.clone()),
            ("GET", "/", &["user@a"], no_host.clone()),
            ("GET", "/", &["a:x"], no_host.clone()),
            ("GET", "/", &[""], no_host),
            ("GET", "/", &["[::1]:80"], good("/", "[::1]:80")),
        ];
        for (method, uri, hosts, expected) in cases {
            assert_eq!(
                target_of(method, uri, hosts),
                expected,
                "{method} {uri} {hosts:?}"
            );
        }
    }

    #[test]
    fn a_length_is_one_plain_number() {
        let cases: [(&[(&str, &str)], bool); 8] = [
            (&[("content-length", "10")], true),
            (&[("content-length", "0")], true),
            (&[("content-length", "010")], false),
            (&[("content-length", "+1")], false),
            (&[("content-length", "1"), ("content-length", "1")], false),
            (
                &[("content-length", "1"), ("transfer-encoding", "chunked")],
                false,
            ),
            (&[("transfer-encoding", "gzip, chunked")], false),
            (
                &[
                    ("transfer-encoding", "chunked"),
                    ("transfer-encoding", "chunked"),
                ],
                false,
            ),
        ];
        for (fields, fits) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(check_framing(&headers).is_ok(), fits, "{fields:?}");
        }
    }

    #[test]
    fn a_port_is_no_part_of_a_host() {
        let cases = [
            ("a:80", "a"),
            ("a", "a"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ];
        for (host, expected) in cases {
            assert_eq!(without_port(host), expected);
        }
    }
}

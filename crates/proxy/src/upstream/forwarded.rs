//! The request as the origin gets it: `Host`, `Via` (RFC 9110 section 7.6.3), `X-Forwarded-*`,
//! `Forwarded` (RFC 7239) and the request's id. What an untrusted client wrote into these is
//! replaced, what a trusted proxy wrote is continued.

use std::fmt::Write;

use forebay_layers::body::RequestBody;
use forebay_layers::exchange::Exchange;
use http::header::{EXPECT, FORWARDED, HOST, HeaderName, VIA};
use http::{HeaderMap, HeaderValue, Request, Version};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Takes the exchange's head and body as the request to be sent.
pub(super) fn request(exchange: &mut Exchange) -> Request<RequestBody> {
    let body = std::mem::replace(&mut exchange.body, RequestBody::empty());
    let mut request = Request::new(body);
    *request.method_mut() = exchange.head.method.clone();
    *request.uri_mut() = std::mem::take(&mut exchange.head.uri);
    *request.version_mut() = Version::HTTP_11;
    let mut headers = std::mem::take(&mut exchange.head.headers);
    write(exchange, &mut headers);
    *request.headers_mut() = headers;
    request
}

fn write(exchange: &Exchange, headers: &mut HeaderMap) {
    // We answer it ourselves, now that a permit is held: the body is asked for by reading it.
    headers.remove(EXPECT);
    let asked = headers.get(HOST).cloned();
    if let Some(fixed) = &exchange.entry().origin.rules.host {
        headers.insert(HOST, fixed.clone());
    } else if asked.is_none() {
        headers.insert(HOST, HeaderValue::from_static("localhost"));
    }
    headers.append(VIA, HeaderValue::from_static("1.1 forebay"));
    headers.insert(X_REQUEST_ID, exchange.id.to_value());
    let continued = exchange.client.proxied;
    let secure = exchange.client.https;
    let proto = HeaderValue::from_static(if secure { "https" } else { "http" });
    let peer = &exchange.peer.text;
    if continued && headers.contains_key(X_FORWARDED_FOR) {
        let chain = joined(headers, &X_FORWARDED_FOR, peer.as_bytes());
        replace(headers, X_FORWARDED_FOR, chain);
    } else {
        headers.insert(X_FORWARDED_FOR, peer.clone());
    }
    headers.insert(X_FORWARDED_PROTO, proto);
    let keeps_host = continued && headers.contains_key(X_FORWARDED_HOST);
    match &asked {
        Some(host) if !keeps_host => {
            headers.insert(X_FORWARDED_HOST, host.clone());
        }
        None if !continued => {
            headers.remove(X_FORWARDED_HOST);
        }
        _ => {}
    }
    let element = element(exchange, asked.as_ref());
    if continued && headers.contains_key(FORWARDED) {
        let chain = joined(headers, &FORWARDED, element.as_bytes());
        replace(headers, FORWARDED, chain);
    } else {
        replace(headers, FORWARDED, element.into_bytes());
    }
}

fn replace(headers: &mut HeaderMap, name: HeaderName, value: Vec<u8>) {
    match HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
        Ok(value) => headers.insert(name, value),
        Err(_) => headers.remove(name),
    };
}

/// All lines of a list field, and one more element.
fn joined(headers: &HeaderMap, name: &HeaderName, last: &[u8]) -> Vec<u8> {
    let mut chain = Vec::with_capacity(64);
    for line in headers.get_all(name) {
        chain.extend_from_slice(line.as_bytes());
        chain.extend_from_slice(b", ");
    }
    chain.extend_from_slice(last);
    chain
}

/// One element of `Forwarded`: an IPv6 address stands in brackets and quotes, and so does a host
/// with a port (RFC 7239 section 6).
fn element(exchange: &Exchange, host: Option<&HeaderValue>) -> String {
    let mut text = String::with_capacity(64);
    let ip = exchange.peer.address.ip().to_canonical();
    let proto = if exchange.peer.tls { "https" } else { "http" };
    // Writing to a string cannot fail.
    _ = match ip {
        std::net::IpAddr::V4(_) => {
            text.push_str("for=");
            text.push_str(exchange.peer.text.to_str().unwrap_or("unknown"));
            write!(text, ";proto={proto}")
        }
        std::net::IpAddr::V6(_) => write!(text, "for=\"[{ip}]\";proto={proto}"),
    };
    if let Some(host) = host.and_then(|host| host.to_str().ok()) {
        _ = write!(text, ";host=\"{host}\"");
    }
    text
}

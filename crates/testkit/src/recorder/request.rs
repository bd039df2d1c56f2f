//! A request as an origin saw it, read strictly.

use std::time::Duration;

use crate::answer::{Content, Framing, Malformed, fields_of, find, is_token};

/// One request, with the exact bytes of its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The request target as sent.
    pub target: String,
    /// Fields in order, names as written.
    pub headers: Vec<(String, String)>,
    /// The head's bytes with the empty line.
    pub head: Vec<u8>,
    /// The content, unchunked.
    pub body: Vec<u8>,
    /// Fields after the last chunk.
    pub trailers: Vec<(String, String)>,
    /// Whether the client left before the body was whole.
    pub truncated: bool,
    /// Which connection of this origin it came on, from 0.
    pub connection: usize,
    /// When its head was whole, from the origin's start.
    pub at: Duration,
}

impl Request {
    /// The head of the request that `bytes` begin with, and how its body is framed.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, Framing), Malformed> {
        let end = find(bytes, b"\r\n\r\n").ok_or(Malformed::Unfinished)?;
        let text =
            str::from_utf8(&bytes[..end]).map_err(|_| Malformed::Broken("head is no text"))?;
        let (line, fields) = text.split_once("\r\n").unwrap_or((text, ""));
        let parts: Vec<&str> = line.split(' ').collect();
        let [method, target, "HTTP/1.1"] = parts[..] else {
            return Err(Malformed::Broken("no HTTP/1.1 request line"));
        };
        if method.is_empty() || !method.bytes().all(is_token) || target.is_empty() {
            return Err(Malformed::Broken("no method or target"));
        }
        let request = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: fields_of(fields)?,
            head: bytes[..end + 4].to_vec(),
            body: Vec::new(),
            trailers: Vec::new(),
            truncated: true,
            connection: 0,
            at: Duration::ZERO,
        };
        let framing = request.framing()?;
        Ok((request, framing))
    }

    fn framing(&self) -> Result<Framing, Malformed> {
        let lengths: Vec<&str> = self.all("content-length").collect();
        let codings: Vec<&str> = self.all("transfer-encoding").collect();
        if self.all("host").count() != 1 {
            return Err(Malformed::Broken("not exactly one Host"));
        }
        match (lengths.as_slice(), codings.as_slice()) {
            ([], []) => Ok(Framing::None),
            ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => length
                .parse()
                .map(Framing::Length)
                .map_err(|_| Malformed::Broken("Content-Length is no number")),
            ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
            _ => Err(Malformed::Broken(
                "more than one framing, or an unknown one",
            )),
        }
    }

    /// Takes the body from `bytes`; says how many it took when it is whole.
    pub(super) fn fill(
        &mut self,
        bytes: &[u8],
        framing: Framing,
    ) -> Result<Option<usize>, Malformed> {
        let content = Content::read(bytes, framing)?;
        self.body = content.body;
        self.trailers = content.trailers;
        self.truncated = content.truncated;
        Ok((!content.truncated).then_some(content.used))
    }

    /// The first field of that name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every field of that name, in order.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn expects_continue(&self) -> bool {
        self.header("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_careful_proxy_never_sends_is_broken() {
        let cases = [
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        ];
        for text in cases {
            let seen = Request::parse(text.as_bytes());
            assert!(
                matches!(seen, Err(Malformed::Broken(_))),
                "{text:?}: {seen:?}"
            );
        }
    }

    #[test]
    fn a_body_fills_up() {
        let text = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
        let (mut request, framing) = Request::parse(text).unwrap();
        assert_eq!(request.fill(b"x", framing), Ok(None));
        assert_eq!(request.fill(b"xyz", framing), Ok(Some(2)));
        assert_eq!(
            (request.body.as_slice(), request.truncated),
            (b"xy".as_slice(), false)
        );
    }
}

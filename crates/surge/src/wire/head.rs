//! The head of an answer, read in place: nothing of it is copied unless a caller wants it.

use std::mem::MaybeUninit;

use super::body::Body;

/// Longest head that is read, in bytes.
pub(super) const HEAD_MAX: usize = 64 * 1024;

/// Most header fields that are read.
const FIELDS_MAX: usize = 100;

/// What the reader needs of a head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Where the content ends.
    pub(super) body: Body,
    /// The peer closes the connection after the content.
    pub(super) closes: bool,
    /// A room may have spoken: 503, or a cookie or a `Proxy-Status` of Forebay's.
    pub(super) of_a_room: bool,
    /// Bytes of the head, with the empty line at its end.
    pub(super) length: usize,
}

/// Not HTTP/1.1, or not framed as it must be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotHttp;

/// The fields that say where the content ends and what becomes of the connection.
#[derive(Debug, Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
    /// Coded, but the last coding is not `chunked`: up to the end of the stream.
    coded: bool,
    close: bool,
    keep_alive: bool,
    forebay: bool,
}

impl Head {
    /// The head at the begin of `bytes`, once it is whole.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, NotHttp> {
        let mut fields = [MaybeUninit::uninit(); FIELDS_MAX];
        let mut response = httparse::Response::new(&mut []);
        let length = match httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut response, bytes, &mut fields)
            .map_err(|_bad| NotHttp)?
        {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return Ok(None),
        };
        let status = response.code.ok_or(NotHttp)?;
        let minor = response.version.ok_or(NotHttp)?;
        let framing = Framing::of(response.headers)?;
        let body = match framing {
            // Requests of this crate are GET and POST only.
            _ if matches!(status, 100..=199 | 204 | 304) => Body::Length(0),
            Framing { chunked: true, .. } => Body::Chunked(Default::default()),
            Framing { coded: true, .. } => Body::Stream,
            Framing { length, .. } => length.map_or(Body::Stream, Body::Length),
        };
        Ok(Some(Self {
            status,
            closes: framing.close || (minor == 0 && !framing.keep_alive) || body.ends_with_stream(),
            body,
            of_a_room: status == 503 || framing.forebay,
            length,
        }))
    }
}

impl Framing {
    fn of(fields: &[httparse::Header<'_>]) -> Result<Self, NotHttp> {
        let mut framing = Self::default();
        for field in fields {
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            // By length first: most fields are told apart by it alone.
            match field.name.len() {
                10 if is("connection") => {
                    framing.close |= lists(field.value, "close");
                    framing.keep_alive |= lists(field.value, "keep-alive");
                }
                10 if is("set-cookie") => framing.forebay |= of_forebay(field.value),
                12 if is("proxy-status") => framing.forebay |= of_forebay(field.value),
                14 if is("content-length") => {
                    let length = length(field.value)?;
                    // Two lengths that differ are a smuggler's (RFC 9112 section 6.3).
                    if framing.length.is_some_and(|other| other != length) {
                        return Err(NotHttp);
                    }
                    framing.length = Some(length);
                }
                17 if is("transfer-encoding") => {
                    framing.chunked = last_of(field.value).eq_ignore_ascii_case(b"chunked");
                    framing.coded = true;
                }
                _ => {}
            }
        }
        Ok(framing)
    }
}

/// Whether `token` is in the list `value`.
fn lists(value: &[u8], token: &str) -> bool {
    value
        .split(|byte| *byte == b',')
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

fn last_of(value: &[u8]) -> &[u8] {
    value
        .rsplit(|byte| *byte == b',')
        .next()
        .unwrap_or_default()
        .trim_ascii()
}

fn of_forebay(value: &[u8]) -> bool {
    value.windows(7).any(|part| part == b"forebay")
}

fn length(value: &[u8]) -> Result<u64, NotHttp> {
    let digits = std::str::from_utf8(value).map_err(|_bad| NotHttp)?.trim();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotHttp);
    }
    digits.parse().map_err(|_bad| NotHttp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(fields: &str) -> Result<Head, NotHttp> {
        let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
        Head::parse(text.as_bytes()).map(|head| head.expect("it is whole"))
    }

    #[test]
    fn the_framing_is_what_the_fields_say() {
        for (fields, body, closes) in [
            ("Content-Length: 7", Body::Length(7), false),
            (
                "content-length: 7\r\nCONTENT-LENGTH: 7",
                Body::Length(7),
                false,
            ),
            (
                "Content-Length: 7\r\nConnection: x, Close",
                Body::Length(7),
                true,
            ),
            ("Connection: keep-alive", Body::Stream, true),
            (
                "Content-Length: 7\r\nTransfer-Encoding: chunked",
                Body::Chunked(Default::default()),
                false,
            ),
            ("Transfer-Encoding: chunked, gzip", Body::Stream, true),
        ] {
            let head = parse(fields).unwrap();
            assert_eq!((head.body, head.closes), (body, closes), "{fields}");
        }
    }

    #[test]
    fn lengths_that_differ_or_are_no_numbers_are_no_http() {
        for fields in [
            "Content-Length: 7\r\nContent-Length: 8",
            "Content-Length: +7",
            "Content-Length: 7, 7",
            "Content-Length: 99999999999999999999",
        ] {
            assert!(parse(fields).is_err(), "{fields}");
        }
    }

    #[test]
    fn http_1_0_closes_unless_it_says_otherwise() {
        for (fields, closes) in [("X: y", true), ("Connection: Keep-Alive", false)] {
            let text = format!("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n{fields}\r\n\r\n");
            let head = Head::parse(text.as_bytes()).unwrap().unwrap();
            assert_eq!(head.closes, closes, "{fields}");
        }
    }
}

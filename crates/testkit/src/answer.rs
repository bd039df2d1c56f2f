//! One HTTP/1.1 answer, taken apart from the bytes that were seen (RFC 9112).
//!
//! The parser belongs to the judge, so it is strict: what a careless client
//! would repair (a bare LF, two lengths) is an error here.

use std::fmt;

/// Why bytes are no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end before the head does.
    #[error("the head is not complete")]
    Unfinished,
    /// The head or the framing breaks RFC 9112.
    #[error("{0}")]
    Broken(&'static str),
}

/// How the end of a body is known (RFC 9112 section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none: HEAD, 1xx, 204, 304.
    None,
    /// `Content-Length`.
    Length(usize),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// It ends when the connection does.
    Close,
}

/// A final answer, with the interim ones before it.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Reason phrase, often empty.
    pub reason: String,
    /// Fields in order, names as written.
    pub headers: Vec<(String, String)>,
    /// The content, unchunked.
    pub body: Vec<u8>,
    /// Fields after the last chunk.
    pub trailers: Vec<(String, String)>,
    /// How the body was framed.
    pub framing: Framing,
    /// Whether the bytes end before the framing says that the body does.
    pub truncated: bool,
    /// Status codes of the 1xx answers before this one.
    pub interim: Vec<u16>,
    /// How many bytes this answer and the interim ones took.
    pub used: usize,
}

impl Answer {
    /// The first final answer in `bytes` to a request with `method`.
    ///
    /// # Errors
    /// [`Malformed`] when there is no complete head, or one that breaks the rules.
    pub fn parse(bytes: &[u8], method: &str) -> Result<Self, Malformed> {
        let mut interim = Vec::new();
        let mut at = 0;
        loop {
            let head = Head::parse(&bytes[at..])?;
            at += head.used;
            if (100..200).contains(&head.status) && head.status != 101 {
                interim.push(head.status);
                continue;
            }
            let framing = framing(&head, method)?;
            let rest = bytes.get(at..).unwrap_or_default();
            let content = Content::read(rest, framing)?;
            return Ok(Self {
                status: head.status,
                reason: head.reason,
                headers: head.headers,
                body: content.body,
                trailers: content.trailers,
                framing,
                truncated: content.truncated,
                interim,
                used: at + content.used,
            });
        }
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

    /// The value that an answer sets for the cookie `name`.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.all("set-cookie")
            .filter_map(|line| line.split(';').next()?.split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &self.text().chars().take(400).collect::<String>())
            .field("body_bytes", &self.body.len())
            .field("trailers", &self.trailers)
            .field("framing", &self.framing)
            .field("truncated", &self.truncated)
            .field("interim", &self.interim)
            .finish_non_exhaustive()
    }
}

struct Head {
    status: u16,
    reason: String,
    headers: Vec<(String, String)>,
    used: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let end = find(bytes, b"\r\n\r\n").ok_or(Malformed::Unfinished)?;
        let text =
            str::from_utf8(&bytes[..end]).map_err(|_| Malformed::Broken("head is no text"))?;
        let (line, fields) = text.split_once("\r\n").unwrap_or((text, ""));
        let rest = line
            .strip_prefix("HTTP/1.1 ")
            .or_else(|| line.strip_prefix("HTTP/1.0 "))
            .ok_or(Malformed::Broken("no HTTP/1 status line"))?;
        let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = match code.parse::<u16>() {
            Ok(status) if code.len() == 3 && status >= 100 => status,
            _ => return Err(Malformed::Broken("status code is not three digits")),
        };
        Ok(Self {
            status,
            reason: reason.to_owned(),
            headers: fields_of(fields)?,
            used: end + 4,
        })
    }

    fn values(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

/// Field lines, strictly: token, colon, value; no folding, no bare CR or LF.
pub(crate) fn fields_of(text: &str) -> Result<Vec<(String, String)>, Malformed> {
    text.split("\r\n")
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line
                .split_once(':')
                .ok_or(Malformed::Broken("field without a colon"))?;
            if name.is_empty() || !name.bytes().all(is_token) {
                return Err(Malformed::Broken("field name is no token"));
            }
            if value.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                return Err(Malformed::Broken("bare CR, LF or NUL in a field"));
            }
            Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
        })
        .collect()
}

fn framing(head: &Head, method: &str) -> Result<Framing, Malformed> {
    let lengths = head.values("content-length");
    let codings = head.values("transfer-encoding");
    if lengths.len() > 1 || codings.len() > 1 || (!lengths.is_empty() && !codings.is_empty()) {
        return Err(Malformed::Broken("more than one framing"));
    }
    if method == "HEAD" || matches!(head.status, 101 | 204 | 304) {
        return Ok(Framing::None);
    }
    if let Some(coding) = codings.first() {
        return if coding.eq_ignore_ascii_case("chunked") {
            Ok(Framing::Chunked)
        } else {
            Err(Malformed::Broken("a transfer coding that is not chunked"))
        };
    }
    lengths.first().map_or(Ok(Framing::Close), |length| {
        length
            .parse()
            .map(Framing::Length)
            .map_err(|_| Malformed::Broken("Content-Length is no number"))
    })
}

/// A body as far as it came.
pub(crate) struct Content {
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) truncated: bool,
    pub(crate) used: usize,
}

impl Content {
    pub(crate) fn read(bytes: &[u8], framing: Framing) -> Result<Self, Malformed> {
        let plain = |length: usize, truncated| Self {
            body: bytes[..length].to_vec(),
            trailers: Vec::new(),
            truncated,
            used: length,
        };
        match framing {
            Framing::None => Ok(plain(0, false)),
            Framing::Close => Ok(plain(bytes.len(), false)),
            Framing::Length(length) => Ok(plain(length.min(bytes.len()), bytes.len() < length)),
            Framing::Chunked => chunks(bytes),
        }
    }
}

fn chunks(bytes: &[u8]) -> Result<Content, Malformed> {
    let mut content = Content {
        body: Vec::new(),
        trailers: Vec::new(),
        truncated: true,
        used: bytes.len(),
    };
    let mut at = 0;
    loop {
        let Some(line) = find(&bytes[at..], b"\r\n") else {
            return Ok(content);
        };
        let size = str::from_utf8(&bytes[at..at + line])
            .ok()
            .map(|text| text.split(';').next().unwrap_or_default())
            .filter(|digits| !digits.is_empty() && digits.len() <= 8)
            .and_then(|digits| usize::from_str_radix(digits, 16).ok())
            .ok_or(Malformed::Broken("chunk size is not hexadecimal"))?;
        at += line + 2;
        if size == 0 {
            return last_chunk(bytes, at, content);
        }
        let data = bytes.get(at..at + size + 2).ok_or(());
        let Ok(data) = data else {
            let came = bytes.len().min(at + size);
            content.body.extend_from_slice(&bytes[at..came]);
            return Ok(content);
        };
        if !data.ends_with(b"\r\n") {
            return Err(Malformed::Broken("chunk is longer than its size"));
        }
        content.body.extend_from_slice(&data[..size]);
        at += size + 2;
    }
}

fn last_chunk(bytes: &[u8], at: usize, mut content: Content) -> Result<Content, Malformed> {
    let rest = &bytes[at..];
    if rest.starts_with(b"\r\n") {
        content.used = at + 2;
    } else if let Some(end) = find(rest, b"\r\n\r\n") {
        let text =
            str::from_utf8(&rest[..end]).map_err(|_| Malformed::Broken("trailer is no text"))?;
        content.trailers = fields_of(text)?;
        content.used = at + end + 4;
    } else {
        return Ok(content);
    }
    content.truncated = false;
    Ok(content)
}

pub(crate) fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|part| part == pattern)
}

pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str) -> Answer {
        Answer::parse(text.as_bytes(), "GET").unwrap()
    }

    #[test]
    fn a_length_delimits_and_the_rest_belongs_to_the_next_answer() {
        let answer = get("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 ");
        assert_eq!(
            (answer.status, answer.text(), answer.truncated),
            (200, "hi".into(), false)
        );
        assert_eq!(answer.used, 40);
    }

    #[test]
    fn a_short_body_is_truncated_whatever_its_framing() {
        let cases = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
        ];
        for text in cases {
            let answer = get(text);
            assert!(answer.truncated, "{text:?}");
            assert_eq!(answer.text(), "hi", "{text:?}");
        }
    }

    #[test]
    fn chunks_join_and_trailers_are_kept() {
        let answer = get(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n2\r\nbc\r\n0\r\nx-sum: 3\r\n\r\n",
        );
        assert_eq!((answer.text().as_str(), answer.truncated), ("abc", false));
        assert_eq!(answer.trailers, [("x-sum".into(), "3".into())]);
    }

    #[test]
    fn head_and_statuses_without_content_have_none() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert!(!Answer::parse(text, "HEAD").unwrap().truncated);
        assert_eq!(
            get("HTTP/1.1 304 Not Modified\r\n\r\n").framing,
            Framing::None
        );
    }

    #[test]
    fn interim_answers_come_before_the_final_one() {
        let answer = get("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(
            (answer.interim.as_slice(), answer.status),
            ([100].as_slice(), 204)
        );
    }

    #[test]
    fn what_breaks_the_rules_is_named() {
        let cases = [
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: a\r\n\r\n",
            "HTTP/1.1 2 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx: a\nb\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "SSH-2.0\r\n\r\n",
        ];
        for text in cases {
            let seen = Answer::parse(text.as_bytes(), "GET");
            assert!(
                matches!(seen, Err(Malformed::Broken(_))),
                "{text:?}: {seen:?}"
            );
        }
    }

    #[test]
    fn half_a_head_is_unfinished() {
        assert_eq!(
            Answer::parse(b"HTTP/1.1 200 OK\r\n", "GET"),
            Err(Malformed::Unfinished)
        );
    }

    #[test]
    fn a_set_cookie_is_found_by_name() {
        let answer = get("HTTP/1.1 204 x\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n\r\n");
        assert_eq!((answer.cookie("b"), answer.cookie("c")), (Some("2"), None));
    }
}

//! Bytes become an answer, however they are cut: the reader is fed what the socket
//! gives and says when the answer is whole, or that it cannot become one.

use super::answer::{Answer, Keep};
use super::body::Body;
use super::head::{HEAD_MAX, Head};
use crate::outcome::Outcome;

/// Content that is kept; more is read and dropped.
const KEPT_MAX: usize = 1024 * 1024;

/// An answer that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    keep: Keep,
    /// The begin of a head that came in pieces.
    partial: Vec<u8>,
    begun: bool,
    /// None until the final head is whole.
    body: Option<Body>,
    kept: bool,
    answer: Answer,
}

/// Bytes that are no HTTP/1.1 answer, or more of them than the answer has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Reading {
    pub(super) fn new(keep: Keep) -> Self {
        Self {
            keep,
            partial: Vec::new(),
            begun: false,
            body: None,
            kept: false,
            answer: Answer::default(),
        }
    }

    /// Whether any byte of an answer has come.
    pub(super) const fn begun(&self) -> bool {
        self.begun
    }

    /// The answer.
    pub(super) fn into_answer(self) -> Answer {
        self.answer
    }

    /// Reads on; true once the answer is whole. Bytes beyond it were not asked for: a
    /// connection that carries them has lost its framing.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<bool, Malformed> {
        self.begun |= !bytes.is_empty();
        if self.body.is_some() {
            return self.content(bytes);
        }
        if self.partial.is_empty() {
            return self.first(bytes);
        }
        let mut joined = std::mem::take(&mut self.partial);
        joined.extend_from_slice(bytes);
        self.first(&joined)
    }

    /// What the end of the stream makes of it: an answer, or its lack.
    pub(super) fn at_end(&self) -> Result<(), Outcome> {
        match &self.body {
            Some(Body::Stream) => Ok(()),
            None if !self.begun => Err(Outcome::Closed),
            _ => Err(Outcome::Truncated),
        }
    }

    fn first(&mut self, bytes: &[u8]) -> Result<bool, Malformed> {
        let rest = self.heads(bytes)?;
        if self.body.is_none() {
            self.partial = rest.to_vec();
            return Ok(false);
        }
        self.content(rest)
    }

    /// Takes heads up to the final one, skipping interim ones (1xx); what is left.
    fn heads<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Malformed> {
        while let Some(head) = Head::parse(bytes).map_err(|_bad| Malformed)? {
            let (text, rest) = bytes.split_at(head.length);
            bytes = rest;
            if head.status < 200 {
                continue;
            }
            self.kept = self.keep == Keep::All || head.of_a_room;
            self.answer.status = head.status;
            self.answer.closes = head.closes;
            if self.kept {
                self.answer.head = text.to_vec();
            }
            self.body = Some(head.body);
            return Ok(bytes);
        }
        if bytes.len() > HEAD_MAX {
            return Err(Malformed);
        }
        Ok(bytes)
    }

    fn content(&mut self, mut bytes: &[u8]) -> Result<bool, Malformed> {
        let Some(body) = &mut self.body else {
            return Ok(false);
        };
        let (kept, content) = (self.kept, &mut self.answer.body);
        let whole = body
            .take(&mut bytes, |piece| {
                if kept {
                    let room = KEPT_MAX.saturating_sub(content.len()).min(piece.len());
                    content.extend_from_slice(&piece[..room]);
                }
            })
            .map_err(|_bad| Malformed)?;
        if whole && !bytes.is_empty() {
            return Err(Malformed);
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an answer that comes in pieces of `piece` bytes; None: not whole at the end.
    fn read(text: &str, piece: usize) -> Result<Option<String>, Malformed> {
        let mut reading = Reading::new(Keep::All);
        let mut whole = false;
        for piece in text.as_bytes().chunks(piece) {
            assert!(!whole, "nothing comes after the end of {text}");
            whole = reading.feed(piece)?;
        }
        let whole = whole || reading.at_end().is_ok();
        let answer = reading.into_answer();
        Ok(whole.then(|| String::from_utf8(answer.body).unwrap()))
    }

    #[test]
    fn content_is_whole_exactly_when_the_framing_says_so() {
        let chunked = "transfer-encoding: chunked";
        for (framing, content, whole) in [
            ("content-length: 5", "hello", Some("hello")),
            ("content-length: 5", "hell", None),
            ("content-length: 0", "", Some("")),
            (
                chunked,
                "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n",
                Some("hello!"),
            ),
            (chunked, "0\r\ntrailer: x\r\n\r\n", Some("")),
            (chunked, "5\r\nhello\r\n0\r\n", None),
            (chunked, "5\r\nhel", None),
            ("x: y", "until the end", Some("until the end")),
        ] {
            let text = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{content}");
            for piece in [1, 3, 1000] {
                assert_eq!(read(&text, piece), Ok(whole.map(str::to_owned)), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_answer_is_malformed_however_it_is_cut() {
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        for text in [
            "SSH-2.0-x\r\n".to_owned(),
            format!("{chunked}x\r\n"),
            format!("{chunked}+2\r\n"),
            format!("{chunked}2\r\nabc\r\n"),
            format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(HEAD_MAX)),
        ] {
            for piece in [7, 1000] {
                assert_eq!(read(&text, piece), Err(Malformed), "{text:.60}");
            }
        }
    }

    #[test]
    fn bytes_beyond_the_answer_are_malformed() {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nabc";
        assert_eq!(read(text, 1000), Err(Malformed));
    }

    #[test]
    fn interim_answers_are_skipped_however_they_are_cut() {
        let text = "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
                    HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        for piece in [1, 5, 60, 1000] {
            assert_eq!(read(text, piece), Ok(Some("ok".to_owned())), "by {piece}");
        }
    }

    #[test]
    fn a_script_keeps_only_what_a_room_may_have_said() {
        for (status, fields, kept) in [
            (200, "", ""),
            (503, "", "text"),
            (200, "set-cookie: forebay-main=x\r\n", "text"),
            (303, "proxy-status: forebay; error=x\r\n", "text"),
            (404, "set-cookie: id=x\r\n", ""),
        ] {
            let mut reading = Reading::new(Keep::OfARoom);
            let text = format!("HTTP/1.1 {status} x\r\n{fields}content-length: 4\r\n\r\ntext");
            assert_eq!(reading.feed(text.as_bytes()), Ok(true));
            let answer = reading.into_answer();
            assert_eq!(
                (answer.status, answer.body.as_slice()),
                (status, kept.as_bytes())
            );
        }
    }
}

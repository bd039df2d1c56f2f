//! What a recording origin does for one request, step by step.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A place where answers wait until the test opens it.
///
/// It stands where a delay would make a test slow and uncertain.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// A closed one.
    #[must_use]
    pub fn closed() -> Self {
        Self::default()
    }

    /// Lets everybody pass, now and later.
    pub fn open(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open, at most `within`.
    pub(super) fn pass(&self, within: Duration) {
        let open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(
            self.0
                .1
                .wait_timeout_while(open, within, |open| !*open)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

/// One thing that the origin does.
#[derive(Debug, Clone)]
pub enum Step {
    /// Writes these bytes.
    Send(Vec<u8>),
    /// Does nothing for that long.
    Pause(Duration),
    /// Waits until the test opens the gate.
    Wait(Gate),
    /// Sends every byte back until the client says FIN: a tunnel's far end.
    Echo,
    /// Closes the connection in order.
    Close,
    /// Resets the connection.
    Reset,
}

/// An answer: its steps in order. After the last one the connection is kept
/// for the next request.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    before: Vec<Step>,
    within: Vec<Step>,
    after: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Body {
    Length(Vec<u8>),
    Chunks(Vec<Vec<u8>>, Vec<(String, String)>),
    Raw(Vec<u8>),
}

impl Reply {
    /// 200 with `body` and its `Content-Length`.
    #[must_use]
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    /// `status` with `body` and its `Content-Length`.
    #[must_use]
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::of(status, Body::Length(body.into()))
    }

    /// 200 in chunks.
    #[must_use]
    pub fn chunked(chunks: &[&str]) -> Self {
        let chunks = chunks
            .iter()
            .map(|chunk| chunk.as_bytes().to_vec())
            .collect();
        Self::of(200, Body::Chunks(chunks, Vec::new()))
    }

    /// Exactly these bytes instead of an answer.
    #[must_use]
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::of(0, Body::Raw(bytes.into()))
    }

    /// 101 to `protocol`, then every byte comes back.
    #[must_use]
    pub fn upgrade(protocol: &str) -> Self {
        Self::raw(format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n"
        ))
        .then(Step::Echo)
        .then(Step::Close)
    }

    const fn of(status: u16, body: Body) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            before: Vec::new(),
            within: Vec::new(),
            after: Vec::new(),
        }
    }

    /// Adds a field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a field after the last chunk.
    ///
    /// # Panics
    /// When the reply is not chunked.
    #[track_caller]
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        match &mut self.body {
            Body::Chunks(_, trailers) => trailers.push((name.to_owned(), value.to_owned())),
            _ => panic!("only a chunked reply has trailers"),
        }
        self
    }

    /// Does `step` before the first byte.
    #[must_use]
    pub fn first(mut self, step: Step) -> Self {
        self.before.push(step);
        self
    }

    /// Sends a 1xx before the answer.
    #[must_use]
    pub fn interim(self, status: u16, fields: &str) -> Self {
        self.first(Step::Send(
            format!("HTTP/1.1 {status} Interim\r\n{fields}\r\n").into_bytes(),
        ))
    }

    /// Does `step` between the head and the body; for chunks, before each of them.
    #[must_use]
    pub fn between(mut self, step: Step) -> Self {
        self.within.push(step);
        self
    }

    /// Does `step` after the last byte.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.after.push(step);
        self
    }

    /// The bytes in full, then only the first `kept` of them and `end`.
    #[must_use]
    pub fn cut_after(self, kept: usize, end: Step) -> Self {
        let mut bytes: Vec<u8> = Vec::new();
        for step in self.steps("GET") {
            if let Step::Send(piece) = step {
                bytes.extend(piece);
            }
        }
        bytes.truncate(kept);
        Self::raw(bytes).then(end)
    }

    /// The steps for a request with `method`.
    pub(super) fn steps(self, method: &str) -> Vec<Step> {
        let content = method != "HEAD" && !matches!(self.status, 204 | 304);
        let mut steps = self.before;
        match self.body {
            Body::Raw(bytes) => steps.push(Step::Send(bytes)),
            Body::Length(body) => {
                let length = format!("Content-Length: {}\r\n", body.len());
                let framing = if self.status == 204 { "" } else { &length };
                steps.push(Step::Send(head(self.status, framing, &self.headers)));
                steps.extend(self.within);
                steps.push(Step::Send(if content { body } else { Vec::new() }));
            }
            Body::Chunks(chunks, trailers) => {
                let framing = "Transfer-Encoding: chunked\r\n";
                steps.push(Step::Send(head(self.status, framing, &self.headers)));
                if content {
                    for chunk in chunks {
                        steps.extend(self.within.iter().cloned());
                        steps.push(Step::Send(framed(&chunk)));
                    }
                    let last = format!("0\r\n{}\r\n", lines(&trailers));
                    steps.push(Step::Send(last.into_bytes()));
                }
            }
        }
        steps.extend(self.after);
        steps
    }
}

fn head(status: u16, framing: &str, headers: &[(String, String)]) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} Scripted\r\n{framing}{}\r\n",
        lines(headers)
    )
    .into_bytes()
}

fn lines(fields: &[(String, String)]) -> String {
    fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect()
}

fn framed(chunk: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Answer;

    fn bytes(reply: Reply, method: &str) -> Vec<u8> {
        let sent = reply
            .steps(method)
            .into_iter()
            .filter_map(|step| match step {
                Step::Send(bytes) => Some(bytes),
                _ => None,
            });
        sent.flatten().collect()
    }

    #[test]
    fn every_kind_of_reply_keeps_the_rules() {
        let cases = [
            (Reply::ok("abc").header("x-a", "1"), "GET", "abc"),
            (Reply::ok("abc"), "HEAD", ""),
            (Reply::status(204, ""), "GET", ""),
            (
                Reply::chunked(&["ab", "c"]).trailer("x-t", "1"),
                "GET",
                "abc",
            ),
            (
                Reply::ok("abc").interim(103, "link: </a>\r\n"),
                "GET",
                "abc",
            ),
        ];
        for (reply, method, body) in cases {
            let answer = Answer::parse(&bytes(reply, method), method).unwrap();
            assert_eq!((answer.text().as_str(), answer.truncated), (body, false));
        }
    }

    #[test]
    fn a_cut_reply_is_truncated() {
        let whole = bytes(Reply::ok("abc"), "GET").len();
        let cut = bytes(Reply::ok("abc").cut_after(whole - 1, Step::Close), "GET");
        assert!(Answer::parse(&cut, "GET").unwrap().truncated);
    }
}

//! Where an answer's content ends (RFC 9112 section 6.3): a cut-off one is no answer.

use super::answer::Head;

/// Content that is kept; more is read and dropped.
const KEPT_MAX: usize = 1024 * 1024;

/// Longest line between chunks.
const LINE_MAX: usize = 8 * 1024;

/// How much of the content is still to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes.
    Length(u64),
    /// Up to the end of the stream.
    Stream,
    /// Chunks; which part of one comes next.
    Chunked(Chunk),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    Size,
    Data(u64),
    /// The line end after the data.
    End,
    Trailers,
    Done,
}

/// The framing is broken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadFraming;

impl Body {
    /// The framing that `head` announces. Requests of this crate are GET and POST only.
    pub(super) fn of(head: &Head) -> Self {
        if head.status == 204 || head.status == 304 {
            return Self::Length(0);
        }
        if head.lists("transfer-encoding", "chunked") {
            return Self::Chunked(Chunk::Size);
        }
        let length = head
            .values("content-length")
            .next()
            .and_then(|value| value.parse().ok());
        length.map_or(Self::Stream, Self::Length)
    }

    /// Whether only the end of the stream ends the content.
    pub(super) const fn ends_with_stream(&self) -> bool {
        matches!(self, Self::Stream)
    }

    /// Moves what `bytes` holds of the content into `kept`; true once the content is whole.
    pub(super) fn take(
        &mut self,
        bytes: &mut Vec<u8>,
        kept: &mut Vec<u8>,
    ) -> Result<bool, BadFraming> {
        match self {
            Self::Length(left) => Ok(take(left, bytes, kept)),
            Self::Stream => {
                let mut endless = u64::MAX;
                take(&mut endless, bytes, kept);
                Ok(false)
            }
            Self::Chunked(chunk) => {
                while chunk.step(bytes, kept)? {}
                Ok(*chunk == Chunk::Done)
            }
        }
    }
}

impl Chunk {
    /// One step; false when more bytes are needed, or none any more.
    fn step(&mut self, bytes: &mut Vec<u8>, kept: &mut Vec<u8>) -> Result<bool, BadFraming> {
        if let Self::Data(left) = self {
            let whole = take(left, bytes, kept);
            if whole {
                *self = Self::End;
            }
            return Ok(whole);
        }
        if *self == Self::Done {
            return Ok(false);
        }
        let Some(line) = line(bytes)? else {
            return Ok(false);
        };
        *self = match self {
            Self::Size => match size(&line)? {
                0 => Self::Trailers,
                size => Self::Data(size),
            },
            Self::End if line.is_empty() => Self::Size,
            Self::Trailers if line.is_empty() => Self::Done,
            Self::Trailers => Self::Trailers,
            Self::End | Self::Data(_) | Self::Done => return Err(BadFraming),
        };
        Ok(true)
    }
}

/// Takes up to `left` bytes; true when none is left to take.
fn take(left: &mut u64, bytes: &mut Vec<u8>, kept: &mut Vec<u8>) -> bool {
    let taken = usize::try_from(*left)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let room = KEPT_MAX.saturating_sub(kept.len()).min(taken);
    kept.extend_from_slice(&bytes[..room]);
    bytes.drain(..taken);
    *left -= taken as u64;
    *left == 0
}

/// Takes a line without its end, once it is whole.
fn line(bytes: &mut Vec<u8>) -> Result<Option<Vec<u8>>, BadFraming> {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return if bytes.len() > LINE_MAX {
            Err(BadFraming)
        } else {
            Ok(None)
        };
    };
    let mut line: Vec<u8> = bytes.drain(..=end).collect();
    line.pop();
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(line))
}

/// The size in a chunk's first line, without extensions.
fn size(line: &[u8]) -> Result<u64, BadFraming> {
    let text = std::str::from_utf8(line).map_err(|_bad| BadFraming)?;
    let digits = text.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16).map_err(|_bad| BadFraming)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an answer that comes in pieces of `piece` bytes; None: not whole at the end.
    fn read(text: &str, piece: usize) -> Result<Option<String>, BadFraming> {
        let (head, length) = Head::parse(text.as_bytes()).unwrap().unwrap();
        let mut body = Body::of(&head);
        let (mut bytes, mut kept) = (Vec::new(), Vec::new());
        let mut whole = body.take(&mut bytes, &mut kept)?;
        for piece in text.as_bytes()[length..].chunks(piece) {
            bytes.extend_from_slice(piece);
            whole = body.take(&mut bytes, &mut kept)?;
        }
        let whole = whole || body.ends_with_stream();
        Ok(whole.then(|| String::from_utf8(kept).unwrap()))
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
    fn a_broken_chunk_is_broken_framing_and_not_content() {
        for content in ["x\r\n", "2\r\nabc\r\n"] {
            let text = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{content}");
            assert_eq!(read(&text, 1000), Err(BadFraming), "{content}");
        }
    }
}

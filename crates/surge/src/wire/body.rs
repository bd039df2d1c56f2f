//! Where an answer's content ends (RFC 9112 section 6.3): a cut-off one is no answer.

/// Longest line between chunks.
const LINE_MAX: usize = 8 * 1024;

/// How much of the content is still to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes.
    Length(u64),
    /// Up to the end of the stream.
    Stream,
    /// Chunks.
    Chunked(Chunks),
}

/// Where in the chunks the reader is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chunks {
    next: Next,
    /// The begin of a line whose end has not come yet.
    line: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Next {
    #[default]
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
    /// Whether only the end of the stream ends the content.
    pub(super) const fn ends_with_stream(&self) -> bool {
        matches!(self, Self::Stream)
    }

    /// Takes what `bytes` holds of the content, handing it to `keep`, and leaves in
    /// `bytes` what comes after it; true once the content is whole.
    pub(super) fn take(
        &mut self,
        bytes: &mut &[u8],
        mut keep: impl FnMut(&[u8]),
    ) -> Result<bool, BadFraming> {
        match self {
            Self::Length(left) => {
                let content = take(left, bytes);
                keep(content);
                Ok(*left == 0)
            }
            Self::Stream => {
                keep(bytes);
                *bytes = &[];
                Ok(false)
            }
            Self::Chunked(chunks) => {
                while chunks.step(bytes, &mut keep)? {}
                Ok(chunks.next == Next::Done)
            }
        }
    }
}

impl Chunks {
    /// One step; false when more bytes are needed, or none any more.
    fn step(
        &mut self,
        bytes: &mut &[u8],
        keep: &mut impl FnMut(&[u8]),
    ) -> Result<bool, BadFraming> {
        if let Next::Data(left) = &mut self.next {
            let content = take(left, bytes);
            keep(content);
            let whole = *left == 0;
            if whole {
                self.next = Next::End;
            }
            return Ok(whole);
        }
        if self.next == Next::Done {
            return Ok(false);
        }
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.line.extend_from_slice(bytes);
            *bytes = &[];
            return if self.line.len() > LINE_MAX {
                Err(BadFraming)
            } else {
                Ok(false)
            };
        };
        let (line, rest) = bytes.split_at(end);
        *bytes = &rest[1..];
        if self.line.is_empty() {
            self.next = after(self.next, line)?;
        } else {
            self.line.extend_from_slice(line);
            self.next = after(self.next, &self.line)?;
            self.line.clear();
        }
        Ok(true)
    }
}

/// What comes after `line`, which has lost its LF, where `next` was expected.
fn after(next: Next, line: &[u8]) -> Result<Next, BadFraming> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match next {
        Next::Size => Ok(match size(line)? {
            0 => Next::Trailers,
            size => Next::Data(size),
        }),
        Next::End if line.is_empty() => Ok(Next::Size),
        Next::Trailers if line.is_empty() => Ok(Next::Done),
        Next::Trailers => Ok(Next::Trailers),
        Next::End | Next::Data(_) | Next::Done => Err(BadFraming),
    }
}

/// Takes up to `left` bytes.
fn take<'a>(left: &mut u64, bytes: &mut &'a [u8]) -> &'a [u8] {
    let taken = usize::try_from(*left)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let (content, rest) = bytes.split_at(taken);
    *bytes = rest;
    *left -= taken as u64;
    content
}

/// The size in a chunk's first line, without extensions.
fn size(line: &[u8]) -> Result<u64, BadFraming> {
    let text = std::str::from_utf8(line).map_err(|_bad| BadFraming)?;
    let digits = text.split(';').next().unwrap_or_default().trim();
    if digits.starts_with('+') {
        return Err(BadFraming);
    }
    u64::from_str_radix(digits, 16).map_err(|_bad| BadFraming)
}

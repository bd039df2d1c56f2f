//! A whole answer, as far as its reader wanted to keep it.

/// What a reader keeps of an answer besides its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Head and content.
    All,
    /// The same, but only where a waiting room may have spoken: 503, or a cookie or a
    /// `Proxy-Status` of Forebay's. Everything else is read and dropped, which is what
    /// makes a plain script cheap.
    OfARoom,
}

/// A whole answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// The peer will close the connection.
    pub(crate) closes: bool,
    /// The content, up to the reader's bound; empty where it was not kept.
    pub(crate) body: Vec<u8>,
    /// The head as it came; empty where it was not kept.
    pub(super) head: Vec<u8>,
}

impl Answer {
    /// The first field called `name`.
    #[must_use]
    pub(crate) fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// All fields called `name` whose values are UTF-8.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.split(|byte| *byte == b'\n').skip(1);
        lines.filter_map(move |line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            line[..colon]
                .eq_ignore_ascii_case(name.as_bytes())
                .then(|| std::str::from_utf8(&line[colon + 1..]).ok())?
                .map(str::trim)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name_whatever_their_case() {
        let answer = Answer {
            head: b"HTTP/1.1 200 a: b\r\nSet-Cookie: a=1\r\nX-Set-Cookie: c\r\nset-cookie:b=2 \r\n\r\n"
                .to_vec(),
            ..Answer::default()
        };
        assert_eq!(answer.all("set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(answer.header("location"), None);
        assert_eq!(answer.header("HTTP/1.1 200 a"), None);
    }
}

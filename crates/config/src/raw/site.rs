//! `[site]`.

use super::Language;
use crate::read::{At, FromText, PathText, Wrong, table};

table! {
    /// What the pages say of the site.
    Site, later [], {
        /// Its name, at the top of every page and in its title.
        name: Line = optional,
        /// Whom visitors may ask for help, as text for people.
        contact: Line = optional,
        /// A template around every page, instead of Forebay's own.
        page: PathText = optional,
        /// A directory of words instead of Forebay's own: "en.toml" and so on,
        /// with those texts that differ, or with all those of a further language.
        texts: PathText = optional,
        /// Languages of the pages; the first two together for whoever asks for
        /// none of them.
        languages: Vec<At<Language>> = "['en', 'fr']",
    }
}

/// A text for people that stands on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line(pub(crate) String);

impl FromText for Line {
    const WRITE: &'static str = "write one line of at most 120 characters";

    fn parse(text: &str) -> Result<Self, Wrong> {
        const CHARS_MAX: usize = 120;
        let line = text.trim();
        if line.is_empty() || line.chars().any(char::is_control) {
            return Err(Wrong::new("which is no line of text", Self::WRITE));
        }
        if line.chars().count() > CHARS_MAX {
            return Err(Wrong::new("which is too long for a page", Self::WRITE));
        }
        Ok(Self(line.to_owned()))
    }
}

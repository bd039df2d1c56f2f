//! What the pages say: languages with the operator's own words, and templates.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::checked::{Language, Site, Template};
use crate::raw;
use crate::read::{At, PathText, Place, Reader, read_bounded};
use crate::report::line_and_column;

/// Bytes of a template, and of one language's words.
const FILE_SIZE_MAX: u64 = 64 << 10;

/// The languages that Forebay has words of, and those.
const KNOWN: [(&str, &str); 8] = [
    ("en", include_str!("../../../../config/pages/en.toml")),
    ("fr", include_str!("../../../../config/pages/fr.toml")),
    ("ar", include_str!("../../../../config/pages/ar.toml")),
    ("es", include_str!("../../../../config/pages/es.toml")),
    ("hi", include_str!("../../../../config/pages/hi.toml")),
    ("pt", include_str!("../../../../config/pages/pt.toml")),
    ("uk", include_str!("../../../../config/pages/uk.toml")),
    ("zh", include_str!("../../../../config/pages/zh.toml")),
];

/// What rooms take over where they say nothing of their own.
pub(super) struct Pages {
    pub(super) site: Site,
    /// The directory of the operator's words.
    pub(super) texts: Option<PathBuf>,
}

pub(super) fn pages(raw: &raw::Site, reader: &mut Reader<'_>) -> Pages {
    let texts = raw.texts.as_ref().map(|texts| directory(texts, reader));
    let site = Site {
        name: raw.name.as_ref().map(|name| name.value.0.clone()),
        contact: raw.contact.as_ref().map(|line| line.value.0.clone()),
        page: raw.page.as_ref().and_then(|page| template(page, reader)),
        languages: languages(&raw.languages, texts.as_deref(), reader),
    };
    Pages { site, texts }
}

fn directory(raw: &At<PathText>, reader: &mut Reader<'_>) -> PathBuf {
    let path = raw.value.under(reader.base);
    if !path.is_dir() {
        let what = format!("names {}, which is no directory", path.display());
        let write = "name a directory with a file for each language, such as \"en.toml\"";
        reader.report.error(&raw.place, what, write);
    }
    path
}

/// The template at a path; a problem when it cannot be read.
pub(super) fn template(raw: &At<PathText>, reader: &mut Reader<'_>) -> Option<Template> {
    let path = raw.value.under(reader.base);
    let text = text(&path).map_err(|what| {
        let write = "name a template in UTF-8 that this user may read";
        reader.report.error(&raw.place, what, write);
    });
    text.ok().map(|text| Template { path, text })
}

fn text(path: &Path) -> Result<String, String> {
    let cannot = |why: String| format!("names {}, which cannot be read: {why}", path.display());
    let bytes = read_bounded(path, FILE_SIZE_MAX).map_err(|error| cannot(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| cannot("it is no UTF-8".to_owned()))
}

/// The languages of a list, with the operator's words for them.
pub(super) fn languages(
    raw: &At<Vec<At<raw::Language>>>,
    texts: Option<&Path>,
    reader: &mut Reader<'_>,
) -> Vec<Language> {
    if raw.value.is_empty() {
        let write = "write [\"en\"], [\"fr\"] or both";
        reader.report.error(&raw.place, "is empty", write);
    }
    let mut list: Vec<Language> = Vec::new();
    for At { place, value } in &raw.value {
        let raw::Language(tag) = value;
        if list.iter().any(|other| other.tag == *tag) {
            let what = "is there twice";
            reader.report.error(place, what, "leave one out");
        }
        let own = texts.and_then(|texts| words(place, texts, tag, reader));
        let known = KNOWN.iter().find(|(known, _)| known == tag);
        let known = known.map(|(_, words)| words.contains("\nreviewed = true\n"));
        signed(place, known, own.as_ref(), reader);
        list.push(Language {
            tag: tag.clone(),
            texts: own.map(|own| own.texts).unwrap_or_default(),
        });
    }
    list
}

/// Reports a language without words, or with words that nobody has signed for.
fn signed(place: &Place, known: Option<bool>, own: Option<&Words>, reader: &mut Reader<'_>) {
    match (own.and_then(|own| own.signed), known) {
        (None, None) if own.is_none() => {
            let tags = KNOWN.map(|(tag, _)| format!("{tag:?}")).join(" or ");
            let write = format!("write {tags}, or put its words into site.texts");
            let what = "is a language of which there are no words";
            reader.report.error(place, what, write);
        }
        (Some(false), _) | (None, None | Some(false)) => {
            let what = "is a language for whose words nobody who reads it has signed yet";
            let write = "have somebody read them, and write reviewed = true into its file in \
                         site.texts";
            reader.report.warning(place, what, write);
        }
        (Some(true), _) | (None, Some(true)) => {}
    }
}

/// An operator's words of one language.
struct Words {
    texts: BTreeMap<String, String>,
    /// What the file says of itself; `None`: nothing.
    signed: Option<bool>,
}

/// The words of `tag`; none when there is no such file.
fn words(place: &Place, texts: &Path, tag: &str, reader: &mut Reader<'_>) -> Option<Words> {
    const WRITE: &str = "write lines such as check = \"Check my place\"";
    let path = texts.join(format!("{tag}.toml"));
    if matches!(path.metadata(), Err(error) if error.kind() == ErrorKind::NotFound) {
        return None;
    }
    let source = text(&path).map_err(|what| reader.report.error(place, what, WRITE));
    let source = source.ok()?;
    let (table, errors) = DeTable::parse_recoverable(&source);
    let mut wrong = |at: usize, what: &str| {
        let (line, column) = line_and_column(&source, at);
        let what = format!("has words in {}:{line}:{column}: {what}", path.display());
        reader.report.error(place, what, WRITE);
    };
    for error in errors {
        wrong(error.span().unwrap_or(0..0).start, "that are no TOML");
    }
    let mut words = Words {
        texts: BTreeMap::new(),
        signed: None,
    };
    for (key, value) in table.get_ref() {
        let name = key.get_ref().as_ref();
        match value.get_ref() {
            DeValue::Boolean(signed) if name == "reviewed" => words.signed = Some(*signed),
            _ if name == "reviewed" => wrong(value.span().start, "that are neither true nor false"),
            _ if !is_key(name) => wrong(key.span().start, "that no page uses"),
            DeValue::String(text) => {
                words
                    .texts
                    .insert(name.to_owned(), text.as_ref().to_owned());
            }
            _ => wrong(value.span().start, "that are no text in quotes"),
        }
    }
    Some(words)
}

/// Whether pages have a text of this name: English has all of them.
fn is_key(name: &str) -> bool {
    let [(_, english), ..] = KNOWN;
    let mut keys = english.lines().filter_map(|line| line.split_once(" = \""));
    keys.any(|(key, _)| key == name)
}

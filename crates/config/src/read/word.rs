//! Words out of a few, alone or beside another value.

use std::marker::PhantomData;

use serde_json::{Value as Json, json};
use toml::de::DeValue;

use super::{FromText, Node, Reader, Value, Wrong};

/// A value that is one of a few words.
pub(crate) trait Word: Copy + 'static {
    /// The words and what they mean.
    const WORDS: &'static [(&'static str, Self)];

    /// Words that a later version will know.
    const LATER: &'static [&'static str] = &[];

    /// Which later version that is.
    const VERSION: &'static str = "a later version";
}

/// The meaning of `text`, or which words there are.
pub(crate) fn parse_word<T: Word>(text: &str) -> Result<T, Wrong> {
    let words = T::WORDS
        .iter()
        .map(|&(word, _)| format!("{word:?}"))
        .collect::<Vec<_>>();
    let write = format!("write {}", words.join(" or "));
    if T::LATER.contains(&text) {
        return Err(Wrong::new(format!("which comes in {}", T::VERSION), write));
    }
    let known = T::WORDS.iter().find(|&&(word, _)| word == text);
    known
        .map(|&(_, meaning)| meaning)
        .ok_or_else(|| Wrong::new("which is no known word", write))
}

impl<T: Word> FromText for T {
    const WRITE: &'static str = "write a word in quotes";

    fn parse(text: &str) -> Result<Self, Wrong> {
        parse_word(text)
    }

    fn text_schema() -> Json {
        json!({ "enum": T::WORDS.iter().map(|&(word, _)| word).collect::<Vec<_>>() })
    }
}

/// A word that stands for the absence of a value.
pub(crate) trait Absence {
    const WORD: &'static str;
}

/// `"auto"`: found out while running.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Auto;

/// `"unlimited"`: no bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unlimited;

/// `"none"`: not at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoneWord;

/// `"never"`: not by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NeverWord;

impl Absence for Auto {
    const WORD: &'static str = "auto";
}

impl Absence for Unlimited {
    const WORD: &'static str = "unlimited";
}

impl Absence for NoneWord {
    const WORD: &'static str = "none";
}

impl Absence for NeverWord {
    const WORD: &'static str = "never";
}

/// A value, or the word that says that there is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Or<A, T>(pub(crate) Option<T>, PhantomData<A>);

impl<A: Absence, T: Value> Value for Or<A, T> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if matches!(node.value, DeValue::String(text) if text == A::WORD) {
            return Some(Self(None, PhantomData));
        }
        let value = T::read(node, reader);
        if value.is_none() {
            reader.report.or_write(&format!("{:?}", A::WORD));
        }
        value.map(|value| Self(Some(value), PhantomData))
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "const": A::WORD }, T::schema()] })
    }
}

//! A table of the spanned tree, read key by key; what does not fit is noted
//! with its place, and reading goes on.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use super::bounds::{Bound, hold};
use super::mistake::Reader;

/// A value, its key with dots, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) key: String,
    pub(super) value: Spanned<DeValue<'a>>,
}

/// A table of which keys are taken one by one; what is left in the end is unknown.
#[derive(Debug)]
pub(super) struct Table<'a> {
    key: String,
    at: Range<usize>,
    left: Vec<(Spanned<DeString<'a>>, Spanned<DeValue<'a>>)>,
    /// The keys that were asked for, for whom wrote another.
    asked: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The document itself.
    pub(super) fn root(tree: Spanned<DeTable<'a>>) -> Self {
        Self::new(String::new(), tree.span(), tree.into_inner())
    }

    fn new(key: String, at: Range<usize>, table: DeTable<'a>) -> Self {
        let left = table.into_iter().collect();
        Self {
            key,
            at,
            left,
            asked: Vec::new(),
        }
    }

    /// The value of `name`, if it is there.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Node<'a>> {
        self.asked.push(name);
        let index = self
            .left
            .iter()
            .position(|(key, _)| key.get_ref() == name)?;
        let (_name, value) = self.left.remove(index);
        let key = self.child(name);
        Some(Node { key, value })
    }

    /// The value of `name`, which has to be there: `example` is how to write it.
    pub(super) fn need(
        &mut self,
        name: &'static str,
        example: &str,
        reader: &mut Reader<'_>,
    ) -> Option<Node<'a>> {
        let found = self.take(name);
        if found.is_none() {
            reader.mistake(
                &self.at,
                &self.child(name),
                format!("is missing; write {example}"),
            );
        }
        found
    }

    /// Notes a mistake of the table as a whole.
    pub(super) fn mistake(&self, says: impl Into<String>, reader: &mut Reader<'_>) {
        reader.mistake(&self.at, &self.key, says);
    }

    /// Notes every key that nobody has asked for.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        for (name, _value) in &self.left {
            let says = format!("is unknown; known here are {}", self.asked.join(", "));
            reader.mistake(&name.span(), &self.child(name.get_ref()), says);
        }
    }

    fn child(&self, name: &str) -> String {
        if self.key.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.key)
        }
    }
}

/// A duration as it stands in a file.
#[derive(Deserialize)]
struct Span(#[serde(with = "crate::span")] Duration);

impl<'a> Node<'a> {
    pub(super) fn at(&self) -> Range<usize> {
        self.value.span()
    }

    /// Notes a mistake of this value.
    pub(super) fn mistake(&self, says: impl Into<String>, reader: &mut Reader<'_>) {
        reader.mistake(&self.at(), &self.key, says);
    }

    /// Whatever serde makes of it.
    pub(super) fn read<T: DeserializeOwned>(&self, reader: &mut Reader<'_>) -> Option<T> {
        match self.parse() {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.note(&wrong, reader);
                None
            }
        }
    }

    /// A table of which every key has a default, and its values their bounds. What is wrong
    /// is looked for key by key, so that all mistakes are found.
    pub(super) fn read_each<T: DeserializeOwned, const N: usize>(
        &self,
        bounds: fn(&T) -> [Bound; N],
        reader: &mut Reader<'_>,
    ) -> Option<T> {
        let wrong = match self.parse() {
            Ok(value) => return hold(self, bounds(&value), reader).then_some(value),
            Err(wrong) => wrong,
        };
        let found = reader.found();
        for alone in self.each_alone() {
            match alone.parse() {
                Ok(value) => {
                    hold(&alone, bounds(&value), reader);
                }
                Err(wrong) => alone.note(&wrong, reader),
            }
        }
        // What is wrong only with all keys together.
        if reader.found() == found {
            self.note(&wrong, reader);
        }
        None
    }

    /// This table's keys, each in a table of its own.
    fn each_alone(&self) -> Vec<Self> {
        let DeValue::Table(table) = self.value.get_ref() else {
            return Vec::new();
        };
        let alone = table.iter().map(|(name, value)| {
            let mut alone = DeTable::new();
            alone.insert(name.clone(), value.clone());
            Self {
                key: format!("{}.{}", self.key, name.get_ref()),
                value: Spanned::new(name.span(), DeValue::Table(alone)),
            }
        });
        alone.collect()
    }

    pub(super) fn span(
        &self,
        bounds: RangeInclusive<Duration>,
        reader: &mut Reader<'_>,
    ) -> Option<Duration> {
        let Span(span) = self.read(reader)?;
        if bounds.contains(&span) {
            return Some(span);
        }
        let [least, most] =
            [bounds.start(), bounds.end()].map(|bound| crate::span::written(*bound));
        self.mistake(
            format!("write a duration between {least} and {most}"),
            reader,
        );
        None
    }

    pub(super) fn number(
        &self,
        bounds: RangeInclusive<f64>,
        reader: &mut Reader<'_>,
    ) -> Option<f64> {
        let number = self.read(reader)?;
        if bounds.contains(&number) {
            return Some(number);
        }
        let says = format!(
            "write a number between {} and {}",
            bounds.start(),
            bounds.end()
        );
        self.mistake(says, reader);
        None
    }

    /// A text of at least one character and at most `longest`, with single spaces
    /// between its words, however it was broken into lines.
    pub(super) fn text(&self, longest: usize, reader: &mut Reader<'_>) -> Option<String> {
        let text: String = self.read(reader)?;
        let words: Vec<_> = text.split_whitespace().collect();
        let text = words.join(" ");
        if (1..=longest).contains(&text.chars().count()) {
            return Some(text);
        }
        self.mistake(format!("write 1 to {longest} characters"), reader);
        None
    }

    pub(super) fn table(self, reader: &mut Reader<'_>) -> Option<Table<'a>> {
        let at = self.at();
        match self.value.into_inner() {
            DeValue::Table(table) => Some(Table::new(self.key, at, table)),
            other => {
                let says = format!("is of type {}; write a table", other.type_str());
                reader.mistake(&at, &self.key, says);
                None
            }
        }
    }

    /// The tables of a list such as `[[crowd]]`, at most `most`.
    pub(super) fn tables(self, most: usize, reader: &mut Reader<'_>) -> Vec<Table<'a>> {
        let at = self.at();
        let DeValue::Array(array) = self.value.into_inner() else {
            let says = format!("write each as a table of its own under [[{}]]", self.key);
            reader.mistake(&at, &self.key, says);
            return Vec::new();
        };
        if array.len() > most {
            reader.mistake(
                &at,
                &self.key,
                format!("are {}; {most} is the most", array.len()),
            );
        }
        let elements = array.into_iter().take(most).enumerate();
        let elements = elements.map(|(index, value)| Node {
            key: format!("{}[{index}]", self.key),
            value,
        });
        elements
            .filter_map(|element| element.table(reader))
            .collect()
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, toml::de::Error> {
        T::deserialize(ValueDeserializer::from(self.value.clone()))
    }

    fn note(&self, wrong: &toml::de::Error, reader: &mut Reader<'_>) {
        let at = wrong.span().unwrap_or_else(|| self.at());
        let says = wrong.message().lines().collect::<Vec<_>>().join(", ");
        reader.mistake(&at, &self.key, says);
    }
}

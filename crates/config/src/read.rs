//! The spanned TOML tree becomes typed values; whatever does not fit is
//! reported with its place, and reading goes on.

mod entries;
mod list;
mod moment;
mod number;
mod table;
mod text;
mod units;
mod word;

use std::ops::Range;
use std::path::Path;

use serde_json::Value as Json;
use toml::de::DeValue;

pub(crate) use entries::{Entries, read_default};
pub(crate) use list::Named;
pub(crate) use moment::Moment;
pub(crate) use number::Number;
pub(crate) use table::{Field, table, table_schema};
pub(crate) use text::{
    FromText, Key, PathText, Token, Wrong, quoted, read_bounded, secret, secret_schema,
};
pub(crate) use units::{Bytes, BytesPerSecond, Period, Wait};
pub(crate) use word::{Auto, NeverWord, NoneWord, Or, Unlimited, Word, parse_word};

use crate::report::Report;

/// Where something stands: its key with dots, and the bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
}

impl Place {
    /// Something inside, which stands at `span`.
    pub(crate) fn child(&self, name: &str, span: Range<usize>) -> Self {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let name = if !name.is_empty() && name.chars().all(bare) {
            name.to_owned()
        } else {
            quoted(name)
        };
        let key = if self.key.is_empty() {
            name
        } else {
            format!("{}.{name}", self.key)
        };
        Self { key, span }
    }

    /// The element `index` of this list, which stands at `span`.
    pub(crate) fn element(&self, index: usize, span: Range<usize>) -> Self {
        Self {
            key: format!("{}[{index}]", self.key),
            span,
        }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) place: Place,
    pub(crate) value: T,
}

/// One place of the tree, to be read.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) place: Place,
    pub(crate) value: &'a DeValue<'a>,
}

/// What reading needs besides the tree: the world outside the text, and
/// somewhere to put the problems.
pub(crate) struct Reader<'a> {
    /// Directory against which relative paths are taken.
    pub(crate) base: &'a Path,
    /// The environment.
    pub(crate) env: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) report: Report<'a>,
}

/// Something that a file can hold.
pub(crate) trait Value: Sized {
    /// Reads it; `None` means that a problem has been reported.
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// What it looks like, as JSON schema.
    fn schema() -> Json;
}

/// Reports that `node` is of a wrong type.
pub(crate) fn wrong_type(node: &Node<'_>, reader: &mut Reader<'_>, write: impl Into<String>) {
    let what = match node.value {
        DeValue::String(text) => format!("is {}, a string", quoted(text)),
        DeValue::Integer(number) => format!("is {number}, a number"),
        DeValue::Float(number) => format!("is {number}, a number"),
        DeValue::Boolean(flag) => format!("is {flag}"),
        DeValue::Datetime(time) => format!("is {time}, a date"),
        DeValue::Array(_) => "is an array".to_owned(),
        DeValue::Table(_) => "is a table".to_owned(),
    };
    reader.report.error(&node.place, what, write);
}

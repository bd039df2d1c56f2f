//! Everything that is wrong with a file, each with its place and what to write.

use std::fmt;
use std::ops::Range;

use crate::Config;

/// A configuration that can run, and what is odd about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What runs.
    pub config: Config,
    /// Sorted by place; `check --strict` treats them as errors.
    pub warnings: Vec<Problem>,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot run.
    Error,
    /// The file runs, though hardly as meant.
    Warning,
}

/// One thing that is wrong, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key with dots, such as `origin.portal.connect_timeout`; empty where
    /// the text is no TOML.
    pub key: String,
    /// Line of the text, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes of the text that are meant.
    pub span: Range<usize>,
    /// What is wrong, as the rest of a sentence that begins with the key.
    pub what: String,
    /// What to write instead; may be empty.
    pub write: String,
    /// Whether the file can run all the same.
    pub severity: Severity,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        if !self.write.is_empty() {
            write!(f, "; {}", self.write)?;
        }
        Ok(())
    }
}

/// Everything that is wrong with one file, errors and warnings, sorted by place.
///
/// Displays as one line each: `file:line:column: key: what; what to write`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// Sorted by place; never empty.
    pub list: Vec<Problem>,
    /// The text to which the spans point; empty where it could not be read.
    pub text: String,
    /// The file's name, as given.
    pub name: String,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{problem}", self.name)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

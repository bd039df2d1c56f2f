//! What is wrong with a scenario's text: where it stands, and what to write.

use std::fmt;
use std::ops::Range;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key with dots, such as `crowd[1].arrivals`; empty where no key is to blame.
    pub key: String,
    /// What is wrong, and what to write.
    pub says: String,
}

/// Everything that is wrong with one scenario, in the order of its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes {
    /// The file's name.
    pub name: String,
    /// Never empty.
    pub list: Vec<Mistake>,
}

impl Mistakes {
    /// The one mistake of a file that could not even be read.
    pub(super) fn unreadable(name: &str, says: String) -> Self {
        let whole = Mistake {
            line: 1,
            column: 1,
            key: String::new(),
            says,
        };
        Self {
            name: name.to_owned(),
            list: vec![whole],
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            let Mistake {
                line,
                column,
                key,
                says,
            } = mistake;
            write!(formatter, "{}:{line}:{column}: ", self.name)?;
            if !key.is_empty() {
                write!(formatter, "{key}: ")?;
            }
            write!(formatter, "{says}")?;
        }
        Ok(())
    }
}

/// Collects mistakes while reading goes on.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    found: Vec<(usize, Mistake)>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            found: Vec::new(),
        }
    }

    /// Notes a mistake at these bytes of the text.
    pub(super) fn mistake(&mut self, at: &Range<usize>, key: &str, says: impl Into<String>) {
        let (line, column) = place(self.text, at.start);
        let mistake = Mistake {
            line,
            column,
            key: key.to_owned(),
            says: says.into(),
        };
        self.found.push((at.start, mistake));
    }

    /// How many have been found so far.
    pub(super) const fn found(&self) -> usize {
        self.found.len()
    }

    /// All of them in the order of the text, or none.
    pub(super) fn finish(mut self, name: &str) -> Result<(), Mistakes> {
        self.found.sort_by_key(|(at, _mistake)| *at);
        let list: Vec<_> = self.found.into_iter().map(|(_at, found)| found).collect();
        if list.is_empty() {
            return Ok(());
        }
        let name = name.to_owned();
        Err(Mistakes { name, list })
    }
}

/// Line and column of a byte, both from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let begins = before.rfind('\n').map_or(0, |end| end + 1);
    (line, before[begins..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_line_and_a_character_of_it() {
        let text = "a = 1\n  é = 2\n";
        for (byte, expected) in [(0, (1, 1)), (6, (2, 1)), (10, (2, 4)), (99, (3, 1))] {
            assert_eq!(place(text, byte), expected, "byte {byte}");
        }
    }
}

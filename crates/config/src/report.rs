//! Collects problems while reading and checking goes on.

use std::ops::Range;

use crate::problem::{Problem, Severity};
use crate::read::Place;

/// The problems found so far in one text.
pub(crate) struct Report<'a> {
    text: &'a str,
    list: Vec<Problem>,
}

impl<'a> Report<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self {
            text,
            list: Vec::new(),
        }
    }

    /// The file cannot run: the key at `place` `what`; `write` says what helps.
    pub(crate) fn error(
        &mut self,
        place: &Place,
        what: impl Into<String>,
        write: impl Into<String>,
    ) {
        self.add(place, what.into(), write.into(), Severity::Error);
    }

    /// The file runs, though hardly as meant.
    pub(crate) fn warning(
        &mut self,
        place: &Place,
        what: impl Into<String>,
        write: impl Into<String>,
    ) {
        self.add(place, what.into(), write.into(), Severity::Warning);
    }

    /// Whether something was reported about `key` or what is inside it: then
    /// its absence from the values read so far is no problem of its own.
    pub(crate) fn mentions(&self, key: &str) -> bool {
        let inside = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
        self.list
            .iter()
            .any(|problem| problem.key.strip_prefix(key).is_some_and(inside))
    }

    /// Adds one more thing that can be written to the problem reported last.
    pub(crate) fn or_write(&mut self, alternative: &str) {
        if let Some(problem) = self.list.last_mut() {
            problem.write.push_str(", or ");
            problem.write.push_str(alternative);
        }
    }

    /// All problems, sorted by place.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|problem| problem.span.start);
        self.list
    }

    fn add(&mut self, place: &Place, what: String, write: String, severity: Severity) {
        let (line, column) = line_and_column(self.text, place.span.start);
        self.list.push(Problem {
            key: place.key.clone(),
            line,
            column,
            span: clip(self.text, &place.span),
            what,
            write,
            severity,
        });
    }
}

/// Line and column from 1; the column counts characters.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..boundary(text, offset)];
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

/// `span` inside `text`, widened to whole characters.
fn clip(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = boundary(text, span.start);
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// The last character boundary at or before `offset`.
fn boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_begin_at_one() {
        let text = "é = 1\nñé = \"ü\"\n";
        let cases = [
            (0, (1, 1)),
            (3, (1, 3)),
            (7, (2, 1)),
            (14, (2, 6)),
            (999, (3, 1)),
        ];
        for (offset, expected) in cases {
            assert_eq!(line_and_column(text, offset), expected, "offset {offset}");
        }
    }

    #[test]
    fn a_span_never_cuts_a_character() {
        assert_eq!(clip("aéb", &(2..2)), 1..3);
        assert_eq!(clip("aéb", &(9..12)), 4..4);
    }
}

//! A language's words: `key = "text"`, the part of TOML that a translator needs.

use std::collections::BTreeMap;

/// The texts of one language by their key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Catalogue {
    texts: BTreeMap<String, String>,
}

/// A line that is not `key = "text"`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BadCatalogue {
    /// Counted from one.
    pub line: usize,
    /// What is wrong with it, and what to write.
    pub what: &'static str,
}

impl Catalogue {
    /// Reads a catalogue: blank lines, `#` comments, and `key = "text"` with the escapes
    /// `\"`, `\\` and `\uXXXX`; whether somebody who reads the language has signed for it
    /// (`reviewed = true`) is for the operator to know and not for a page.
    pub(super) fn parse(source: &str) -> Result<Self, BadCatalogue> {
        let mut texts = BTreeMap::new();
        for (index, line) in source.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |what| BadCatalogue {
                line: index + 1,
                what,
            };
            let (key, quoted) = line
                .split_once('=')
                .ok_or_else(|| bad("write `key = \"text\"`"))?;
            let key = key.trim();
            if key.is_empty() || !key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
                return Err(bad("a key has only the letters a to z and `_`"));
            }
            if key == "reviewed" {
                signature(quoted.trim()).map_err(bad)?;
                continue;
            }
            let text = unquote(quoted.trim()).map_err(bad)?;
            if texts.insert(key.to_owned(), text).is_some() {
                return Err(bad("the key stands twice"));
            }
        }
        Ok(Self { texts })
    }

    /// The text under a key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    /// These words, and others instead of some.
    pub(super) fn with(mut self, others: &BTreeMap<String, String>) -> Self {
        let others = others.iter().map(|(key, text)| (key.clone(), text.clone()));
        self.texts.extend(others);
        self
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    #[cfg(test)]
    pub(super) fn without(&self, key: &str) -> Self {
        let mut texts = self.texts.clone();
        texts.remove(key);
        Self { texts }
    }
}

fn signature(value: &str) -> Result<(), &'static str> {
    match value {
        "true" | "false" => Ok(()),
        _ => Err("write `reviewed = true` or `reviewed = false`"),
    }
}

fn unquote(quoted: &str) -> Result<String, &'static str> {
    let inner = quoted
        .strip_prefix('"')
        .ok_or("the text stands in double quotes")?;
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    loop {
        match rest.next() {
            None => return Err("the text has no closing quote"),
            Some('"') => break,
            Some('\\') => text.push(escaped(&mut rest)?),
            Some(plain) => text.push(plain),
        }
    }
    let after = rest.as_str().trim_start();
    if after.is_empty() || after.starts_with('#') {
        Ok(text)
    } else {
        Err("nothing but a comment may follow the text")
    }
}

fn escaped(rest: &mut std::str::Chars<'_>) -> Result<char, &'static str> {
    match rest.next() {
        Some(same @ ('"' | '\\')) => Ok(same),
        Some('u') => {
            let digits = rest
                .as_str()
                .get(..4)
                .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
            let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let character = code
                .and_then(char::from_u32)
                .ok_or("`\\u` needs four hex digits")?;
            rest.nth(3);
            Ok(character)
        }
        _ => Err("the escapes are `\\\"`, `\\\\` and `\\uXXXX`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_is_read_as_toml_would() {
        let source = "# words\n\n a = \"x\"\nb=\"q \\\" \\\\ \\u202f é\" # why\n";
        let catalogue = Catalogue::parse(source).unwrap();
        assert_eq!(catalogue.text("a"), Some("x"));
        assert_eq!(catalogue.text("b"), Some("q \" \\ \u{202f} é"));
        assert_eq!(catalogue.text("c"), None);
    }

    #[test]
    fn a_bad_line_is_named() {
        let bad = [
            "nothing",
            "A = \"x\"",
            " = \"x\"",
            "a = x",
            "a = \"x",
            "a = \"x\\",
            "a = \"\\n\"",
            "a = \"\\u12\"",
            "a = \"\\u12é\"",
            "a = \"\\ud800\"",
            "a = \"x\" y",
            "ok = \"twice\"",
        ];
        for line in bad {
            let error = Catalogue::parse(&format!("ok = \"1\"\n{line}\n")).unwrap_err();
            assert_eq!(error.line, 2, "{line}");
        }
    }
}

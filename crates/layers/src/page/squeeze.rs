//! Sources without what only their authors need: the pages have to fit into the first flight.

use std::collections::{BTreeMap, BTreeSet};

/// A template without indentation, line breaks, and comments that stand on a line of their own.
/// What is one text has to stand on one line.
pub(super) fn html(source: &str) -> String {
    let comment = |line: &&str| line.starts_with("<!--") && line.ends_with("-->");
    let lines = source.lines().map(str::trim);
    lines.filter(|line| !comment(line)).collect()
}

/// A style sheet without comments, and without space where none is needed.
pub(super) fn style(source: &str) -> String {
    let tight = |before: char, after: char| {
        // `a :hover` is not `a:hover`: what stands before a colon stays.
        "{};,:>".contains(before) || "{};,>".contains(after)
    };
    squeezed(&uncommented(source), tight).replace(";}", "}")
}

/// A script without comments that stand on a line of their own, without space where none is
/// needed, and with short names for what it declares.
///
/// It is written for that: statements end with semicolons, parameters stand in brackets, there are
/// neither regular expressions nor template literals, whose spaces would count, and no object takes
/// a key from a variable's name.
pub(super) fn script(source: &str) -> String {
    let tight = |before: char, after: char| {
        let joined = is_word(before) && is_word(after);
        let sign = before == after && matches!(before, '+' | '-');
        !joined && !sign
    };
    renamed(&squeezed(&uncommented(source), tight))
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

/// With a letter for each declared name, the same one wherever that name stands.
fn renamed(script: &str) -> String {
    let tokens = tokens(script);
    let keys: BTreeSet<_> = tokens
        .windows(2)
        .filter(|pair| pair[1] == ":")
        .map(|pair| pair[0])
        .collect();
    let mut free = ('a'..='z')
        .chain('A'..='Z')
        .map(String::from)
        .filter(|letter| !tokens.contains(&letter.as_str()));
    let mut letters = BTreeMap::new();
    for name in declared(script) {
        if name.len() > 1 && !keys.contains(name) && !letters.contains_key(name) {
            let Some(letter) = free.next() else { break };
            letters.insert(name, letter);
        }
    }
    let mut before = "";
    let mut out = String::with_capacity(script.len());
    for token in tokens {
        let letter = letters.get(token).filter(|_| before != ".");
        out.push_str(letter.map_or(token, String::as_str));
        before = token;
    }
    out
}

/// The names behind `const` and `let`, and those of parameters.
fn declared(script: &str) -> impl Iterator<Item = &str> {
    let constants = script.split("const ").skip(1);
    let variables = script.split("let ").skip(1);
    let parameters = script
        .split(")=>")
        .filter_map(|before| Some(before.rsplit_once('(')?.1));
    constants
        .chain(variables)
        .map(|after| after.trim_start_matches('[').split(['=', ';', ']']).next())
        .chain(parameters.map(Some))
        .flatten()
        .filter(|names| names.chars().all(|c| is_word(c) || c == ','))
        .flat_map(|names| names.split(','))
}

/// Words, strings, `...`, and single signs.
fn tokens(script: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = script;
    while let Some(first) = rest.chars().next() {
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if matches!(first, '\'' | '"') {
            string(rest, first)
        } else if rest.starts_with("...") {
            3
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// Bytes of the string at the start of `text`.
fn string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Without the lines that are comments.
fn uncommented(source: &str) -> String {
    let comment =
        |line: &&str| line.starts_with("//") || (line.starts_with("/*") && line.ends_with("*/"));
    let lines = source.lines().map(str::trim).filter(|line| !comment(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Space outside of strings becomes one space, or none where it is `tight`.
fn squeezed(source: &str, tight: impl Fn(char, char) -> bool) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source.trim().chars().peekable();
    let mut quote = None;
    while let Some(c) = rest.next() {
        match quote {
            Some(end) => {
                out.push(c);
                if c == '\\' {
                    out.extend(rest.next());
                } else if c == end {
                    quote = None;
                }
            }
            None if c.is_whitespace() => {
                while rest.next_if(|next| next.is_whitespace()).is_some() {}
                let around = out.chars().next_back().zip(rest.peek().copied());
                if around.is_some_and(|(before, after)| !tight(before, after)) {
                    out.push(' ');
                }
            }
            None => {
                quote = matches!(c, '\'' | '"').then_some(c);
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_keeps_its_words() {
        let source = "  <p>\n\n<!-- why -->\n    a  <!-- b -->\n</p>\n";
        assert_eq!(html(source), "<p>a  <!-- b --></p>");
    }

    #[test]
    fn a_style_sheet_keeps_what_has_a_meaning() {
        let cases = [
            ("a { b: c d; }\n/* e */\nf , g { }", "a{b:c d}f,g{}"),
            ("a :hover > b { c: \"  ;  }\" }", "a :hover>b{c:\"  ;  }\"}"),
            (
                "@media (a: b) and (c) { d { e: 1px -2px; } }",
                "@media (a:b) and (c){d{e:1px -2px}}",
            ),
            ("a + b { }", "a + b{}"),
        ];
        for (source, expected) in cases {
            assert_eq!(style(source), expected);
        }
    }

    #[test]
    fn a_script_keeps_what_has_a_meaning() {
        let cases = [
            (
                "const a = b + 1;\n// c\nreturn  a;",
                "const a=b+1;return a;",
            ),
            ("x = y + +z - -1;\n  if (a) b();", "x=y+ +z- -1;if(a)b();"),
            (
                "say('a  \\' b', \"c  d\", 'é  f') ;",
                "say('a  \\' b',\"c  d\",'é  f');",
            ),
        ];
        for (source, expected) in cases {
            assert_eq!(script(source), expected);
        }
    }

    #[test]
    fn our_scripts_have_nothing_that_cannot_be_squeezed() {
        for source in [super::super::SCRIPT, super::super::NOTICE].map(uncommented) {
            let regular = ["(/", "= /", ": /"];
            assert!(!source.contains('`') && regular.iter().all(|start| !source.contains(start)));
            for line in source.lines().map(str::trim_end) {
                let goes_on =
                    line.ends_with(['{', '}', '(', ',', ';', '.', '&', '|', '?', ':', '>']);
                let closes = line.ends_with([')', ']']) || line.starts_with(['.', '?', ':']);
                assert!(
                    line.is_empty() || goes_on || closes,
                    "a statement without its semicolon: {line}"
                );
            }
        }
    }
}

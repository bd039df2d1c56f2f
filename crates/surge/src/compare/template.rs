//! Templates: `@NAME@` is replaced, and a line about one server is written for each.

use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Names that every template may use; `lineup.toml` says what each is.
pub(super) const BUILT_IN: [&str; 13] = [
    "LISTEN",
    "PORT",
    "ADMIN",
    "ORIGIN",
    "ORIGIN_PORT",
    "SERVER",
    "SERVER_PORT",
    "INDEX",
    "LIMIT",
    "LIMIT_EACH",
    "RATE",
    "CORES",
    "WORK",
];

/// What stands for each name in one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// All but those of one server.
    pub(super) single: BTreeMap<String, String>,
    /// The origin's servers.
    pub(super) servers: Vec<SocketAddr>,
}

/// Whether `text` could stand between two `@`.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The names that `text` uses, in order.
pub(super) fn names(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_before, after)) = rest.split_once('@') {
        rest = after;
        if let Some((name, after)) = after.split_once('@')
            && is_name(name)
        {
            found.push(name);
            rest = after;
        }
    }
    found
}

/// `text` with every known name replaced.
pub(super) fn fill(text: &str, names: &Names) -> String {
    let mut filled = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let used = self::names(line);
        let each = ["SERVER", "SERVER_PORT", "INDEX"];
        if !used.iter().any(|name| each.contains(name)) {
            filled.push_str(&replace(line, &names.single));
            continue;
        }
        for (index, server) in (1..).zip(&names.servers) {
            let mut all = names.single.clone();
            let of_server = [
                ("SERVER", server.to_string()),
                ("SERVER_PORT", server.port().to_string()),
                ("INDEX", index.to_string()),
            ];
            all.extend(of_server.map(|(name, value)| (name.to_owned(), value)));
            filled.push_str(&replace(line, &all));
        }
    }
    filled
}

fn replace(line: &str, values: &BTreeMap<String, String>) -> String {
    let mut replaced = line.to_owned();
    for name in names(line) {
        if let Some(value) = values.get(name) {
            replaced = replaced.replace(&format!("@{name}@"), value);
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_capital_letters_between_two_signs() {
        let text = "a@B@c @not@ x@y.example @LIMIT_EACH@@RATE@ @A-B@ @";
        assert_eq!(names(text), ["B", "LIMIT_EACH", "RATE"]);
    }

    #[test]
    fn known_names_are_replaced_and_a_servers_line_is_written_for_each_server() {
        let single = [("RATE", "40"), ("WORK", "/w")];
        let names = Names {
            single: single
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            servers: vec![([127, 0, 0, 1], 81).into(), ([127, 0, 0, 1], 82).into()],
        };
        let text =
            "rate @RATE@ @RATE@\nserver s@INDEX@ @SERVER@ # @SERVER_PORT@ @WORK@\nend @ELSE@";
        assert_eq!(
            fill(text, &names),
            "rate 40 40\nserver s1 127.0.0.1:81 # 81 /w\nserver s2 127.0.0.1:82 # 82 /w\nend @ELSE@"
        );
    }
}

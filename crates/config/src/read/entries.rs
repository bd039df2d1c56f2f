//! The entries of one table: every key is asked for once, and whatever nobody
//! asked for is an unknown key.

use toml::de::{DeTable, DeValue};

use super::{At, Node, Place, Reader, Value, quoted};

/// The keys of a table that have not been asked for yet.
pub(crate) struct Entries<'a> {
    place: Place,
    table: &'a DeTable<'a>,
    known: Vec<&'static str>,
}

impl<'a> Entries<'a> {
    /// The entries of `node`, or a problem where it is no table.
    pub(crate) fn open(node: &Node<'a>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.value else {
            super::wrong_type(node, reader, "write a table, such as { key = value }");
            return None;
        };
        Some(Self {
            place: node.place.clone(),
            table,
            known: Vec::new(),
        })
    }

    /// Every entry, in the order of the file.
    pub(crate) fn all(&self) -> impl Iterator<Item = (At<String>, Node<'a>)> {
        self.table.iter().map(|(key, value)| {
            let name: &str = key.get_ref();
            let named = At {
                place: self.place.child(name, key.span()),
                value: name.to_owned(),
            };
            let place = self.place.child(name, value.span());
            (
                named,
                Node {
                    place,
                    value: value.get_ref(),
                },
            )
        })
    }

    fn entry(&mut self, name: &'static str) -> Option<Node<'a>> {
        self.known.push(name);
        let (key, value) = self.table.get_key_value(name)?;
        let span = match value.span() {
            empty if empty.is_empty() => key.span(),
            span => span,
        };
        Some(Node {
            place: self.place.child(name, span),
            value: value.get_ref(),
        })
    }

    /// A value that may be missing.
    pub(crate) fn optional<T: Value>(
        &mut self,
        name: &'static str,
        reader: &mut Reader<'_>,
    ) -> Option<At<T>> {
        let node = self.entry(name)?;
        let value = T::read(&node, reader)?;
        Some(At {
            place: node.place,
            value,
        })
    }

    /// A value that has to be there; its absence is a problem.
    pub(crate) fn required<T: Value>(
        &mut self,
        name: &'static str,
        reader: &mut Reader<'_>,
    ) -> Option<At<T>> {
        if !self.table.contains_key(name) {
            let place = self.place.child(name, self.place.span.clone());
            reader
                .report
                .error(&place, "is missing", format!("write {name} = …"));
        }
        self.optional(name, reader)
    }

    /// A value that is `default`, in TOML, where it is missing or wrong.
    pub(crate) fn or_default<T: Value>(
        &mut self,
        name: &'static str,
        default: &'static str,
        reader: &mut Reader<'_>,
    ) -> At<T> {
        self.optional(name, reader).unwrap_or_else(|| {
            let place = self.place.child(name, self.place.span.clone());
            At {
                value: read_default(&place, default, reader),
                place,
            }
        })
    }

    /// Reports the keys that nobody asked for; `later` are those that a later
    /// version will know.
    pub(crate) fn close(self, later: &[&str], reader: &mut Reader<'_>) {
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let place = self.place.child(name, key.span());
            if later.contains(&name) {
                reader
                    .report
                    .error(&place, "comes in a later version", "leave it out for now");
                continue;
            }
            let write = nearest(name, &self.known).map_or_else(
                || format!("known here: {}", self.known.join(", ")),
                |near| format!("did you mean {}?", quoted(near)),
            );
            reader.report.error(&place, "is no known key", write);
        }
    }
}

/// The value of `default`, a piece of TOML from this crate.
pub(crate) fn read_default<T: Value>(
    place: &Place,
    default: &'static str,
    reader: &mut Reader<'_>,
) -> T {
    let parsed = DeValue::parse(default).expect("defaults are TOML, as a test proves");
    let node = Node {
        place: place.clone(),
        value: parsed.get_ref(),
    };
    T::read(&node, reader).expect("defaults can be read, as a test proves")
}

/// The known key that was probably meant.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let bound = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|&key| (distance(name, key), key))
        .filter(|&(distance, _)| distance <= bound)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, key)| key)
}

/// Letters to insert, drop, replace or swap with their neighbour (optimal
/// string alignment distance).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_the_key_that_was_meant() {
        let known = ["connect_timeout", "keep_alive", "servers", "host"];
        let cases = [
            ("conect_timeout", Some("connect_timeout")),
            ("connect-timeout", Some("connect_timeout")),
            ("keepalive", Some("keep_alive")),
            ("server", Some("servers")),
            ("hsot", Some("host")),
            ("port", None),
            ("banana", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }
}

//! Which values a scenario may have, and what to write instead of others.

use std::ops::Range;
use std::time::Duration;

use toml::de::DeValue;

use super::mistake::Reader;
use super::table::Node;
use crate::crowd::{Leave, Loris, Script, Visit};
use crate::origin::Condition;

/// A key, whether its value is possible, and what to write.
pub(super) type Bound = (&'static str, bool, &'static str);

/// The longest pause or patience.
const LONG: Duration = Duration::from_secs(3_600);

/// Notes each bound that does not hold, where its key stands; whether all do.
pub(super) fn hold<const N: usize>(
    node: &Node<'_>,
    bounds: [Bound; N],
    reader: &mut Reader<'_>,
) -> bool {
    let found = reader.found();
    for (name, holds, says) in bounds {
        if !holds {
            let key = match name {
                "" => node.key.clone(),
                name if node.key.ends_with(name) => node.key.clone(),
                name => format!("{}.{name}", node.key),
            };
            reader.mistake(&place(node, name), &key, says);
        }
    }
    reader.found() == found
}

/// Where the value of `name` stands in this table, or the table.
pub(super) fn place(node: &Node<'_>, name: &str) -> Range<usize> {
    let DeValue::Table(table) = node.value.get_ref() else {
        return node.at();
    };
    let value = table.iter().find(|(key, _value)| key.get_ref() == name);
    value.map_or_else(|| node.at(), |(_key, value)| value.span())
}

pub(super) fn condition(condition: &Condition) -> [Bound; 1] {
    let problem = condition.problem();
    [("", problem.is_none(), problem.unwrap_or_default())]
}

pub(super) fn visit(visit: &Visit) -> [Bound; 9] {
    const TIME: &str = "write at most 1h";
    const BOUND: &str = "write more than 0s, at most 1h";
    const SHARE: &str = "write a share between 0 and 1";
    let share = |share: f64| (0.0..=1.0).contains(&share);
    let bound = |span: Duration| !span.is_zero() && span <= LONG;
    [
        ("think", visit.think <= LONG, TIME),
        ("patience", bound(visit.patience), BOUND),
        ("patience_in_line", bound(visit.patience_in_line), BOUND),
        ("reload_after", bound(visit.reload_after), BOUND),
        ("connect_timeout", bound(visit.connect_timeout), BOUND),
        ("request_timeout", bound(visit.request_timeout), BOUND),
        ("reload_probability", share(visit.reload_probability), SHARE),
        ("scripted", share(visit.scripted), SHARE),
        ("heavy", share(visit.heavy), SHARE),
    ]
}

pub(super) fn script(script: &Script) -> [Bound; 4] {
    let path = script.path.starts_with('/') && !script.path.contains(char::is_whitespace);
    let wait = !script.request_timeout.is_zero() && script.request_timeout <= LONG;
    let connections = (1..=20_000).contains(&script.connections);
    let jars = script.jars <= 1_000_000;
    [
        ("path", path, "write a path such as \"/\""),
        ("connections", connections, "write 1 to 20000"),
        ("jars", jars, "write at most 1000000"),
        ("request_timeout", wait, "write more than 0s, at most 1h"),
    ]
}

pub(super) fn leave(leave: &Leave) -> [Bound; 1] {
    let wait = !leave.after.is_zero() && leave.after <= LONG;
    [("after", wait, "write more than 0s, at most 1h")]
}

pub(super) fn loris(loris: &Loris) -> [Bound; 2] {
    let bound = |span: Duration| !span.is_zero() && span <= LONG;
    [
        (
            "every",
            bound(loris.every),
            "write more than 0s, at most 1h",
        ),
        (
            "patience",
            bound(loris.patience),
            "write more than 0s, at most 1h",
        ),
    ]
}

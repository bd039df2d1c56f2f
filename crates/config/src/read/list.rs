//! Arrays, and tables whose keys are names.

use serde_json::{Value as Json, json};
use toml::de::DeValue;

use super::{At, Entries, Node, Reader, Value, quoted};

impl<T: Value> Value for Vec<At<T>> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Array(array) = node.value else {
            super::wrong_type(node, reader, "write an array, such as [\"…\"]");
            return None;
        };
        let mut list = Self::new();
        for (index, element) in array.iter().enumerate() {
            let place = node.place.element(index, element.span());
            let element = Node {
                place,
                value: element.get_ref(),
            };
            if let Some(value) = T::read(&element, reader) {
                list.push(At {
                    place: element.place,
                    value,
                });
            }
        }
        // A shortened list would look like a second mistake to whoever checks it.
        (list.len() == array.len()).then_some(list)
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": T::schema() })
    }
}

/// Tables by name: `[origin.portal]`.
#[derive(Debug, Clone)]
pub(crate) struct Named<T>(pub(crate) Vec<(At<String>, T)>);

impl<T: Value> Value for Named<T> {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let entries = Entries::open(node, reader)?;
        let mut list = Vec::new();
        for (name, node) in entries.all() {
            check_name(&name, reader);
            if let Some(value) = T::read(&node, reader) {
                list.push((name, value));
            }
        }
        Some(Self(list))
    }

    fn schema() -> Json {
        json!({
            "type": "object",
            "propertyNames": { "pattern": NAME_PATTERN, "not": { "const": NOBODY } },
            "additionalProperties": T::schema(),
        })
    }
}

const NAME_PATTERN: &str = "^[A-Za-z0-9_.-]{1,64}$";

/// `room = "none"` and `quota = "none"` mean that there is none.
const NOBODY: &str = "none";

/// Names go into cookies' names, metrics' labels and query strings as they are,
/// so they keep to characters that are safe in all three.
fn check_name(name: &At<String>, reader: &mut Reader<'_>) {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let At { place, value } = name;
    if value == NOBODY {
        reader
            .report
            .error(place, "means that there is none", "take another name");
    } else if value.is_empty() || value.len() > 64 || !value.bytes().all(safe) {
        let what = format!("has the name {}, which fits into no cookie", quoted(value));
        reader.report.error(
            place,
            what,
            "take 1 to 64 letters, digits, \"-\", \"_\" or \".\"",
        );
    }
}

//! A table is written down once: its keys with their meaning, type and
//! default. Reading it and describing it both follow from that.

use serde_json::{Map, Value as Json, json};
use toml::de::DeValue;

/// One key of a table.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// The doc comment.
    pub(crate) about: &'static str,
    pub(crate) schema: Json,
    /// In TOML.
    pub(crate) default: Option<&'static str>,
    pub(crate) required: bool,
}

/// The JSON schema of a table.
pub(crate) fn table_schema(about: &str, fields: impl IntoIterator<Item = Field>) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut schema = json!({ "description": prose(field.about) });
        if let (Json::Object(schema), Json::Object(kind)) = (&mut schema, field.schema) {
            // A table's own words are the better ones: they came with the key.
            schema.extend(kind.into_iter().filter(|(key, _)| key != "description"));
            schema.extend(
                field
                    .default
                    .and_then(json_default)
                    .map(|json| ("default".into(), json)),
            );
        }
        properties.insert(field.name.to_owned(), schema);
        required.extend(field.required.then_some(field.name));
    }
    json!({
        "type": "object",
        "description": prose(about),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Doc comments as one paragraph.
fn prose(about: &str) -> String {
    about.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A table's default says nothing that its keys do not say.
fn json_default(toml: &str) -> Option<Json> {
    let value = DeValue::parse(toml).expect("defaults are TOML, as a test proves");
    match value.get_ref() {
        DeValue::String(text) => Some(json!(text)),
        DeValue::Integer(number) => number.as_str().parse::<u64>().ok().map(Json::from),
        DeValue::Array(array) => Some(
            array
                .iter()
                .filter_map(|element| element.get_ref().as_str())
                .collect(),
        ),
        _ => None,
    }
}

/// Declares a table of the file.
///
/// Each key has a doc comment, a type that is a [`Value`](super::Value), and
/// behind `=` what holds when it is missing: a default in TOML, `optional`
/// (then the field is an `Option`), or `required` (its absence is a problem;
/// the field is an `Option` too, because reading goes on). `later` lists keys
/// that a later version will know.
macro_rules! table {
    (
        $(#[doc = $about:literal])+
        $name:ident, later [$($later:literal),* $(,)?], {
            $( $(#[doc = $doc:literal])+ $field:ident: $kind:ty = $need:tt, )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        pub(crate) struct $name {
            $( $(#[doc = $doc])+ pub(crate) $field: $crate::read::table!(@field $need $kind), )*
        }

        impl $crate::read::Value for $name {
            fn read(
                node: &$crate::read::Node<'_>,
                reader: &mut $crate::read::Reader<'_>,
            ) -> Option<Self> {
                let mut entries = $crate::read::Entries::open(node, reader)?;
                $( let $field = $crate::read::table!(@read $need entries reader $field); )*
                entries.close(&[$($later),*], reader);
                Some(Self { $($field),* })
            }

            fn schema() -> serde_json::Value {
                $crate::read::table_schema(
                    concat!($($about),+),
                    [$( $crate::read::Field {
                        name: stringify!($field),
                        about: concat!($($doc),+),
                        schema: <$kind as $crate::read::Value>::schema(),
                        default: $crate::read::table!(@default $need),
                        required: $crate::read::table!(@required $need),
                    } ),*],
                )
            }
        }
    };

    (@field optional $kind:ty) => { Option<$crate::read::At<$kind>> };
    (@field required $kind:ty) => { Option<$crate::read::At<$kind>> };
    (@field $default:literal $kind:ty) => { $crate::read::At<$kind> };

    (@read optional $entries:ident $reader:ident $field:ident) => {
        $entries.optional(stringify!($field), $reader)
    };
    (@read required $entries:ident $reader:ident $field:ident) => {
        $entries.required(stringify!($field), $reader)
    };
    (@read $default:literal $entries:ident $reader:ident $field:ident) => {
        $entries.or_default(stringify!($field), $default, $reader)
    };

    (@default $default:literal) => { Some($default) };
    (@default $need:ident) => { None };

    (@required required) => { true };
    (@required $need:tt) => { false };
}

pub(crate) use table;

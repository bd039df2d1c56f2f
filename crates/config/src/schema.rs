//! The file described: for editors as JSON schema, for people as a table.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use crate::raw::File;
use crate::read::Value as _;

/// The JSON schema (draft 2020-12) of the configuration file.
pub fn schema() -> String {
    let mut schema = File::schema();
    if let Json::Object(schema) = &mut schema {
        let draft = "https://json-schema.org/draft/2020-12/schema";
        schema.insert("$schema".to_owned(), json!(draft));
        schema.insert("title".to_owned(), json!("Forebay"));
    }
    format!("{schema:#}\n")
}

/// Every key with its default and its meaning, as a Markdown table.
pub fn reference() -> String {
    let mut text = String::from("| key | default | meaning |\n|---|---|---|\n");
    if let Json::Object(schema) = File::schema() {
        rows(&schema, "", &mut text);
    }
    text
}

fn rows(table: &Map<String, Json>, prefix: &str, text: &mut String) {
    let Some(Json::Object(properties)) = table.get("properties") else {
        return;
    };
    for (name, schema) in properties {
        let key = format!("{prefix}{name}");
        let Json::Object(schema) = schema else {
            continue;
        };
        if let Some((table, suffix)) = inner_table(schema) {
            rows(table, &format!("{key}{suffix}."), text);
            continue;
        }
        let default = schema
            .get("default")
            .map(|json| format!("`{json}`"))
            .unwrap_or_default();
        let about = schema
            .get("description")
            .and_then(Json::as_str)
            .unwrap_or_default();
        writeln!(text, "| `{key}` | {default} | {about} |").expect("a String takes all text");
    }
}

/// The table that a key holds, and how the key goes on to it.
fn inner_table(schema: &Map<String, Json>) -> Option<(&Map<String, Json>, &'static str)> {
    let table = |json: &'_ Json| json.get("properties").is_some();
    if schema.contains_key("properties") {
        return Some((schema, ""));
    }
    let element = schema
        .get("items")
        .filter(|json| table(json))
        .map(|json| (json, "[]"));
    let named = schema
        .get("additionalProperties")
        .filter(|json| table(json));
    let either = schema
        .get("anyOf")
        .and_then(Json::as_array)
        .into_iter()
        .flatten();
    let choice = either
        .into_iter()
        .find(|json| table(json) && json.get("description").is_some());
    let (json, suffix) = element
        .or(named.map(|json| (json, ".NAME")))
        .or(choice.map(|json| (json, "")))?;
    Some((json.as_object()?, suffix))
}

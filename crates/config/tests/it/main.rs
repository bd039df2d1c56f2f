//! The configuration as operators meet it: files, and what is said about them.
#![allow(missing_docs, reason = "a test's name says what it claims")]

mod files;
mod mistakes;
mod values;
mod words;

use std::path::Path;

use forebay_config::{Config, Loaded, Problem, Problems, parse};

/// Parses with an environment of one variable, `SET`.
fn parse_in(text: &str, base: &Path) -> Result<Loaded, Problems> {
    parse(text, "forebay.toml", base, &|name| {
        (name == "SET").then(|| "secret-value".to_owned())
    })
}

fn problems(text: &str) -> Vec<Problem> {
    match parse_in(text, Path::new("")) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems.list,
    }
}

/// A listener and an origin, and `more`.
fn with(more: &str) -> String {
    format!(
        "[[listener]]\naddress = \"127.0.0.1:8080\"\n[origin.portal]\nservers = \
         [\"http://127.0.0.1:3000\"]\n{more}"
    )
}

fn config(text: &str) -> Config {
    let loaded = parse_in(text, Path::new("")).map_err(|problems| problems.to_string());
    loaded.expect("the text is right").config
}

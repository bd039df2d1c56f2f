//! The files that come with Forebay.

use std::fs;
use std::path::{Path, PathBuf};

use forebay_config::{Config, init, load, reference, schema};
use serde_json::Value as Json;

use super::{config, parse_in, with};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

fn documented() -> String {
    fs::read_to_string(folder().join("forebay.toml")).expect("config/forebay.toml is there")
}

/// The documented file with every key that is commented out put in.
fn documented_in_full() -> String {
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => key.to_owned(),
        _ => line.to_owned(),
    };
    documented()
        .lines()
        .map(uncomment)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A directory with the certificate and keys that the examples name.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let section = |label: &str| format!("-----BEGIN {label}-----\nAA==\n-----END {label}-----\n");
    let files = [
        ("portal.pem", section("CERTIFICATE")),
        ("portal.key", section("PRIVATE KEY")),
        (
            "ticket.key",
            "0123456789abcdef0123456789abcdef\n".to_owned(),
        ),
        ("monitor.key", "0123456789abcdef\n".to_owned()),
        ("admin.token", "0123456789abcdef\n".to_owned()),
        ("pages/page.html", "{{main}}".to_owned()),
        ("pages/waiting.html", "{{main}}".to_owned()),
    ];
    fs::create_dir_all(directory.path().join("pages/texts")).expect("it can be made");
    for (name, content) in files {
        fs::write(directory.path().join(name), content).expect("it can be written to");
    }
    directory
}

#[test]
fn the_documented_file_equals_the_defaults() {
    assert_eq!(config(&documented()), config(&with("")));
}

#[test]
fn every_key_is_in_the_documented_file_and_in_the_reference() {
    let directory = directory();
    let full = documented_in_full();
    let loaded = parse_in(&full, directory.path()).expect("no key is unknown");
    assert_eq!(loaded.warnings, []);

    let schema: Json = serde_json::from_str(&schema()).expect("the schema is JSON");
    let file: toml::Value = toml::from_str(&full).expect("it was parsed before");
    let mut missing = Vec::new();
    keys_missing(&schema, &file, "", &mut missing);
    // The number of the other mode: it stands in the comment.
    assert_eq!(missing, [".origin.portal.limit.concurrency"]);
    assert!(full.contains("{ mode = \"fixed\", concurrency = 64 }"));

    let reference = reference();
    for key in [
        "listener[].tls.key",
        "origin.NAME.limit.concurrency",
        "log.access.to",
        "prefix",
    ] {
        assert!(
            reference.contains(&format!("| `{key}` |")),
            "{key} in\n{reference}"
        );
    }
}

/// Collects the keys of `schema` that `file` does not have.
fn keys_missing(schema: &Json, file: &toml::Value, path: &str, missing: &mut Vec<String>) {
    if let (Some(properties), Some(table)) = (schema["properties"].as_object(), file.as_table()) {
        for (name, schema) in properties {
            match table.get(name) {
                Some(value) => keys_missing(schema, value, &format!("{path}.{name}"), missing),
                None => missing.push(format!("{path}.{name}")),
            }
        }
    }
    let named = schema["additionalProperties"]
        .as_object()
        .and(file.as_table());
    for (name, value) in named.into_iter().flatten() {
        keys_missing(
            &schema["additionalProperties"],
            value,
            &format!("{path}.{name}"),
            missing,
        );
    }
    for value in file.as_array().into_iter().flatten() {
        keys_missing(&schema["items"], value, path, missing);
    }
    for schema in schema["anyOf"].as_array().into_iter().flatten() {
        if schema.get("description").is_some() {
            keys_missing(schema, file, path, missing);
        }
    }
}

#[test]
fn every_example_loads_without_a_warning() {
    let directory = directory();
    let mut count = 0;
    for entry in fs::read_dir(folder().join("examples")).expect("config/examples is there") {
        let path = entry.expect("it can be listed").path();
        let copy = directory
            .path()
            .join(path.file_name().expect("entries have names"));
        fs::copy(&path, &copy).expect("it can be copied");
        match load(&copy) {
            Ok(loaded) => assert_eq!(loaded.warnings, [], "{}", path.display()),
            Err(problems) => panic!("{problems}"),
        }
        count += 1;
    }
    assert!(count >= 4, "only {count} examples");
}

#[test]
fn the_first_file_is_complete_and_says_the_defaults() {
    let first = config(&init("http://127.0.0.1:3000"));
    let mut smallest: Config = config(&with(""));
    smallest.listeners.clone_from(&first.listeners);
    assert_eq!(first, smallest);
}

#[test]
fn an_odd_origin_of_the_first_file_is_a_problem_and_no_broken_file() {
    for odd in ["\"]\nkeys = 1", "", "ftp://x", "a\\b\0"] {
        let problems = parse_in(&init(odd), Path::new("")).expect_err("it is no server");
        let keys: Vec<_> = problems
            .list
            .iter()
            .map(|problem| problem.key.as_str())
            .collect();
        assert_eq!(keys, ["origin.portal.servers[0]"], "{odd}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_one_problem() {
    let directory = directory();
    let path = directory.path().join("forebay.toml");
    let problems = load(&path).expect_err("it is not there");
    assert!(
        problems
            .to_string()
            .contains("forebay.toml:1:1: cannot be read: "),
        "{problems}"
    );

    fs::write(&path, b"a = 1\nb = \"\xff\"\n").expect("it can be written");
    let problems = load(&path).expect_err("it is no text");
    assert!(
        problems
            .to_string()
            .ends_with("forebay.toml:2:6: is no UTF-8 from here on")
    );
}

#[test]
fn relative_paths_start_at_the_files_directory() {
    let directory = directory();
    let path = directory.path().join("forebay.toml");
    fs::write(&path, with("[log]\naccess = { to = \"access.log\" }\n")).expect("it can be written");
    let config = load(&path).expect("it is right").config;
    assert_eq!(config.state.directory, directory.path().join("state"));
    assert_eq!(
        config.admin.socket,
        Some(directory.path().join("state/admin.sock"))
    );
    let log = format!("{:?}", config.log.access);
    assert!(
        log.contains(directory.path().to_str().expect("it is text")),
        "{log}"
    );
}

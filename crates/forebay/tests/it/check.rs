//! `check`, `config` and `init`.

use std::process::Command;

use forebay_testkit::program::{Finished, run};

use crate::house::SOON;

fn forebay(words: &[&str]) -> Finished {
    run(
        Command::new(env!("CARGO_BIN_EXE_forebay")).args(words),
        b"",
        SOON,
    )
}

fn check(text: &str) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("forebay.toml");
    std::fs::write(&file, text).expect("written");
    forebay(&["check", &file.display().to_string()])
}

const FIVE: &str = r#"[[listener]]
address = "nowhere"

[origin.portal]
servers = ["ftp://127.0.0.1:3000"]
connect_timeout = "fast"

[room.main]
mode = "sometimes"
colour = "blue"
"#;

const TEN: &str = r#"[[listener]]
address = "127.0.0.1:8080"
tls = { certificate = "only.pem" }

[limits]
connections = 0
body_size = "many"
linger = { idle = "30s", total = "1s", size = "1MiB", sockets = 1 }

[origin.portal]
servers = []
limit = { mode = "fixed" }

[[route]]
path = "apply"
origin = "nowhere"
room = "nobody"

[quota.client]
rate = "0/s"

[room.main]
inlet = "5"
active = 0
"#;

#[test]
fn five_mistakes_are_five_lines() {
    let done = check(FIVE);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    for line in [2, 5, 6, 9, 10] {
        assert!(
            done.stdout.contains(&format!("forebay.toml:{line}:")),
            "line {line}: {}",
            done.stdout
        );
    }
}

#[test]
fn ten_mistakes_are_all_named() {
    let done = check(TEN);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    for line in [3, 6, 7, 11, 12, 15, 16, 17, 20, 23, 24] {
        assert!(
            done.stdout.contains(&format!("forebay.toml:{line}:")),
            "line {line}: {}",
            done.stdout
        );
    }
}

#[test]
fn a_broken_text_is_a_problem_with_a_place() {
    let done = check("[[listener]\naddress = \"127.0.0.1:1\"\n");
    assert_eq!(done.status.code(), Some(1));
    assert!(done.stdout.contains("forebay.toml:1:"), "{done:?}");
    assert!(!done.stderr.contains("panicked"));
}

#[test]
fn the_first_file_that_init_writes_is_fine() {
    let first = forebay(&["init", "--origin", "http://127.0.0.1:3000"]);
    assert!(first.status.success());
    let done = check(&first.stdout);
    assert!(done.status.success(), "{done:?}");
    assert!(done.stdout.contains("fine"));
}

#[test]
fn an_origin_that_is_no_address_is_refused_by_init() {
    let done = forebay(&["init", "--origin", "not an address\"\n[evil]"]);
    let checked = check(&done.stdout);
    assert!(
        !done.status.success() || !checked.status.success(),
        "{done:?}"
    );
}

#[test]
fn the_schema_is_json_and_knows_every_table() {
    let done = forebay(&["config", "schema"]);
    let schema: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    for table in ["listener", "origin", "room", "quota", "limits"] {
        assert!(schema["properties"].get(table).is_some(), "{table}");
    }
}

#[test]
fn the_examples_are_fine() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let done = forebay(&["check", &root.join("forebay.toml").display().to_string()]);
    assert!(done.status.success(), "{done:?}");
}

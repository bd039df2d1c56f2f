//! Every configuration outside `config/` is one that the code of today accepts.

use std::fs;
use std::path::Path;

use crate::command::root;

/// What the scripts write where a template says `@NAME@`.
const NAMES: [(&str, &str); 10] = [
    ("@LISTEN@", "127.0.0.1:8080"),
    ("@SERVER@", "127.0.0.1:3000"),
    ("@PORT@", "8080"),
    ("@PROXIED@", "8080"),
    ("@PAGE@", "8080"),
    ("@ORIGIN@", "3000"),
    ("@ADMIN@", "9901"),
    ("@LIMIT@", "87"),
    ("@NAME@", "lifted"),
    ("@WORK@", "/tmp/work"),
];

fn accepted(files: &[&str]) {
    let mut text = String::new();
    for file in files {
        text += &fs::read_to_string(root().join(file)).unwrap();
    }
    for (name, value) in NAMES {
        text = text.replace(name, value);
    }
    let read = forebay_config::parse(&text, files[0], Path::new("/"), &|_| None);
    let warnings = read
        .unwrap_or_else(|problems| panic!("{problems}"))
        .warnings;
    assert!(warnings.is_empty(), "{files:?}: {warnings:?}");
}

#[test]
fn the_containers_configuration_is_accepted() {
    accepted(&["docker/forebay.toml"]);
}

#[test]
fn the_load_scripts_templates_are_accepted() {
    accepted(&["benches/load/cost/forebay-proxied.toml"]);
    accepted(&["benches/load/cost/forebay-page.toml"]);
    accepted(&["benches/load/rivals/forebay-smallest.toml"]);
    accepted(&["benches/load/rivals/forebay-limit.toml"]);
    accepted(&["benches/load/soak.toml"]);
    accepted(&["benches/load/soak.toml", "benches/load/soak-lifted.toml"]);
}

//! The operator's own words and templates.

use std::fs;

use forebay_config::{Loaded, Problems, parse};

use super::with;

/// What is said about a site with these words in `xx.toml` of each language that is named.
fn loaded(languages: &str, files: &[(&str, &str)]) -> Result<Loaded, Problems> {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("it can be written to");
    }
    let text = with(&format!("[site]\ntexts = \".\"\nlanguages = {languages}"));
    parse(&text, "forebay.toml", directory.path(), &|_| None)
}

fn said(languages: &str, files: &[(&str, &str)]) -> Vec<String> {
    let list = match loaded(languages, files) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems.list,
    };
    let what = list.into_iter().map(|problem| problem.what);
    what.map(|what| match what.split_once(".toml:") {
        // Without the directory, which has another name each time.
        Some((_, place)) => format!(".toml:{place}"),
        None => what,
    })
    .collect()
}

const UNSIGNED: &str = "is a language for whose words nobody who reads it has signed yet";

#[test]
fn words_that_nobody_signed_for_are_warned_about_until_somebody_does() {
    assert_eq!(said("['en', 'fr']", &[]), [""; 0]);
    assert_eq!(said("['uk']", &[]), [UNSIGNED]);
    assert_eq!(said("['uk']", &[("uk.toml", "check = 'a'")]), [UNSIGNED]);
    assert_eq!(said("['uk']", &[("uk.toml", "reviewed = true")]), [""; 0]);
    assert_eq!(
        said("['en']", &[("en.toml", "reviewed = false")]),
        [UNSIGNED]
    );
    assert_eq!(said("['de']", &[("de.toml", "check = 'a'")]), [UNSIGNED]);
}

#[test]
fn every_mistake_in_the_words_has_its_file_line_and_column() {
    let text = "check = 1\n  chekc = \"a\"\nreviewed = \"yes\"\n\"x\n";
    let said = said("['en']", &[("en.toml", text)]);
    for expected in [
        ".toml:1:9: that are no text in quotes",
        ".toml:2:3: that no page uses",
        ".toml:3:12: that are neither true nor false",
        ".toml:4",
    ] {
        let found = said.iter().any(|what| what.starts_with(expected));
        assert!(found, "{expected} in {said:?}");
    }
}

#[test]
fn a_language_without_words_and_files_that_cannot_be_read_are_errors() {
    for (languages, files) in [
        ("['de']", [].as_slice()),
        ("['en']", &[("en.toml", "é = [")]),
    ] {
        assert!(loaded(languages, files).is_err(), "{languages}");
    }
    let large = format!("check = \"{}\"", "x".repeat(65 << 10));
    assert!(loaded("['en']", &[("en.toml", &large)]).is_err());
    for line in [
        "texts = \"nowhere\"",
        "page = \"nowhere.html\"",
        "name = \"\"",
        "contact = \"a\\nb\"",
        "languages = [\"EN\"]",
        "languages = [\"pt-BR\"]",
    ] {
        let text = with(&format!("[site]\n{line}"));
        let base = std::path::Path::new("/nowhere");
        assert!(parse(&text, "a", base, &|_| None).is_err(), "{line}");
    }
}

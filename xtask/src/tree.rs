//! What is built: no banned crate, no licence that is not allowed.
//!
//! `deny.toml` is the one list. cargo-deny reads it where it is installed; it
//! is large to build, so where it is missing the same bans, licences and
//! sources are checked here.

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;

use crate::command::{Failure, cargo, output, root, run};
use crate::expression::is_allowed;
use crate::tools;

/// The part of `deny.toml` that is checked here.
#[derive(Debug, Deserialize)]
struct Rules {
    bans: Bans,
    licenses: Licences,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Debug, Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: Vec<String>,
}

/// Checks the tree with cargo-deny, or with the same lists by hand.
pub(crate) fn check() -> Result<(), Failure> {
    if tools::has_subcommand("deny") {
        return run(&mut cargo(&[
            "deny",
            "--offline",
            "check",
            "bans",
            "licenses",
            "sources",
        ]));
    }
    eprintln!("xtask: cargo-deny is not installed; its lists are checked by hand");
    let complaints = complaints(&built()?, &rules()?);
    if complaints.is_empty() {
        return Ok(());
    }
    Err(Failure::Guard(complaints.join("\n")))
}

fn rules() -> Result<Rules, Failure> {
    let path = root().join("deny.toml");
    let unreadable = |why: String| Failure::Unreadable {
        what: path.display().to_string(),
        why,
    };
    let text = fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))?;
    toml::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

/// One line for each package that is built on any platform, with the features
/// that are on. (`cargo metadata` and the lock file also name what only a
/// feature that nobody enables would bring.)
fn built() -> Result<String, Failure> {
    let mut command = cargo(&["tree", "--workspace", "--locked", "--target", "all"]);
    output(command.args(["--prefix", "none", "--format", "{p}|{l}"]))
}

fn complaints(built: &str, rules: &Rules) -> Vec<String> {
    let lines: BTreeSet<&str> = built
        .lines()
        .map(|line| line.trim_end_matches(" (*)").trim())
        .filter(|line| !line.is_empty())
        .collect();
    lines
        .iter()
        .flat_map(|line| of_package(line, rules))
        .collect()
}

/// A line is `name v1.2.3 (where it comes from, if not a registry)|licence`.
fn of_package(line: &str, rules: &Rules) -> Vec<String> {
    let (package, licence) = line.split_once('|').unwrap_or((line, ""));
    let name = package.split(' ').next().unwrap_or_default();
    let mut complaints = Vec::new();
    if rules.bans.deny.iter().any(|banned| banned.name == name) {
        complaints.push(format!(
            "{package} is banned; `cargo tree -i {name}` says who wants it"
        ));
    }
    if !is_allowed(licence, &rules.licenses.allow) {
        complaints.push(format!(
            "{package} is under {licence:?}, which deny.toml does not allow"
        ));
    }
    // A registry keeps what it once gave out; a branch somewhere does not.
    if package.contains("://") {
        complaints.push(format!("{package} comes from no registry"));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complained(built: &str) -> Vec<String> {
        let rules = Rules {
            bans: Bans {
                deny: vec![Banned {
                    name: "ring".into(),
                }],
            },
            licenses: Licences {
                allow: vec!["MIT".into()],
            },
        };
        complaints(built, &rules)
    }

    #[test]
    fn bans_licences_and_sources_are_each_named_once() {
        let built = "ours v0.1.0 (/src/ours)|MIT\n\
                     fine v1.0.0|MIT OR GPL-3.0\n\
                     ring v1.0.0|MIT\n\
                     ring v1.0.0|MIT (*)\n\
                     stray v1.0.0 (https://elsewhere.example/stray#1)|MIT\n\
                     \n\
                     viral v1.0.0 (proc-macro)|AGPL-3.0\n";
        let starts = [
            "ring v1.0.0 is banned",
            "stray v1.0.0 (https",
            "viral v1.0.0 (proc-macro) is under",
        ];
        let complaints = complained(built);
        assert_eq!(complaints.len(), starts.len(), "{complaints:#?}");
        for (complaint, start) in complaints.iter().zip(starts) {
            assert!(complaint.starts_with(start), "{complaint}");
        }
    }

    #[test]
    fn this_workspace_keeps_its_own_list() {
        let rules = rules().unwrap();
        assert!(rules.bans.deny.iter().any(|banned| banned.name == "ring"));
        let complaints = complaints(&built().unwrap(), &rules);
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

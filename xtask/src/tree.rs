//! What is built: no banned crate, no licence that is not allowed.
//!
//! `deny.toml` is the one list. cargo-deny reads it where it is installed; it
//! is large to build, so where it is missing the same bans, licences and
//! sources are checked here.

use std::collections::HashSet;
use std::fs;

use serde::Deserialize;

use crate::command::{Failure, cargo, root, run};
use crate::expression::is_allowed;
use crate::metadata::{Metadata, Package, everything};
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
    let complaints = complaints(&everything()?, &rules()?);
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

fn complaints(metadata: &Metadata, rules: &Rules) -> Vec<String> {
    let built: HashSet<&str> = metadata
        .resolve
        .iter()
        .flat_map(|resolve| resolve.nodes.iter().map(|node| node.id.as_str()))
        .collect();
    metadata
        .packages
        .iter()
        .filter(|package| built.contains(package.id.as_str()))
        .flat_map(|package| of_package(package, rules))
        .collect()
}

fn of_package(package: &Package, rules: &Rules) -> Vec<String> {
    let Package { name, version, .. } = package;
    let mut complaints = Vec::new();
    if rules.bans.deny.iter().any(|banned| banned.name == *name) {
        complaints.push(format!(
            "{name} {version} is banned; `cargo tree -i {name}` says who wants it"
        ));
    }
    let licence = package.license.as_deref().unwrap_or_default();
    if !is_allowed(licence, &rules.licenses.allow) {
        complaints.push(format!(
            "{name} {version} is under {licence:?}, which deny.toml does not allow"
        ));
    }
    // A registry keeps what it once gave out; a branch somewhere does not.
    if let Some(source) = package.source.as_deref()
        && !source.starts_with("registry+")
    {
        complaints.push(format!("{name} {version} comes from {source}"));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Node, Resolve};

    const INDEX: &str = "registry+https://index.example/one";

    fn package(name: &str, license: &str, source: Option<&str>) -> Package {
        Package {
            id: name.into(),
            name: name.into(),
            version: "1.0.0".into(),
            license: Some(license.into()),
            source: source.map(Into::into),
            dependencies: Vec::new(),
        }
    }

    fn complained(packages: Vec<Package>, built: &[&str]) -> Vec<String> {
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
        let nodes = built.iter().map(|&id| Node { id: id.into() }).collect();
        let resolve = Some(Resolve { nodes });
        complaints(&Metadata { packages, resolve }, &rules)
    }

    #[test]
    fn bans_licences_and_sources_are_each_named() {
        let packages = vec![
            package("ring", "MIT", Some(INDEX)),
            package("viral", "AGPL-3.0", Some(INDEX)),
            package("stray", "MIT", Some("git+https://elsewhere.example/stray")),
            package("ours", "MIT", None),
        ];
        let complaints = complained(packages, &["ring", "viral", "stray", "ours"]);
        let starts = [
            "ring 1.0.0 is banned",
            "viral 1.0.0 is under",
            "stray 1.0.0 comes from",
        ];
        assert_eq!(complaints.len(), starts.len());
        for (complaint, start) in complaints.iter().zip(starts) {
            assert!(complaint.starts_with(start), "{complaint}");
        }
    }

    #[test]
    fn what_is_not_built_is_not_judged() {
        assert!(complained(vec![package("ring", "MIT", None)], &[]).is_empty());
    }

    #[test]
    fn the_list_of_this_project_can_be_read() {
        let rules = rules().unwrap();
        assert!(rules.bans.deny.iter().any(|banned| banned.name == "ring"));
    }
}

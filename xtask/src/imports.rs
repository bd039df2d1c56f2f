//! Import direction: which crate may know which (ARCHITECTURE.md).
//!
//! A wall stands where a different rule holds. Cargo forbids circles; it does
//! not forbid the pure crate to learn of sockets one convenient day.

use crate::metadata::{Kind, Metadata, Package};

/// What one crate of ours may import, and what it must never.
struct Wall {
    name: &'static str,
    /// Crates of ours.
    may: &'static [&'static str],
    /// Crates of others.
    never: &'static [&'static str],
}

const fn wall(
    name: &'static str,
    may: &'static [&'static str],
    never: &'static [&'static str],
) -> Wall {
    Wall { name, may, never }
}

const WALLS: [Wall; 12] = [
    wall(
        "forebay-admission",
        &[],
        &["tokio", "hyper", "http", "serde", "tracing", "socket2"],
    ),
    wall(
        "forebay-config",
        &["forebay-admission"],
        &["tokio", "hyper"],
    ),
    wall("forebay-store", &["forebay-admission"], &["hyper"]),
    wall("forebay-telemetry", &[], &[]),
    wall(
        "forebay-layers",
        &["forebay-admission", "forebay-store", "forebay-telemetry"],
        &["socket2"],
    ),
    wall(
        "forebay-proxy",
        &[
            "forebay-admission",
            "forebay-config",
            "forebay-store",
            "forebay-telemetry",
            "forebay-layers",
        ],
        &[],
    ),
    wall("surge", &["forebay-admission"], &[]),
    wall(
        "forebay",
        &[
            "forebay-admission",
            "forebay-config",
            "forebay-store",
            "forebay-telemetry",
            "forebay-layers",
            "forebay-proxy",
            "surge",
        ],
        &[],
    ),
    wall("forebay-testkit", &[], &["tokio", "hyper"]),
    wall(
        "forebay-benches",
        &[
            "forebay-admission",
            "forebay-config",
            "forebay-store",
            "forebay-telemetry",
            "forebay-layers",
        ],
        &[],
    ),
    wall(
        "forebay-fuzz",
        &["forebay-admission", "forebay-layers"],
        &["tokio", "hyper"],
    ),
    wall("xtask", &[], &[]),
];

/// Every import that goes through a wall, as sentences.
pub(crate) fn breaches(workspace: &Metadata) -> Vec<String> {
    let ours: Vec<&str> = workspace
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    workspace
        .packages
        .iter()
        .flat_map(|package| of_package(package, &ours))
        .collect()
}

fn of_package(package: &Package, ours: &[&str]) -> Vec<String> {
    let Some(wall) = WALLS.iter().find(|wall| wall.name == package.name) else {
        return vec![format!(
            "{} has no row in xtask/src/imports.rs",
            package.name
        )];
    };
    package
        .dependencies
        .iter()
        // Tests may reach anywhere: what they import is never shipped.
        .filter(|dependency| dependency.kind != Some(Kind::Dev))
        .filter(|dependency| {
            let name = dependency.name.as_str();
            let strange = ours.contains(&name) && !wall.may.contains(&name);
            strange || wall.never.contains(&name)
        })
        .map(|dependency| format!("{} must not import {}", package.name, dependency.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Dependency, workspace};

    fn package(name: &str, dependencies: &[(&str, Option<Kind>)]) -> Package {
        Package {
            name: name.into(),
            dependencies: dependencies
                .iter()
                .map(|&(name, kind)| Dependency {
                    name: name.into(),
                    kind,
                })
                .collect(),
        }
    }

    fn breached(packages: Vec<Package>) -> Vec<String> {
        breaches(&Metadata { packages })
    }

    #[test]
    fn an_import_against_the_direction_is_named() {
        let admission = package(
            "forebay-admission",
            &[("forebay-config", None), ("tokio", None)],
        );
        let config = package("forebay-config", &[("forebay-admission", None)]);
        assert_eq!(
            breached(vec![admission, config]),
            [
                "forebay-admission must not import forebay-config",
                "forebay-admission must not import tokio"
            ]
        );
    }

    #[test]
    fn tests_may_reach_anywhere_but_build_scripts_may_not() {
        let testkit = || package("forebay-testkit", &[]);
        let dev = package("forebay-store", &[("forebay-testkit", Some(Kind::Dev))]);
        assert!(breached(vec![dev, testkit()]).is_empty());
        let build = package("forebay-store", &[("forebay-testkit", Some(Kind::Build))]);
        assert_eq!(breached(vec![build, testkit()]).len(), 1);
    }

    #[test]
    fn a_new_crate_needs_its_row() {
        assert_eq!(breached(vec![package("forebay-new", &[])]).len(), 1);
    }

    #[test]
    fn this_workspace_keeps_the_direction() {
        let breaches = breaches(&workspace().unwrap());
        assert!(breaches.is_empty(), "{breaches:?}");
    }
}

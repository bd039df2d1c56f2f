//! What cargo knows of the workspace: its packages and what they depend on.

use serde::Deserialize;

use crate::command::{Failure, cargo, output};

/// A part of `cargo metadata`.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a package's dependencies.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<Kind>,
}

/// What a dependency is for; `None` is the package itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Dev,
    Build,
}

/// The packages of this workspace.
pub(crate) fn workspace() -> Result<Metadata, Failure> {
    let mut command = cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked"]);
    serde_json::from_str(&output(&mut command)?).map_err(|error| Failure::Unreadable {
        what: "cargo metadata".into(),
        why: error.to_string(),
    })
}

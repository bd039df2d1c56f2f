//! What cargo knows of the workspace: its packages and what they depend on.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::command::{Failure, cargo, output};

/// A part of `cargo metadata`.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) resolve: Option<Resolve>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// `None` for packages of this workspace.
    pub(crate) source: Option<String>,
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

/// What is really built, with the features that are on.
#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// One package that is really built.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
}

/// The packages of this workspace, without what they resolve to.
pub(crate) fn workspace() -> Result<Metadata, Failure> {
    read(&["metadata", "--format-version", "1", "--no-deps", "--locked"])
}

/// Everything that is built, for every platform.
pub(crate) fn everything() -> Result<Metadata, Failure> {
    read(&["metadata", "--format-version", "1", "--locked"])
}

fn read<T: DeserializeOwned>(arguments: &[&str]) -> Result<T, Failure> {
    let text = output(&mut cargo(arguments))?;
    serde_json::from_str(&text).map_err(|error| Failure::Unreadable {
        what: "cargo metadata".into(),
        why: error.to_string(),
    })
}

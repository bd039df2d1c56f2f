//! Reading the configuration for a command.

use std::path::Path;

use forebay_config::{Config, Loaded};

use crate::Failure;

/// The configuration in `file`, or the text of every problem.
pub(crate) fn load(file: &Path) -> Result<Loaded, String> {
    forebay_config::load(file).map_err(|problems| problems.to_string().trim_end().to_owned())
}

/// The same for a command that cannot go on without it.
pub(crate) fn required(file: &Path) -> Result<Config, Failure> {
    let loaded = load(file)
        .map_err(|problems| Failure(format!("{} cannot be used:\n{problems}", file.display())))?;
    Ok(loaded.config)
}

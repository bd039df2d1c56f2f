//! `forebay check`: every problem of a configuration, each with its place and what to write.

use std::path::Path;
use std::process::ExitCode;

use forebay_proxy::assembly::Assembly;

use crate::{Failure, configuration, say};

pub(crate) fn check(file: &Path, strict: bool) -> Result<ExitCode, Failure> {
    let name = file.display();
    match configuration::load(file) {
        Err(problems) => {
            say(&problems)?;
            Ok(ExitCode::FAILURE)
        }
        Ok(loaded) => {
            for warning in &loaded.warnings {
                say(&format!("{name}:{warning}"))?;
            }
            let (wrong, large) = Assembly::examine_pages(&loaded.config);
            for problem in wrong.iter().chain(&large) {
                say(problem)?;
            }
            let warned = !loaded.warnings.is_empty() || !large.is_empty();
            if !wrong.is_empty() || (strict && warned) {
                return Ok(ExitCode::FAILURE);
            }
            say(&format!("{name}: fine"))
        }
    }
}

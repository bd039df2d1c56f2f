//! The command line: what was written, and what the library is asked to do.

mod compare;
mod origin;
mod report;
mod run;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::Parser;
use surge::scenario::Mistakes;

/// A crowd of visitors for a site, and an origin that breaks like a real one.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) enum Surge {
    /// Let a crowd come and say what it saw.
    Run(run::Run),
    /// Let the same crowd come to several proxies in turn, and say how each fared.
    Compare(compare::Compare),
    /// Put reports of earlier runs side by side in one page.
    Report(report::Report),
    /// Run the model origin alone.
    Origin(origin::Origin),
}

/// Why a command could not be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The target is not one that a crowd can visit.
    #[error("{0} is no target; write one such as http://127.0.0.1:8080/")]
    Target(String),
    /// The scenario is none.
    #[error("{0}")]
    Scenario(#[source] Mistakes),
    /// The line-up is none.
    #[error("{0}")]
    Lineup(String),
    /// It was ended from outside.
    #[error("interrupted; nothing was written")]
    Interrupted,
    /// A file that holds no report.
    #[error("{path} is no report of surge run --json: {source}")]
    NoReport {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// A number out of its range.
    #[error("{0}")]
    Number(&'static str),
    /// A file has no settings for the origin.
    #[error("{0}: {1}")]
    Settings(String, #[source] toml::de::Error),
    /// The system said no.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Problem {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Says on standard error why nothing came of it.
pub(crate) fn complain(problem: &Problem) {
    // Where even that cannot be written, the exit code is left.
    writeln!(io::stderr(), "surge: {problem}").ok();
}

/// Writes one line to standard output.
fn say(line: &str) -> Result<(), Problem> {
    writeln!(io::stdout(), "{line}").map_err(Problem::io("standard output"))
}

/// Writes a file anew.
fn store(path: &Path, text: &str) -> Result<(), Problem> {
    fs::write(path, text).map_err(Problem::io(path.display().to_string()))
}

/// A share between 0 and 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("write a share between 0 and 1".to_owned()),
    }
}

/// A rate above 0, per second.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e6 => Ok(rate),
        _ => Err("write a number per second above 0, at most a million".to_owned()),
    }
}

/// A factor above 0.
fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (1e-6..=1e3).contains(&factor) => Ok(factor),
        _ => Err("write a factor such as 0.5, at most 1000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Surge::command().debug_assert();
    }

    #[test]
    fn shares_and_rates_are_read_or_refused() {
        assert!(share("1.1").is_err() && share("NaN").is_err() && rate("0").is_err());
        assert_eq!((share("0.5"), rate("20")), (Ok(0.5), Ok(20.0)));
    }
}

//! Fuzzing for as long as a person says; the test suite has a short run of its own.

use clap::Args;

use crate::command::{self, Failure, cargo};

/// What is fuzzed, and for how long.
#[derive(Args)]
pub(crate) struct Fuzz {
    /// Targets to drive; all of them when none is named
    targets: Vec<String>,
    /// How long for all together
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Repeats a run; without it each run is another one
    #[arg(long)]
    seed: Option<u64>,
}

/// Builds the targets and drives them.
pub(crate) fn fuzz(fuzz: &Fuzz) -> Result<(), Failure> {
    let mut search = cargo(&["run", "-q", "-p", "forebay-fuzz", "--"]);
    search.arg("--seconds").arg(fuzz.seconds.to_string());
    if let Some(seed) = fuzz.seed {
        search.arg("--seed").arg(seed.to_string());
    }
    command::run(search.args(&fuzz.targets))
}

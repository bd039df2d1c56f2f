//! Long runs against real programs, and their one-minute cuts.
//!
//! The scripts in `benches/load` say what is measured and how; here the
//! programs are built and the scripts are started.

use clap::Args;

use crate::command::{Failure, cargo, program, run};

/// A cut: its name, the tools it needs, and what it does.
pub(crate) type Cut = (
    &'static str,
    &'static [&'static str],
    fn() -> Result<(), Failure>,
);

/// What `cargo xtask test` runs of the long runs: a minute of each.
pub(crate) const CUTS: [Cut; 2] = [
    ("soak", &["wrk", "curl"], || soak(&Soak { seconds: 60 })),
    ("compare", &["wrk", "curl", "nginx", "haproxy"], || {
        compare(&Compare {
            seconds: 60,
            rounds: 2,
            // A cut on a busy machine finds what is badly wrong; the bar itself is for quiet ones.
            bar: Some("2.5".into()),
            write: None,
        })
    }),
];

/// How long to soak.
#[derive(Args)]
pub(crate) struct Soak {
    /// Length of the surge
    #[arg(long, default_value_t = 3600)]
    seconds: u32,
}

/// How long to compare.
#[derive(Args)]
pub(crate) struct Compare {
    /// Load in all, over every program, work and round
    #[arg(long, default_value_t = 360)]
    seconds: u32,
    /// Rounds; in each, every program does every work once
    #[arg(long, default_value_t = 4)]
    rounds: u32,
    /// Fails when Forebay's CPU time per request is more than this times nginx's
    #[arg(long)]
    bar: Option<String>,
    /// Also writes the table to this file
    #[arg(long, value_name = "FILE")]
    write: Option<String>,
}

/// Runs `benches/load/soak.sh` on optimised programs.
pub(crate) fn soak(options: &Soak) -> Result<(), Failure> {
    build()?;
    let seconds = options.seconds.to_string();
    run(&mut program(
        "bash",
        &["benches/load/soak.sh", "--seconds", &seconds],
    ))
}

/// Runs `benches/load/compare.sh` on optimised programs.
pub(crate) fn compare(options: &Compare) -> Result<(), Failure> {
    build()?;
    let (seconds, rounds) = (options.seconds.to_string(), options.rounds.to_string());
    let mut command = program("bash", &["benches/load/compare.sh"]);
    command.args(["--seconds", &seconds, "--rounds", &rounds]);
    if let Some(bar) = &options.bar {
        command.args(["--bar", bar]);
    }
    if let Some(file) = &options.write {
        command.args(["--write", file]);
    }
    run(&mut command)
}

fn build() -> Result<(), Failure> {
    let mut command = cargo(&["build", "--release", "--locked"]);
    run(command.args(["--package", "forebay", "--package", "surge", "--bins"]))
}

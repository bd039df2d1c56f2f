//! The project's chores. `cargo xtask test` runs every test, `check` every guard.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks to a person"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "chores are shell: they take real time"
)]

mod check;
mod command;
#[cfg(test)]
mod configurations;
mod count;
mod expression;
mod fuzz;
mod imports;
mod instructions;
mod load;
mod metadata;
mod overload;
mod suite;
mod tools;
mod tree;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::command::Failure;

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Installs what the tests need where it may, and runs them all
    Test(suite::Options),
    /// Format, lints, documents, scripts, import direction, licences and bans
    Check,
    /// Drives the fuzz targets with inputs changed at random
    Fuzz(fuzz::Fuzz),
    /// A surge at ten times the origin's capacity, held for as long as asked
    Soak(load::Soak),
    /// CPU time per request beside nginx, HAProxy and Envoy, in one interleaved run
    Compare(load::Compare),
    /// How visitors fare beside nginx, HAProxy and Envoy, on one scenario, in one table
    Rivals(load::Rivals),
    /// Instructions of a proxied request, by callgrind: an adaptive limit against a fixed one
    Instructions(instructions::Instructions),
    /// The bars of overload control on real sockets, in tables
    Overload(overload::Overload),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Test(options) => suite::run(&options),
        Chore::Check => check::run(),
        Chore::Fuzz(options) => fuzz::fuzz(&options),
        Chore::Soak(options) => load::soak(&options),
        Chore::Compare(options) => load::compare(&options),
        Chore::Rivals(options) => load::rivals(&options),
        Chore::Instructions(options) => instructions::instructions(&options),
        Chore::Overload(options) => overload::overload(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Counted) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

//! Forebay: a load-shedding reverse proxy with a virtual waiting room.

mod arguments;
mod check;
mod client;
mod configuration;
mod demo;
mod run;
mod verify;

use std::process::ExitCode;

use arguments::{Command, ConfigCommand};
use clap::Parser;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    let result = match arguments.command {
        Command::Run { config } => run::run(&config),
        Command::Check { file, strict } => check::check(&file, strict),
        Command::Config(ConfigCommand::Schema) => say(&forebay_config::schema()),
        Command::Config(ConfigCommand::Reference) => say(&forebay_config::reference()),
        Command::Init { origin } => say(&forebay_config::init(&origin)),
        Command::Demo(plan) => demo::demo(&plan),
        Command::Reload { at } => client::post(&at, "/api/reload", None),
        Command::Drain { at } => client::post(&at, "/api/drain", None),
        Command::Room { name, action, at } => client::room(&at, &name, &action),
        Command::Keys { action, at } => client::keys(&at, &action),
        Command::Healthcheck { at } => client::healthcheck(&at),
    };
    result.unwrap_or_else(|error| {
        complain(&error);
        ExitCode::FAILURE
    })
}

/// hyper takes an 8 KiB buffer for each request head and gives it back when the head is dropped:
/// with the system's allocator that, and the small allocations of a request, were a tenth of the
/// CPU time of a proxied request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a command may fail with: its message is for people, and whole.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

impl Failure {
    /// An error with all its causes.
    fn of(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            text.push_str("\n  because: ");
            text.push_str(&next.to_string());
            cause = next.source();
        }
        Self(text)
    }
}

#[expect(clippy::print_stdout, reason = "the output of a command")]
fn say(text: &str) -> Result<ExitCode, Failure> {
    println!("{}", text.trim_end());
    Ok(ExitCode::SUCCESS)
}

#[expect(
    clippy::print_stderr,
    reason = "the one place where a command says why it failed"
)]
fn complain(error: &Failure) {
    eprintln!("forebay: {error}");
}

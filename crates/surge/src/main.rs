//! `surge`: a crowd of visitors, or the model origin alone, from the command line.

mod command;

use std::process::ExitCode;

use clap::Parser as _;
use command::Surge;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Surge::parse() {
        Surge::Run(run) => run.run().await,
        Surge::Compare(compare) => compare.run().await,
        Surge::Report(report) => report.run(),
        Surge::Origin(origin) => origin.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            command::complain(&problem);
            ExitCode::FAILURE
        }
    }
}

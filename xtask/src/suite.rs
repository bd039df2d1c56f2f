//! `cargo xtask test`: everything that can fail, counted on the last line.

use clap::Args;

use crate::command::{Failure, Stream, cargo, follow};
use crate::count::Count;
use crate::load;
use crate::tools;

/// How the tests are run.
#[derive(Args)]
pub(crate) struct Options {
    /// Leaves out the tests that need this tool: nginx, wrk, haproxy, curl or chromium
    #[arg(long, value_name = "TOOL", value_parser = tool)]
    without: Vec<String>,
    /// Leaves out the one-minute cuts of soak and compare
    #[arg(long)]
    without_load: bool,
}

fn tool(name: &str) -> Result<String, String> {
    if tools::is_known(name) {
        return Ok(name.to_owned());
    }
    Err(format!("no test is named after {name}"))
}

/// Runs all tests, documents' tests, and a minute each of soak and compare.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    tools::install(&options.without);
    let mut count = tests(&options.without)?;
    count += doc_tests()?;
    for (name, needs, part) in load::CUTS {
        let lacks = needs
            .iter()
            .any(|need| options.without.iter().any(|name| name == need));
        count += if options.without_load || lacks {
            eprintln!("xtask: {name} is left out");
            Count::left_out()
        } else {
            let done = part();
            if let Err(failure) = &done {
                eprintln!("xtask: {name}: {failure}");
            }
            Count::part(done.is_ok())
        };
    }
    println!("tests: {count}");
    if count.is_bad() {
        return Err(Failure::Counted);
    }
    Ok(())
}

/// The workspace's tests, with cargo-nextest where it is installed.
fn tests(without: &[String]) -> Result<Count, Failure> {
    let skipped: Vec<String> = without.iter().map(|name| format!("{name}_")).collect();
    if tools::has_subcommand("nextest") {
        let mut command = cargo(&["nextest", "run", "--workspace", "--locked"]);
        command.args(["--no-fail-fast", "--color", "never"]);
        if let Some(filter) = filter(&skipped) {
            command.args(["-E", &filter]);
        }
        return counted(&mut command, Stream::Stderr);
    }
    let mut command = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    command.args(["--lib", "--bins", "--tests", "--"]);
    for name in &skipped {
        command.args(["--skip", name]);
    }
    counted(&mut command, Stream::Stdout)
}

fn doc_tests() -> Result<Count, Failure> {
    let mut command = cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--doc"]);
    counted(&mut command, Stream::Stdout)
}

/// nextest's expression for every test but those with one of `skipped` in its path.
fn filter(skipped: &[String]) -> Option<String> {
    if skipped.is_empty() {
        return None;
    }
    let parts: Vec<String> = skipped
        .iter()
        .map(|name| format!("not test({name})"))
        .collect();
    Some(parts.join(" and "))
}

/// Runs a test runner. One that fails without having counted a failure (it
/// could not compile, or was killed) is itself a failure.
fn counted(command: &mut std::process::Command, stream: Stream) -> Result<Count, Failure> {
    let mut count = Count::default();
    let succeeded = follow(command, stream, |line| {
        count += Count::of_line(line).unwrap_or_default();
    })?;
    if !succeeded && count.failed == 0 {
        count += Count::part(false);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::program;

    fn shell(script: &str) -> Count {
        counted(&mut program("sh", &["-c", script]), Stream::Stdout).unwrap()
    }

    #[test]
    fn a_runner_that_dies_uncounted_is_one_failure() {
        assert_eq!(shell("exit 101"), Count::part(false));
        let closing = "echo 'test result: FAILED. 1 passed; 2 failed; 0 ignored'; exit 1";
        assert_eq!((shell(closing).passed, shell(closing).failed), (1, 2));
    }

    #[test]
    fn tests_are_left_out_by_their_tools_name() {
        assert_eq!(filter(&[]), None);
        let names = ["chromium_".to_owned(), "wrk_".to_owned()];
        let expected = "not test(chromium_) and not test(wrk_)";
        assert_eq!(filter(&names).as_deref(), Some(expected));
    }
}

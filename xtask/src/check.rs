//! `cargo xtask check`: the guards that are no tests.

use std::fs;

use crate::command::{self, Failure, cargo, program, root};
use crate::count::Count;
use crate::{imports, metadata, tree};

/// One guard and its name.
type Guard = (&'static str, fn() -> Result<(), Failure>);

const GUARDS: [Guard; 6] = [
    ("format", format),
    ("scripts", scripts),
    ("import direction", directions),
    ("bans and licences", tree::check),
    ("lints", lints),
    ("documents", documents),
];

/// Runs every guard, cheap ones first, and says at the end which failed.
pub(crate) fn run() -> Result<(), Failure> {
    let mut count = Count::default();
    let mut failed = Vec::new();
    for (name, guard) in GUARDS {
        let done = guard();
        count += Count::part(done.is_ok());
        if let Err(failure) = done {
            eprintln!("xtask: {name}: {failure}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        eprintln!("xtask: failed: {}", failed.join(", "));
    }
    println!("check: {count}");
    if count.is_bad() {
        return Err(Failure::Counted);
    }
    Ok(())
}

fn format() -> Result<(), Failure> {
    command::run(&mut cargo(&["fmt", "--all", "--check"]))
}

fn lints() -> Result<(), Failure> {
    let mut command = cargo(&["clippy", "--workspace", "--all-targets", "--locked"]);
    command::run(command.args(["--quiet", "--", "-D", "warnings"]))
}

fn documents() -> Result<(), Failure> {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
    command::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn directions() -> Result<(), Failure> {
    let breaches = imports::breaches(&metadata::workspace()?);
    if breaches.is_empty() {
        return Ok(());
    }
    Err(Failure::Guard(breaches.join("\n")))
}

/// Every shell script is one that bash can read.
fn scripts() -> Result<(), Failure> {
    command::run(&mut program("bash", &["-n", ".ci/run"]))?;
    for name in ["benches/load", "benches/load/rivals"] {
        let folder = root().join(name);
        let unreadable = |error: std::io::Error| Failure::Unreadable {
            what: folder.display().to_string(),
            why: error.to_string(),
        };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "sh") {
                command::run(program("bash", &["-n"]).arg(&path))?;
            }
        }
    }
    Ok(())
}

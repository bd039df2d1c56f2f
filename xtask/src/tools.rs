//! Programs from outside that the tests need, and how to get them.

use std::path::PathBuf;
use std::{env, fs, io};

use crate::command::{self, Failure, output, program, run};

/// A program and the Debian package that brings it.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    binary: &'static str,
    package: &'static str,
}

const fn tool(name: &'static str, binary: &'static str, package: &'static str) -> Tool {
    Tool {
        name,
        binary,
        package,
    }
}

/// Tests that need one of them carry `NAME_` in their path, so that
/// `--without NAME` can leave them out.
pub(crate) const TOOLS: [Tool; 7] = [
    tool("nginx", "nginx", "nginx"),
    tool("wrk", "wrk", "wrk"),
    tool("haproxy", "haproxy", "haproxy"),
    tool("curl", "curl", "curl"),
    tool("openssl", "openssl", "openssl"),
    tool("chromium", "chromium", "chromium"),
    tool("chromium", "chromedriver", "chromium-driver"),
];

/// Whether `name` is a tool that tests can be run without.
pub(crate) fn is_known(name: &str) -> bool {
    TOOLS.iter().any(|tool| tool.name == name)
}

/// Installs what is missing and not left out, where that is possible; says so
/// where it is not. The tests that then lack their tool fail by themselves.
pub(crate) fn install(without: &[String]) {
    let missing = missing(without);
    if !missing.is_empty()
        && let Err(failure) = apt(&missing)
    {
        eprintln!(
            "xtask: cannot install {} ({failure}). Install them by hand, or leave tests out by \
             name with --without; tests that need them will fail.",
            missing.join(" ")
        );
    }
    let judged = without.iter().all(|name| name != "chromium");
    if judged && let Err(failure) = axe() {
        eprintln!("xtask: cannot get axe-core ({failure}); tests that need it will fail.");
    }
}

/// The judge of accessibility that tests run in a browser, by its version and by the SHA-256 of
/// its script. It is never shipped.
const AXE: (&str, &str) = (
    "axe-core@4.14.1",
    "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
);

/// Puts axe-core's script into the target directory's tools, unless it is there.
fn axe() -> Result<(), Failure> {
    let (package, sum) = AXE;
    let tools = command::target().join("tools");
    let script = tools.join("axe.min.js");
    let is_right = || {
        let command = &mut program("sha256sum", &[]);
        script.is_file() && output(command.arg(&script)).is_ok_and(|line| line.starts_with(sum))
    };
    if is_right() {
        return Ok(());
    }
    if find("npm").is_none() {
        apt(&["npm"])?;
    }
    let unwritable = |error: io::Error| Failure::Guard(format!("{}: {error}", tools.display()));
    fs::create_dir_all(&tools).map_err(unwritable)?;
    let mut pack = program("npm", &["pack", "--silent", package, "--pack-destination"]);
    let packed = output(pack.arg(&tools))?;
    let archive = tools.join(packed.trim());
    let mut unpack = program("tar", &["xzf"]);
    unpack.arg(&archive).arg("-C").arg(&tools);
    run(unpack.args(["--strip-components=1", "package/axe.min.js"]))?;
    fs::remove_file(&archive).map_err(unwritable)?;
    if is_right() {
        Ok(())
    } else {
        Err(Failure::Guard(format!("{package} is not what it was")))
    }
}

fn missing(without: &[String]) -> Vec<&'static str> {
    TOOLS
        .iter()
        .filter(|tool| !without.iter().any(|name| name == tool.name))
        .filter(|tool| find(tool.binary).is_none())
        .map(|tool| tool.package)
        .collect()
}

/// Installs Debian packages, where that is possible.
pub(crate) fn apt(packages: &[&str]) -> Result<(), Failure> {
    if find("apt-get").is_none() {
        return Err(Failure::Guard("there is no apt-get here".into()));
    }
    if output(&mut program("id", &["-u"]))?.trim() != "0" {
        return Err(Failure::Guard("only root may install packages".into()));
    }
    let get = |arguments: &[&str]| {
        let mut command = program("apt-get", &["-qq", "-y"]);
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command)
    };
    get(&["update"])?;
    let mut install = vec!["install", "--no-install-recommends"];
    install.extend(packages);
    get(&install)
}

/// Where `binary` is, on `PATH` or among a system's servers.
pub(crate) fn find(binary: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(binary))
        .find(|candidate| candidate.is_file())
}

/// Whether cargo has the subcommand `name`.
pub(crate) fn has_subcommand(name: &str) -> bool {
    command::works(&mut command::cargo(&[name, "--version"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_not_missed() {
        let all: Vec<String> = TOOLS.iter().map(|tool| tool.name.to_owned()).collect();
        assert!(missing(&all).is_empty());
    }

    #[test]
    fn only_tools_can_be_left_out() {
        assert!(is_known("chromium") && !is_known("chrome"));
    }
}

//! Commands of the workspace: run from its root, shown before they run.

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a chore did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A command could not be started or read.
    #[error("cannot run {command}: {source}")]
    Start {
        command: String,
        #[source]
        source: io::Error,
    },
    /// A command said no.
    #[error("{command}: {status}")]
    Refused { command: String, status: String },
    /// What a command or a file said makes no sense.
    #[error("{what}: {why}")]
    Unreadable { what: String, why: String },
    /// A guard does not hold.
    #[error("{0}")]
    Guard(String),
    /// Parts failed and were counted on the last line; there is no more to say.
    #[error("some parts failed")]
    Counted,
}

/// Which output of a command is read along while it is shown.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// `program` at the workspace's root.
pub(crate) fn program(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs `command`; its output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = announce(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|source| start(&shown, source))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Refused {
        command: shown,
        status: status.to_string(),
    })
}

/// Runs `command` and hands every line of one output to `line` while showing it.
///
/// Says whether the command succeeded.
pub(crate) fn follow(
    command: &mut Command,
    which: Stream,
    mut line: impl FnMut(&str),
) -> Result<bool, Failure> {
    let shown = announce(command);
    command.stdin(Stdio::null());
    match which {
        Stream::Stdout => command.stdout(Stdio::piped()),
        Stream::Stderr => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().map_err(|source| start(&shown, source))?;
    match which {
        Stream::Stdout => show(child.stdout.take(), &mut line, |text| println!("{text}")),
        Stream::Stderr => show(child.stderr.take(), &mut line, |text| eprintln!("{text}")),
    }
    let status = child.wait().map_err(|source| start(&shown, source))?;
    Ok(status.success())
}

/// What `command` prints, in silence.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let shown = text(command);
    let done = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| start(&shown, source))?;
    if !done.status.success() {
        return Err(Failure::Refused {
            command: shown,
            status: done.status.to_string(),
        });
    }
    String::from_utf8(done.stdout).map_err(|error| Failure::Unreadable {
        what: shown,
        why: error.to_string(),
    })
}

/// Whether `command` runs at all and succeeds, in silence.
pub(crate) fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn show(stream: Option<impl Read>, line: &mut impl FnMut(&str), print: impl Fn(&str)) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    let mut bytes = Vec::new();
    // A stream that breaks off ends like one that is closed; the status decides.
    while reader
        .read_until(b'\n', &mut bytes)
        .is_ok_and(|count| count > 0)
    {
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\r', '\n']);
        print(text);
        line(text);
        bytes.clear();
    }
}

fn announce(command: &Command) -> String {
    let shown = text(command);
    eprintln!("$ {shown}");
    shown
}

fn text(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let mut text = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

fn start(command: &str, source: io::Error) -> Failure {
    Failure::Start {
        command: command.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_followed_command_hands_over_each_line_and_its_success() {
        let mut lines = Vec::new();
        let script = "echo one; echo two; exit 1";
        let ok = follow(
            &mut program("sh", &["-c", script]),
            Stream::Stdout,
            |line| {
                lines.push(line.to_owned());
            },
        );
        assert!(!ok.unwrap());
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn a_command_that_says_no_is_named_with_its_status() {
        let failure = run(&mut program("sh", &["-c", "exit 3"])).unwrap_err();
        assert_eq!(failure.to_string(), "sh -c exit 3: exit status: 3");
        assert!(!works(&mut program("no-such-program", &[])));
    }
}

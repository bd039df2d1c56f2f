//! A program under test: started, watched, signalled, and ended with the test.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::wait::holds_within;
use crate::wire::{Options, exchange};

/// The most that is kept of each stream; a program that prints more goes on unheard.
const KEPT: usize = 16 * 1024 * 1024;

/// A running program; it is killed when this is dropped.
///
/// When the test fails, what the program printed is shown.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    stdout: Arc<Printed>,
    stderr: Arc<Printed>,
}

impl Program {
    /// Starts `command` with no input and both outputs kept.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self::started(command, Stdio::piped())
    }

    /// Starts `command` with a standard error that nobody reads: each write to it fails.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    #[must_use]
    pub fn start_unheard(command: &mut Command) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        Self::started(command, Stdio::from(writer))
    }

    #[track_caller]
    fn started(command: &mut Command, stderr: Stdio) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let started = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => panic!("cannot start {name}: {error}"),
        };
        Self {
            stdout: Printed::of(child.stdout.take()),
            stderr: Printed::of(child.stderr.take()),
            name,
            child,
        }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for `text` on either output, printed before the call or after.
    ///
    /// # Panics
    /// When it does not come `within` that time or before the program ends.
    #[track_caller]
    pub fn wait_for_text(&mut self, text: &str, within: Duration) {
        self.wait_for(&format!("no {text:?}"), within, |program| {
            program.stdout().contains(text) || program.stderr().contains(text)
        });
    }

    /// Waits until somebody accepts connections on `address`.
    ///
    /// # Panics
    /// When nobody does `within` that time or before the program ends.
    #[track_caller]
    pub fn wait_for_port(&mut self, address: SocketAddr, within: Duration) {
        self.wait_for(&format!("nobody at {address}"), within, |_| {
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
        });
    }

    /// Waits until `GET path` at `address` is answered 200.
    ///
    /// # Panics
    /// When it is not `within` that time or before the program ends.
    #[track_caller]
    pub fn wait_for_ok(&mut self, address: SocketAddr, path: &str, within: Duration) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let options = Options {
            timeout: Duration::from_secs(1),
            ..Options::one_answer()
        };
        self.wait_for(&format!("no 200 from {address}{path}"), within, |_| {
            exchange(address, &request, &options)
                .bytes
                .starts_with(b"HTTP/1.1 200")
        });
    }

    #[track_caller]
    fn wait_for(&mut self, missing: &str, within: Duration, mut holds: impl FnMut(&Self) -> bool) {
        let mut ended = None;
        let held = holds_within(within, || {
            // The output that a program left behind is read before its end counts.
            ended = self.child.try_wait().ok().flatten();
            holds(self) || ended.is_some()
        });
        if ended.is_some() {
            self.stdout.wait_for_end(within);
            self.stderr.wait_for_end(within);
        }
        if !held || (ended.is_some() && !holds(self)) {
            let end = ended.map_or_else(|| "still runs".to_owned(), |status| status.to_string());
            panic!(
                "{missing} within {within:?} from {} ({end})\n{self}",
                self.name
            );
        }
    }

    /// Sends `signal`.
    ///
    /// # Panics
    /// When the program is gone.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let sent = Pid::from_raw(self.pid().cast_signed()).map(|pid| kill_process(pid, signal));
        assert!(
            matches!(sent, Some(Ok(()))),
            "{} takes no {signal:?}: {sent:?}\n{self}",
            self.name
        );
    }

    /// Ends it as `kill -9` does, and waits until it is gone.
    ///
    /// # Panics
    /// When it is gone already.
    #[track_caller]
    pub fn kill(&mut self) -> ExitStatus {
        self.signal(Signal::KILL);
        self.exit(Duration::from_secs(10))
    }

    /// Asks it to end (SIGTERM) and waits for that.
    ///
    /// # Panics
    /// When it goes on for longer than `within`.
    #[track_caller]
    pub fn terminate(&mut self, within: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.exit(within)
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it goes on for longer than `within`.
    #[track_caller]
    pub fn exit(&mut self, within: Duration) -> ExitStatus {
        let mut status = None;
        let ended = holds_within(within, || {
            status = self.child.try_wait().ok().flatten();
            status.is_some()
        });
        match status {
            Some(status) if ended => {
                self.stdout.wait_for_end(within);
                self.stderr.wait_for_end(within);
                status
            }
            _ => panic!("{} still runs after {within:?}\n{self}", self.name),
        }
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it printed so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it complained of so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Resident memory in KiB, as `/proc` says; `None` when it is gone.
    #[must_use]
    pub fn resident_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// How many descriptors it has open; `None` when it is gone.
    #[must_use]
    pub fn open_files(&self) -> Option<usize> {
        Some(
            fs::read_dir(format!("/proc/{}/fd", self.pid()))
                .ok()?
                .count(),
        )
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "--- stdout of {}\n{}", self.name, self.stdout())?;
        writeln!(out, "--- stderr of {}\n{}", self.name, self.stderr())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only when the program is gone, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            eprintln!("{self}");
        }
    }
}

/// One output stream, read to its end on a thread of its own.
#[derive(Debug, Default)]
struct Printed {
    state: Mutex<Kept>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    ended: bool,
}

impl Printed {
    fn of(stream: Option<impl Read + Send + 'static>) -> Arc<Self> {
        let printed = Arc::new(Self::default());
        let kept = Arc::clone(&printed);
        thread::spawn(move || kept.read(stream));
        printed
    }

    fn read(&self, stream: Option<impl Read>) {
        let mut piece = [0; 8 * 1024];
        if let Some(mut stream) = stream {
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                let mut state = self.lock();
                if state.bytes.len() < KEPT {
                    state.bytes.extend_from_slice(&piece[..count]);
                }
            }
        }
        self.lock().ended = true;
        self.ended.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock().bytes).into_owned()
    }

    fn wait_for_end(&self, within: Duration) {
        let deadline = Instant::now() + within;
        let mut state = self.lock();
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self
                .ended
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// Runs `command` to its end with `input`, and returns what it printed.
///
/// # Panics
/// When it cannot be started, or goes on for longer than `within`.
#[track_caller]
pub fn run(command: &mut Command, input: &[u8], within: Duration) -> Finished {
    let name = command.get_program().to_string_lossy().into_owned();
    let started = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => panic!("cannot start {name}: {error}"),
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A program that reads no input may be gone before it is written.
        stdin.write_all(input).ok();
    }
    let mut program = Program {
        stdout: Printed::of(child.stdout.take()),
        stderr: Printed::of(child.stderr.take()),
        name,
        child,
    };
    let status = program.exit(within);
    Finished {
        status,
        stdout: program.stdout(),
        stderr: program.stderr(),
    }
}

/// A program that ran to its end.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Program {
        Program::start(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn a_line_is_found_whenever_it_was_printed() {
        let mut program = shell("echo ready; echo late >&2; read -r never < /dev/zero");
        program.wait_for_text("ready", SOON);
        program.wait_for_text("late", SOON);
        program.wait_for_text("ready", SOON);
        assert!(program.is_running() && program.resident_kib().is_some());
    }

    #[test]
    fn a_program_that_ends_without_the_line_fails_at_once_and_is_shown() {
        let caught = std::panic::catch_unwind(|| {
            shell("echo why >&2; exit 3").wait_for_text("ready", Duration::from_secs(60));
        });
        let message = *caught.unwrap_err().downcast::<String>().unwrap();
        assert!(
            message.contains("why") && message.contains('3'),
            "{message}"
        );
    }

    #[test]
    fn signals_arrive_as_what_they_are() {
        let wait = "while :; do sleep 0.01; done";
        assert_eq!(shell(wait).kill().signal(), Some(9));
        let mut program = shell(&format!(
            "trap 'exit 7' TERM; trap 'echo hup' HUP; echo up; {wait}"
        ));
        program.wait_for_text("up", SOON);
        program.signal(Signal::HUP);
        program.wait_for_text("hup", SOON);
        assert_eq!(program.terminate(SOON).code(), Some(7));
    }

    #[test]
    fn a_finished_program_gives_back_what_it_was_fed() {
        let finished = run(&mut Command::new("cat"), b"words", SOON);
        assert!(finished.status.success());
        assert_eq!(finished.stdout, "words");
    }
}

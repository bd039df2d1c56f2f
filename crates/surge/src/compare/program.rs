//! A rival's program: started in front of the origin, waited for, watched and ended
//! with everything that it started.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::cpu;
use super::lineup::Rival;
use super::template::{Names, fill};

/// Until a program must listen.
const LISTENS_WITHIN: Duration = Duration::from_secs(20);
/// Between two looks at its port.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Until a program that was asked to end is ended.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
/// How much of a failed program's output is shown.
const SHOWN: (usize, usize) = (10, 8 * 1024);
/// Where its standard output and standard error go, in its own folder.
const OUTPUT: &str = "output.log";

/// Why a rival could not take part.
#[derive(Debug, thiserror::Error)]
pub(super) enum Absent {
    /// The program is not installed.
    #[error("{0} is not installed; benches/load/rivals/install.sh gets what the line-up names")]
    Missing(String),
    /// It ended by itself.
    #[error("it ended ({status}){said}")]
    Ended { status: ExitStatus, said: String },
    /// It never listened.
    #[error("nobody listened on {address} within {} s{said}", LISTENS_WITHIN.as_secs())]
    Silent { address: SocketAddr, said: String },
    /// The system said no.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A running program. Dropping it kills it and everything that it started.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    /// Also the id of its process group.
    leader: u32,
    /// CPU time that it took to start.
    started: Duration,
    folder: TempDir,
}

/// An empty folder for one program. Others may look into it: nginx's workers are
/// another user. Under `keep` it stays, by the names of who was run and when.
pub(super) fn folder(keep: Option<&Path>, title: &str, round: u32) -> io::Result<TempDir> {
    let open = fs::Permissions::from_mode(0o755);
    let mut builder = tempfile::Builder::new();
    builder.permissions(open);
    let Some(keep) = keep else {
        return builder.prefix("surge-compare-").tempdir();
    };
    let keep = std::path::absolute(keep)?;
    fs::create_dir_all(&keep)?;
    let name = format!("{}-{round}", title.to_lowercase().replace(' ', "-"));
    builder.disable_cleanup(true).rand_bytes(0);
    builder.prefix(&name).tempdir_in(keep)
}

impl Program {
    /// Starts `rival` in `folder` with its files filled in, and waits until `address` takes
    /// connections. `programs` are the folders to look in before `PATH`.
    pub(super) async fn start(
        rival: &Rival,
        names: &Names,
        folder: TempDir,
        address: SocketAddr,
        programs: &[PathBuf],
    ) -> Result<Self, Absent> {
        for (name, text) in &rival.files {
            fs::write(folder.path().join(name), fill(text, names))?;
        }
        let words = rival.command.iter().map(|word| fill(word, names));
        let words: Vec<_> = words.collect();
        let (first, arguments) = words
            .split_first()
            .expect("only a rival with a command is started");
        let found = find(first, programs).ok_or_else(|| Absent::Missing(first.clone()))?;
        let output = File::create(folder.path().join(OUTPUT))?;
        let child = Command::new(found)
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let leader = child
            .id()
            .expect("a child that was not waited for has an id");
        let mut program = Self {
            child,
            leader,
            started: Duration::ZERO,
            folder,
        };
        program.listening(address).await?;
        program.started = cpu::of_group(leader);
        Ok(program)
    }

    async fn listening(&mut self, address: SocketAddr) -> Result<(), Absent> {
        let began = Instant::now();
        loop {
            // Before the look: another program's answer is not this one's.
            self.alive()?;
            if let Ok(Ok(_connection)) = timeout(LOOK_EVERY, TcpStream::connect(address)).await {
                return Ok(());
            }
            if began.elapsed() > LISTENS_WITHIN {
                let said = self.said();
                return Err(Absent::Silent { address, said });
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Says so where the program has ended by itself.
    pub(super) fn alive(&mut self) -> Result<(), Absent> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(Absent::Ended {
                status,
                said: self.said(),
            }),
        }
    }

    /// CPU time since it listened, its children's too.
    pub(super) fn cpu(&self) -> Duration {
        cpu::of_group(self.leader).saturating_sub(self.started)
    }

    /// Asks it to end, and ends it where it does not.
    pub(super) async fn stop(mut self) {
        self.signal(Signal::TERM);
        // Over time, or not to be waited for: dropping it kills the group.
        timeout(ENDS_WITHIN, self.child.wait()).await.ok();
    }

    fn signal(&self, signal: Signal) {
        let group = i32::try_from(self.leader).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // It may be gone already, which is what is wanted.
            kill_process_group(group, signal).ok();
        }
    }

    /// The last lines that it wrote, for whoever has to find out why.
    fn said(&self) -> String {
        let (lines, bytes) = SHOWN;
        let text = fs::read(self.folder.path().join(OUTPUT)).unwrap_or_default();
        let end = &text[text.len().saturating_sub(bytes)..];
        let end = String::from_utf8_lossy(end);
        let all: Vec<_> = end.lines().collect();
        let last = &all[all.len().saturating_sub(lines)..];
        if last.is_empty() {
            return "; it said nothing".to_owned();
        }
        format!("; its last words:\n  {}", last.join("\n  "))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Where the program `name` is: under its own path, in `programs`, on `PATH`, or among a
/// system's servers.
fn find(name: &str, programs: &[PathBuf]) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    programs
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .chain(servers)
        .map(|folder| folder.join(name))
        .find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

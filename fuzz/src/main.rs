//! Drives the targets for a while and says what it found.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks to a person"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a search takes real time, as long as a person says"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use forebay_fuzz::{Found, TARGETS, Target, search};

/// Drives the fuzz targets with inputs changed at random.
#[derive(Parser)]
struct Arguments {
    /// Targets to drive; all of them when none is named
    targets: Vec<String>,
    /// How long for all together
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Repeats a run; without it each run is another one
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted = |target: &&Target| {
        arguments.targets.is_empty() || arguments.targets.iter().any(|name| name == target.name)
    };
    let targets: Vec<_> = TARGETS.iter().filter(wanted).collect();
    let share = Duration::from_secs(arguments.seconds)
        / u32::try_from(targets.len().max(1)).unwrap_or(u32::MAX);
    let seed = arguments.seed.unwrap_or_else(from_the_clock);
    println!("seed {seed}");
    let mut broken = targets.is_empty();
    for target in targets {
        match drive(target, seed, share) {
            Ok(sound) => broken |= !sound,
            Err(error) => {
                eprintln!("{}: {error}", target.name);
                broken = true;
            }
        }
    }
    ExitCode::from(u8::from(broken))
}

fn from_the_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| now.as_secs())
}

/// Whether the target kept its promises.
fn drive(target: &Target, seed: u64, share: Duration) -> io::Result<bool> {
    let folder = corpus(target.name);
    let end = Instant::now() + share;
    let Found {
        tried,
        shapes,
        broken,
    } = search(target, &inputs(&folder)?, seed, |_| Instant::now() < end);
    println!("{:<12} {tried} inputs of {shapes} kinds", target.name);
    let Some(input) = broken else {
        return Ok(true);
    };
    let path = folder.join(format!("broken-{seed}-{tried}"));
    fs::write(&path, input)?;
    println!("{:<12} BROKEN by {}", target.name, path.display());
    Ok(false)
}

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name)
}

fn inputs(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    fs::read_dir(folder)?
        .map(|entry| fs::read(entry?.path()))
        .collect()
}

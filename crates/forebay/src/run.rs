//! `forebay run`: serve until told to stop.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Weak};

use forebay_proxy::live::{Live, Loader};
use forebay_proxy::process::Process;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use crate::{Failure, configuration};

pub(crate) fn run(file: &Path) -> Result<ExitCode, Failure> {
    let loaded = configuration::load(file)
        .map_err(|problems| Failure(format!("{} cannot be used:\n{problems}", file.display())))?;
    log_from(level(loaded.config.log.level));
    for warning in &loaded.warnings {
        tracing::warn!(%warning, "configuration");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::of(&error))?;
    // Before anything listens, so that no signal finds its default.
    let signals = runtime
        .block_on(async { Signals::listen() })
        .map_err(|error| Failure::of(&error))?;
    let process = Process::start(loaded.config, loader(file.to_owned()))
        .map_err(|error| Failure::of(&error))?;
    // Weak, for the access log's writer ends when nobody holds its log any more.
    let live = Arc::downgrade(process.live());
    std::thread::spawn(move || runtime.block_on(signals.obey(live)));
    process.wait();
    Ok(ExitCode::SUCCESS)
}

fn loader(file: PathBuf) -> Loader {
    Box::new(move || configuration::load(&file).map(|loaded| loaded.config))
}

fn level(level: forebay_config::Level) -> Level {
    match level {
        forebay_config::Level::Error => Level::ERROR,
        forebay_config::Level::Warn => Level::WARN,
        forebay_config::Level::Info => Level::INFO,
        forebay_config::Level::Debug => Level::DEBUG,
        forebay_config::Level::Trace => Level::TRACE,
    }
}

/// Diagnostics go to standard error; standard output belongs to the access log.
pub(crate) fn log_from(level: Level) {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_max_level(LevelFilter::from_level(level))
        // Whoever read the log may be gone; complaining about that there would be a panic.
        .log_internal_errors(false)
        .init();
}

/// The signals that mean something here.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn obey(mut self, live: Weak<Live>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => stop(&live, "SIGTERM"),
                _ = self.interrupt.recv() => stop(&live, "SIGINT"),
                _ = self.hangup.recv() => {
                    if let Some(live) = live.upgrade() {
                        // What is wrong stands in the log and in the status by now.
                        _ = live.reload("SIGHUP");
                    }
                }
            }
        }
    }
}

/// The first one drains; whoever asks twice wants it now.
fn stop(live: &Weak<Live>, by: &str) {
    match live.upgrade() {
        Some(live) if !live.is_draining() => live.drain(by),
        _ => {
            tracing::warn!(by, "exit at once");
            std::process::exit(130);
        }
    }
}

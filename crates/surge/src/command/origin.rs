//! `surge origin`: the model origin alone, until it is interrupted.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use surge::origin::{Origin as Model, OriginSettings, SweepPoint, sweep};
use surge::span;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Problem, rate, say};

/// Where it listens if nothing is said.
const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3000);

/// Numbers in flight that a sweep tries.
const SWEEP_POINTS: u32 = 12;

/// Flags of `surge origin`. A flag says more than the file.
#[derive(Debug, Args)]
pub(crate) struct Origin {
    /// A scenario, whose [origin] table has the settings; the flags below change them
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Measure the engine's throughput against the computed one, in virtual time, over so
    /// many requests for each number in flight, and end
    #[arg(
        long,
        value_name = "REQUESTS",
        num_args = 0..=1,
        default_missing_value = "200000",
        value_parser = clap::value_parser!(u32).range(100..=100_000_000),
    )]
    sweep: Option<u32>,
    /// Where to listen [default: 127.0.0.1:3000]; port 0 takes a free one; further servers
    /// take the ports that follow
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Highest throughput in requests a second; sets --service
    #[arg(long, value_parser = rate, conflicts_with = "service")]
    capacity: Option<f64>,
    /// Mean work of a page on an idle server
    #[arg(long, value_parser = span::parse)]
    service: Option<Duration>,
    /// Servers, each with its own cores, threads and backlog
    #[arg(long)]
    servers: Option<u32>,
    /// Cores of a server
    #[arg(long)]
    cores: Option<u32>,
    /// Contention, at least 0 and below 1
    #[arg(long)]
    sigma: Option<f64>,
    /// Crosstalk, 0 or more; what makes an overrun origin collapse
    #[arg(long)]
    kappa: Option<f64>,
    /// Requests at work at once in a server
    #[arg(long)]
    threads: Option<usize>,
    /// Requests that may queue at a server; beyond, connections are reset
    #[arg(long)]
    backlog: Option<usize>,
    /// Pages of the form
    #[arg(long)]
    pages: Option<u32>,
    /// Seed of the pages' amounts of work
    #[arg(long)]
    seed: Option<u64>,
}

impl Origin {
    /// Serves until SIGINT or SIGTERM, then says what was counted.
    pub(crate) async fn run(self) -> Result<(), Problem> {
        let sweep = self.sweep;
        let settings = self.settings()?;
        if let Some(completions) = sweep {
            return say_sweep(&settings, completions);
        }
        // Before anybody is told that it runs.
        let interrupted = Interrupted::catch()?;
        let (peak, best) = (settings.peak(), settings.best_concurrency());
        let address = settings.address;
        let running =
            Model::start(settings).map_err(Problem::io(format!("listen on {address}")))?;
        let urls = running.addresses().iter();
        let urls: Vec<String> = urls.map(|address| format!("http://{address}/")).collect();
        say(&format!(
            "origin on {}, at best {peak:.1} pages a second with {best} in flight",
            urls.join(" ")
        ))?;
        interrupted.wait().await;
        let stats = running.stop().await;
        say(&serde_json::to_string(&stats).expect("counts are always JSON"))
    }

    fn settings(self) -> Result<OriginSettings, Problem> {
        let file = match &self.settings {
            Some(path) => read(path)?,
            None => OriginSettings {
                address: LISTEN,
                ..OriginSettings::default()
            },
        };
        let settings = OriginSettings {
            address: self.listen.unwrap_or(file.address),
            service: self.service.unwrap_or(file.service),
            servers: self.servers.unwrap_or(file.servers),
            cores: self.cores.unwrap_or(file.cores),
            sigma: self.sigma.unwrap_or(file.sigma),
            kappa: self.kappa.unwrap_or(file.kappa),
            threads: self.threads.unwrap_or(file.threads),
            backlog: self.backlog.unwrap_or(file.backlog),
            pages: self.pages.unwrap_or(file.pages),
            seed: self.seed.unwrap_or(file.seed),
            ..file
        };
        if let Some(problem) = settings.problem() {
            return Err(Problem::Number(problem));
        }
        Ok(match self.capacity {
            Some(capacity) => settings.with_peak(capacity),
            None => settings,
        })
    }
}

/// What of a scenario is read here.
#[derive(Deserialize)]
struct Scenario {
    origin: OriginSettings,
}

fn read(path: &Path) -> Result<OriginSettings, Problem> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(Problem::io(shown.clone()))?;
    let scenario: Result<Scenario, _> = toml::from_str(&text);
    let scenario = scenario.map_err(|problem| Problem::Settings(shown, problem))?;
    Ok(scenario.origin)
}

/// Writes the throughput by the number in flight, computed and measured.
fn say_sweep(settings: &OriginSettings, completions: u32) -> Result<(), Problem> {
    let points = sweep(settings, SWEEP_POINTS, completions);
    say("in flight   computed   measured   of the peak")?;
    let (peak, best) = (settings.peak(), settings.best_concurrency());
    for point in &points {
        let SweepPoint {
            in_flight,
            computed,
            measured,
        } = point;
        let share = measured / peak;
        say(&format!(
            "{in_flight:>9} {computed:>10.1} {measured:>10.1} {share:>13.3}"
        ))?;
    }
    let at_best = points.iter().find(|point| point.in_flight == best);
    let measured = at_best.map_or(0.0, |point| point.measured);
    let off = 100.0 * (measured / peak - 1.0);
    say(&format!(
        "peak: computed {peak:.1} a second; measured {measured:.1} with {best} in flight, {off:+.2} per cent"
    ))
}

/// SIGINT and SIGTERM, caught from now on.
pub(super) struct Interrupted {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupted {
    pub(super) fn catch() -> Result<Self, Problem> {
        let caught = |kind| signal(kind).map_err(Problem::io("signals"));
        Ok(Self {
            interrupt: caught(SignalKind::interrupt())?,
            terminate: caught(SignalKind::terminate())?,
        })
    }

    pub(super) async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

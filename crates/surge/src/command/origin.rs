//! `surge origin`: the model origin alone, until it is interrupted.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use surge::origin::{Origin as Model, OriginSettings};
use surge::span;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Problem, rate, say};

/// Flags of `surge origin`.
#[derive(Debug, Args)]
pub(crate) struct Origin {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Highest throughput in requests a second; sets --service
    #[arg(long, value_parser = rate, conflicts_with = "service")]
    capacity: Option<f64>,
    /// Mean work of a page on an idle server
    #[arg(long, value_parser = span::parse)]
    service: Option<Duration>,
    /// Servers that share the work
    #[arg(long, default_value_t = OriginSettings::default().cores)]
    cores: u32,
    /// Contention, at least 0 and below 1
    #[arg(long, default_value_t = OriginSettings::default().sigma)]
    sigma: f64,
    /// Crosstalk, 0 or more; what makes an overrun origin collapse
    #[arg(long, default_value_t = OriginSettings::default().kappa)]
    kappa: f64,
    /// Requests at work at once
    #[arg(long, default_value_t = OriginSettings::default().threads)]
    threads: usize,
    /// Requests that may queue; beyond, connections are reset
    #[arg(long, default_value_t = OriginSettings::default().backlog)]
    backlog: usize,
    /// Pages of the form
    #[arg(long, default_value_t = OriginSettings::default().pages)]
    pages: u32,
    /// Seed of the pages' amounts of work
    #[arg(long, default_value_t = OriginSettings::default().seed)]
    seed: u64,
}

impl Origin {
    /// Serves until SIGINT or SIGTERM, then says what was counted.
    pub(crate) async fn run(self) -> Result<(), Problem> {
        let settings = self.settings()?;
        // Before anybody is told that it runs.
        let interrupted = Interrupted::catch()?;
        let (peak, best) = (settings.peak(), settings.best_concurrency());
        let address = settings.address;
        let running =
            Model::start(settings).map_err(Problem::io(format!("listen on {address}")))?;
        let address = running.address();
        say(&format!(
            "origin on http://{address}/, at best {peak:.1} pages a second with {best} in flight"
        ))?;
        interrupted.wait().await;
        let stats = running.stop().await;
        say(&serde_json::to_string(&stats).expect("counts are always JSON"))
    }

    fn settings(self) -> Result<OriginSettings, Problem> {
        let Self {
            listen,
            cores,
            sigma,
            kappa,
            threads,
            backlog,
            pages,
            seed,
            ..
        } = self;
        if cores == 0 || threads == 0 || pages == 0 {
            return Err(Problem::Number(
                "--cores, --threads and --pages are 1 or more",
            ));
        }
        if !(0.0..1.0).contains(&sigma) || !(0.0..=1.0).contains(&kappa) {
            return Err(Problem::Number(
                "--sigma is at least 0 and below 1, --kappa 0 to 1",
            ));
        }
        let service = self.service.unwrap_or(OriginSettings::default().service);
        if service.is_zero() {
            return Err(Problem::Number("--service is more than 0"));
        }
        let address = listen;
        let settings = OriginSettings {
            address,
            service,
            cores,
            sigma,
            kappa,
            threads,
            backlog,
            pages,
            seed,
            ..OriginSettings::default()
        };
        Ok(match self.capacity {
            Some(capacity) => settings.with_peak(capacity),
            None => settings,
        })
    }
}

/// SIGINT and SIGTERM, caught from now on.
struct Interrupted {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupted {
    fn catch() -> Result<Self, Problem> {
        let caught = |kind| signal(kind).map_err(Problem::io("signals"));
        Ok(Self {
            interrupt: caught(SignalKind::interrupt())?,
            terminate: caught(SignalKind::terminate())?,
        })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

//! Starting and ending a process: what stands in which order, on which threads.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use forebay_admission::verdict::Reason;
use forebay_config::{Config, LogTarget};
use forebay_layers::budget::Budget;
use forebay_layers::clock::Clock;
use forebay_store::{Embedded, Store};
use forebay_telemetry::access::{AccessLog, Target};
use forebay_telemetry::metrics::{Build, Metrics};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::assembly::Assembly;
use crate::linger::Lingering;
use crate::live::{self, Live, Loader, Now, StartError};
use crate::worker::{Parts, Worker};
use crate::{accept, admin, descriptors, listener, probe, random, side};

/// Buffers of 64 KiB that may wait for the writer of the access log.
const LOG_BUFFERS: usize = 64;

/// How often a worker looks after its idle connections and its pen.
const HOUSEKEEP: Duration = Duration::from_millis(200);

/// How long a connection has to be idle before it may be ended to make room.
const IDLE_LEAST: Duration = Duration::from_secs(5);

/// Idle connections end when all but one in so many are taken.
const CROWDED_SHARE: u64 = 50;

/// A running process.
pub struct Process {
    live: Arc<Live>,
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
    side: Option<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
}

const REASONS: [&str; Reason::ALL.len()] = {
    let mut names = [""; Reason::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Reason::ALL[index].name();
        index += 1;
    }
    names
};

impl Process {
    /// Starts everything, or nothing.
    ///
    /// # Errors
    /// What cannot be opened, bound or read; see [`StartError`].
    pub fn start(config: Config, loader: Loader) -> Result<Self, StartError> {
        let metrics = Metrics::new(
            Build {
                version: env!("CARGO_PKG_VERSION"),
            },
            &REASONS,
        );
        metrics.process().store_up.set(1);
        let sockets = bind(&config)?;
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&config.state.directory)?);
        let clock = Clock::new().not_before(Assembly::latest(&config, &*store));
        let mut assembly = Assembly::new(&config, clock, metrics.clone(), store);
        let generation = assembly.generation(&config)?;
        let (log, writer) = open_log(&config)?;
        let workers = workers(&config, &assembly, &generation.sites, log.as_ref())?;
        let backlog = config.limits.backlog;
        let now = Now::new(config.clone(), generation);
        let live = Live::new(assembly, workers, now, loader, log);
        listener::warn_of_small_backlogs(backlog);

        let (stop, stopping) = watch::channel(false);
        let addresses = local_addresses(&sockets);
        let listeners = listen(sockets, backlog)?;
        // Only now: whoever is told that we are ready finds somebody who listens.
        let (side, admin) = start_side(&config, Arc::clone(&live))?;
        let mut threads = Vec::new();
        for (index, (worker, mine)) in live.workers.iter().zip(listeners).enumerate() {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (worker, stopping) = (Arc::clone(worker), stopping.clone());
            threads.push(
                thread::Builder::new()
                    .name(format!("worker-{index}"))
                    .spawn(move || run_worker(&runtime, worker, mine, stopping))?,
            );
        }
        tracing::info!(?addresses, workers = threads.len(), "listening");
        Ok(Self {
            live,
            addresses,
            admin,
            stop,
            threads,
            side: Some(side),
            writer,
        })
    }

    /// Where clients are served.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where the admin interface reads, if it does.
    #[must_use]
    pub const fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// What is in force, and the ways to change it.
    #[must_use]
    pub const fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Waits until a drain has ended, then ends everything. Blocks.
    pub fn wait(mut self) {
        if let Some(side) = self.side.take() {
            join(side);
        }
        // Nobody receives any more only when every worker is gone already.
        _ = self.stop.send(true);
        for worker in self.threads.drain(..) {
            join(worker);
        }
        let writer = self.writer.take();
        // The writer ends when the log and all pens are gone.
        drop(self);
        if let Some(writer) = writer {
            join(writer);
        }
    }

    /// Drains and waits.
    pub fn stop(self) {
        self.live.drain("stop");
        self.wait();
    }
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread panicked");
    }
}

fn bind(config: &Config) -> Result<Vec<Vec<socket2::Socket>>, listener::BindError> {
    let addresses: Vec<_> = config
        .listeners
        .iter()
        .map(|listener| listener.address)
        .collect();
    listener::bind(&addresses, config.runtime.workers.get())
}

type Listeners = Vec<Vec<std::net::TcpListener>>;

fn listen(sockets: Vec<Vec<socket2::Socket>>, backlog: u32) -> Result<Listeners, StartError> {
    let one = |socket| Ok(listener::listen(socket, backlog)?);
    sockets
        .into_iter()
        .map(|mine| mine.into_iter().map(one).collect())
        .collect()
}

fn local_addresses(sockets: &[Vec<socket2::Socket>]) -> Vec<SocketAddr> {
    let first = sockets.first().map_or(&[][..], Vec::as_slice);
    let address = |socket: &socket2::Socket| socket.local_addr().ok()?.as_socket();
    first.iter().filter_map(address).collect()
}

type Log = (Option<AccessLog>, Option<JoinHandle<()>>);

fn open_log(config: &Config) -> Result<Log, StartError> {
    let Some(access) = &config.log.access else {
        return Ok((None, None));
    };
    let target = match &access.to {
        LogTarget::Stdout => Target::Stdout,
        LogTarget::File(path) => Target::File(path.clone()),
    };
    let (log, writer) = AccessLog::open(target, LOG_BUFFERS).map_err(StartError::Log)?;
    let thread = thread::Builder::new()
        .name("access-log".to_owned())
        .spawn(|| writer.run())?;
    Ok((Some(log), Some(thread)))
}

fn workers(
    config: &Config,
    assembly: &Assembly,
    sites: &[Arc<forebay_layers::site::Site>],
    log: Option<&AccessLog>,
) -> Result<Vec<Arc<Worker>>, StartError> {
    let connections = Budget::new(live::connections(config) as u64);
    let reserve = Budget::new(descriptors::RESERVE as u64);
    let sockets = config.limits.linger.sockets as u64;
    let metrics = &assembly.metrics;
    let lingering = Lingering::new(live::linger_rules(config), sockets, metrics.clone());
    let edge = live::edge(config)?;
    let worker = |site: &Arc<_>| {
        Worker::new(Parts {
            clock: assembly.clock,
            metrics: metrics.clone(),
            random: (random::word(), random::word()),
            connections: Arc::clone(&connections),
            reserve: Arc::clone(&reserve),
            lingering: Arc::clone(&lingering),
            site: Arc::clone(site),
            edge: edge.clone(),
            pen: Arc::new(Mutex::new(log.map(AccessLog::pen))),
        })
    };
    Ok(sites.iter().map(worker).collect())
}

fn run_worker(
    runtime: &Runtime,
    worker: Arc<Worker>,
    listeners: Vec<std::net::TcpListener>,
    mut stopping: watch::Receiver<bool>,
) {
    runtime.block_on(async move {
        for (index, listener) in listeners.into_iter().enumerate() {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    tokio::spawn(accept::run(Arc::clone(&worker), listener, index));
                }
                Err(error) => tracing::error!(%error, "a listener cannot be watched"),
            }
        }
        let mut ticks = tokio::time::interval(HOUSEKEEP);
        loop {
            tokio::select! {
                _ = ticks.tick() => make_room(&worker),
                // An error means that the process has gone without a word.
                _ = stopping.changed() => break,
            }
        }
        worker.housekeep();
    });
}

/// Near the bound, idle connections end, the oldest first, so that newcomers find room.
fn make_room(worker: &Worker) {
    worker.housekeep();
    let (used, max) = (worker.connections.used(), worker.connections.max());
    worker.site().closing.set_crowded(used > max / 2);
    // Who lingers has been ended already, and only waits for the other side.
    let staying = used.saturating_sub(worker.lingering.count());
    let excess = staying.saturating_sub(max - max / CROWDED_SHARE);
    if excess > 0 {
        // This worker's share of them.
        let (mine, _) = worker.open();
        let count = excess * mine as u64 / staying.max(1) + 1;
        worker.end_idle(usize::try_from(count).unwrap_or(usize::MAX), IDLE_LEAST);
    }
}

type Side = (JoinHandle<()>, Option<SocketAddr>);

fn start_side(config: &Config, live: Arc<Live>) -> Result<Side, StartError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    // Whoever asks in the first moment finds the servers: a start with a dead origin starts, but
    // one with a live origin serves.
    for names in live.now().names.iter() {
        runtime.block_on(names.resolve());
    }
    let guard = runtime.enter();
    let interface = admin::Interface::open(&config.admin)?;
    drop(guard);
    let address = interface.address();
    let thread = thread::Builder::new()
        .name("side".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                tokio::spawn(side::rooms(Arc::clone(&live)));
                tokio::spawn(side::sync(Arc::clone(&live)));
                tokio::spawn(side::keys(Arc::clone(&live)));
                tokio::spawn(side::sweep(Arc::clone(&live)));
                tokio::spawn(side::names(Arc::clone(&live)));
                tokio::spawn(probe::probes(Arc::clone(&live)));
                tokio::spawn(interface.serve(Arc::clone(&live)));
                side::drained(live).await;
            });
        })?;
    Ok((thread, address))
}

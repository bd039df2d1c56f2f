//! What is in force now, and the ways to change it: reload, drain, and the rooms' modes. Every
//! change is written to the log with who asked.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forebay_config::{Config, Inlet, RoomMode};
use forebay_layers::budget::Budget;
use forebay_layers::clock::Clock;
use forebay_layers::gate::Gate;
use forebay_layers::keyring::Keys;
use forebay_layers::origin::Origin;
use forebay_layers::room::Desk;
use forebay_layers::site::Closing;
use forebay_store::Store;
use forebay_telemetry::access::AccessLog;
use forebay_telemetry::metrics::{Metrics, Reload};
use tokio::sync::Notify;

use crate::assembly::{Assembly, AssemblyError, Generation, KeysError, Trust, convert};
use crate::audit::{Audit, Terms};
use crate::connection::ConnectionRules;
use crate::descriptors;
use crate::linger::LingerRules;
use crate::tls::{self, TlsError};
use crate::upstream::resolve::Names;
use crate::worker::{Edge, Worker};

/// Reads the configuration again; the text of an error names every problem.
pub type Loader = Box<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// A process at work.
pub struct Live {
    /// The counters.
    pub metrics: Metrics,
    /// The access log, if there is one.
    pub log: Option<AccessLog>,
    pub(crate) workers: Vec<Arc<Worker>>,
    pub(crate) names_changed: Notify,
    pub(crate) drain_begun: Notify,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) streams: Arc<Budget>,
    pub(crate) body_buffers: Arc<Budget>,
    closing: Arc<Closing>,
    pub(crate) keys: Arc<Keys>,
    assembly: Mutex<Assembly>,
    loader: Loader,
    now: Mutex<Now>,
    generation: AtomicU64,
    draining: AtomicBool,
    refused: Mutex<Option<String>>,
    pub(crate) audit: Audit,
}

/// A room, with the gate behind it.
pub(crate) type GatedRoom = (Arc<Desk>, Option<Arc<Gate>>);

/// The generation in force.
#[derive(Clone)]
pub(crate) struct Now {
    pub(crate) config: Arc<Config>,
    pub(crate) names: Arc<[Names]>,
    pub(crate) origins: Arc<[Arc<Origin>]>,
    pub(crate) rooms: Arc<[GatedRoom]>,
}

impl Now {
    pub(crate) fn new(config: Config, generation: Generation) -> Self {
        Self {
            config: Arc::new(config),
            names: generation.names.into(),
            origins: generation.origins.into(),
            rooms: generation.rooms.into(),
        }
    }
}

/// A change to a room, by command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// The new mode.
    pub mode: Option<RoomMode>,
    /// The new inlet.
    pub inlet: Option<Inlet>,
    /// The new cap; `Some(None)` is `unlimited`.
    pub active: Option<Option<std::num::NonZeroU32>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    pub(crate) fn new(
        assembly: Assembly,
        workers: Vec<Arc<Worker>>,
        now: Now,
        loader: Loader,
        log: Option<AccessLog>,
    ) -> Arc<Self> {
        let metrics = assembly.metrics.clone();
        metrics.process().config_generation.set(1);
        Arc::new(Self {
            metrics,
            log,
            workers,
            names_changed: Notify::new(),
            drain_begun: Notify::new(),
            clock: assembly.clock,
            store: Arc::clone(&assembly.store),
            streams: Arc::clone(&assembly.streams),
            body_buffers: Arc::clone(&assembly.body_buffers),
            closing: Arc::clone(&assembly.closing),
            keys: Arc::clone(&assembly.keys),
            assembly: Mutex::new(assembly),
            loader,
            now: Mutex::new(now),
            generation: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            refused: Mutex::new(None),
            audit: Audit::default(),
        })
    }

    pub(crate) fn now(&self) -> Now {
        lock(&self.now).clone()
    }

    /// Which configuration is in force, counted from 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Why the last reload changed nothing, if it did not.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        lock(&self.refused).clone()
    }

    /// Whether the process is stopping.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Reads the configuration again and puts it in force, all at once; blocks on files. What
    /// cannot change while running (listeners, workers, the state directory) stays, with a word
    /// in the log.
    ///
    /// # Errors
    /// The text of every problem; then nothing has changed.
    pub fn reload(&self, by: &str) -> Result<u64, String> {
        let result = (self.loader)().and_then(|config| self.put_in_force(config, by));
        let reloads = &self.metrics.process().reloads;
        match &result {
            Ok(generation) => {
                reloads.inc(Reload::Done);
                self.metrics.process().config_generation.set(*generation);
                tracing::info!(by, generation, "configuration reloaded");
            }
            Err(problems) => {
                reloads.inc(Reload::Refused);
                tracing::error!(
                    by,
                    problems,
                    "reload refused; the former configuration stays"
                );
            }
        }
        *lock(&self.refused) = result.as_ref().err().cloned();
        result
    }

    fn put_in_force(&self, mut config: Config, by: &str) -> Result<u64, String> {
        self.keep_what_cannot_change(&mut config);
        let before = self.terms();
        let mut assembly = lock(&self.assembly);
        let edge = edge(&config).map_err(|error| chain(&error))?;
        let generation = assembly
            .generation(&config)
            .map_err(|error| chain(&error))?;
        for (worker, site) in self.workers.iter().zip(&generation.sites) {
            worker.replace(Arc::clone(site), edge.clone());
        }
        if let Some(worker) = self.workers.first() {
            worker.connections.set_max(connections(&config) as u64);
            let linger = &config.limits.linger;
            worker
                .lingering
                .configure(linger_rules(&config), linger.sockets as u64);
        }
        if let Some(log) = &self.log {
            log.reopen();
        }
        *lock(&self.now) = Now::new(config, generation);
        self.names_changed.notify_one();
        self.audit_reload(&before, by);
        Ok(self.generation.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// What is set of each room now.
    fn terms(&self) -> Vec<(Arc<str>, Terms)> {
        self.now()
            .rooms
            .iter()
            .map(|(desk, _)| (Arc::clone(&desk.name), Terms::of(desk.room().settings())))
            .collect()
    }

    /// What the file changes of a room is a change like any other.
    fn audit_reload(&self, before: &[(Arc<str>, Terms)], by: &str) {
        let wall = self.clock.wall(self.clock.now());
        for (room, after) in self.terms() {
            let known = before.iter().find(|(name, _)| *name == room);
            if let Some((_, before)) = known.filter(|(_, before)| *before != after) {
                self.audit.note(&room, by, wall, [before.clone(), after]);
            }
        }
    }

    fn keep_what_cannot_change(&self, config: &mut Config) {
        let before = self.now().config;
        let addresses = |config: &Config| -> Vec<_> {
            config
                .listeners
                .iter()
                .map(|listener| listener.address)
                .collect()
        };
        if addresses(&before) != addresses(config) {
            tracing::warn!("listeners change only with a restart");
            config.listeners.clone_from(&before.listeners);
        }
        if before.runtime != config.runtime || before.state.directory != config.state.directory {
            tracing::warn!("workers and the state directory change only with a restart");
        }
        if before.admin != config.admin || before.log.access != config.log.access {
            tracing::warn!("admin addresses and the access log change only with a restart");
        }
        config.runtime = before.runtime.clone();
        config.state.directory.clone_from(&before.state.directory);
        config.admin.clone_from(&before.admin);
        config.log.access.clone_from(&before.log.access);
    }

    /// A new key of tickets and passes signs from now on, in all workers at once; nobody who
    /// waits or is inside notices, unless those before are to end. Returns the names of the keys
    /// in force, the one that signs first. Blocks on a file.
    ///
    /// # Errors
    /// Why the keys are those of before.
    pub fn rotate_keys(&self, trust: Trust, by: &str) -> Result<Vec<String>, String> {
        let mut assembly = lock(&self.assembly);
        let changed = assembly.rotate_keys(trust);
        drop(assembly);
        match changed {
            Ok(()) => {
                let keys = self.keys();
                tracing::warn!(by, ?trust, ?keys, "keys changed");
                Ok(keys)
            }
            Err(error) => {
                self.count_store_error(&error);
                let error = chain(&error);
                tracing::error!(by, ?trust, error, "keys not changed");
                Err(error)
            }
        }
    }

    /// Makes a new key when the clock asks for one; blocks on a file. Says whether the keys are as
    /// they should be.
    pub(crate) fn tend_keys(&self) -> Result<(), String> {
        let period = self.now().config.state.rotate;
        match lock(&self.assembly).tend_keys(period) {
            Ok(true) => {
                let keys = self.keys();
                tracing::info!(by = "the clock", ?keys, "keys changed");
                Ok(())
            }
            Ok(false) => Ok(()),
            Err(error) => {
                self.count_store_error(&error);
                Err(chain(&error))
            }
        }
    }

    fn count_store_error(&self, error: &KeysError) {
        if matches!(error, KeysError::Store(_)) {
            self.metrics.process().store_errors.inc();
        }
    }

    /// The names of the keys in force, the one that signs first.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.keys
            .now()
            .ids()
            .map(|id| format!("{:02x}", id.0))
            .collect()
    }

    /// Begins to stop: no keep-alive any more, answers to what has been read, then the end.
    pub fn drain(&self, by: &str) {
        if !self.draining.swap(true, Ordering::Relaxed) {
            self.closing.drain();
            self.drain_begun.notify_one();
            tracing::info!(by, "draining");
        }
    }

    /// The room of that name.
    ///
    /// # Errors
    /// There is none; the text says which there are.
    pub(crate) fn desk(&self, name: &str) -> Result<Arc<Desk>, String> {
        let now = self.now();
        let mut desks = now.rooms.iter().map(|(desk, _)| desk);
        let found = desks.find(|desk| &*desk.name == name);
        found
            .map(Arc::clone)
            .ok_or_else(|| format!("no room `{name}`; there are: {}", names_of(&now)))
    }

    /// Changes a room at once.
    ///
    /// # Errors
    /// No room of that name.
    pub fn change_room(&self, name: &str, change: RoomChange, by: &str) -> Result<(), String> {
        let desk = self.desk(name)?;
        let wall = self.clock.wall(self.clock.now());
        let mut room = desk.room();
        let before = Terms::of(room.settings());
        if let Some(mode) = change.mode {
            room.set_mode(convert::mode(mode), wall);
        }
        if let Some(inlet) = change.inlet {
            room.set_inlet(convert::inlet(inlet), wall);
        }
        if let Some(active) = change.active {
            room.set_active(active, wall);
        }
        let after = Terms::of(room.settings());
        drop(room);
        desk.refresh();
        self.audit.note(&desk.name, by, wall, [before, after]);
        Ok(())
    }

    /// Ends every connection that has been idle for at least `least`; part of draining.
    pub(crate) fn end_idle(&self, least: Duration) {
        for worker in &self.workers {
            worker.end_idle(usize::MAX, least);
        }
    }

    /// Connections that are open or lingering.
    pub(crate) fn open(&self) -> u64 {
        self.workers.first().map_or(0, |worker| {
            worker.connections.used() + worker.reserve.used()
        })
    }
}

fn names_of(now: &Now) -> String {
    let names: Vec<&str> = now.rooms.iter().map(|(desk, _)| &*desk.name).collect();
    names.join(", ")
}

/// An error with all its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

pub(crate) fn edge(config: &Config) -> Result<Edge, TlsError> {
    let acceptors = config
        .listeners
        .iter()
        .map(|listener| {
            let tls = listener.tls.as_ref();
            tls.map(|tls| tls::acceptor(&tls.certificate, &tls.key))
                .transpose()
        })
        .collect::<Result<_, _>>()?;
    let limits = &config.limits;
    let rules = ConnectionRules {
        header_size: limits.header_size,
        headers: limits.headers,
        header_timeout: limits.header_timeout,
        idle_timeout: limits.idle_timeout,
    };
    let keep_alive = config.origins.iter().map(|origin| origin.keep_alive).max();
    Ok(Edge {
        rules,
        acceptors,
        keep_alive: keep_alive.unwrap_or_default(),
    })
}

/// How many clients may be connected, as far as descriptors go.
pub(crate) fn connections(config: &Config) -> usize {
    let permits: usize = config
        .origins
        .iter()
        .map(|origin| origin.limit.most().get() as usize)
        .sum();
    let asked = config.limits.connections;
    let granted = descriptors::connections(asked, descriptors::raise(), permits);
    if granted < asked {
        tracing::warn!(
            asked,
            granted,
            "fewer connections: too few file descriptors"
        );
    }
    granted
}

pub(crate) const fn linger_rules(config: &Config) -> LingerRules {
    let linger = &config.limits.linger;
    LingerRules {
        idle: linger.idle,
        total: linger.total,
        size: linger.size,
    }
}

/// Why a process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address.
    #[error(transparent)]
    Bind(#[from] crate::listener::BindError),
    /// The state directory.
    #[error("the state directory cannot be used")]
    Store(#[from] forebay_store::StoreError),
    /// State, pages or certificates.
    #[error("the configuration cannot be put to work")]
    Assembly(#[from] AssemblyError),
    /// A certificate.
    #[error("TLS cannot be set up")]
    Tls(#[from] TlsError),
    /// The access log.
    #[error("the access log cannot be opened")]
    Log(#[source] std::io::Error),
    /// The admin address or socket.
    #[error("the admin interface cannot listen on {at}")]
    Admin {
        /// Where.
        at: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Threads or runtimes.
    #[error("a thread or runtime cannot be started")]
    System(#[from] std::io::Error),
}

//! From a checked configuration to what requests meet. What must be one for the process (gates,
//! rooms, quota tables, budgets) is made once, kept by name, and given new rules by a reload.

pub(crate) mod convert;
mod keys;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ahash::RandomState;
use forebay_admission::balance::WEIGHT_ONE;
use forebay_admission::credential::RoomId;
use forebay_admission::quota::{Quota, SharedTable};
use forebay_admission::room::{BadSnapshot, Room, Settings};
use forebay_admission::time::WallTime;
use forebay_config::Config;
use forebay_layers::body::BodyRules;
use forebay_layers::budget::Budget;
use forebay_layers::cache::Cache;
use forebay_layers::clock::Clock;
use forebay_layers::gate::Gate;
use forebay_layers::keyring::{Keyring, Keys};
use forebay_layers::origin::Origin;
use forebay_layers::page::{self, PageError, Pages};
use forebay_layers::room::{Desk, Random, Register};
use forebay_layers::route::Router;
use forebay_layers::servers::Servers;
use forebay_layers::site::{ClientRules, Closing, NamedQuota, RouteEntry, Site};
use forebay_store::{Store, StoreError};
use forebay_telemetry::metrics::Metrics;

use self::keys::MadeKeys;
pub use self::keys::{KeysError, Trust};
use crate::random;
use crate::tls::TlsError;
use crate::upstream::resolve::{Named, Names};

/// What outlives a configuration.
pub struct Assembly {
    /// The process's clock.
    pub clock: Clock,
    /// The counters.
    pub metrics: Metrics,
    /// Where rooms survive.
    pub store: Arc<dyn Store>,
    /// Streams outside the limit.
    pub streams: Arc<Budget>,
    /// Bytes of buffered bodies.
    pub body_buffers: Arc<Budget>,
    /// Why answers end their connections.
    pub closing: Arc<Closing>,
    /// The keys in force; none before the first generation.
    pub keys: Arc<Keys>,
    made: MadeKeys,
    gates: HashMap<String, Arc<Gate>>,
    servers: HashMap<String, Arc<Servers>>,
    desks: HashMap<String, Arc<Desk>>,
    /// What the file said of each room last.
    written: HashMap<String, Settings>,
    tables: HashMap<(String, usize), SharedTable>,
    cache: Option<Arc<Cache>>,
    hasher: RandomState,
}

/// One generation, assembled.
pub struct Generation {
    /// A site for each worker.
    pub sites: Vec<Arc<Site>>,
    /// The servers' names, to be resolved.
    pub names: Vec<Names>,
    /// The origins.
    pub origins: Vec<Arc<Origin>>,
    /// The rooms, each with the gate behind it.
    pub rooms: Vec<(Arc<Desk>, Option<Arc<Gate>>)>,
}

/// Why a configuration cannot be put to work although its text is right.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// The state directory.
    #[error("the state directory")]
    Store(#[from] StoreError),
    /// The keys of tickets and passes.
    #[error("the keys of tickets and passes")]
    Keys(#[from] KeysError),
    /// A room's snapshot.
    #[error("the saved state of the room `{room}`")]
    Snapshot {
        /// Which.
        room: String,
        /// Why.
        #[source]
        source: BadSnapshot,
    },
    /// The pages.
    #[error("the pages")]
    Pages(#[from] PageError),
    /// A certificate.
    #[error("TLS")]
    Tls(#[from] TlsError),
}

impl Assembly {
    /// Nothing assembled yet.
    #[must_use]
    pub fn new(config: &Config, clock: Clock, metrics: Metrics, store: Arc<dyn Store>) -> Self {
        Self {
            clock,
            metrics,
            store,
            streams: Budget::new(config.limits.streams as u64),
            body_buffers: Budget::new(config.limits.body_buffers),
            closing: Arc::default(),
            keys: Arc::new(Keys::new(Keyring::new([]))),
            made: MadeKeys::default(),
            gates: HashMap::new(),
            servers: HashMap::new(),
            desks: HashMap::new(),
            written: HashMap::new(),
            tables: HashMap::new(),
            cache: None,
            hasher: RandomState::new(),
        }
    }

    /// The latest time that any saved room has seen; zero when nothing was saved. What cannot be
    /// read is left to [`generation`](Self::generation), which says so.
    #[must_use]
    pub fn latest(config: &Config, store: &dyn Store) -> WallTime {
        let seen = |room: &forebay_config::Room| {
            let snapshot = store.load(&room.name).ok().flatten()?;
            let id = RoomId::of(&room.name);
            // Its clock is the snapshot's, whatever the settings are.
            let settings = Settings::default();
            let restored = Room::restore(id, settings, &snapshot, WallTime::default()).ok()?;
            Some(restored.clock())
        };
        config
            .rooms
            .iter()
            .filter_map(seen)
            .max()
            .unwrap_or_default()
    }

    /// Whether the pages of a configuration can be made: what is wrong with each, and what to know
    /// of it all the same.
    #[must_use]
    pub fn examine_pages(config: &Config) -> (Vec<String>, Vec<String>) {
        let rooms = config.rooms.iter().map(|room| {
            let name = format!("room.{}", room.name);
            (name, convert::room_pages(config, room))
        });
        let (mut wrong, mut large) = (Vec::new(), Vec::new());
        for (name, settings) in rooms.chain([("site".to_owned(), convert::site_pages(config))]) {
            match Pages::new(&settings) {
                Err(PageError::Template(mistakes)) if wrong.contains(&mistakes) => {}
                Err(error) => wrong.push(error.to_string()),
                Ok(pages) if pages.largest() > page::FLIGHT => large.push(format!(
                    "{name}: its largest page has {} bytes with its header, and {} come at once: \
                     shorten the template or the texts",
                    pages.largest(),
                    page::FLIGHT
                )),
                Ok(_) => {}
            }
        }
        (wrong, large)
    }

    /// Assembles a generation. What can fail comes first, so that a failed reload changes
    /// nothing.
    ///
    /// # Errors
    /// State that cannot be read, pages or certificates that cannot be used.
    pub fn generation(&mut self, config: &Config) -> Result<Generation, AssemblyError> {
        let now = self.clock.wall(self.clock.now());
        let ring = self.made.ring(config, &*self.store, now)?;
        let error_pages = Arc::new(Pages::new(&convert::site_pages(config))?);
        let rooms = self.rooms(config, &ring)?;
        self.keys.replace(ring);
        self.streams.set_max(config.limits.streams as u64);
        self.body_buffers.set_max(config.limits.body_buffers);
        let origins: Vec<_> = config
            .origins
            .iter()
            .map(|origin| self.origin(origin))
            .collect();
        self.set_cache(config);
        let names = names(config, &origins, self.clock);
        let shared = Shared {
            keyring: Arc::clone(&self.keys),
            error_pages,
            rooms: &rooms,
            origins: &origins,
        };
        let sites = (0..config.runtime.workers.get())
            .map(|_worker| Arc::new(self.site(config, &shared)))
            .collect();
        let rooms = gates_of(config, &rooms, &origins);
        self.forget(config);
        Ok(Generation {
            sites,
            names,
            origins,
            rooms,
        })
    }

    /// A new key signs from now on, in all workers at once; blocks on a file.
    ///
    /// # Errors
    /// See [`KeysError`]; then the keys are those of before.
    pub fn rotate_keys(&mut self, trust: Trust) -> Result<(), KeysError> {
        let now = self.clock.wall(self.clock.now());
        let ring = self.made.rotate(trust, &*self.store, now)?;
        self.keys.replace(ring);
        Ok(())
    }

    /// Makes a new key when the clock asks for one, and lets go of those that nobody needs; says
    /// whether a new one signs.
    ///
    /// # Errors
    /// The new key could not be written; then the keys are those of before.
    pub fn tend_keys(&mut self, period: Option<Duration>) -> Result<bool, KeysError> {
        let now = self.clock.wall(self.clock.now());
        if self.made.is_due(period, now) {
            self.rotate_keys(Trust::Kept)?;
            return Ok(true);
        }
        if let Some(ring) = self.made.without_old(now) {
            self.keys.replace(ring);
        }
        Ok(false)
    }

    fn rooms(&mut self, config: &Config, ring: &Keyring) -> Result<Vec<Arc<Desk>>, AssemblyError> {
        let mut ready = Vec::new();
        for room in &config.rooms {
            let pages = Arc::new(Pages::new(&convert::room_pages(config, room))?);
            let known = self.desks.get(&room.name).map(Arc::clone);
            let desk = match known {
                Some(desk) => desk,
                None => self.open(room, ring, Arc::clone(&pages))?,
            };
            ready.push((desk, room, pages));
        }
        let now = self.clock.wall(self.clock.now());
        Ok(ready
            .into_iter()
            .map(|(desk, room, pages)| {
                desk.replace(convert::desk_rules(room), pages);
                let written = Settings {
                    event: desk.agenda.plan(convert::events(room, ring), now),
                    ..convert::room(room, ring)
                };
                let before = self.written.insert(room.name.clone(), written);
                let mut live = desk.room();
                let settings = keep_commands(written, before, live.settings());
                live.configure(settings, now);
                drop(live);
                desk.refresh();
                desk.keep_agenda(now);
                self.desks.insert(room.name.clone(), Arc::clone(&desk));
                desk
            })
            .collect())
    }

    /// A room as it was left, or a new one.
    fn open(
        &self,
        room: &forebay_config::Room,
        ring: &Keyring,
        pages: Arc<Pages>,
    ) -> Result<Arc<Desk>, AssemblyError> {
        let now = self.clock.wall(self.clock.now());
        let id = RoomId::of(&room.name);
        let events = convert::events(room, ring);
        let settings = Settings {
            event: events.into_iter().find(|event| event.opens > now),
            ..convert::room(room, ring)
        };
        let restored = match self.store.load(&room.name)? {
            None => Room::new(id, settings, now),
            Some(snapshot) => Room::restore(id, settings, &snapshot, now).map_err(|source| {
                AssemblyError::Snapshot {
                    room: room.name.clone(),
                    source,
                }
            })?,
        };
        let random: Random = Arc::new(random::ids());
        let metrics = self.metrics.room(&room.name);
        let rules = convert::desk_rules(room);
        let name: Arc<str> = Arc::from(room.name.as_str());
        let register = Register::open(Arc::clone(&name), Arc::clone(&self.store))?;
        Ok(Desk::new(
            name, restored, rules, pages, random, metrics, register,
        ))
    }

    fn origin(&mut self, origin: &forebay_config::Origin) -> Arc<Origin> {
        let rules = convert::gate(origin);
        let clock = self.clock;
        let store = &self.store;
        let gate = self
            .gates
            .entry(origin.name.clone())
            .or_insert_with(|| restored(Gate::new(rules, clock), &origin.name, &**store));
        gate.configure(rules);
        let name: Arc<str> = Arc::from(origin.name.as_str());
        let rules = convert::servers(origin);
        let servers = self.servers.entry(origin.name.clone()).or_insert_with(|| {
            let (name, gate) = (Arc::clone(&name), Arc::clone(gate));
            Servers::new(name, gate, rules, clock, random::half_word)
        });
        servers.configure(rules);
        Arc::new(Origin {
            gate: Arc::clone(gate),
            rules: convert::origin(origin),
            metrics: self.metrics.origin(&origin.name),
            servers: Arc::clone(servers),
            name,
        })
    }

    /// Copies stay over a reload, so long as their bounds do and a route keeps any.
    fn set_cache(&mut self, config: &Config) {
        let size = convert::cache_size(config.cache);
        let wanted = config.routes.iter().any(|route| route.cache.is_some());
        let before = self.cache.take();
        self.cache = wanted.then(|| {
            before
                .filter(|cache| cache.size() == size)
                .unwrap_or_else(|| Cache::new(size))
        });
    }

    fn quotas(&mut self, config: &Config) -> Vec<Arc<NamedQuota>> {
        config
            .quotas
            .iter()
            .map(|quota| {
                let table = self
                    .tables
                    .entry((quota.name.clone(), quota.entries))
                    .or_insert_with(|| SharedTable::new(quota.entries));
                Arc::new(NamedQuota {
                    name: Arc::from(quota.name.as_str()),
                    per: convert::per(quota.per),
                    quota: Quota::new(convert::allowance(quota), table.clone()),
                })
            })
            .collect()
    }

    fn site(&mut self, config: &Config, shared: &Shared<'_>) -> Site {
        let quotas = self.quotas(config);
        let named = |name: &str| {
            let found = quotas.iter().find(|quota| &*quota.name == name);
            Arc::clone(found.expect("config implies the quotas client, pass and room"))
        };
        let bypasses: Vec<_> = config.rooms.iter().map(convert::bypass).collect();
        let entries = config
            .routes
            .iter()
            .map(|route| RouteEntry {
                name: Arc::from(route.name.as_str()),
                origin: Arc::clone(&shared.origins[route.origin]),
                room: route.room.map(|room| Arc::clone(&shared.rooms[room])),
                bypass: route.room.and_then(|room| bypasses[room].clone()),
                cache: route.cache.map(convert::cache_rules),
                quota: route.quota.map(|quota| Arc::clone(&quotas[quota])),
                pass_quota: named("pass"),
                priority: convert::priority(route.priority),
                metrics: self.metrics.route(&route.name),
            })
            .collect();
        let limits = &config.limits;
        Site {
            router: Router::new(config.routes.iter().map(convert::pattern).collect()),
            entries,
            rooms: shared.rooms.to_vec(),
            client: self.client(config),
            body: BodyRules {
                size: limits.body_size,
                rate_min: limits.body_rate_min,
                grace: limits.header_timeout,
            },
            body_buffer: limits.body_buffer,
            body_buffers: Arc::clone(&self.body_buffers),
            streams: Arc::clone(&self.streams),
            room_quota: named("room"),
            pages: Arc::clone(&shared.error_pages),
            keyring: Arc::clone(&shared.keyring),
            cache: self.cache.clone(),
            hidden: convert::hidden(bypasses.iter().flatten()),
            prefix: config.prefix.clone(),
            closing: Arc::clone(&self.closing),
            unrouted: self.metrics.route(""),
        }
    }

    fn client(&self, config: &Config) -> ClientRules {
        ClientRules {
            trusted: config.client.trusted_proxies.clone(),
            forwarded: convert::forwarded(config.client.forwarded),
            ipv4_prefix: config.client.ipv4_prefix,
            ipv6_prefix: config.client.ipv6_prefix,
            hasher: self.hasher.clone(),
        }
    }

    /// What the configuration no longer names is let go, so that reloads do not pile up.
    fn forget(&mut self, config: &Config) {
        self.gates
            .retain(|name, _| config.origins.iter().any(|origin| origin.name == *name));
        self.servers
            .retain(|name, _| config.origins.iter().any(|origin| origin.name == *name));
        self.desks
            .retain(|name, _| config.rooms.iter().any(|room| room.name == *name));
        self.written
            .retain(|name, _| config.rooms.iter().any(|room| room.name == *name));
        self.tables.retain(|(name, entries), _| {
            config
                .quotas
                .iter()
                .any(|quota| quota.name == *name && quota.entries == *entries)
        });
    }
}

/// A new gate that goes on from the limit that an earlier process had found. One that cannot be
/// read is found anew.
fn restored(gate: Arc<Gate>, origin: &str, store: &dyn Store) -> Arc<Gate> {
    match store.limit(origin) {
        Ok(Some(limit)) => gate.restore(limit),
        Ok(None) => {}
        Err(error) => tracing::warn!(origin, %error, "cannot read the limit found before"),
    }
    gate
}

/// What was changed by command stays until the file says something else than it said before: a
/// reload for the sake of a certificate must not open a room that somebody holds.
fn keep_commands(written: Settings, before: Option<Settings>, live: &Settings) -> Settings {
    let Some(before) = before else { return written };
    Settings {
        mode: if before.mode == written.mode {
            live.mode
        } else {
            written.mode
        },
        inlet: if before.inlet == written.inlet {
            live.inlet
        } else {
            written.inlet
        },
        active: if before.active == written.active {
            live.active
        } else {
            written.active
        },
        ..written
    }
}

/// What all sites of a generation share.
struct Shared<'a> {
    keyring: Arc<Keys>,
    error_pages: Arc<Pages>,
    rooms: &'a [Arc<Desk>],
    origins: &'a [Arc<Origin>],
}

fn names(config: &Config, origins: &[Arc<Origin>], clock: Clock) -> Vec<Names> {
    let pairs = config.origins.iter().zip(origins);
    pairs
        .map(|(configured, origin)| Names {
            origin: Arc::clone(&origin.name),
            servers: Arc::clone(&origin.servers),
            hosts: named(&configured.servers),
            connections: u32::try_from(configured.connections).unwrap_or(u32::MAX),
            clock,
        })
        .collect()
}

fn named(servers: &[forebay_config::Server]) -> Vec<Named> {
    let heaviest = servers.iter().map(|server| server.weight.get()).max();
    let heaviest = u64::from(heaviest.unwrap_or(1));
    servers
        .iter()
        .map(|server| {
            let weight = u64::from(server.weight.get()) * u64::from(WEIGHT_ONE) / heaviest;
            Named {
                host: server.host.clone(),
                port: server.port,
                weight: u32::try_from(weight).unwrap_or(WEIGHT_ONE).max(1),
            }
        })
        .collect()
}

/// The gate that a room's inlet watches: that of the first route behind the room.
fn gates_of(
    config: &Config,
    rooms: &[Arc<Desk>],
    origins: &[Arc<Origin>],
) -> Vec<(Arc<Desk>, Option<Arc<Gate>>)> {
    let gate = |index: usize| {
        let route = config
            .routes
            .iter()
            .find(|route| route.room == Some(index))?;
        Some(Arc::clone(&origins[route.origin].gate))
    };
    rooms
        .iter()
        .enumerate()
        .map(|(index, desk)| (Arc::clone(desk), gate(index)))
        .collect()
}

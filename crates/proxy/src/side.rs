//! The side runtime: everything that happens by the clock and not by a request. Ticks of the
//! rooms with their saves, abandoned permits, names, gauges, draining.

mod gates;

use std::sync::Arc;
use std::time::Duration;

use forebay_admission::room::{Load, State, Status};
use forebay_layers::clock::Clock;
use forebay_layers::gate::Gate;
use forebay_layers::room::Desk;
use forebay_store::Store;
use forebay_telemetry::metrics::{Doing, Metrics, RoomState};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::live::Live;
use crate::processor::Processor;
use crate::shadow::Shadows;
use crate::upstream::resolve;

/// How often rooms tick (the watermark moves with it).
const ROOM_TICK: Duration = Duration::from_millis(200);

/// How often abandoned permits and idle connections are looked at.
const SWEEP: Duration = Duration::from_millis(50);

/// How long who connects during a drain may be silent before the connection ends.
const NEWCOMER: Duration = Duration::from_secs(1);

/// How often what was saved is made to survive a power cut.
const SYNC: Duration = Duration::from_secs(1);

/// How often the age of the keys is looked at.
const KEYS: Duration = Duration::from_secs(60);

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Ticks every room, for as long as the process runs. A watermark is told only after it has
/// reached the file.
pub(crate) async fn rooms(live: Arc<Live>) {
    let mut ticks = every(ROOM_TICK);
    let mut shadows = Shadows::default();
    loop {
        ticks.tick().await;
        for (desk, gate) in live.now().rooms.iter() {
            tick(
                desk,
                gate.as_deref(),
                live.clock,
                &*live.store,
                &live.metrics,
            );
            shadows.tell(desk, live.clock.now());
        }
    }
}

/// One room's turn. What it saves goes to the page cache in a fraction of a millisecond; only
/// [`sync`] waits for the disk, and elsewhere.
pub(crate) fn tick(
    desk: &Desk,
    gate: Option<&Gate>,
    clock: Clock,
    store: &dyn Store,
    metrics: &Metrics,
) {
    let wall = clock.wall(clock.now());
    let load = gate.map_or_else(Load::default, Gate::load);
    let snapshot = {
        let mut room = desk.room();
        room.tick(wall, load).then(|| room.snapshot())
    };
    let process = metrics.process();
    if let Some(snapshot) = snapshot {
        match store.save(&desk.name, &snapshot) {
            Ok(()) => {
                process.store_saves.inc();
                process.store_up.set(1);
            }
            Err(error) => {
                process.store_errors.inc();
                if process.store_up.value() != 0 {
                    tracing::error!(room = &*desk.name, %error, "cannot save; going on in memory");
                }
                process.store_up.set(0);
            }
        }
    }
    if let Err(error) = desk.register.save() {
        process.store_errors.inc();
        if process.store_up.value() != 0 {
            tracing::error!(room = &*desk.name, %error, "cannot save what was revoked");
        }
        process.store_up.set(0);
    }
    let before = desk.room().state();
    desk.room().publish(wall);
    desk.keep_agenda(wall);
    desk.refresh();
    desk.wake_due();
    let status = desk.room().status(wall);
    if status.state != before {
        tracing::info!(room = &*desk.name, state = status.state.name(), "room");
    }
    expose(desk, &status);
    desk.polls.tick(clock.now(), desk.metrics.polls.total());
}

/// What is scraped of a room.
fn expose(desk: &Desk, status: &Status) {
    let gauges = &desk.metrics;
    gauges.set_state(match status.state {
        State::Open => RoomState::Open,
        State::Queueing => RoomState::Queueing,
        State::Closed => RoomState::Closed,
    });
    gauges.waiting.set(status.waiting);
    gauges.active.set(status.active);
    gauges.held.set(desk.held.count());
    gauges.outstanding.set(status.outstanding);
    gauges.oldest.set(status.oldest_wait.as_secs());
    gauges.admitted.raise_to(status.admitted_total);
    gauges.called.raise_to(status.called);
    gauges.claimed.raise_to(status.claimed);
    gauges.ghosts.raise_to(status.ghosts);
    gauges.abandoned.raise_to(status.abandoned);
    let share = |milli: Option<u32>| milli.map(|milli| f64::from(milli) / 1_000.0);
    gauges
        .told_below_p90
        .set(share(status.told_below_p90_milli));
    gauges.told_error.set(share(status.told_error_milli));
}

/// Makes saves survive a power cut, on a thread that may wait for the disk.
pub(crate) async fn sync(live: Arc<Live>) {
    let mut ticks = every(SYNC);
    loop {
        ticks.tick().await;
        let saving = Arc::clone(&live);
        let synced = tokio::task::spawn_blocking(move || {
            gates::save_limits(&saving);
            saving.store.sync()
        })
        .await;
        if let Ok(Err(error)) = synced {
            live.metrics.process().store_errors.inc();
            tracing::error!(%error, "cannot sync the state");
        }
    }
}

/// Changes the keys of tickets and passes when their time has come, on a thread that may wait for
/// the disk. What fails is tried again; those before go on.
pub(crate) async fn keys(live: Arc<Live>) {
    let mut ticks = every(KEYS);
    let mut well = true;
    loop {
        ticks.tick().await;
        let tending = Arc::clone(&live);
        let tended = tokio::task::spawn_blocking(move || tending.tend_keys()).await;
        if let Ok(tended) = tended {
            if let (Err(error), true) = (&tended, well) {
                tracing::error!(error, "no new key; the former goes on signing");
            }
            well = tended.is_ok();
        }
    }
}

/// Frees abandoned permits, lets the limits learn, and keeps the gauges.
pub(crate) async fn sweep(live: Arc<Live>) {
    let mut ticks = every(SWEEP);
    let mut processor = Processor::new(live.workers.len());
    loop {
        ticks.tick().await;
        let starved = processor.starved();
        for origin in live.now().origins.iter() {
            origin.servers.tick();
            gates::tick(origin, starved);
        }
        let (open, idle) = live
            .workers
            .iter()
            .map(|worker| worker.open())
            .fold((0, 0), |(open, idle), (more, quiet)| {
                (open + more, idle + quiet)
            });
        let connections = live.metrics.connections();
        connections.open.of(Doing::Idle).set(idle as u64);
        connections
            .open
            .of(Doing::Active)
            .set(open.saturating_sub(idle) as u64);
        live.metrics
            .process()
            .body_buffers
            .set(live.body_buffers.used());
        connections.open.of(Doing::Tunnel).set(live.streams.used());
        if let Some(log) = &live.log {
            live.metrics.process().log_dropped.raise_to(log.dropped());
            if let Some(error) = log.complaint() {
                tracing::error!(%error, "the access log cannot be written");
            }
        }
    }
}

/// Resolves the servers' names again and again, and at once after a reload.
pub(crate) async fn names(live: Arc<Live>) {
    loop {
        for names in live.now().names.iter() {
            names.resolve().await;
        }
        tokio::select! {
            () = live.names_changed.notified() => {}
            () = tokio::time::sleep(resolve::INTERVAL) => {}
        }
    }
}

/// Waits for a drain to begin and to end: no connection left, or `limits.drain` over.
pub(crate) async fn drained(live: Arc<Live>) {
    live.drain_begun.notified().await;
    let end = Instant::now() + live.now().config.limits.drain;
    let mut ticks = every(SWEEP);
    live.end_idle(Duration::ZERO);
    while Instant::now() < end {
        for (desk, _) in live.now().rooms.iter() {
            desk.held.wake_all();
        }
        // Whoever connects meanwhile gets the time to ask.
        live.end_idle(NEWCOMER);
        if live.open() == 0 {
            return;
        }
        ticks.tick().await;
    }
    tracing::warn!(open = live.open(), "drain ends with connections open");
}

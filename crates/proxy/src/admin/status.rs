//! `/api/status`: what is in force, and how it goes.

use forebay_admission::priority::Priority;
use forebay_layers::gate::{GateStatus, Holds};
use serde::Serialize;

use super::draws::Draw;
use crate::audit::Change;
use crate::live::Live;

#[derive(Serialize)]
pub(super) struct Status {
    version: &'static str,
    generation: u64,
    draining: bool,
    reload_refused: Option<String>,
    connections: Connections,
    rooms: Vec<Room>,
    origins: Vec<Origin>,
    /// The names of the keys in force, the one that signs first.
    keys: Vec<String>,
    store: Store,
}

#[derive(Serialize)]
struct Connections {
    max: u64,
    used: u64,
    lingering: u64,
    streams: u64,
}

#[derive(Serialize)]
pub(super) struct Room {
    name: String,
    mode: &'static str,
    state: &'static str,
    waiting: u64,
    active: u64,
    called: u64,
    /// Called, and neither come nor given up.
    outstanding: u64,
    claimed: u64,
    abandoned: u64,
    /// Tickets that were given and never came back.
    ghosts: u64,
    admitted_total: u64,
    polls_total: u64,
    polls_per_second: f64,
    /// How long those waited who entered lately.
    wait_seconds: Wait,
    /// How right it was what those were told who entered lately.
    told: Accuracy,
    /// Polls that are kept back until their turn.
    held_polls: u64,
    oldest_wait_seconds: u64,
    admitted_per_second: f64,
    inlet: Inlet,
    /// What the inlet would do, where it only looks on.
    shadow: Option<Shadow>,
    /// Who changed mode, inlet or cap last since the process began, and how.
    last_change: Option<Change>,
    /// The draws of its events, planned and held.
    draws: Vec<Draw>,
}

#[derive(Serialize)]
struct Wait {
    p50: Option<f64>,
    p90: Option<f64>,
}

#[derive(Serialize)]
struct Accuracy {
    /// The share who entered before the upper end of the time that they were told first.
    below_p90: Option<f64>,
    /// The median error of the first time told, as a share of the time it took.
    median_error: Option<f64>,
}

#[derive(Serialize)]
struct Inlet {
    /// What holds those who wait: `nothing`, `operator`, `rate`, `active`, `capacity`, `probing`
    /// or `recovering`.
    holds: &'static str,
    /// Visitors who may enter each second; none: as many as come.
    visitors_per_second: Option<f64>,
    /// What the origin is believed to serve.
    exchanges_per_second: f64,
    /// What a visitor asks for in a visit.
    exchanges_per_visit: f64,
}

#[derive(Serialize)]
struct Shadow {
    state: &'static str,
    visitors_per_second: f64,
}

#[derive(Serialize)]
struct Origin {
    name: String,
    limit: u32,
    /// What holds the limit where it is: `operator`, `learned` or `ceiling`.
    limit_holds: &'static str,
    /// Why a learned limit last moved.
    limit_moved: Option<&'static str>,
    in_flight: u32,
    queued: u32,
    abandoned: usize,
    completed_total: u64,
    shed_total: u64,
    given_up_total: u64,
    queue: Queue,
    /// Whether every server is out.
    down: bool,
    servers: Vec<Server>,
}

#[derive(Serialize)]
struct Queue {
    /// More come than leave: strangers wait a moment only.
    standing: bool,
    classes: Vec<Class>,
}

#[derive(Serialize)]
struct Class {
    name: &'static str,
    waiting: usize,
    /// Turned away because they had waited as long as they may.
    late_total: u64,
    /// Turned away because there was no place for them.
    crowded_total: u64,
}

#[derive(Serialize)]
struct Server {
    address: String,
    /// `live`, `slow-start`, `ejected`, `half-open` or `resting`.
    state: &'static str,
    in_flight: u32,
    connections: u32,
    /// Peak average of the time to the answer's head; `null`: unknown, or the only server.
    latency_ms: Option<f64>,
    ejections_total: u64,
    /// Why it is or was out last.
    why: Option<&'static str>,
}

#[derive(Serialize)]
struct Store {
    up: bool,
}

pub(super) fn of(live: &Live) -> Status {
    let now = live.now();
    let worker = live.workers.first();
    Status {
        version: env!("CARGO_PKG_VERSION"),
        generation: live.generation(),
        draining: live.is_draining(),
        reload_refused: live.refused(),
        connections: Connections {
            max: worker.map_or(0, |worker| worker.connections.max()),
            used: worker.map_or(0, |worker| worker.connections.used()),
            lingering: worker.map_or(0, |worker| worker.lingering.count()),
            streams: live.streams.used(),
        },
        rooms: now
            .rooms
            .iter()
            .filter_map(|(desk, _)| of_room(live, &desk.name))
            .collect(),
        origins: now.origins.iter().map(|origin| of_origin(origin)).collect(),
        keys: live.keys(),
        store: Store {
            up: live.metrics.process().store_up.value() == 1,
        },
    }
}

pub(super) fn of_room(live: &Live, name: &str) -> Option<Room> {
    let now = live.now();
    let (desk, _) = now.rooms.iter().find(|(desk, _)| &*desk.name == name)?;
    let status = desk.room().status(live.clock.wall(live.clock.now()));
    Some(Room {
        name: name.to_owned(),
        mode: status.mode.name(),
        state: status.state.name(),
        waiting: status.waiting,
        active: status.active,
        called: status.called,
        outstanding: status.outstanding,
        claimed: status.claimed,
        abandoned: status.abandoned,
        ghosts: status.ghosts,
        admitted_total: status.admitted_total,
        polls_total: desk.metrics.polls.total(),
        polls_per_second: desk.polls.per_second(),
        wait_seconds: Wait {
            p50: status.wait_p50.map(|wait| wait.as_secs_f64()),
            p90: status.wait_p90.map(|wait| wait.as_secs_f64()),
        },
        told: Accuracy {
            below_p90: status.told_below_p90_milli.map(|milli| whole(milli.into())),
            median_error: status.told_error_milli.map(|milli| whole(milli.into())),
        },
        held_polls: desk.held.count(),
        oldest_wait_seconds: status.oldest_wait.as_secs(),
        admitted_per_second: whole(status.rate_milli),
        inlet: Inlet {
            holds: status.holds.name(),
            visitors_per_second: status.pace_milli.map(whole),
            exchanges_per_second: whole(status.capacity_milli),
            exchanges_per_visit: whole(status.demand_milli),
        },
        shadow: status.shadow.map(|shadow| Shadow {
            state: shadow.state.name(),
            visitors_per_second: whole(shadow.pace_milli),
        }),
        last_change: live.audit.last(name),
        draws: desk.agenda.draws().iter().map(Draw::of).collect(),
    })
}

fn whole(milli: u64) -> f64 {
    milli as f64 / 1_000.0
}

fn of_origin(origin: &forebay_layers::origin::Origin) -> Origin {
    let status = origin.gate.status();
    Origin {
        name: origin.name.to_string(),
        limit: status.limit,
        limit_holds: status.holds.name(),
        limit_moved: match status.holds {
            Holds::Learned(moved) => Some(moved.name()),
            Holds::Operator | Holds::Ceiling => None,
        },
        in_flight: status.in_flight,
        queued: status.queued,
        abandoned: status.abandoned,
        completed_total: status.completed,
        shed_total: status.shed.iter().map(|(_, shed)| shed.total()).sum(),
        given_up_total: status.given_up,
        queue: of_queue(&status),
        down: origin.servers.are_down(),
        servers: origin
            .servers
            .status()
            .into_iter()
            .map(|server| Server {
                address: server.name.to_string(),
                state: server.state,
                in_flight: server.in_flight,
                connections: server.connections,
                latency_ms: server
                    .latency
                    .map(|latency| latency.as_secs_f64() * 1_000.0),
                ejections_total: server.ejections,
                why: server.why,
            })
            .collect(),
    }
}

fn of_queue(status: &GateStatus) -> Queue {
    let class = |priority: Priority| {
        let shed = status.shed.get(priority);
        Class {
            name: priority.name(),
            waiting: *status.waiting.get(priority),
            late_total: shed.late,
            crowded_total: shed.crowded,
        }
    };
    Queue {
        standing: status.standing,
        classes: Priority::ALL.into_iter().map(class).collect(),
    }
}

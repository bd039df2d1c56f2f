//! The counters in the form in which they are scraped.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeLabelSet, MetricEncoder, NoLabelSet,
};

use super::cell::{Bounds, Counter, Gauge, Histogram, Kind, Ratio, Table};
use super::names::{self, Name};
use super::process::System;
use super::route::Durations;
use super::{All, OriginMetrics, RoomMetrics, lock};

/// What the registry asks at each scrape.
#[derive(Debug)]
pub(super) struct Exposition(pub(super) Arc<All>);

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        routes(&mut page, &self.0)?;
        origins(&mut page, &self.0)?;
        rooms(&mut page, &self.0)?;
        connections(&mut page, &self.0)?;
        process(&mut page, &self.0)?;
        system(&mut page, &self.0)
    }
}

/// The text that grows.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn family(&mut self, name: &Name) -> Result<Family<'_>, fmt::Error> {
        let Name { name, help, kind } = name;
        self.0
            .encode_descriptor(name, help, None, *kind)
            .map(Family)
    }

    fn counter(&mut self, name: &Name, counter: &Counter) -> fmt::Result {
        self.family(name)?
            .0
            .encode_counter::<NoLabelSet, _, f64>(&counter.total(), None)
    }

    fn gauge(&mut self, name: &Name, gauge: &Gauge) -> fmt::Result {
        self.family(name)?.0.encode_gauge(&gauge.value())
    }

    /// A counter for each value of one label.
    fn counters<K: Kind>(
        &mut self,
        name: &Name,
        label: &str,
        table: &Table<K, Counter>,
    ) -> fmt::Result {
        let mut family = self.family(name)?;
        for (value, counter) in table.iter() {
            family.counter(&[(label, value)], counter.total())?;
        }
        Ok(())
    }
}

/// One metric with its label sets.
struct Family<'a>(MetricEncoder<'a>);

impl Family<'_> {
    fn counter(
        &mut self,
        labels: &impl EncodeLabelSet,
        total: impl EncodeCounterValue,
    ) -> fmt::Result {
        self.0
            .encode_family(labels)?
            .encode_counter::<NoLabelSet, _, f64>(&total, None)
    }

    fn gauge(&mut self, labels: &impl EncodeLabelSet, value: i64) -> fmt::Result {
        self.0.encode_family(labels)?.encode_gauge(&value)
    }

    /// Nothing while it is unknown.
    fn ratio(&mut self, labels: &impl EncodeLabelSet, ratio: &Ratio) -> fmt::Result {
        match ratio.value() {
            Some(value) => self.0.encode_family(labels)?.encode_gauge(&value),
            None => Ok(()),
        }
    }

    /// Buckets whose count is what they hold, so that both always agree.
    fn histogram<B: Bounds>(
        &mut self,
        labels: &impl EncodeLabelSet,
        histogram: &Histogram<B>,
    ) -> fmt::Result {
        let (buckets, sum) = histogram.read();
        let count = buckets.iter().map(|(_, count)| count).sum();
        self.0
            .encode_family(labels)?
            .encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    /// The classes of status that occurred.
    fn durations(&mut self, label: &str, name: &str, durations: &Durations) -> fmt::Result {
        for (class, histogram) in durations.iter().filter(|(_, seen)| !seen.is_empty()) {
            let labels = [(label, name), ("http_response_status_class", class)];
            self.histogram(&labels, histogram)?;
        }
        Ok(())
    }
}

fn routes(page: &mut Page<'_>, all: &All) -> fmt::Result {
    let routes = lock(&all.routes).clone();
    let mut family = page.family(&names::DECISIONS)?;
    for (name, route) in &routes {
        // Two decisions times thirty reasons a route, of which few ever occur.
        for (decision, reason, total) in route.decisions().filter(|(.., total)| *total > 0) {
            let labels = [
                ("route", &**name),
                ("decision", decision.name()),
                ("reason", reason),
            ];
            family.counter(&labels, total)?;
        }
    }
    let mut family = page.family(&names::SERVER_DURATION)?;
    for (name, route) in &routes {
        family.durations("http_route", name, &route.durations)?;
    }
    Ok(())
}

fn origins(page: &mut Page<'_>, all: &All) -> fmt::Result {
    let origins = lock(&all.origins).clone();
    let mut family = page.family(&names::CLIENT_DURATION)?;
    for (name, origin) in &origins {
        family.durations("server_address", name, &origin.durations)?;
    }
    for (name, gauge) in [
        (
            &names::CONCURRENCY_LIMIT,
            (|origin| &origin.limit) as fn(&OriginMetrics) -> &Gauge,
        ),
        (&names::IN_FLIGHT, |origin| &origin.in_flight),
        (&names::QUEUE_LENGTH, |origin| &origin.queued),
    ] {
        let mut family = page.family(name)?;
        for (name, origin) in &origins {
            family.gauge(&[("origin", &**name)], gauge(origin).value())?;
        }
    }
    gates(page, &origins)?;
    for (name, counter) in [
        (
            &names::RESENT,
            (|origin| &origin.resent) as fn(&OriginMetrics) -> &Counter,
        ),
        (&names::RETRIED, |origin| &origin.retried),
    ] {
        let mut family = page.family(name)?;
        for (name, origin) in &origins {
            family.counter(&[("origin", &**name)], counter(origin).total())?;
        }
    }
    let mut family = page.family(&names::CONNECT_ERRORS)?;
    for (name, origin) in &origins {
        for (reason, errors) in origin.connect_errors.iter() {
            family.counter(&[("origin", &**name), ("reason", reason)], errors.total())?;
        }
    }
    let mut family = page.family(&names::ABANDONED)?;
    for (name, origin) in &origins {
        for (how, count) in origin.abandoned.iter() {
            family.counter(&[("origin", &**name), ("how", how)], count.total())?;
        }
    }
    Ok(())
}

/// What holds the limits, and who was turned away before them.
fn gates(page: &mut Page<'_>, origins: &BTreeMap<String, Arc<OriginMetrics>>) -> fmt::Result {
    let mut family = page.family(&names::LIMIT_HOLDS)?;
    for (name, origin) in origins {
        for (by, holds) in origin.limit_holds() {
            family.gauge(&[("origin", &**name), ("by", by)], holds)?;
        }
    }
    let mut family = page.family(&names::QUEUE_SHED)?;
    for (name, origin) in origins {
        for (reason, table) in [
            ("late", &origin.shed_late),
            ("crowded", &origin.shed_crowded),
        ] {
            for (class, shed) in table.iter() {
                let labels = [("origin", &**name), ("class", class), ("reason", reason)];
                family.counter(&labels, shed.total())?;
            }
        }
    }
    Ok(())
}

fn rooms(page: &mut Page<'_>, all: &All) -> fmt::Result {
    let rooms = lock(&all.rooms).clone();
    let mut family = page.family(&names::ROOM_STATE)?;
    for (name, room) in &rooms {
        for (state, holds) in room.states() {
            family.gauge(&[("room", &**name), ("state", state)], holds)?;
        }
    }
    for (name, gauge) in [
        (
            &names::ROOM_WAITING,
            (|room| &room.waiting) as fn(&RoomMetrics) -> &Gauge,
        ),
        (&names::ROOM_ACTIVE, |room| &room.active),
        (&names::ROOM_HELD, |room| &room.held),
        (&names::ROOM_OUTSTANDING, |room| &room.outstanding),
        (&names::ROOM_OLDEST, |room| &room.oldest),
    ] {
        let mut family = page.family(name)?;
        for (name, room) in &rooms {
            family.gauge(&[("room", &**name)], gauge(room).value())?;
        }
    }
    for (name, counter) in [
        (
            &names::ROOM_ADMITTED,
            (|room| &room.admitted) as fn(&RoomMetrics) -> &Counter,
        ),
        (&names::ROOM_CALLED, |room| &room.called),
        (&names::ROOM_CLAIMED, |room| &room.claimed),
        (&names::ROOM_GHOSTS, |room| &room.ghosts),
        (&names::ROOM_POLLS, |room| &room.polls),
        (&names::ROOM_ABANDONED, |room| &room.abandoned),
    ] {
        let mut family = page.family(name)?;
        for (name, room) in &rooms {
            family.counter(&[("room", &**name)], counter(room).total())?;
        }
    }
    told(page, &rooms)?;
    let mut family = page.family(&names::ROOM_WAIT)?;
    for (name, room) in &rooms {
        family.histogram(&[("room", &**name)], &room.waits)?;
    }
    let mut family = page.family(&names::CREDENTIALS_REJECTED)?;
    for (name, room) in &rooms {
        for (why, count) in room.rejected.iter() {
            family.counter(&[("room", &**name), ("why", why)], count.total())?;
        }
    }
    Ok(())
}

/// How right it was what those in line were told.
fn told(page: &mut Page<'_>, rooms: &BTreeMap<String, Arc<RoomMetrics>>) -> fmt::Result {
    for (name, ratio) in [
        (
            &names::ROOM_TOLD_BELOW_P90,
            (|room| &room.told_below_p90) as fn(&RoomMetrics) -> &Ratio,
        ),
        (&names::ROOM_TOLD_ERROR, |room| &room.told_error),
    ] {
        let mut family = page.family(name)?;
        for (name, room) in rooms {
            family.ratio(&[("room", &**name)], ratio(room))?;
        }
    }
    Ok(())
}

fn connections(page: &mut Page<'_>, all: &All) -> fmt::Result {
    let connections = &all.connections;
    let mut family = page.family(&names::CONNECTIONS)?;
    for (state, gauge) in connections.open.iter() {
        family.gauge(&[("state", state)], gauge.value())?;
    }
    page.counter(&names::ACCEPTED, &connections.accepted)?;
    let mut family = page.family(&names::CLOSED)?;
    for (close, counter) in connections.closed.iter() {
        let (by, how) = close.split_once(' ').unwrap_or((close, ""));
        family.counter(&[("by", by), ("how", how)], counter.total())?;
    }
    page.counter(&names::OVER_BUDGET, &connections.over_budget)?;
    page.counter(&names::ACCEPT_PAUSED, &connections.accept_paused)?;
    page.counters(&names::BAD_REQUESTS, "kind", &connections.bad_requests)?;
    page.counters(&names::TIMEOUTS, "kind", &connections.timeouts)
}

fn process(page: &mut Page<'_>, all: &All) -> fmt::Result {
    let process = &all.process;
    page.family(&names::BUILD)?
        .0
        .encode_info(&[("version", all.build.version)])?;
    page.gauge(&names::CONFIG_GENERATION, &process.config_generation)?;
    page.counters(&names::RELOADS, "result", &process.reloads)?;
    page.gauge(&names::STORE_UP, &process.store_up)?;
    page.counter(&names::STORE_SAVES, &process.store_saves)?;
    page.counter(&names::STORE_ERRORS, &process.store_errors)?;
    page.counter(&names::LOG_DROPPED, &process.log_dropped)?;
    page.gauge(&names::BODY_BUFFERS, &process.body_buffers)?;
    page.counter(&names::PANICS, &process.panics)
}

fn system(page: &mut Page<'_>, all: &All) -> fmt::Result {
    let system = System::read();
    if let Some(seconds) = system.cpu_seconds {
        page.family(&names::CPU)?
            .0
            .encode_counter::<NoLabelSet, _, f64>(&seconds, None)?;
    }
    for (name, value) in [
        (&names::RESIDENT, system.resident_bytes),
        (&names::OPEN_FDS, system.open_fds),
        (&names::START_TIME, Some(all.started_seconds)),
    ] {
        if let Some(value) = value {
            page.family(name)?.0.encode_gauge(&value)?;
        }
    }
    Ok(())
}

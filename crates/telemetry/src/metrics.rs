//! Everything that is counted, under names that stand in one place.
//!
//! Whoever counts fetches a handle once ([`Metrics::route`] and its like) and keeps it; counting
//! is then a relaxed atomic addition. Handles live as long as the process: the same name gives
//! the same handle, so a reload continues the counts.

mod cell;
mod connection;
mod exposition;
mod names;
mod origin;
mod process;
mod room;
mod route;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::registry::Registry;

pub use cell::{Counter, Gauge, Kind, Ratio, Table};
pub use connection::{BadRequest, Close, ConnectionMetrics, Doing, Timeout};
pub use names::NAMES;
pub use origin::{Abandoned, ConnectError, LimitHolds, OriginMetrics, QueueClass};
pub use process::{ProcessMetrics, Reload};
pub use room::{Rejection, RoomMetrics, RoomState};
pub use route::{Copied, Decision, Grounds, RouteMetrics, StatusClass};

/// What runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build {
    /// The version, as in `Cargo.toml`.
    pub version: &'static str,
}

/// All counters of the process; a clone is the same counters.
#[derive(Clone, Debug)]
pub struct Metrics {
    all: Arc<All>,
    registry: Arc<Registry>,
}

/// What is counted.
#[derive(Debug)]
struct All {
    build: Build,
    reasons: &'static [&'static str],
    started_seconds: u64,
    routes: Mutex<BTreeMap<String, Arc<RouteMetrics>>>,
    origins: Mutex<BTreeMap<String, Arc<OriginMetrics>>>,
    rooms: Mutex<BTreeMap<String, Arc<RoomMetrics>>>,
    connections: ConnectionMetrics,
    process: ProcessMetrics,
}

impl Metrics {
    /// All counters at zero. `reasons` are the names for the indices that
    /// [`RouteMetrics::shed`] and [`RouteMetrics::held`] are given.
    #[must_use]
    pub fn new(build: Build, reasons: &'static [&'static str]) -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let all = Arc::new(All {
            build,
            reasons,
            started_seconds: since.as_secs(),
            routes: Mutex::default(),
            origins: Mutex::default(),
            rooms: Mutex::default(),
            connections: ConnectionMetrics::default(),
            process: ProcessMetrics::default(),
        });
        let mut registry = Registry::default();
        registry.register_collector(Box::new(exposition::Exposition(Arc::clone(&all))));
        Self {
            all,
            registry: Arc::new(registry),
        }
    }

    /// The counters of the route of this name.
    #[must_use]
    pub fn route(&self, name: &str) -> Arc<RouteMetrics> {
        let reasons = self.all.reasons;
        handle(&self.all.routes, name, || RouteMetrics::new(reasons))
    }

    /// The counters of the origin of this name.
    #[must_use]
    pub fn origin(&self, name: &str) -> Arc<OriginMetrics> {
        handle(&self.all.origins, name, OriginMetrics::default)
    }

    /// The counters of the room of this name.
    #[must_use]
    pub fn room(&self, name: &str) -> Arc<RoomMetrics> {
        handle(&self.all.rooms, name, RoomMetrics::default)
    }

    /// The counters of all connections of clients.
    #[must_use]
    pub fn connections(&self) -> &ConnectionMetrics {
        &self.all.connections
    }

    /// The counters of the process.
    #[must_use]
    pub fn process(&self) -> &ProcessMetrics {
        &self.all.process
    }

    /// Everything as OpenMetrics text
    /// (`application/openmetrics-text; version=1.0.0; charset=utf-8`).
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing to a string cannot fail");
        text
    }
}

fn handle<M>(
    named: &Mutex<BTreeMap<String, Arc<M>>>,
    name: &str,
    make: impl FnOnce() -> M,
) -> Arc<M> {
    let mut named = lock(named);
    if let Some(found) = named.get(name) {
        return Arc::clone(found);
    }
    let made = Arc::new(make());
    named.insert(name.to_owned(), Arc::clone(&made));
    made
}

/// A map of handles stays whole when a thread panics while it holds the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const REASONS: &[&str] = &["client_rate", "busy"];

    fn metrics() -> Metrics {
        Metrics::new(Build { version: "1.2.3" }, REASONS)
    }

    /// Everything at least once.
    fn used() -> Metrics {
        let metrics = metrics();
        metrics.route("/apply/*").admitted(Grounds::Plain);
        metrics.route("/apply/*").request(200, 7_000_000);
        metrics.origin("portal").request(503, 2_000_000_000);
        metrics.room("apply").waited(90_000_000_000);
        metrics
    }

    #[test]
    fn every_metric_that_is_printed_is_listed_and_every_listed_one_printed() {
        let text = used().encode();
        let printed: BTreeSet<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
            .map(|(name, kind)| match kind {
                "counter" => format!("{name}_total"),
                "info" => format!("{name}_info"),
                _ => name.to_owned(),
            })
            .collect();
        let listed: BTreeSet<_> = NAMES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(printed, listed);
        assert_eq!(listed.len(), NAMES.len(), "no name twice");
    }

    #[test]
    fn every_metric_is_explained_in_a_sentence() {
        for (name, help) in NAMES {
            assert!(help.ends_with('.') && help.len() > 10, "{name}: {help}");
        }
    }

    #[test]
    fn what_is_counted_is_printed() {
        let metrics = metrics();
        let route = metrics.route("/a\"b");
        route.admitted(Grounds::Plain);
        route.admitted(Grounds::BypassPath);
        route.shed(1);
        route.shed(1);
        route.held(0);
        route.held(99);
        route.request(204, 20_000_000);
        let origin = metrics.origin("portal");
        origin.limit.set(64);
        assert!(origin.set_holds(LimitHolds::Wasted));
        origin.connect_errors.inc(ConnectError::Refused);
        origin.shed_late.inc(QueueClass::Stranger);
        metrics.room("main").set_state(RoomState::Queueing);
        metrics.room("main").told_below_p90.set(Some(0.875));
        metrics.connections().closed.inc(Close::PeerRst);
        metrics.connections().open.of(Doing::Idle).inc();
        metrics.connections().moved(Doing::Idle, Doing::Active);
        let text = metrics.encode();
        for line in [
            r#"forebay_decisions_total{route="/a\"b",decision="admit",reason="none"} 1"#,
            r#"forebay_decisions_total{route="/a\"b",decision="shed",reason="busy"} 2"#,
            r#"forebay_decisions_total{route="/a\"b",decision="hold",reason="client_rate"} 1"#,
            r#"forebay_decisions_total{route="/a\"b",decision="hold",reason="other"} 1"#,
            r#"http_server_request_duration_seconds_count{http_route="/a\"b",http_response_status_class="2xx"} 1"#,
            r#"http_server_request_duration_seconds_bucket{le="0.01",http_route="/a\"b",http_response_status_class="2xx"} 0"#,
            r#"http_server_request_duration_seconds_bucket{le="0.025",http_route="/a\"b",http_response_status_class="2xx"} 1"#,
            r#"http_server_request_duration_seconds_bucket{le="+Inf",http_route="/a\"b",http_response_status_class="2xx"} 1"#,
            r#"http_server_request_duration_seconds_sum{http_route="/a\"b",http_response_status_class="2xx"} 0.02"#,
            r#"forebay_concurrency_limit{origin="portal"} 64"#,
            r#"forebay_concurrency_limit_holds{origin="portal",by="wasted"} 1"#,
            r#"forebay_concurrency_limit_holds{origin="portal",by="worth"} 0"#,
            r#"forebay_origin_connect_errors_total{origin="portal",reason="refused"} 1"#,
            r#"forebay_queue_shed_total{origin="portal",class="stranger",reason="late"} 1"#,
            r#"forebay_queue_shed_total{origin="portal",class="submit",reason="crowded"} 0"#,
            r#"forebay_room_state{room="main",state="open"} 0"#,
            r#"forebay_room_state{room="main",state="queueing"} 1"#,
            r#"forebay_room_told_below_p90_ratio{room="main"} 0.875"#,
            r#"forebay_connections{state="idle"} 0"#,
            r#"forebay_connections{state="active"} 1"#,
            r#"forebay_connections_closed_total{by="peer",how="rst"} 1"#,
            r#"forebay_connections_closed_total{by="us",how="rst"} 0"#,
            r#"forebay_build_info{version="1.2.3"} 1"#,
            "# EOF",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line}\nin\n{text}"
            );
        }
    }

    #[test]
    fn the_same_name_is_the_same_counter() {
        let metrics = metrics();
        metrics.origin("portal").resent.inc();
        metrics.clone().origin("portal").resent.inc();
        assert_eq!(metrics.origin("portal").resent.total(), 2);
        assert_eq!(metrics.origin("other").resent.total(), 0);
    }
}

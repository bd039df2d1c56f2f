//! Every metric name, and what it says.

use prometheus_client::metrics::MetricType;

/// A metric as it is announced to whoever scrapes it.
#[derive(Debug)]
pub(crate) struct Name {
    /// Without the suffix that the format adds to a counter.
    pub(crate) name: &'static str,
    /// One sentence.
    pub(crate) help: &'static str,
    /// What kind it is.
    pub(crate) kind: MetricType,
}

macro_rules! listed {
    (Counter $name:literal) => {
        concat!($name, "_total")
    };
    (Info $name:literal) => {
        concat!($name, "_info")
    };
    ($kind:ident $name:literal) => {
        $name
    };
}

macro_rules! names {
    ($($id:ident: $kind:ident $name:literal $help:literal;)+) => {
        $(pub(crate) const $id: Name =
            Name { name: $name, help: $help, kind: MetricType::$kind };)+

        /// Every metric that can be scraped, by the name that stands in queries (a histogram's
        /// without `_bucket`, `_count`, `_sum`), with its meaning.
        pub const NAMES: &[(&str, &str)] = &[$((listed!($kind $name), $help)),+];
    };
}

names! {
    DECISIONS: Counter "forebay_decisions" "Requests by route, by what was decided, and why.";
    SERVER_DURATION: Histogram "http_server_request_duration_seconds" "Time from a request's first byte to the end of its answer, by route and class of status.";
    CLIENT_DURATION: Histogram "http_client_request_duration_seconds" "Time that the origin took, from the permit to its last byte, by origin and class of status.";
    CONCURRENCY_LIMIT: Gauge "forebay_concurrency_limit" "Requests that may be at the origin at once.";
    LIMIT_HOLDS: Gauge "forebay_concurrency_limit_holds" "1 for what holds the limit where it is: the operator, a ceiling, or why a learned one last moved.";
    IN_FLIGHT: Gauge "forebay_origin_in_flight" "Requests that are at the origin now.";
    QUEUE_LENGTH: Gauge "forebay_queue_length" "Requests that wait for a permit now.";
    QUEUE_SHED: Counter "forebay_queue_shed" "Requests turned away at the short queue, by class: their patience was over, or there was no place for them.";
    RESENT: Counter "forebay_origin_resent" "Requests sent again on a fresh connection because nothing of them had reached the origin.";
    RETRIED: Counter "forebay_origin_retried" "Requests tried again within the retry budget.";
    CONNECT_ERRORS: Counter "forebay_origin_connect_errors" "Connections to the origin that could not be made, by reason.";
    ABANDONED: Counter "forebay_origin_abandoned" "Answers that nobody waits for any more, read to their end or closed after their grace.";
    ROOM_STATE: Gauge "forebay_room_state" "1 for the state in which the room is.";
    ROOM_WAITING: Gauge "forebay_room_waiting" "Live visitors in line.";
    ROOM_ACTIVE: Gauge "forebay_room_active" "Visitors inside.";
    ROOM_ADMITTED: Counter "forebay_room_admitted" "Visitors who were let in.";
    ROOM_CALLED: Counter "forebay_room_called" "Visitors whose turn came.";
    ROOM_CLAIMED: Counter "forebay_room_claimed" "Calls that were taken.";
    ROOM_GHOSTS: Counter "forebay_room_ghosts" "Tickets that were given and never came back.";
    ROOM_POLLS: Counter "forebay_room_polls" "Times that somebody in line asked for the own place.";
    ROOM_HELD: Gauge "forebay_room_held_polls" "Polls that are kept back until their turn.";
    ROOM_OUTSTANDING: Gauge "forebay_room_outstanding" "Visitors who are called and have not come yet.";
    ROOM_OLDEST: Gauge "forebay_room_oldest_wait_seconds" "How long the first in line has been waiting.";
    ROOM_TOLD_BELOW_P90: Gauge "forebay_room_told_below_p90_ratio" "Of those who entered lately, the share who entered before the upper end of the time that they were told first.";
    ROOM_TOLD_ERROR: Gauge "forebay_room_told_error_ratio" "Of those who entered lately, the median error of the time told first, as a share of the time it took.";
    ROOM_ABANDONED: Counter "forebay_room_abandoned" "Visitors who left the line or did not come when called.";
    ROOM_WAIT: Histogram "forebay_room_wait_seconds" "Time from arrival to entry, of those who were let in.";
    CREDENTIALS_REJECTED: Counter "forebay_credentials_rejected" "Tickets and passes that were not believed, by reason.";
    CONNECTIONS: Gauge "forebay_connections" "Open connections of clients, by what they do.";
    ACCEPTED: Counter "forebay_connections_accepted" "Connections accepted.";
    CLOSED: Counter "forebay_connections_closed" "Connections that ended, by who ended them and how; by us with a reset is the promise that stays zero.";
    OVER_BUDGET: Counter "forebay_connections_over_budget" "Connections that got the short answer because the budget was used up.";
    ACCEPT_PAUSED: Counter "forebay_accept_paused" "Times that accepting paused because even the reserve was used up.";
    BAD_REQUESTS: Counter "forebay_bad_requests" "Requests refused for their form, by what was wrong.";
    TIMEOUTS: Counter "forebay_timeouts" "Deadlines of ours that a peer missed, by which.";
    BUILD: Info "forebay_build" "The version that runs.";
    CONFIG_GENERATION: Gauge "forebay_config_generation" "How often the configuration in force was replaced, plus one.";
    RELOADS: Counter "forebay_reloads" "Reloads of the configuration, by result.";
    STORE_UP: Gauge "forebay_store_up" "1 while the last save of the rooms' state succeeded.";
    STORE_SAVES: Counter "forebay_store_saves" "Saves of a room's state.";
    STORE_ERRORS: Counter "forebay_store_errors" "Saves of a room's state that failed.";
    LOG_DROPPED: Counter "forebay_access_log_dropped" "Lines of the access log that were lost because writing was too slow or failed.";
    BODY_BUFFERS: Gauge "forebay_body_buffers_bytes" "Bytes of request bodies held until a permit is there.";
    PANICS: Counter "forebay_panics" "Requests in which our own code panicked.";
    CPU: Counter "process_cpu_seconds" "Processor time used, user and system.";
    RESIDENT: Gauge "process_resident_memory_bytes" "Resident memory.";
    OPEN_FDS: Gauge "process_open_fds" "Open file descriptors.";
    START_TIME: Gauge "process_start_time_seconds" "Start of the process, in seconds since 1970.";
}

//! Active probes: each server of an origin with `health` is asked for a page once an interval, on
//! a connection of its own, beside the limit and unsampled. Three bad answers in a row eject a
//! server that is dead or ill alone; two good ones bring it back.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use forebay_admission::server::Fault;
use forebay_config as config;
use forebay_layers::origin::Origin;
use forebay_layers::server::Server;
use futures_util::StreamExt;
use futures_util::stream;
use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::live::Live;

/// How often it is looked whose turn it is: the shortest interval that can be configured.
const LOOK: Duration = Duration::from_millis(100);

/// Bad answers in a row that eject a server.
const BAD_MAX: u32 = 3;

/// Good answers in a row that bring one back.
const GOOD_MIN: u32 = 2;

/// Servers of one origin that are asked at the same time.
const AT_ONCE: usize = 16;

/// What an answer may take: the interval, within these.
const ANSWER_MIN: Duration = Duration::from_secs(1);
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Probes for as long as the process runs.
pub(crate) async fn probes(live: Arc<Live>) {
    let mut rounds: HashMap<Arc<str>, Round> = HashMap::new();
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = live.now();
        rounds.retain(|name, _| now.origins.iter().any(|origin| origin.name == *name));
        for (origin, configured) in now.origins.iter().zip(&now.config.origins) {
            if let Some(health) = &configured.health {
                let round = rounds.entry(Arc::clone(&origin.name)).or_default();
                round.begin_if_due(origin, health);
            }
        }
    }
}

/// The probes of one origin.
#[derive(Default)]
struct Round {
    due: Option<Instant>,
    running: Option<JoinHandle<()>>,
    rows: Arc<Mutex<HashMap<SocketAddr, Row>>>,
}

/// Answers of one kind in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Row {
    good: u32,
    bad: u32,
}

impl Row {
    const fn and(self, good: bool) -> Self {
        if good {
            Self {
                good: self.good.saturating_add(1),
                bad: 0,
            }
        } else {
            Self {
                good: 0,
                bad: self.bad.saturating_add(1),
            }
        }
    }
}

impl Round {
    /// One round at a time: servers that hang put off the next.
    fn begin_if_due(&mut self, origin: &Arc<Origin>, health: &config::Health) {
        let now = Instant::now();
        let runs = self
            .running
            .as_ref()
            .is_some_and(|task| !task.is_finished());
        if runs || self.due.is_some_and(|due| now < due) {
            return;
        }
        self.due = Some(now + health.interval);
        let (origin, health) = (Arc::clone(origin), health.clone());
        let rows = Arc::clone(&self.rows);
        self.running = Some(tokio::spawn(async move {
            let servers = origin.servers.all();
            forget_others(&rows, &servers);
            stream::iter(&*servers)
                .for_each_concurrent(AT_ONCE, |server| {
                    let (origin, health, rows) = (&origin, &health, &rows);
                    async move {
                        let fault = ask(origin, server, health).await.err();
                        tell(origin, server, fault, rows);
                    }
                })
                .await;
        }));
    }
}

type Rows = Mutex<HashMap<SocketAddr, Row>>;

fn forget_others(rows: &Rows, servers: &[Arc<Server>]) {
    let known = |address: &SocketAddr| servers.iter().any(|server| server.address == *address);
    let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
    rows.retain(|address, _| known(address));
}

fn tell(origin: &Origin, server: &Arc<Server>, fault: Option<Fault>, rows: &Rows) {
    let (row, well) = {
        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.entry(server.address).or_default();
        *row = row.and(fault.is_none());
        let row = *row;
        let well = |(at, row): (&SocketAddr, &Row)| *at != server.address && row.good >= GOOD_MIN;
        (row, rows.iter().any(well))
    };
    match fault {
        Some(fault) if row.bad >= BAD_MAX => origin.servers.probes_failed(server, fault, well),
        None if row.good >= GOOD_MIN => origin.servers.probes_passed(server),
        Some(_) | None => {}
    }
}

/// One probe; how it failed.
async fn ask(origin: &Origin, server: &Server, health: &config::Health) -> Result<(), Fault> {
    let connecting = TcpStream::connect(server.address);
    let stream = timeout(origin.rules.connect_timeout, connecting)
        .await
        .map_err(|_elapsed| Fault::Unaccepted)?
        .map_err(|_| Fault::Refused)?;
    let longest = health
        .interval
        .clamp(ANSWER_MIN, ANSWER_MAX)
        .min(origin.rules.response_timeout);
    let status = timeout(longest, exchange(stream, request(origin, server, health)))
        .await
        .map_err(|_elapsed| Fault::Timeout)?
        .map_err(|_| Fault::Reset)?;
    match Fault::of_status(status.as_u16()) {
        Some(fault) => Err(fault),
        None if status.is_success() || status.is_redirection() => Ok(()),
        None => Err(Fault::Error),
    }
}

fn request(origin: &Origin, server: &Server, health: &config::Health) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    if let Ok(target) = health.path.parse() {
        *request.uri_mut() = target;
    }
    let host = origin.rules.host.clone();
    let host = host.or_else(|| HeaderValue::from_str(&server.name).ok());
    let headers = request.headers_mut();
    headers.insert(HOST, host.unwrap_or(HeaderValue::from_static("localhost")));
    headers.insert(USER_AGENT, HeaderValue::from_static("forebay-probe"));
    request
}

/// The status; the rest of the answer is left unread, and the connection ends.
async fn exchange(
    stream: TcpStream,
    request: Request<Empty<Bytes>>,
) -> Result<StatusCode, hyper::Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::select! {
        biased;
        answer = sender.send_request(request) => Ok(answer?.status()),
        // The connection alone ends before the answer only when the answer never comes.
        ended = connection => ended.and(Ok(StatusCode::BAD_GATEWAY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_in_a_row_count() {
        for (answers, expected) in [
            ("", (0, 0)),
            ("+++", (3, 0)),
            ("--", (0, 2)),
            ("--+", (1, 0)),
            ("++-", (0, 1)),
        ] {
            let row = answers
                .bytes()
                .fold(Row::default(), |row, answer| row.and(answer == b'+'));
            assert_eq!((row.good, row.bad), expected, "{answers}");
        }
    }
}

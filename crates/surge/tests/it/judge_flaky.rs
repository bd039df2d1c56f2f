//! The judge's self-test: a target that fails once in a thousand, in one way or in
//! several, counts what it does itself, and the tally says exactly the same.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use surge::crowd::{Behaviour, Crowd, CrowdSettings, Curve, Group, Script, Site, Sources, Visit};
use surge::tally::Tally;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::site::{wait_until, whole};

/// How late an answer must be to be counted as late. Long, as is the target's delay: what
/// this machine is busy with besides must not be counted.
const LATE: Duration = Duration::from_secs(3);

/// What the target does wrong, each to one request in a thousand.
#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    resets: bool,
    truncates: bool,
    delays: bool,
}

/// What the target did.
#[derive(Debug, Default)]
struct Done {
    requests: AtomicU64,
    reset: AtomicU64,
    truncated: AtomicU64,
    delayed: AtomicU64,
}

async fn flaky(faults: Faults) -> (SocketAddr, Arc<Done>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let done = Arc::new(Done::default());
    let shared = Arc::clone(&done);
    tokio::spawn(async move {
        while let Ok((stream, _peer)) = listener.accept().await {
            tokio::spawn(serve(stream, faults, Arc::clone(&shared)));
        }
    });
    (address, done)
}

/// Answers what comes on one connection until it is done with it.
async fn serve(mut stream: TcpStream, faults: Faults, done: Arc<Done>) {
    stream.set_nodelay(true).unwrap();
    let answer = whole(200, "", &"x".repeat(1_000));
    while read_request(&mut stream).await {
        let number = done.requests.fetch_add(1, Ordering::Relaxed);
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        match number % 1_000 {
            200 if faults.resets => {
                count(&done.reset);
                stream.set_zero_linger().unwrap();
                return;
            }
            500 if faults.truncates => {
                count(&done.truncated);
                stream.write_all(&answer.as_bytes()[..600]).await.unwrap();
                return;
            }
            800 if faults.delays => {
                count(&done.delayed);
                sleep(LATE + Duration::from_millis(500)).await;
            }
            _ => {}
        }
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return false;
        }
    }
    true
}

/// How many come, how fast, and with what.
#[derive(Debug, Clone)]
struct Load {
    rate: f64,
    lasts: Duration,
    behaviour: Behaviour,
}

impl Load {
    fn script(rate: f64, lasts: Duration, connections: usize) -> Self {
        let behaviour = Behaviour::Script(Script {
            connections,
            request_timeout: Duration::from_secs(20),
            ..Script::default()
        });
        Self {
            rate,
            lasts,
            behaviour,
        }
    }

    /// The tally once every request has come to its end.
    async fn on(self, target: SocketAddr) -> Tally {
        let seconds = self.lasts.as_secs() as usize;
        let group = Group {
            name: "all".to_owned(),
            arrivals: Curve::steady(self.rate, self.lasts),
            sources: Sources::Loopback,
            behaviour: self.behaviour,
        };
        let crowd = Crowd::start(CrowdSettings {
            groups: vec![group],
            late_after: LATE,
            lasts: Duration::from_secs(300),
            ..CrowdSettings::steady(Site::at(target), 0.0, Duration::ZERO)
        });
        wait_until("every request has ended", || {
            let tally = crowd.tally();
            tally.seconds.len() > seconds + 1
                && tally
                    .seconds
                    .last()
                    .is_some_and(|last| last.outstanding == 0)
                && tally.requests.ended() == tally.requests.begun
        })
        .await;
        crowd.tally()
    }
}

/// The tally says of every kind what the target did, and nothing else went wrong.
async fn is_told_exactly(faults: Faults, load: Load) -> u64 {
    let (target, done) = flaky(faults).await;
    let requests = load.on(target).await.requests;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (reset, truncated) = (read(&done.reset), read(&done.truncated));
    assert_eq!(requests.begun, read(&done.requests));
    assert_eq!(
        (requests.reset_before, requests.truncated, requests.late),
        (reset, truncated, read(&done.delayed)),
        "{faults:?}: {requests:?}"
    );
    assert_eq!(requests.page, requests.begun - reset - truncated);
    for (wanted, times) in [
        (faults.resets, reset),
        (faults.truncates, truncated),
        (faults.delays, requests.late),
    ] {
        assert_eq!(wanted, times > 0, "{faults:?} happened: {requests:?}");
    }
    requests.begun
}

const ALL: Faults = Faults {
    resets: true,
    truncates: true,
    delays: true,
};

#[tokio::test]
async fn one_fault_in_a_thousand_requests_is_told_exactly_as_often_as_it_happened() {
    let load = Load::script(3_000.0, Duration::from_secs(7), 100);
    let begun = is_told_exactly(ALL, load).await;
    assert!(begun > 20_000, "{begun}");
}

#[tokio::test]
async fn each_fault_alone_is_told_as_itself_and_as_nothing_else() {
    let none = Faults::default();
    let mut judged = JoinSet::new();
    for faults in [
        none,
        Faults {
            resets: true,
            ..none
        },
        Faults {
            truncates: true,
            ..none
        },
        Faults {
            delays: true,
            ..none
        },
    ] {
        let load = Load::script(700.0, Duration::from_secs(6), 30);
        judged.spawn(is_told_exactly(faults, load));
    }
    judged.join_all().await;
}

#[tokio::test]
async fn what_happens_to_visitors_is_told_exactly_as_well() {
    let behaviour = Behaviour::Visit(Visit {
        pages: 0,
        patience: Duration::ZERO,
        reload_probability: 0.0,
        request_timeout: Duration::from_secs(20),
        ..Visit::default()
    });
    let load = Load {
        rate: 400.0,
        lasts: Duration::from_secs(5),
        behaviour,
    };
    is_told_exactly(ALL, load).await;
}

/// A target that answers everything at once, but stops for a second, once, some time in;
/// and how many of its answers took it long, as it sees it.
async fn stalling() -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let slow = Arc::new(AtomicU64::new(0));
    let shared = Arc::clone(&slow);
    let begins = Instant::now() + Duration::from_secs(1);
    let ends = begins + Duration::from_secs(1);
    tokio::spawn(async move {
        while let Ok((mut stream, _peer)) = listener.accept().await {
            let slow = Arc::clone(&shared);
            tokio::spawn(async move {
                while read_request(&mut stream).await {
                    if (begins..ends).contains(&Instant::now()) {
                        slow.fetch_add(1, Ordering::Relaxed);
                        sleep_until(ends).await;
                    }
                    let answer = whole(200, "", "x");
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, slow)
}

#[tokio::test]
async fn a_stall_is_charged_to_everybody_who_came_meanwhile() {
    let (target, slow) = stalling().await;
    let load = Load::script(300.0, Duration::from_secs(4), 4);
    let tally = load.on(target).await;
    let (count, slow) = (tally.requests.page, slow.load(Ordering::Relaxed));
    assert_eq!(count, tally.requests.begun);
    // A closed loop would have seen these alone: no percentile below 99.5 would show it.
    assert!(slow <= 4 && 200 * slow < count, "{slow} of {count}");
    // A quarter of the run's requests were due meanwhile and waited half a second on average.
    let pages = tally.pages;
    assert!(pages.p90_us > 300_000, "{pages:?}");
    assert!(pages.p99_us > 700_000, "{pages:?}");
    assert!(pages.max_us > 900_000, "{pages:?}");
}

#[tokio::test]
async fn a_script_is_refused_once_for_every_request() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // Bound but not listening: nobody else can take the port meanwhile.
    let target = socket.local_addr().unwrap();
    let load = Load::script(100.0, Duration::from_secs(1), 4);
    let requests = load.on(target).await.requests;
    assert!(requests.begun > 50);
    assert_eq!(requests.refused, requests.begun, "{requests:?}");
}

#[tokio::test]
async fn a_generator_that_cannot_keep_up_says_so() {
    let (target, _done) = flaky(Faults::default()).await;
    let group = Group {
        name: "flood".to_owned(),
        arrivals: Curve::steady(2_000_000.0, Duration::from_secs(2)),
        sources: Sources::Same,
        behaviour: Behaviour::Script(Script::default()),
    };
    let settings = CrowdSettings {
        groups: vec![group],
        lasts: Duration::from_secs(2),
        ..CrowdSettings::steady(Site::at(target), 0.0, Duration::ZERO)
    };
    let tally = Crowd::start(settings).finish().await;
    assert!(tally.crowd_was_the_limit(), "{:?}", tally.generator);
}

//! What is wrong with the origin, as it is seen at the wire, and in its counts.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use surge::origin::{Condition, Origin, OriginSettings, OriginStats, Running};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::small;
use crate::site::{ask, wait_until};

/// Longer than any answer takes here.
const LONG: Duration = Duration::from_secs(10);

/// How one request ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Whole(u16),
    /// The body was shorter than its length.
    Truncated,
    Refused,
    Reset,
    /// Nothing for half a second.
    Nothing,
}

fn but(change: impl FnOnce(&mut Condition)) -> Condition {
    let mut condition = Condition::default();
    change(&mut condition);
    condition
}

fn ended(error: &std::io::Error) -> End {
    match error.kind() {
        ErrorKind::ConnectionRefused => End::Refused,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => End::Reset,
        other => panic!("{other}"),
    }
}

/// One page on a connection of its own.
async fn page(address: SocketAddr) -> End {
    match TcpStream::connect(address).await {
        Ok(mut stream) => page_on(&mut stream).await,
        Err(error) => ended(&error),
    }
}

/// One page on `stream`, which it keeps open.
async fn page_on(stream: &mut TcpStream) -> End {
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    if let Err(error) = asked {
        return ended(&error);
    }
    let answer = timeout(Duration::from_millis(500), read(stream)).await;
    answer.unwrap_or(End::Nothing)
}

async fn read(stream: &mut TcpStream) -> End {
    let mut text = Vec::new();
    loop {
        match stream.read_buf(&mut text).await {
            Ok(0) => return End::Truncated,
            Ok(_more) => {}
            Err(error) => return ended(&error),
        }
        let text = String::from_utf8_lossy(&text);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let length = lines.find_map(|line| line.strip_prefix("content-length: "));
        if body.len() == length.unwrap().parse::<usize>().unwrap() {
            return End::Whole(status.parse().unwrap());
        }
    }
}

/// Every request that has arrived is in exactly one place.
fn assert_adds_up(stats: &OriginStats) {
    let known = stats.in_flight + stats.completed + stats.refused + stats.lost + stats.errors;
    assert_eq!(stats.arrived, known, "{stats:?}");
    let classes = || stats.classes.iter();
    assert_eq!(
        stats.arrived,
        classes().map(|class| class.arrived).sum::<u64>()
    );
    assert_eq!(
        stats.completed,
        classes().map(|class| class.completed).sum::<u64>()
    );
    assert_eq!(stats.completed, stats.useful + stats.wasted);
    assert!(stats.in_time <= stats.useful, "{stats:?}");
}

/// Switches until `end` is how a page ends: listeners follow a moment later.
async fn becomes(origin: &Running, condition: Condition, end: End) {
    origin.set(condition.clone());
    let ended = timeout(LONG, async { while page(origin.address()).await != end {} });
    assert!(ended.await.is_ok(), "{condition:?}: never {end:?}");
}

#[tokio::test]
async fn each_condition_is_at_the_wire_what_it_says_and_ends_when_it_is_over() {
    let origin = Origin::start(small()).unwrap();
    for (condition, end) in [
        (but(|wrong| wrong.errors = true), End::Whole(500)),
        (but(|wrong| wrong.failing = 1), End::Whole(500)),
        (but(|wrong| wrong.truncate = 1.0), End::Truncated),
        (but(|wrong| wrong.hang = true), End::Nothing),
        (but(|wrong| wrong.silent = true), End::Nothing),
        (but(|wrong| wrong.down = true), End::Refused),
        (but(|wrong| wrong.dead = 1.0), End::Refused),
    ] {
        let healthy = origin.stats().peak;
        becomes(&origin, condition.clone(), end).await;
        assert_eq!(origin.stats().peak, 0.0, "{condition:?}: nothing is useful");
        assert_eq!(origin.condition(), condition);
        becomes(&origin, Condition::default(), End::Whole(200)).await;
        assert_eq!(origin.stats().peak, healthy);
        assert_adds_up(&origin.stats());
    }
}

#[tokio::test]
async fn a_crash_resets_open_connections_loses_their_work_and_frees_its_memory_of_them() {
    let origin = Origin::start(small()).unwrap();
    let mut idle = TcpStream::connect(origin.address()).await.unwrap();
    assert_eq!(page_on(&mut idle).await, End::Whole(200));
    let mut busy = TcpStream::connect(origin.address()).await.unwrap();
    let slow = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    busy.write_all(slow).await.unwrap();
    wait_until("it is at work", || origin.stats().in_flight == 1).await;

    origin.set(but(|wrong| wrong.down = true));
    for stream in [&mut idle, &mut busy] {
        let end = timeout(LONG, stream.read(&mut [0; 1])).await.unwrap();
        assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    wait_until("both are closed", || origin.stats().connections == 0).await;
    let stats = origin.stats();
    assert_eq!((stats.lost, stats.reset, stats.in_flight), (1, 2, 0));
    assert_adds_up(&stats);
}

#[tokio::test]
async fn half_of_two_servers_dead_is_one_that_refuses_and_one_that_serves() {
    let servers = 2;
    let origin = Origin::start(OriginSettings { servers, ..small() }).unwrap();
    let [first, second] = *origin.addresses() else {
        panic!("two servers have two addresses");
    };
    let peak = origin.stats().peak;
    becomes(&origin, but(|wrong| wrong.dead = 0.5), End::Refused).await;
    assert_eq!(page(second).await, End::Whole(200));
    let left = origin.stats().peak;
    assert!((left - peak / 2.0).abs() <= 0.1, "{left} of {peak}");
    becomes(&origin, Condition::default(), End::Whole(200)).await;
    assert_eq!(page(first).await, End::Whole(200));
}

#[tokio::test]
async fn what_came_while_it_was_silent_or_hung_is_answered_afterwards() {
    for condition in [
        but(|wrong| wrong.silent = true),
        but(|wrong| wrong.hang = true),
    ] {
        let origin = Origin::start(small()).unwrap();
        let mut before = TcpStream::connect(origin.address()).await.unwrap();
        assert_eq!(page_on(&mut before).await, End::Whole(200));
        becomes(&origin, condition.clone(), End::Nothing).await;
        assert_eq!(page_on(&mut before).await, End::Nothing, "{condition:?}");
        origin.set(Condition::default());
        let late = timeout(LONG, read(&mut before)).await.unwrap();
        assert_eq!(late, End::Whole(200), "{condition:?}");
    }
}

#[tokio::test]
async fn a_share_of_bodies_is_cut_off_and_each_is_counted() {
    let origin = Origin::start(small()).unwrap();
    origin.set(but(|wrong| wrong.truncate = 0.3));
    let mut truncated = 0;
    for _page in 0..100 {
        truncated += u64::from(page(origin.address()).await == End::Truncated);
    }
    let stats = origin.stats();
    assert_eq!((stats.completed, stats.truncated), (100, truncated));
    assert_eq!((stats.useful, stats.wasted), (100 - truncated, truncated));
    assert!((15..=45).contains(&truncated), "{truncated}");
}

#[tokio::test]
async fn in_the_worst_of_crowds_every_request_is_counted_once() {
    let settings = OriginSettings {
        threads: 8,
        backlog: 8,
        ..small()
    };
    let origin = Origin::start(settings).unwrap();
    let address = origin.address();
    let mut crowd = JoinSet::new();
    for _client in 0..60 {
        crowd.spawn(async move {
            for _page in 0..8 {
                page(address).await;
            }
        });
    }
    for change in [
        but(|wrong| wrong.slow = 3.0),
        but(|wrong| wrong.errors = true),
        but(|wrong| wrong.dead = 0.5),
        but(|wrong| wrong.truncate = 0.5),
        Condition::default(),
    ] {
        let before = origin.stats().arrived;
        origin.set(change);
        wait_until("some more have come", || {
            origin.stats().arrived >= before + 20
        })
        .await;
        assert_adds_up(&origin.stats());
    }
    crowd.join_all().await;
    wait_until("all work is done", || origin.stats().in_flight == 0).await;
    let stats = origin.stop().await;
    assert_adds_up(&stats);
    assert!(
        stats.refused > 0 && stats.errors > 0 && stats.truncated > 0,
        "{stats:?}"
    );
}

#[tokio::test]
async fn the_condition_is_switched_over_http_and_a_senseless_one_is_refused() {
    let origin = Origin::start(small()).unwrap();
    let post = |text: &str| format!("Content-Length: {}\r\n\r\n{text}", text.len());
    let path = "/__origin/condition";
    let said = ask(origin.address(), "POST", path, &post(r#"{"slow": 3.0}"#)).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    assert_eq!(origin.condition(), but(|wrong| wrong.slow = 3.0));
    for text in [r#"{"slow": 0}"#, r#"{"slaw": 3}"#, r#"{"dead": 1.5}"#, "?"] {
        let said = ask(origin.address(), "POST", path, &post(text)).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{text}: {said}");
    }
    let said = ask(origin.address(), "GET", path, "\r\n").await;
    assert!(said.contains("\"slow\":3.0"), "{said}");
    assert_eq!(
        origin.stats().arrived,
        0,
        "none of this is a request of a visitor"
    );
}

//! The model origin behaves like an overrun server.

mod command;
mod conditions;

use std::net::SocketAddr;
use std::time::Duration;

use surge::origin::{Origin, OriginSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::site::{ask, wait_until};

/// One server: 370 pages a second at best, with 22 in flight.
fn small() -> OriginSettings {
    let service = Duration::from_millis(20);
    OriginSettings {
        service,
        cores: 1,
        ..OriginSettings::default()
    }
}

/// Pages a second with `clients` that always ask, each on one connection.
async fn throughput(settings: OriginSettings, clients: u32) -> f64 {
    let origin = Origin::start(settings).unwrap();
    let address = origin.address();
    let mut asking = JoinSet::new();
    for _client in 0..clients {
        asking.spawn(always_ask(address));
    }
    let warm = Duration::from_millis(300);
    let measured = Duration::from_secs(2);
    tokio::time::sleep(warm).await;
    let (before, began) = (origin.stats().completed, Instant::now());
    tokio::time::sleep(measured).await;
    let lasted = began.elapsed();
    let completed = origin.stop().await.completed - before;
    completed as f64 / lasted.as_secs_f64()
}

async fn always_ask(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = [0; 8192];
    while stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .is_ok()
    {
        match stream.read(&mut answer).await {
            Ok(0) | Err(_) => return,
            Ok(_page) => {}
        }
    }
}

#[tokio::test]
async fn the_best_concurrency_gives_the_peak_and_more_gives_less() {
    let peak = small().peak();
    // A few hundred pieces of exponential work: a tenth more or less is chance.
    for (clients, low, high) in [(2, 0.0, 0.4), (small().best_concurrency(), 0.75, 1.3)] {
        let share = throughput(small(), clients).await / peak;
        assert!(
            (low..high).contains(&share),
            "{clients} in flight: {share:.2} of the peak"
        );
    }
    let share = throughput(small(), 10 * small().best_concurrency()).await / peak;
    assert!(share < 0.4, "overrun ten times: {share:.2} of the peak");
}

#[tokio::test]
async fn work_goes_on_when_the_visitor_has_left() {
    let origin = Origin::start(small()).unwrap();
    let mut visitor = TcpStream::connect(origin.address()).await.unwrap();
    visitor
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    wait_until("work begins", || origin.stats().in_flight == 1).await;
    drop(visitor);
    wait_until("the connection is gone", || origin.stats().connections == 0).await;
    assert_eq!(origin.stats().in_flight, 1, "the work is not");
    wait_until("work ends", || origin.stats().in_flight == 0).await;
    let stats = origin.stats();
    assert_eq!((stats.completed, stats.useful, stats.wasted), (1, 0, 1));
}

#[tokio::test]
async fn with_threads_and_backlog_full_a_connection_is_reset() {
    let settings = OriginSettings {
        threads: 1,
        backlog: 1,
        ..small()
    };
    let origin = Origin::start(settings).unwrap();
    let mut inside = Vec::new();
    for _visitor in 0..2 {
        let mut stream = TcpStream::connect(origin.address()).await.unwrap();
        stream
            .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        inside.push(stream);
    }
    wait_until("both are in", || origin.stats().in_flight == 2).await;
    let mut third = TcpStream::connect(origin.address()).await.unwrap();
    let end = third.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(end.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(origin.stats().reset, 1);
    assert_eq!(origin.stats().in_flight_max, 2);
}

/// The cookie and the token of the form's first page.
async fn begun_form(address: SocketAddr) -> (String, String) {
    let page = ask(address, "GET", "/apply/1", "\r\n").await;
    let cookie = page
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .unwrap();
    let (_before, token) = page.split_once("name=\"token\" value=\"").unwrap();
    (
        cookie.split(';').next().unwrap().to_owned(),
        token.split('"').next().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn a_form_sent_twice_is_one_form_and_a_duplicate() {
    let one_page = OriginSettings {
        pages: 1,
        ..small()
    };
    // Fields of the first and of the second post, and whether that is a duplicate.
    for (fields, same_token, duplicates) in [
        (["", ""], true, 1),
        (["", ""], false, 0),
        (["Idempotency-Key: a\r\n"; 2], false, 1),
        (
            ["Idempotency-Key: a\r\n", "Idempotency-Key: b\r\n"],
            true,
            0,
        ),
    ] {
        let origin = Origin::start(one_page.clone()).unwrap();
        let address = origin.address();
        let (mut cookie, mut token) = begun_form(address).await;
        for field in fields {
            let length = "token=".len() + token.len();
            let post =
                format!("Cookie: {cookie}\r\n{field}Content-Length: {length}\r\n\r\ntoken={token}");
            let answer = ask(address, "POST", "/apply/1", &post).await;
            assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
            assert!(answer.contains("location: /apply/done\r\n"), "{answer}");
            if !same_token {
                (cookie, token) = begun_form(address).await;
            }
        }
        let stats = origin.stats();
        let counted = (stats.forms, stats.duplicates);
        assert_eq!(counted, (2 - duplicates, duplicates), "{fields:?}");
    }
}

#[tokio::test]
async fn a_form_is_sent_even_if_its_visitor_has_left_and_the_second_post_is_a_duplicate() {
    let slow = OriginSettings {
        pages: 1,
        service: Duration::from_millis(200),
        ..small()
    };
    let origin = Origin::start(slow).unwrap();
    let (cookie, token) = begun_form(origin.address()).await;
    let length = "token=".len() + token.len();
    let post = format!(
        "POST /apply/1 HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nContent-Length: {length}\r\n\r\ntoken={token}"
    );
    for sent in 1..=2 {
        let mut visitor = TcpStream::connect(origin.address()).await.unwrap();
        visitor.write_all(post.as_bytes()).await.unwrap();
        wait_until("work begins", || origin.stats().arrived == 1 + sent).await;
        drop(visitor);
    }
    wait_until("work ends", || origin.stats().completed == 3).await;
    let stats = origin.stats();
    assert_eq!((stats.forms, stats.duplicates), (1, 1));
    let post = &stats.classes[2];
    assert_eq!(
        (post.name.as_str(), post.arrived, post.completed),
        ("post", 2, 2)
    );
}

#[tokio::test]
async fn pages_say_their_length_and_the_counts_are_json() {
    let origin = Origin::start(small()).unwrap();
    for (path, status) in [("/", 200), ("/static/style.css", 200), ("/apply/9", 404)] {
        let answer = ask(origin.address(), "GET", path, "\r\n").await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {head}"
        );
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len())),
            "{path}: {head}"
        );
    }
    let answer = ask(origin.address(), "GET", "/__origin/stats", "\r\n").await;
    let (_head, body) = answer.split_once("\r\n\r\n").unwrap();
    let stats: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (&stats["completed"], &stats["in_flight"]),
        (&3.into(), &0.into())
    );
}

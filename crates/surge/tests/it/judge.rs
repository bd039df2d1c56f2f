//! The judge is judged: what a raw server does to a connection is what the tally says.

use std::net::SocketAddr;
use std::time::Duration;

use surge::crowd::{Behaviour, Crowd, CrowdSettings, Curve, Site, Visit};
use surge::tally::{Requests, Tally};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::site::{End, site, wait_until, whole};

/// About ten visitors who ask once and leave. The bound of a connect and of a request is
/// long enough for a busy machine.
async fn once(target: SocketAddr) -> Tally {
    let bound = Duration::from_secs(2);
    let lasts = Duration::from_secs(300);
    let mut settings = CrowdSettings::steady(Site::at(target), 100.0, lasts);
    settings.groups[0].arrivals = Curve::steady(100.0, Duration::from_millis(100));
    settings.groups[0].behaviour = Behaviour::Visit(Visit {
        pages: 0,
        patience: Duration::ZERO,
        patience_in_line: Duration::ZERO,
        reload_probability: 0.0,
        keep_alive: Duration::ZERO,
        connect_timeout: bound,
        request_timeout: bound,
        ..Visit::default()
    });
    let crowd = Crowd::start(settings);
    wait_until("all have left", || {
        let tally = crowd.tally();
        tally.seconds.len() > 1 && tally.visits.alive() == 0
    })
    .await;
    crowd.tally()
}

async fn all_are(what: String, target: SocketAddr, count: fn(&Requests) -> u64) {
    let requests = once(target).await.requests;
    assert!(requests.begun >= 3, "{what}: hardly anybody came");
    assert_eq!(count(&requests), requests.begun, "{what}: {requests:?}");
    assert_eq!(
        requests.ended(),
        requests.begun,
        "{what}: each ends in one outcome"
    );
}

#[tokio::test]
async fn broken_connections_are_counted_as_what_they_are() {
    type Case = (&'static str, &'static str, End, fn(&Requests) -> u64);
    let cases: [Case; 9] = [
        ("reset at once", "", End::Rst, |requests| {
            requests.reset_before
        }),
        ("reset in the head", "HTTP/1.1 200", End::Rst, |requests| {
            requests.reset_after
        }),
        (
            "reset in the body",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            End::Rst,
            |requests| requests.reset_after,
        ),
        (
            "cut off in the head",
            "HTTP/1.1 200 OK\r\n",
            End::Fin,
            |requests| requests.truncated,
        ),
        (
            "shorter than its length",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            End::Fin,
            |requests| requests.truncated,
        ),
        (
            "no last chunk",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            End::Fin,
            |requests| requests.truncated,
        ),
        ("no byte", "", End::Fin, |requests| requests.closed),
        ("no answer", "", End::Never, |requests| requests.timed_out),
        ("no HTTP", "SSH-2.0-x\r\n", End::Fin, |requests| {
            requests.malformed
        }),
    ];
    let mut judged = JoinSet::new();
    for (what, text, end, count) in cases {
        let target = site(move |_head| (text.to_owned(), end)).await;
        judged.spawn(all_are(what.to_owned(), target, count));
    }
    judged.join_all().await;
}

#[tokio::test]
async fn whole_answers_are_counted_by_their_kind() {
    let retry = "Retry-After: 1\r\n";
    let place = "Retry-After: 1\r\nSet-Cookie: forebay-main=x; Path=/\r\n";
    type Case = (u16, &'static str, &'static str, fn(&Requests) -> u64);
    let ours = "Proxy-Status: forebay; error=http_request_denied\r\n";
    let cases: [Case; 11] = [
        (303, "", "", |requests| requests.page),
        (303, ours, "", |requests| requests.waiting),
        (200, "", "hello", |requests| requests.page),
        (204, "", "", |requests| requests.page),
        (429, retry, "", |requests| requests.limited),
        (404, "", "", |requests| requests.client_error),
        (500, "", "", |requests| requests.server_error),
        (502, "", "", |requests| requests.server_error),
        (503, retry, "one moment", |requests| requests.busy),
        (503, place, "", |requests| requests.waiting),
        (
            200,
            "",
            "<main data-state=\"queueing\" data-ahead=\"3\">",
            |requests| requests.waiting,
        ),
    ];
    let mut judged = JoinSet::new();
    for (status, fields, body, count) in cases {
        let text = whole(status, fields, body);
        let what = text.clone();
        let target = site(move |_head| (text.clone(), End::Fin)).await;
        judged.spawn(all_are(what, target, count));
    }
    judged.join_all().await;
}

#[tokio::test]
async fn an_interim_answer_is_not_the_answer() {
    let text = format!(
        "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n{}",
        whole(200, "", "hello")
    );
    let target = site(move |_head| (text.clone(), End::Fin)).await;
    all_are("103, then 200".to_owned(), target, |requests| requests.page).await;
}

#[tokio::test]
async fn a_reset_after_a_whole_answer_is_seen_where_an_end_was_announced() {
    let text = whole(200, "Connection: close\r\n", "hello");
    let target = site(move |_head| (text.clone(), End::Rst)).await;
    let requests = once(target).await.requests;
    assert_eq!(
        (requests.page, requests.reset_at_end),
        (requests.begun, requests.begun)
    );
    assert_eq!(requests.harmed(), requests.begun);
}

#[tokio::test]
async fn the_time_that_a_site_takes_to_close_is_no_time_of_the_answer() {
    // It never does: after half a second nobody looks any more.
    let text = whole(200, "Connection: close\r\n", "hello");
    let target = site(move |_head| (text.clone(), End::Never)).await;
    let tally = once(target).await;
    assert_eq!(tally.requests.page, tally.requests.begun);
    assert!(tally.answers.p50_us < 400_000, "{:?}", tally.answers);
}

#[tokio::test]
async fn a_port_without_a_listener_refuses() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // Bound but not listening: nobody else can take the port meanwhile.
    all_are(
        "refused".to_owned(),
        socket.local_addr().unwrap(),
        |requests| requests.refused,
    )
    .await;
}

#[tokio::test]
async fn a_full_backlog_is_a_connect_that_times_out() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let target = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(200), TcpStream::connect(target)).await
    {
        queued.push(stream);
        assert!(queued.len() < 100, "the backlog has an end");
    }
    all_are("backlog".to_owned(), target, |requests| {
        requests.connect_timed_out
    })
    .await;
}

//! Clients that mean harm: what a site does with each is told as it was.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use surge::crowd::{Behaviour, Crowd, CrowdSettings, Curve, Group, Leave, Loris, Site, Sources};
use surge::tally::Requests;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::site::{End, wait_until};

const TIMEOUT: &str = "HTTP/1.1 408 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const BAD: &str = "HTTP/1.1 400 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A site that reads `bytes` of what comes, whatever it is, says `answer` and ends.
async fn after(bytes: usize, answer: &'static str, end: End) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _peer)) = listener.accept().await {
            tokio::spawn(serve(stream, bytes, answer, end));
        }
    });
    address
}

async fn serve(mut stream: TcpStream, bytes: usize, answer: &'static str, end: End) {
    let mut head = Vec::new();
    while head.len() < bytes {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    stream.write_all(answer.as_bytes()).await.unwrap();
    match end {
        End::Fin => {
            // Read on, so that the end is no reset.
            stream.shutdown().await.unwrap();
            while stream.read_buf(&mut head).await.unwrap_or(0) > 0 {
                head.clear();
            }
        }
        End::Rst => stream.set_zero_linger().unwrap(),
        End::Never => std::future::pending().await,
    }
}

/// What comes of about twenty of them.
async fn attack(target: SocketAddr, behaviour: Behaviour) -> Requests {
    let group = Group {
        name: "attackers".to_owned(),
        arrivals: Curve::steady(40.0, Duration::from_millis(500)),
        sources: Sources::Loopback,
        behaviour,
    };
    let crowd = Crowd::start(CrowdSettings {
        groups: vec![group],
        lasts: Duration::from_secs(60),
        ..CrowdSettings::steady(Site::at(target), 0.0, Duration::ZERO)
    });
    wait_until("all have had their answer", || {
        let tally = crowd.tally();
        tally.seconds.len() > 1 && tally.requests.ended() == tally.requests.begun
    })
    .await;
    let tally = crowd.tally();
    assert_eq!(tally.answers.count, 0, "their slowness is not the site's");
    assert!(tally.requests.begun > 3);
    tally.requests
}

#[tokio::test]
async fn what_becomes_of_slow_clients_is_told() {
    type Case = (&'static str, End, fn(&Requests) -> u64);
    let cases: [Case; 4] = [
        (TIMEOUT, End::Fin, |requests| requests.client_error),
        ("", End::Fin, |requests| requests.closed),
        ("", End::Rst, |requests| requests.reset_before),
        ("", End::Never, |requests| requests.abandoned),
    ];
    let loris = Loris {
        every: Duration::from_millis(5),
        patience: Duration::from_millis(900),
    };
    let mut judged = JoinSet::new();
    for behaviour in [
        Behaviour::SlowHead(loris.clone()),
        Behaviour::SlowBody(loris),
    ] {
        // Bytes that come at once, and then some.
        let at_once = usize::from(matches!(behaviour, Behaviour::SlowBody(_))) * 80;
        for (answer, end, count) in cases {
            let behaviour = behaviour.clone();
            judged.spawn(async move {
                let target = after(at_once + 40, answer, end).await;
                let requests = attack(target, behaviour.clone()).await;
                let what = format!("{behaviour:?} and {answer:?}, {end:?}: {requests:?}");
                assert_eq!(count(&requests), requests.begun, "{what}");
            });
        }
    }
    judged.join_all().await;
}

#[tokio::test]
async fn who_leaves_at_once_is_told_unless_the_site_was_quicker() {
    for (answer, end, count) in [
        (
            "",
            End::Never,
            (|requests| requests.abandoned) as fn(&Requests) -> u64,
        ),
        (BAD, End::Fin, |requests| requests.client_error),
    ] {
        let target = after(40, answer, end).await;
        let after = if answer.is_empty() { 20 } else { 20_000 };
        let requests = attack(
            target,
            Behaviour::Leave(Leave {
                after: Duration::from_millis(after),
            }),
        )
        .await;
        assert_eq!(count(&requests), requests.begun, "{requests:?}");
    }
}

#[tokio::test]
async fn a_slow_head_never_ends_and_a_slow_form_never_comes_to_its_length() {
    let loris = Loris {
        every: Duration::from_millis(1),
        patience: Duration::from_secs(20),
    };
    for (behaviour, begins, holds) in [
        (
            Behaviour::SlowHead(loris.clone()),
            "GET / HTTP/1.1\r\n",
            "X-Slow: aaaa",
        ),
        (
            Behaviour::SlowBody(loris),
            "POST / HTTP/1.1\r\n",
            "\r\n\r\naaaa",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let group = Group {
            name: "attackers".to_owned(),
            arrivals: Curve::steady(100.0, Duration::from_secs(1)),
            sources: Sources::Same,
            behaviour,
        };
        let target = Site::at(listener.local_addr().unwrap());
        let crowd = Crowd::start(CrowdSettings {
            groups: vec![group],
            lasts: Duration::from_secs(60),
            ..CrowdSettings::steady(target, 0.0, Duration::ZERO)
        });
        let (mut stream, _peer) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 200];
        stream.read_exact(&mut bytes).await.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(begins) && text.contains(holds), "{text}");
        drop(crowd);
    }
}

#[tokio::test]
async fn what_a_site_makes_of_junk_is_told() {
    type Case = (&'static str, End, fn(&Requests) -> u64);
    let cases: [Case; 4] = [
        (BAD, End::Fin, |requests| requests.client_error),
        ("", End::Fin, |requests| requests.closed),
        ("", End::Rst, |requests| requests.reset_before),
        ("\x15\x03\x03\0\x02\x02\x28", End::Fin, |requests| {
            requests.malformed
        }),
    ];
    let mut judged = JoinSet::new();
    for (answer, end, count) in cases {
        judged.spawn(async move {
            // The shortest junk has so many bytes.
            let target = after(9, answer, end).await;
            let requests = attack(target, Behaviour::Junk).await;
            assert_eq!(count(&requests), requests.begun, "{answer:?}: {requests:?}");
        });
    }
    judged.join_all().await;
}

#[tokio::test]
async fn junk_is_of_many_kinds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _peer)) = listener.accept().await {
            let mut begin = [0; 9];
            stream.read_exact(&mut begin).await.unwrap();
            shared.lock().unwrap().push(begin);
            stream.set_zero_linger().unwrap();
        }
    });
    let requests = attack(target, Behaviour::Junk).await;
    assert_eq!(requests.reset(), requests.begun);
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 3, "{seen:?}");
}

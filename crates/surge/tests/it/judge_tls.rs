//! The judge through TLS: a cut-off answer is cut off, and a whole one is whole.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use surge::crowd::{Behaviour, Crowd, CrowdSettings, Curve, Group, Script, Site, Sources};
use surge::tally::Requests;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::site::{wait_until, whole};

/// How a connection ends after what has been written.
#[derive(Debug, Clone, Copy)]
enum End {
    /// It does not: more requests may come.
    Stays,
    /// As TLS wants it: `close_notify`, then FIN.
    Said,
    /// FIN alone, as somebody in between could do it.
    Unsaid,
    Reset,
}

fn acceptor() -> TlsAcceptor {
    let own = rcgen::generate_simple_self_signed(vec!["elsewhere.example".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], PrivateKeyDer::Pkcs8(key))
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn site(answer: String, end: End) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = acceptor();
    tokio::spawn(async move {
        while let Ok((stream, _peer)) = listener.accept().await {
            tokio::spawn(serve(stream, acceptor.clone(), answer.clone(), end));
        }
    });
    address
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, answer: String, end: End) {
    // A reset throws away what the system still holds back.
    stream.set_nodelay(true).unwrap();
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        match end {
            End::Stays => {}
            End::Said => return stream.shutdown().await.unwrap(),
            End::Unsaid => return,
            End::Reset => return stream.get_ref().0.set_zero_linger().unwrap(),
        }
    }
}

/// What about twenty requests of a script bring.
async fn ask(target: SocketAddr) -> Requests {
    let group = Group {
        name: "script".to_owned(),
        arrivals: Curve::steady(40.0, Duration::from_millis(500)),
        sources: Sources::Loopback,
        behaviour: Behaviour::Script(Script {
            connections: 3,
            ..Script::default()
        }),
    };
    let site = Site {
        tls: true,
        ..Site::at(target)
    };
    let crowd = Crowd::start(CrowdSettings {
        groups: vec![group],
        lasts: Duration::from_secs(60),
        ..CrowdSettings::steady(site, 0.0, Duration::ZERO)
    });
    wait_until("all have had their answer", || {
        let tally = crowd.tally();
        tally.seconds.len() > 1 && tally.requests.ended() == tally.requests.begun
    })
    .await;
    let requests = crowd.tally().requests;
    assert!(requests.begun > 3);
    requests
}

#[tokio::test]
async fn an_end_that_tls_does_not_say_cuts_off_only_what_is_not_whole() {
    let stays = whole(200, "", "hello");
    let length = whole(200, "Connection: close\r\n", "hello");
    let short = length[..length.len() - 2].to_owned();
    let endless = "HTTP/1.1 200 x\r\nConnection: close\r\n\r\nhello".to_owned();
    type Case = (String, End, fn(&Requests) -> u64);
    let cases: [Case; 8] = [
        (stays, End::Stays, |requests| requests.page),
        (length.clone(), End::Said, |requests| requests.page),
        (length, End::Unsaid, |requests| requests.page),
        (short.clone(), End::Said, |requests| requests.truncated),
        (short.clone(), End::Unsaid, |requests| requests.truncated),
        (short, End::Reset, |requests| requests.reset_after),
        (endless.clone(), End::Said, |requests| requests.page),
        (endless, End::Unsaid, |requests| requests.truncated),
    ];
    let mut judged = JoinSet::new();
    for (answer, end, count) in cases {
        judged.spawn(async move {
            let requests = ask(site(answer.clone(), end).await).await;
            let what = format!("{answer:?}, {end:?}: {requests:?}");
            assert_eq!(count(&requests), requests.begun, "{what}");
        });
    }
    judged.join_all().await;
}

#[tokio::test]
async fn what_speaks_no_tls_is_malformed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _peer)) = listener.accept().await {
            let mut hello = [0; 64];
            stream.read_exact(&mut hello).await.unwrap();
            stream
                .write_all(whole(400, "", "plain").as_bytes())
                .await
                .unwrap();
            stream.shutdown().await.unwrap();
            tokio::spawn(async move {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.ok();
            });
        }
    });
    let requests = ask(target).await;
    assert_eq!(requests.malformed, requests.begun, "{requests:?}");
}

//! The TLS listener: the same promises under encryption, and an end that is said.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;

use forebay_testkit::wire::End;
use forebay_testkit::{Answer, Recorder, Reply, program, wait_until};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

use super::front::{Front, SOON, Setup};

fn curl(front: &Front, more: &[&str], input: &[u8]) -> program::Finished {
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--max-time", "15", "--cacert"])
        .arg(front.certificate())
        .args(more)
        .arg(format!("https://127.0.0.1:{}/", front.address.port()));
    program::run(&mut command, input, SOON)
}

#[test]
fn curl_https_is_served_and_the_origin_told_so() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let front = Setup {
        tls: true,
        ..Setup::default()
    }
    .before(&[origin.address]);
    let done = curl(&front, &["--http1.1"], b"");
    assert_eq!(done.stdout, "fine", "{done:?}");
    let got = origin.only_request();
    assert_eq!(got.header("x-forwarded-proto"), Some("https"));
    assert!(
        got.header("forwarded")
            .is_some_and(|text| text.contains("proto=https"))
    );
}

#[test]
fn curl_https_reads_an_early_answer_whole_while_it_still_sends() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let setup = Setup {
        limits: "body_size = \"1MiB\"",
        tls: true,
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let body = vec![b'x'; 10_000_000];
    for _ in 0..5 {
        let done = curl(
            &front,
            &[
                "-H",
                "Expect:",
                "--data-binary",
                "@-",
                "-w",
                " %{http_code}",
            ],
            &body,
        );
        assert!(
            done.status.success() && done.stdout.ends_with(" 413"),
            "{done:?}"
        );
    }
}

/// A client that takes note of how the encrypted stream ends.
fn converse(front: &Front, bytes: &[u8]) -> (Vec<u8>, std::io::Result<()>) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(front.certificate()).expect("a TLS client"))
        .expect("a TLS client");
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("a TLS client")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a TLS client");
    let client = rustls::ClientConnection::new(Arc::new(config), name).expect("a TLS client");
    let socket = TcpStream::connect(front.address).expect("a TLS client");
    socket.set_read_timeout(Some(SOON)).expect("a TLS client");
    let mut stream = rustls::StreamOwned::new(client, socket);
    stream.write_all(bytes).expect("a TLS client");
    stream.flush().expect("a TLS client");
    let mut seen = Vec::new();
    let end = stream.read_to_end(&mut seen).map(drop);
    (seen, end)
}

#[test]
fn every_end_of_an_encrypted_connection_is_said() {
    let origin = Recorder::start(|_| Reply::chunked(&["fi", "ne"]));
    let setup = Setup {
        limits: "header_timeout = \"300ms\"\nidle_timeout = \"300ms\"",
        tls: true,
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let cases = [
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", 200),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            200,
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET / HTTP/1.1\r\nHo", 408),
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na",
            408,
        ),
    ];
    for (request, status) in cases {
        let (seen, end) = converse(&front, request.as_bytes());
        assert!(end.is_ok(), "{request:?}: {end:?}");
        assert_eq!(
            Answer::parse(&seen, "GET").unwrap().status,
            status,
            "{request:?}"
        );
    }
}

#[test]
fn over_the_bound_the_short_answer_is_encrypted_too() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let setup = Setup {
        limits: "connections = 1",
        tls: true,
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let _held = front.connect();
    wait_until(SOON, || {
        front.metric("forebay_connections_accepted_total", &[]) == 1.0
    });
    let mut request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n".to_vec();
    request.resize(100_000, b'x');
    let (seen, end) = converse(&front, &request);
    assert!(end.is_ok(), "{end:?}");
    assert_eq!(Answer::parse(&seen, "POST").unwrap().status, 503);
}

#[test]
fn a_client_that_does_not_speak_tls_harms_nobody() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let setup = Setup {
        limits: "header_timeout = \"300ms\"",
        tls: true,
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    for bytes in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", "\u{16}\u{3}\u{1}"] {
        assert_eq!(front.ask_to_end(bytes).end, End::Fin, "{bytes:?}");
    }
    let (seen, _) = converse(&front, b"GET / HTTP/1.0\r\n\r\n");
    assert_eq!(Answer::parse(&seen, "GET").unwrap().status, 200);
}

#[test]
fn curl_https_many_at_once_read_their_early_answers_whole() {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let setup = Setup {
        limits: "body_size = \"1MiB\"",
        tls: true,
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    let body = vec![b'x'; 3_000_000];
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let more = [
                    "--http1.1",
                    "-H",
                    "Expect:",
                    "--data-binary",
                    "@-",
                    "-w",
                    " %{http_code}",
                ];
                let done = curl(&front, &more, &body);
                assert!(
                    done.status.success() && done.stdout.ends_with(" 413"),
                    "{done:?}"
                );
            });
        }
    });
}

//! One meaning per request: what the origin gets, and what it never sees.

use forebay_testkit::wire::End;
use forebay_testkit::{Recorder, Reply};

use super::front::{Front, SOON, Setup, ended_well, get};

/// What one server reads as this and another as that (RFC 9112 section 11).
const AMBIGUOUS: [(&str, &str); 22] = [
    (
        "two lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ),
    (
        "a list of lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\nab",
    ),
    (
        "a leading zero",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 010\r\n\r\n0123456789",
    ),
    (
        "a sign",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
    ),
    (
        "a negative length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na",
    ),
    (
        "a huge length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\na",
    ),
    (
        "a length in hex",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na",
    ),
    (
        "an unknown coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\na",
    ),
    (
        "a coding before chunked",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked not last",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "two codings",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a coding with a tab",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a space before the colon",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\na",
    ),
    (
        "a folded line",
        "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2\r\n\r\n",
    ),
    (
        "a bare carriage return",
        "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\rX-B: 2\r\n\r\n",
    ),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("no host", "GET / HTTP/1.1\r\n\r\n"),
    (
        "a host with a user",
        "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n",
    ),
    ("a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ("another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "an authority as target",
        "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    ("an asterisk to GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
];

fn plain() -> Recorder {
    Recorder::start(|_| Reply::ok("fine"))
}

#[test]
fn what_servers_read_differently_reaches_no_origin() {
    let origin = plain();
    let front = Front::before(origin.address);
    for (what, request) in AMBIGUOUS {
        let seen = front.ask(request);
        assert_eq!(seen.answer().status, 400, "{what}: {seen:?}");
    }
    assert_eq!(origin.requests().len(), 0, "{:?}", origin.requests());
    assert!(front.metric("forebay_bad_requests_total", &[]) >= 22.0);
    for kind in ["framing", "host", "target", "syntax"] {
        let label = format!("\"{kind}\"");
        assert!(
            front.metric("forebay_bad_requests_total", &[&label]) > 0.0,
            "{kind}"
        );
    }
}

#[test]
fn a_length_beside_chunks_never_reaches_the_origin() {
    let origin = plain();
    let front = Front::before(origin.address);
    let cases = [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    for request in cases {
        let seen = front.ask_to_end(request);
        ended_well(&seen);
        // Read by its chunks alone, and nothing behind it is read (RFC 9112 section 6.3).
        assert_eq!(
            seen.answer().header("connection"),
            Some("close"),
            "{seen:?}"
        );
        assert_eq!(seen.answer().used, seen.bytes.len());
    }
    let requests = origin.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.target == "/" && request.body.is_empty())
    );
    assert_eq!((requests.len(), origin.violations().len()), (2, 0));
}

#[test]
fn methods_that_are_not_forwarded_are_405_and_unknown_expectations_417() {
    let origin = plain();
    let front = Front::before(origin.address);
    let trace = front.ask("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n").answer();
    assert_eq!(trace.status, 405);
    assert!(
        trace
            .header("allow")
            .is_some_and(|allow| allow.contains("GET")),
        "{trace:?}"
    );
    assert_eq!(
        front
            .ask("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
            .answer()
            .status,
        405
    );
    assert_eq!(
        front
            .ask("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n")
            .answer()
            .status,
        417
    );
    assert!(origin.requests().is_empty());
}

#[test]
fn what_is_too_large_has_a_status_of_its_own() {
    let origin = plain();
    let limits = "header_size = \"100KiB\"\nbody_size = \"10KiB\"\nheaders = 20";
    let front = Setup {
        limits,
        ..Setup::default()
    }
    .before(&[origin.address]);
    let many: String = (0..30).map(|n| format!("X-{n}: 1\r\n")).collect();
    let cases = [
        (
            431,
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nX-A: {}\r\n\r\n",
                "a".repeat(200_000)
            ),
        ),
        (431, format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n")),
        (
            414,
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(70_000)),
        ),
        (
            413,
            format!(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n{}",
                "a".repeat(20_000)
            ),
        ),
        (
            413,
            format!(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n{}\r\n0\r\n\r\n",
                "a".repeat(20_000)
            ),
        ),
    ];
    for (status, request) in cases {
        let seen = front.ask_to_end(&request);
        ended_well(&seen);
        assert_eq!(seen.answer().status, status, "{}", &request[..60]);
    }
    assert!(origin.requests().is_empty());
}

#[test]
fn absolute_form_names_the_host_and_the_origin_gets_a_path() {
    let origin = plain();
    let front = Front::before(origin.address);
    let request = "GET http://real.test:81/a?b=1 HTTP/1.1\r\nHost: other.test\r\n\r\n";
    assert_eq!(front.ask(request).answer().status, 200);
    let got = origin.only_request();
    assert_eq!(
        (got.target.as_str(), got.header("host")),
        ("/a?b=1", Some("real.test:81"))
    );
}

#[test]
fn options_of_the_whole_server_pass_as_an_asterisk() {
    let origin = plain();
    let front = Front::before(origin.address);
    assert_eq!(
        front
            .ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
            .answer()
            .status,
        200
    );
    assert_eq!(origin.only_request().target, "*");
}

#[test]
fn what_concerns_one_connection_ends_at_it_in_both_directions() {
    let origin = Recorder::start(|_| {
        Reply::ok("fine")
            .header("Connection", "X-Hop, keep-alive")
            .header("X-Hop", "1")
            .header("Keep-Alive", "timeout=5")
            .header("X-End", "2")
    });
    let front = Front::before(origin.address);
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Private, Host\r\nX-Private: 1\r\n\
                   Keep-Alive: 5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\n\
                   TE: gzip, trailers\r\nUpgrade: h2c\r\nX-Kept: 1\r\n\r\n";
    let answer = front.ask(request).answer();
    for gone in ["x-hop", "keep-alive"] {
        assert_eq!(answer.header(gone), None, "{answer:?}");
    }
    assert_eq!(answer.header("x-end"), Some("2"));
    let got = origin.only_request();
    for gone in [
        "x-private",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "upgrade",
    ] {
        assert_eq!(got.header(gone), None, "{got:?}");
    }
    assert_eq!(
        (got.header("x-kept"), got.header("te"), got.header("host")),
        (Some("1"), Some("trailers"), Some("a"))
    );
}

#[test]
fn the_origin_learns_who_asked_and_nobody_can_pretend() {
    let origin = plain();
    let front = Front::before(origin.address);
    let request = "GET / HTTP/1.1\r\nHost: a.test:8080\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n\
                   X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Request-Id: mine\r\nVia: 1.0 old\r\n\r\n";
    let answer = front.ask(request).answer();
    let got = origin.only_request();
    let one = |name: &str| got.all(name).collect::<Vec<_>>().join(" | ");
    assert_eq!(one("x-forwarded-for"), "127.0.0.1");
    assert_eq!(one("x-forwarded-proto"), "http");
    assert_eq!(one("x-forwarded-host"), "a.test:8080");
    assert_eq!(
        one("forwarded"),
        "for=127.0.0.1;proto=http;host=\"a.test:8080\""
    );
    assert_eq!(one("via"), "1.0 old | 1.1 forebay");
    assert_eq!(one("x-request-id").len(), 32);
    assert_eq!(answer.header("x-request-id"), got.header("x-request-id"));
    assert_eq!(answer.header("via"), Some("1.1 forebay"));
}

#[test]
fn a_trusted_proxys_word_is_continued() {
    let origin = plain();
    let rest = "[client]\ntrusted_proxies = [\"127.0.0.1\"]";
    let front = Setup {
        rest,
        ..Setup::default()
    }
    .before(&[origin.address]);
    let request = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Request-Id: theirs-1\r\n\r\n";
    assert_eq!(front.ask(request).answer().status, 200);
    let got = origin.only_request();
    assert_eq!(got.header("x-forwarded-for"), Some("192.0.2.7, 127.0.0.1"));
    assert_eq!(got.header("x-forwarded-proto"), Some("https"));
    assert_eq!(got.header("x-request-id"), Some("theirs-1"));
}

#[test]
fn a_fixed_host_is_what_the_origin_sees() {
    let origin = plain();
    let setup = Setup {
        origin: "host = \"inner.test\"",
        ..Setup::default()
    };
    let front = setup.before(&[origin.address]);
    assert_eq!(front.get("/").status, 200);
    let got = origin.only_request();
    assert_eq!(
        (got.header("host"), got.header("x-forwarded-host")),
        (Some("inner.test"), Some("site.test"))
    );
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let origin = Recorder::start(|request| Reply::ok(request.target.clone()));
    let front = Front::before(origin.address);
    let mut raw = front.connect();
    let requests: String = (0..20).map(|n| get(&format!("/{n}"))).collect();
    raw.send(requests).unwrap();
    for n in 0..20 {
        assert_eq!(raw.answer("GET", SOON).text(), format!("/{n}"));
    }
}

#[test]
fn an_http_1_0_client_gets_a_whole_answer_and_the_end() {
    let origin = Recorder::start(|_| Reply::chunked(&["ab", "c"]));
    let front = Front::before(origin.address);
    let seen = front.ask_to_end("GET / HTTP/1.0\r\n\r\n");
    ended_well(&seen);
    let answer = seen.answer();
    assert_eq!(
        (answer.text().as_str(), answer.header("transfer-encoding")),
        ("abc", None)
    );
}

#[test]
fn garbage_gets_a_400_and_a_fin() {
    let origin = plain();
    let front = Front::before(origin.address);
    for garbage in [
        "hello\r\n\r\n",
        "GET / HTTP/3.0\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n",
    ] {
        let seen = front.ask_to_end(garbage);
        assert_eq!(
            (seen.end, seen.answer().status),
            (End::Fin, 400),
            "{garbage:?}"
        );
    }
}

//! The access log on real files.
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of these tests fail the test, too"
)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::thread;

use forebay_telemetry::access::{AccessLog, Line, Target, Writer};
use serde_json::{Value, json};

const LINE: Line<'_> = Line {
    time_ms: 1_767_225_599_500,
    id: "4f1c",
    client: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
    method: "GET",
    host: "apply.example",
    path: "/apply/form?a=1&b=\"2\"",
    route: "/apply/*",
    status: 503,
    bytes_in: 0,
    bytes_out: 6_144,
    duration_us: 1_234,
    origin_us: None,
    queue_us: Some(250),
    class: "stranger",
    decision: "shed",
    reason: "stranger",
    server: "",
    room: "apply",
    user_agent: b"Mozilla/5.0 (\xff)",
    tls: true,
};

fn open(path: &Path, capacity: usize) -> (AccessLog, Writer) {
    AccessLog::open(Target::File(path.to_owned()), capacity).unwrap()
}

/// A file in a directory of its own.
fn file() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    (directory, path)
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_request_is_one_line_with_what_is_known_of_it() {
    let (_directory, path) = file();
    let (log, writer) = open(&path, 4);
    log.pen().write(&LINE);
    drop(log);
    writer.run();
    let expected = json!({
        "time": "2025-12-31T23:59:59.500Z",
        "id": "4f1c",
        "client": "192.0.2.7",
        "method": "GET",
        "host": "apply.example",
        "path": "/apply/form?a=1&b=\"2\"",
        "route": "/apply/*",
        "status": 503,
        "bytes_in": 0,
        "bytes_out": 6_144,
        "duration_ms": 1.234,
        "queue_ms": 0.25,
        "class": "stranger",
        "decision": "shed",
        "reason": "stranger",
        "room": "apply",
        "user_agent": "Mozilla/5.0 (\u{fffd})",
        "tls": true,
    });
    assert_eq!(lines(&path), [expected]);
}

#[test]
fn nothing_is_lost_between_many_pens_and_a_writer_that_keeps_up() {
    const LINES: u64 = 5_000;
    let (_directory, path) = file();
    let (log, writer) = open(&path, 1_000);
    thread::scope(|scope| {
        for worker in 0..4 {
            let mut pen = log.pen();
            scope.spawn(move || {
                for bytes_out in 0..LINES {
                    pen.write(&Line {
                        bytes_in: worker,
                        bytes_out,
                        ..LINE
                    });
                }
            });
        }
    });
    assert_eq!(log.dropped(), 0);
    drop(log);
    writer.run();
    let mut next = [0; 4];
    for line in lines(&path) {
        let worker = usize::try_from(line["bytes_in"].as_u64().unwrap()).unwrap();
        assert_eq!(
            line["bytes_out"], next[worker],
            "each worker's lines stay in order"
        );
        next[worker] += 1;
    }
    assert_eq!(next, [LINES; 4]);
}

#[test]
fn what_a_slow_writer_cannot_take_is_dropped_and_counted() {
    let (_directory, path) = file();
    let (log, writer) = open(&path, 2);
    let mut pen = log.pen();
    for _ in 0..5 {
        pen.write(&LINE);
        pen.flush();
    }
    assert_eq!(log.dropped(), 3);
    drop((pen, log));
    writer.run();
    assert_eq!(lines(&path).len(), 2);
}

#[test]
fn after_rotation_lines_go_into_the_new_file() {
    let (directory, path) = file();
    let (log, writer) = open(&path, 8);
    let writing = thread::spawn(|| writer.run());
    let mut pen = log.pen();
    pen.write(&LINE);
    pen.flush();
    wait_until(|| !fs::read(&path).unwrap().is_empty());

    let moved = directory.path().join("access.log.1");
    fs::rename(&path, &moved).unwrap();
    log.reopen();
    wait_until(|| path.exists());
    pen.write(&LINE);
    drop((pen, log));
    writing.join().unwrap();
    assert_eq!((lines(&moved).len(), lines(&path).len()), (1, 1));
}

#[test]
fn a_full_disk_costs_lines_and_is_said_once() {
    let (log, writer) = open(Path::new("/dev/full"), 8);
    let mut pen = log.pen();
    for _ in 0..3 {
        pen.write(&LINE);
        pen.flush();
    }
    drop(pen);
    let watched = log.clone();
    let writing = thread::spawn(|| writer.run());
    wait_until(|| watched.errors() == 3);
    assert_eq!(watched.dropped(), 3);
    assert!(watched.complaint().is_some());
    assert!(watched.complaint().is_none());
    drop((log, watched));
    writing.join().unwrap();
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_at_once() {
    let (directory, _) = file();
    let missing = directory.path().join("no/such/access.log");
    assert!(AccessLog::open(Target::File(missing), 1).is_err());
}

/// Yields until it is so.
fn wait_until(so: impl Fn() -> bool) {
    while !so() {
        thread::yield_now();
    }
}

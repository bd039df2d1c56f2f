//! What a line of the access log costs the worker: at most a microsecond.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use criterion::{Criterion, criterion_group, criterion_main};
use forebay_telemetry::access::{AccessLog, Line, Target};

const LINE: Line<'_> = Line {
    time_ms: 1_767_225_600_000,
    id: "0123456789abcdef",
    client: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
    method: "GET",
    host: "apply.example",
    path: "/apply/form?step=3&language=en",
    route: "/apply/*",
    status: 200,
    bytes_in: 0,
    bytes_out: 6_144,
    duration_us: 12_345,
    origin_us: Some(11_222),
    queue_us: None,
    class: "navigation",
    decision: "admit",
    reason: "",
    server: "10.0.0.10:8080",
    room: "apply",
    user_agent: b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    tls: true,
};

fn benches(c: &mut Criterion) {
    let nowhere = Target::File(PathBuf::from("/dev/null"));
    let (log, writer) = AccessLog::open(nowhere, 64).expect("/dev/null can be opened");
    let writing = std::thread::spawn(|| writer.run());
    let mut pen = log.pen();
    let mut time_ms = LINE.time_ms;
    c.bench_function("access/line", |b| {
        b.iter(|| {
            time_ms += 1;
            pen.write(black_box(&Line { time_ms, ..LINE }));
        });
    });
    drop((pen, log));
    writing.join().expect("the writer does not panic");
}

criterion_group!(lines, benches);
criterion_main!(lines);

//! Odd requests from public corpora: each is refused and its connection closed in order, or
//! exactly what a strict reader understands reaches the origin. Never a reset, a hang, or a 5xx.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use forebay_testkit::wire::End;
use forebay_testkit::{Answer, Raw, Recorder, Reply};
use serde_json::Value;

use super::front::{SOON, Setup};

/// Looked at in parallel: most of the time is waiting for our own short deadlines.
const THREADS: usize = 48;

struct Case {
    id: String,
    steps: Vec<Vec<u8>>,
}

#[test]
fn odd_requests_of_http11probe_harm_nobody() {
    harm_nobody("http11probe.jsonl");
}

#[test]
fn odd_requests_of_httparse_harm_nobody() {
    harm_nobody("httparse_requests.jsonl");
}

#[test]
fn odd_requests_of_llhttp_harm_nobody() {
    harm_nobody("llhttp_requests.jsonl");
}

#[test]
fn odd_hosts_of_nginx_harm_nobody() {
    harm_nobody("nginx_host.jsonl");
}

#[track_caller]
fn harm_nobody(file: &str) {
    let origin = Recorder::start(|_| Reply::ok("fine"));
    let limits = "header_timeout = \"500ms\"\nidle_timeout = \"400ms\"";
    let front = Setup {
        limits,
        ..Setup::default()
    }
    .before(&[origin.address]);
    let cases = Mutex::new(cases(file, front.address));
    let harm = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = next(&cases) {
                    if let Some(seen) = judge(front.address, &case) {
                        harm.lock()
                            .expect("no judge panics")
                            .push(format!("{}: {seen}", case.id));
                    }
                }
            });
        }
    });
    let harm = harm.into_inner().expect("no judge panics");
    assert!(
        harm.is_empty(),
        "{} cases:\n{}",
        harm.len(),
        harm.join("\n")
    );
    let mut violations = origin.violations();
    // Bytes over 0x7f in a field's value are old, and allowed (RFC 9110 section 5.5).
    violations.retain(|violation| !violation.starts_with("head is no text"));
    assert_eq!(violations, [""; 0], "what a careful proxy never sends");
    assert_eq!(front.get("/").status, 200, "the next connection is served");
}

fn next(cases: &Mutex<Vec<Case>>) -> Option<Case> {
    cases.lock().expect("no judge panics").pop()
}

/// The corpora lie beside the repository; where they do not, there is nothing to ask.
fn cases(file: &str, address: SocketAddr) -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let Ok(text) = fs::read_to_string(folder.join(file)) else {
        return Vec::new();
    };
    let read = |line: &str| {
        let case: Value = serde_json::from_str(line).expect("a JSON object a line");
        let steps = case["steps_b64"].as_array().expect("steps");
        Case {
            id: case["id"].as_str().expect("an id").to_owned(),
            steps: steps
                .iter()
                .map(|step| filled(&base64(step.as_str().expect("text")), address))
                .collect(),
        }
    };
    text.lines().map(read).collect()
}

fn filled(bytes: &[u8], address: SocketAddr) -> Vec<u8> {
    // Bytes that are no text have no placeholders either.
    let Ok(text) = std::str::from_utf8(bytes) else {
        return bytes.to_vec();
    };
    text.replace("{{HOST}}", &address.to_string())
        .replace("{{HOSTNAME}}", &address.ip().to_string())
        .replace("{{PORT}}", &address.port().to_string())
        .into_bytes()
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for digit in text
        .bytes()
        .filter_map(|byte| DIGITS.iter().position(|known| *known == byte))
    {
        held = (held << 6) | u32::try_from(digit).expect("under 64");
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).expect("masked"));
        }
    }
    bytes
}

/// What is wrong with how this case went, if anything is.
fn judge(address: SocketAddr, case: &Case) -> Option<String> {
    let began = Instant::now();
    let mut raw = match Raw::try_connect(address, None, SOON) {
        Ok(raw) => raw,
        Err(error) => return Some(format!("cannot connect: {error}")),
    };
    for step in &case.steps {
        // A connection that was closed for an earlier step takes no more.
        if raw.send(step).is_err() {
            break;
        }
    }
    let end = raw.end(SOON);
    let text = String::from_utf8_lossy(raw.seen()).into_owned();
    if end != End::Fin {
        return Some(format!(
            "ended by {end:?} after {:?}: {text:?}",
            began.elapsed()
        ));
    }
    if began.elapsed() > Duration::from_secs(10) {
        return Some(format!("held for {:?}", began.elapsed()));
    }
    let method = if case.steps.concat().starts_with(b"HEAD") {
        "HEAD"
    } else {
        "GET"
    };
    match Answer::parse(raw.seen(), method) {
        Ok(answer) if answer.status >= 500 => Some(format!("{answer:?}")),
        Ok(answer) if answer.truncated => Some(format!("truncated: {answer:?}")),
        Ok(_) => None,
        Err(_) if raw.seen().is_empty() => None,
        Err(error) => Some(format!("{error}: {text:?}")),
    }
}

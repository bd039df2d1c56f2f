//! Commands to a running Forebay, over its admin socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use crate::arguments::{At, KeysAction, RoomAction};
use crate::{Failure, configuration, say, verify};

/// A running Forebay answers at once; one that does not is no longer there to be asked.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a change and prints the answer.
pub(crate) fn post(at: &At, path: &str, body: Option<&Value>) -> Result<ExitCode, Failure> {
    let (status, answer) = exchange(at, "POST", path, body)?;
    report(status, &answer)
}

/// Shows or changes a room.
pub(crate) fn room(at: &At, name: &str, action: &RoomAction) -> Result<ExitCode, Failure> {
    let change = match action {
        RoomAction::Status => return room_status(at, name),
        RoomAction::Invite { count, valid, site } => {
            let wanted = json!({ "count": count, "valid_seconds": valid });
            return invite(at, name, &wanted, site);
        }
        RoomAction::Auto => json!({ "mode": "auto" }),
        RoomAction::Hold => json!({ "mode": "hold" }),
        RoomAction::QueueAll => json!({ "mode": "queue-all" }),
        RoomAction::Maintenance => json!({ "mode": "maintenance" }),
        RoomAction::Off => json!({ "mode": "off" }),
        RoomAction::Rate { rate } => json!({ "inlet": rate }),
        RoomAction::Revoke { reference } => json!({ "revoke": reference }),
        RoomAction::VerifyDraw(wanted) => return verify::verify(at, name, wanted),
        RoomAction::Active { visitors } => match visitors.parse::<u32>() {
            Ok(number) => json!({ "active": number }),
            Err(_) => json!({ "active": visitors }),
        },
    };
    post(at, &format!("/api/room/{name}"), Some(&change))
}

/// Changes the keys.
pub(crate) fn keys(at: &At, action: &KeysAction) -> Result<ExitCode, Failure> {
    let KeysAction::Rotate { distrust } = action;
    let wanted = json!({ "distrust": distrust });
    post(at, "/api/keys/rotate", Some(&wanted))
}

/// Prints one link a line.
fn invite(at: &At, room: &str, wanted: &Value, site: &str) -> Result<ExitCode, Failure> {
    let path = format!("/api/room/{room}/invite");
    let (status, answer) = exchange(at, "POST", &path, Some(wanted))?;
    if status != 200 {
        return report(status, &answer);
    }
    let made: Value = serde_json::from_str(&answer).map_err(|error| Failure::of(&error))?;
    let links = made["links"].as_array().into_iter().flatten();
    let site = site.trim_end_matches('/');
    let lines: Vec<String> = links
        .filter_map(|link| Some(format!("{site}{}", link.as_str()?)))
        .collect();
    say(&lines.join("\n"))
}

fn room_status(at: &At, name: &str) -> Result<ExitCode, Failure> {
    say(&format!("{:#}", room_value(at, name)?))
}

/// A room of `/api/status`.
pub(crate) fn room_value(at: &At, name: &str) -> Result<Value, Failure> {
    let (_, answer) = exchange(at, "GET", "/api/status", None)?;
    let status: Value = serde_json::from_str(&answer).map_err(|error| Failure::of(&error))?;
    let rooms = status["rooms"].as_array().cloned().unwrap_or_default();
    let room = rooms.into_iter().find(|room| room["name"] == name);
    room.ok_or_else(|| Failure(format!("no room `{name}`")))
}

/// Asks whether it is ready.
pub(crate) fn healthcheck(at: &At) -> Result<ExitCode, Failure> {
    let (status, answer) = exchange(at, "GET", "/readyz", None)?;
    report(status, &answer)
}

fn report(status: u16, answer: &str) -> Result<ExitCode, Failure> {
    if (200..300).contains(&status) {
        return say(answer);
    }
    let problem: Option<Value> = serde_json::from_str(answer).ok();
    let detail = problem
        .as_ref()
        .and_then(|problem| problem["detail"].as_str());
    Err(Failure(detail.unwrap_or(answer).trim_end().to_owned()))
}

fn socket(at: &At) -> Result<PathBuf, Failure> {
    if let Some(socket) = &at.socket {
        return Ok(socket.clone());
    }
    let config = configuration::required(&at.config)?;
    config.admin.socket.ok_or_else(|| {
        Failure(format!(
            "{} has no admin socket: admin.socket is \"none\"",
            at.config.display()
        ))
    })
}

fn exchange(
    at: &At,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<(u16, String), Failure> {
    let socket = socket(at)?;
    let failed = |error: std::io::Error| {
        Failure(format!(
            "no running Forebay answers at {}: {error}",
            socket.display()
        ))
    };
    let mut stream = UnixStream::connect(&socket).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    let body = body.map_or_else(String::new, Value::to_string);
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: forebay\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    );
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    let parsed = answer.split_once("\r\n\r\n").and_then(|(head, body)| {
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    });
    parsed.ok_or_else(|| Failure("the answer is not HTTP".to_owned()))
}

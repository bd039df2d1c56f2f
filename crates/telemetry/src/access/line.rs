//! One request, as one line of JSON.

use std::net::IpAddr;

use super::time::Clock;
use crate::json::JsonWriter;

/// What is said of one request. Absent fields are left out.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// When its first byte came, in milliseconds since 1970.
    pub time_ms: u64,
    /// The request's id.
    pub id: &'a str,
    /// The client's address, through trusted proxies.
    pub client: IpAddr,
    /// The method.
    pub method: &'a str,
    /// The host that was asked for.
    pub host: &'a str,
    /// Path and query as they came.
    pub path: &'a str,
    /// The configured route; empty when none matched.
    pub route: &'a str,
    /// The status that was sent; 0 when none was.
    pub status: u16,
    /// Bytes of the request's body that were read.
    pub bytes_in: u64,
    /// Bytes of the answer's body that were written.
    pub bytes_out: u64,
    /// From the first byte of the request to the last of the answer.
    pub duration_us: u64,
    /// From the permit to the origin's response head.
    pub origin_us: Option<u64>,
    /// Spent at the short queue.
    pub queue_us: Option<u64>,
    /// The class in which it waited at the short queue; empty when it did not.
    pub class: &'a str,
    /// `admit`, `cache`, `hold` or `shed`.
    pub decision: &'a str,
    /// Why it was not admitted, on what grounds past the room, or how
    /// good the copy was; empty otherwise.
    pub reason: &'a str,
    /// The server of the origin that answered; empty when none was asked.
    pub server: &'a str,
    /// The room; empty when the route has none.
    pub room: &'a str,
    /// What the client calls itself.
    pub user_agent: &'a [u8],
    /// Whether the connection was TLS.
    pub tls: bool,
}

impl Line<'_> {
    /// Appends the line, its end included.
    pub(super) fn format(&self, out: &mut Vec<u8>, clock: &mut Clock) {
        let time = clock.text(self.time_ms);
        JsonWriter::object(out, |line| {
            line.str("time", time);
            line.str("id", self.id);
            line.plain("client", self.client);
            line.str("method", self.method);
            line.str("host", self.host);
            line.str("path", self.path);
            said(line, "route", self.route);
            line.u64("status", u64::from(self.status));
            line.u64("bytes_in", self.bytes_in);
            line.u64("bytes_out", self.bytes_out);
            line.thousandths("duration_ms", self.duration_us);
            for (key, span) in [("origin_ms", self.origin_us), ("queue_ms", self.queue_us)] {
                if let Some(span) = span {
                    line.thousandths(key, span);
                }
            }
            said(line, "class", self.class);
            line.str("decision", self.decision);
            said(line, "reason", self.reason);
            said(line, "server", self.server);
            said(line, "room", self.room);
            if !self.user_agent.is_empty() {
                line.bytes("user_agent", self.user_agent);
            }
            line.bool("tls", self.tls);
        });
        out.push(b'\n');
    }
}

fn said(line: &mut JsonWriter<'_>, key: &str, value: &str) {
    if !value.is_empty() {
        line.str(key, value);
    }
}

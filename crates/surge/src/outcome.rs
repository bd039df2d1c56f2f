//! How a request can end, as seen at the socket.

use std::io;

use crate::place;
use crate::wire::Answer;

/// How one request ended. There is no other way, and each request ends in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A whole answer came.
    Answered(Kind),
    /// The connection was refused (ECONNREFUSED).
    Refused,
    /// ECONNRESET or EPIPE before the answer's first byte.
    ResetBefore,
    /// ECONNRESET or EPIPE in the middle of the answer.
    ResetAfter,
    /// End of stream before the length the answer had announced.
    Truncated,
    /// End of stream without any byte of an answer.
    Closed,
    /// Bytes that are no HTTP/1.1 answer, or one beyond the reader's bounds.
    Malformed,
    /// Connected, but no whole answer in time.
    TimedOut,
    /// No connection in time.
    ConnectTimedOut,
    /// Another failure of the socket.
    Failed,
    /// This machine had no port or no descriptor left for the connection: the crowd's
    /// own limit, and never the site's fault.
    NoPort,
    /// The visitor left before the answer was whole.
    Abandoned,
}

/// Whether a system error says that the process or the machine has no descriptor left
/// (ENFILE and EMFILE, which have no kind of their own).
const fn is_out_of_descriptors(code: i32) -> bool {
    matches!(code, 23 | 24)
}

/// What a whole answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The site's own, below 400.
    Page,
    /// The waiting room's page or status: the visitor has a place in line.
    Waiting,
    /// 503 without a place: come again in a moment.
    Busy,
    /// 429.
    Limited,
    /// Another 4xx.
    ClientError,
    /// Another 5xx.
    ServerError,
}

impl Kind {
    /// What `answer` is, judged by what every client can see: the status, and a
    /// cookie whose name holds `forebay-` or a page with `data-ahead` or `data-state`.
    pub(crate) fn of(answer: &Answer) -> Self {
        match answer.status {
            429 => Self::Limited,
            // The room's status is configurable; the page's marks are not.
            200 | 503 if place::is_page(&answer.body) => Self::Waiting,
            503 if place::busy_in_page(&answer.body).is_some() => Self::Busy,
            503 if sets_place(answer) => Self::Waiting,
            503 => Self::Busy,
            500.. => Self::ServerError,
            400.. => Self::ClientError,
            // The proxy's own redirect, which takes a visitor without script to the line.
            300..
                if answer
                    .all("proxy-status")
                    .any(|field| field.contains("forebay")) =>
            {
                Self::Waiting
            }
            _ => Self::Page,
        }
    }
}

/// Whether an answer sets a room's cookie, which on a refusal is a place in line.
fn sets_place(answer: &Answer) -> bool {
    answer.all("set-cookie").any(|cookie| {
        let (name, value) = cookie.split_once('=').unwrap_or_default();
        name.contains("forebay-") && !value.starts_with(';')
    })
}

impl Outcome {
    /// What a failed connect means.
    pub(crate) fn of_connect(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset => Self::ResetBefore,
            io::ErrorKind::TimedOut => Self::ConnectTimedOut,
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse => Self::NoPort,
            _ if error.raw_os_error().is_some_and(is_out_of_descriptors) => Self::NoPort,
            _ => Self::Failed,
        }
    }

    /// What a failed TLS handshake on an open connection means.
    pub(crate) fn of_handshake(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed,
            io::ErrorKind::InvalidData => Self::Malformed,
            _ => Self::of_exchange(error, false),
        }
    }

    /// What a failed read or write means, with or without the first byte of an answer.
    pub(crate) fn of_exchange(error: &io::Error, begun: bool) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe if begun => Self::ResetAfter,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::ResetBefore,
            io::ErrorKind::TimedOut => Self::TimedOut,
            // Bytes that are no TLS.
            io::ErrorKind::InvalidData => Self::Malformed,
            _ => Self::Failed,
        }
    }
}

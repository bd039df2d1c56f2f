//! What is counted about the connections of clients.

use super::cell::{Counter, Gauge, Table, kinds};

kinds! {
    /// What a connection does.
    Doing {
        /// A request is being read or answered.
        Active => "active",
        /// Open, between requests.
        Idle => "idle",
        /// Answered, half closed, and read until the peer closes.
        Lingering => "lingering",
        /// Upgraded: bytes pass both ways.
        Tunnel => "tunnel",
    }
}

kinds! {
    /// By whom a connection was ended, and how. [`UsRst`](Self::UsRst) is there so that the
    /// promise can be watched: it stays zero.
    Close {
        /// We closed, the peer had closed or closed in time.
        UsFin => "us fin",
        /// We closed at the bounds of lingering while the peer was still sending.
        UsBound => "us bound",
        /// We closed because of an error of ours.
        UsError => "us error",
        /// We reset it.
        UsRst => "us rst",
        /// The peer closed.
        PeerFin => "peer fin",
        /// The peer reset.
        PeerRst => "peer rst",
        /// The connection broke.
        PeerError => "peer error",
    }
}

kinds! {
    /// What is wrong with a request's form.
    BadRequest {
        /// Not HTTP.
        Syntax => "syntax",
        /// Its end is ambiguous: lengths and encodings that contradict.
        Framing => "framing",
        /// None, several, or not a host.
        Host => "host",
        /// A target that is no path here.
        Target => "target",
        /// A method that is not answered.
        Method => "method",
        /// Too many or too large header fields.
        Header => "header",
        /// An expectation that is not known.
        Expectation => "expectation",
        /// The body broke off or is too large.
        Body => "body",
    }
}

kinds! {
    /// A deadline of ours.
    Timeout {
        /// TLS or PROXY protocol.
        Handshake => "handshake",
        /// From a request's first byte to the end of its header.
        Header => "header",
        /// The request's body.
        Body => "body",
        /// Between requests.
        Idle => "idle",
        /// Taking our answer.
        Write => "write",
        /// Connecting to the origin.
        Connect => "connect",
        /// The origin's response head.
        Response => "response",
    }
}

/// The counters of all connections of clients.
#[derive(Debug, Default)]
pub struct ConnectionMetrics {
    /// Connections by what they do; each counts in one at a time.
    pub open: Table<Doing, Gauge>,
    /// Accepted.
    pub accepted: Counter,
    /// Ended.
    pub closed: Table<Close, Counter>,
    /// Got the short answer from the reserve.
    pub over_budget: Counter,
    /// Accepting paused.
    pub accept_paused: Counter,
    /// Refused for their form.
    pub bad_requests: Table<BadRequest, Counter>,
    /// Deadlines missed.
    pub timeouts: Table<Timeout, Counter>,
}

impl ConnectionMetrics {
    /// A connection goes over from one doing to another.
    pub fn moved(&self, from: Doing, to: Doing) {
        if from != to {
            self.open.of(to).inc();
            self.open.of(from).dec();
        }
    }
}

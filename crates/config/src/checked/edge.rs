//! The client's side: listeners, bounds on connections and messages, identity.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// One address on which clients connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Address and port; port 0 lets the kernel choose.
    pub address: SocketAddr,
    /// Speaks TLS when present, cleartext otherwise.
    pub tls: Option<ListenerTls>,
}

/// Certificate and key of a TLS listener; both files were readable at the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerTls {
    /// PEM file with the certificate chain, leaf first.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// The process itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// Threads that serve, each with a runtime and a listening socket of its own.
    /// Default: the CPUs that this process may use.
    pub workers: NonZeroUsize,
}

/// What protects the proxy itself. Every number is at least 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Open client connections; lowered at start where descriptors do not suffice.
    pub connections: usize,
    /// Upgraded and long-running exchanges, which stand outside the concurrency limit.
    pub streams: usize,
    /// Bytes of a request's head, 1 KiB or more.
    pub header_size: usize,
    /// Header fields of a request.
    pub headers: usize,
    /// From a request's first byte to the end of its head.
    pub header_timeout: Duration,
    /// Bytes of a request's body.
    pub body_size: u64,
    /// Bytes of a body that are read before a permit is taken.
    pub body_buffer: usize,
    /// Bytes that all such buffers of the process may hold together.
    pub body_buffers: u64,
    /// Bytes per second below which a larger body is a slow-loris.
    pub body_rate_min: u64,
    /// How long a connection without a request is kept.
    pub idle_timeout: Duration,
    /// Bounds of the lingering close.
    pub linger: Linger,
    /// Connections the kernel may hold before they are accepted; the kernel clips it.
    pub backlog: u32,
    /// How long a drain waits for what is in flight.
    pub drain: Duration,
}

/// Bounds of a lingering close: reading on after the answer, so that the
/// kernel sends FIN and no RST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linger {
    /// Ends it after this long without a byte.
    pub idle: Duration,
    /// Ends it after this long in any case.
    pub total: Duration,
    /// Ends it after this many bytes.
    pub size: u64,
    /// Sockets that may linger at once.
    pub sockets: usize,
}

/// Who counts as one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Peers whose forwarding header is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Which header names the client behind a trusted proxy.
    pub forwarded: Forwarded,
    /// Leading bits of an IPv4 address that make one client, 1 to 32.
    pub ipv4_prefix: u8,
    /// Leading bits of an IPv6 address that make one client, 1 to 128.
    pub ipv6_prefix: u8,
}

/// The header by which a trusted proxy names the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwarded {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded`, RFC 7239.
    Forwarded,
    /// None: the peer is the client.
    None,
}

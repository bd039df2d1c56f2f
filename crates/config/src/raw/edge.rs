//! `[[listener]]`, `[runtime]`, `[limits]`, `[client]`.

use std::net::SocketAddr;

use ipnet::IpNet;

use super::Count;
use crate::checked::Forwarded;
use crate::read::{At, Bytes, BytesPerSecond, Number, PathText, Period, Word, table};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

table! {
    /// One address on which clients connect.
    Listener, later ["http2", "proxy_protocol"], {
        /// Address and port, such as "0.0.0.0:443".
        address: SocketAddr = required,
        /// Speaks TLS with this certificate; cleartext without.
        tls: ListenerTls = optional,
    }
}

table! {
    /// Certificate and key of a TLS listener.
    ListenerTls, later [], {
        /// PEM file with the certificate chain, leaf first.
        certificate: PathText = required,
        /// PEM file with the private key.
        key: PathText = required,
    }
}

table! {
    /// The process itself.
    Runtime, later [], {
        /// Threads that serve. Default: the CPUs that this process may use.
        workers: Number<1, 1024> = optional,
    }
}

table! {
    /// What protects the proxy itself.
    Limits, later [], {
        /// Open client connections; lowered with a warning where descriptors do not suffice.
        connections: Count = "15000",
        /// Upgraded and long-running exchanges, outside the concurrency limit.
        streams: Count = "1000",
        /// Bytes of a request's head.
        header_size: Bytes<KIB, { 16 * MIB }> = "'64KiB'",
        /// Header fields of a request.
        headers: Number<1, 32768> = "100",
        /// From a request's first byte to the end of its head.
        header_timeout: Period = "'10s'",
        /// Bytes of a request's body.
        body_size: Bytes<1, TIB> = "'32MiB'",
        /// Bytes of a body that are read before a permit is taken.
        body_buffer: Bytes<1, GIB> = "'64KiB'",
        /// Bytes that all such buffers of the process may hold together.
        body_buffers: Bytes<1, TIB> = "'256MiB'",
        /// A larger body that comes more slowly is cut off.
        body_rate_min: BytesPerSecond = "'1KiB/s'",
        /// How long a connection without a request is kept.
        idle_timeout: Period = "'60s'",
        /// Bounds of the lingering close.
        linger: Linger = "{}",
        /// Connections that the kernel may hold before they are accepted; it clips the number.
        backlog: Number<1, { i32::MAX as u64 }> = "65535",
        /// How long a drain waits for what is in flight.
        drain: Period = "'30s'",
    }
}

table! {
    /// Bounds of the lingering close: reading on after the answer, so that nobody is reset.
    Linger, later [], {
        /// Ends after this long without a byte.
        idle: Period = "'5s'",
        /// Ends after this long in any case.
        total: Period = "'30s'",
        /// Ends after this many bytes.
        size: Bytes<1, TIB> = "'32MiB'",
        /// Sockets that may linger at once.
        sockets: Count = "2000",
    }
}

table! {
    /// Who counts as one client.
    Client, later [], {
        /// Peers whose forwarding header is believed: addresses or networks.
        trusted_proxies: Vec<At<IpNet>> = "[]",
        /// The header by which a trusted proxy names the client.
        forwarded: Forwarded = "'x-forwarded-for'",
        /// Leading bits of an IPv4 address that make one client.
        ipv4_prefix: Number<1, 32> = "32",
        /// Leading bits of an IPv6 address that make one client.
        ipv6_prefix: Number<1, 128> = "64",
    }
}

impl Word for Forwarded {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("x-forwarded-for", Self::XForwardedFor),
        ("forwarded", Self::Forwarded),
        ("none", Self::None),
    ];
}

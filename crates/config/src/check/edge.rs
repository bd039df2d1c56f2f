//! Listeners and the proxy's own bounds.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::in_order;
use crate::checked::{Client, Limits, Linger, Listener, ListenerTls, Runtime};
use crate::raw;
use crate::read::{At, PathText, Reader, read_bounded};

/// Bytes of a certificate's or key's file.
const PEM_SIZE_MAX: u64 = 1 << 20;

pub(super) fn listeners(
    raw: &At<Vec<At<raw::Listener>>>,
    admin: Option<SocketAddr>,
    reader: &mut Reader<'_>,
) -> Vec<Listener> {
    if raw.value.is_empty() && !reader.report.mentions(&raw.place.key) {
        let write = "write [[listener]] and below it address = \"0.0.0.0:80\"";
        reader
            .report
            .error(&raw.place, "is missing: clients could not connect", write);
    }
    let mut list: Vec<Listener> = Vec::new();
    for At {
        value: listener, ..
    } in &raw.value
    {
        let tls = listener
            .tls
            .as_ref()
            .and_then(|tls| listener_tls(&tls.value, reader));
        let Some(At {
            place,
            value: address,
        }) = &listener.address
        else {
            continue;
        };
        if list.iter().any(|other| overlap(other.address, *address)) {
            let what = "is taken by a listener above";
            reader
                .report
                .error(place, what, "take another address or port");
        }
        if admin.is_some_and(|admin| overlap(admin, *address)) {
            let what = "is taken by admin.address";
            reader
                .report
                .error(place, what, "take another port, here or there");
        }
        list.push(Listener {
            address: *address,
            tls,
        });
    }
    list
}

/// Whether the kernel would refuse to bind both.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let wild = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0
        && a.port() == b.port()
        && (a.ip() == b.ip() || wild && a.is_ipv4() == b.is_ipv4())
}

fn listener_tls(raw: &raw::ListenerTls, reader: &mut Reader<'_>) -> Option<ListenerTls> {
    let certificate = raw
        .certificate
        .as_ref()
        .and_then(|path| pem(path, "CERTIFICATE-----", reader));
    let key = raw
        .key
        .as_ref()
        .and_then(|path| pem(path, "PRIVATE KEY-----", reader));
    Some(ListenerTls {
        certificate: certificate?,
        key: key?,
    })
}

/// The path, if the file can be read and holds a section whose label ends so
/// (RFC 7468): the usual mistake is to swap the two files.
fn pem(path: &At<PathText>, label: &str, reader: &mut Reader<'_>) -> Option<PathBuf> {
    let At { place, value } = path;
    let file = value.under(reader.base);
    match read_bounded(&file, PEM_SIZE_MAX) {
        Ok(bytes) if holds(&bytes, label) => Some(file),
        Ok(_) => {
            let what = format!("is a file without a section \"{label}\"");
            reader
                .report
                .error(place, what, "name a PEM file that has one");
            None
        }
        Err(error) => {
            let what = format!("names a file that cannot be read: {error}");
            reader
                .report
                .error(place, what, "name a file that this user may read");
            None
        }
    }
}

fn holds(bytes: &[u8], label: &str) -> bool {
    String::from_utf8_lossy(bytes)
        .lines()
        .any(|line| line.starts_with("-----BEGIN ") && line.trim_end().ends_with(label))
}

pub(super) fn runtime(raw: &raw::Runtime) -> Runtime {
    let written = raw
        .workers
        .as_ref()
        .and_then(|workers| NonZeroUsize::new(workers.value.fit()));
    let workers = written
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN);
    Runtime { workers }
}

pub(super) fn limits(raw: &raw::Limits, reader: &mut Reader<'_>) -> Limits {
    let limits = Limits {
        connections: raw.connections.value.fit(),
        streams: raw.streams.value.fit(),
        header_size: raw.header_size.value.as_usize(),
        headers: raw.headers.value.fit(),
        header_timeout: raw.header_timeout.value.0,
        body_size: raw.body_size.value.get(),
        body_buffer: raw.body_buffer.value.as_usize(),
        body_buffers: raw.body_buffers.value.get(),
        body_rate_min: raw.body_rate_min.value.0,
        idle_timeout: raw.idle_timeout.value.0,
        linger: linger(&raw.linger.value, reader),
        backlog: raw.backlog.value.fit(),
        drain: raw.drain.value.0,
    };
    let buffers = (&raw.body_buffers.place, limits.body_buffers);
    in_order(
        (&raw.body_buffer.place, raw.body_buffer.value.get()),
        buffers,
        reader,
    );
    limits
}

fn linger(raw: &raw::Linger, reader: &mut Reader<'_>) -> Linger {
    let linger = Linger {
        idle: raw.idle.value.0,
        total: raw.total.value.0,
        size: raw.size.value.get(),
        sockets: raw.sockets.value.fit(),
    };
    in_order(
        (&raw.idle.place, linger.idle),
        (&raw.total.place, linger.total),
        reader,
    );
    linger
}

pub(super) fn client(raw: raw::Client, reader: &mut Reader<'_>) -> Client {
    for At { place, value } in &raw.trusted_proxies.value {
        if value.prefix_len() == 0 {
            let what = "is everybody, so that any client may call itself another";
            reader
                .report
                .warning(place, what, "write the proxies' own network");
        }
    }
    Client {
        trusted_proxies: raw
            .trusted_proxies
            .value
            .into_iter()
            .map(|net| net.value)
            .collect(),
        forwarded: raw.forwarded.value,
        ipv4_prefix: raw.ipv4_prefix.value.fit(),
        ipv6_prefix: raw.ipv6_prefix.value.fit(),
    }
}

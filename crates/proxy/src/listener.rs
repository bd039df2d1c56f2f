//! Listening sockets: one for each worker on each address, by `SO_REUSEPORT`. They are bound once
//! and never closed while the process runs: what a closed one had queued would be reset.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Binds `workers` sockets to each address, none listening yet. The outer list is by worker.
///
/// # Errors
/// An address that is taken, also by another process that shares its port, or not ours.
pub fn bind(addresses: &[SocketAddr], workers: usize) -> Result<Vec<Vec<Socket>>, BindError> {
    let mut all: Vec<Vec<Socket>> = (0..workers).map(|_| Vec::new()).collect();
    for &address in addresses {
        let failed = |source| BindError { address, source };
        // Without SO_REUSEPORT this fails when anybody listens there: a second process must be
        // an error, and not half of the traffic.
        let probe = socket(address, false).map_err(failed)?;
        let taken = probe
            .local_addr()
            .map_err(failed)?
            .as_socket()
            .unwrap_or(address);
        drop(probe);
        for mine in &mut all {
            mine.push(socket(taken, true).map_err(failed)?);
        }
    }
    Ok(all)
}

fn socket(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Begins to listen with the given backlog, which the kernel clips to `net.core.somaxconn`.
///
/// # Errors
/// As the kernel says.
pub fn listen(socket: Socket, backlog: u32) -> io::Result<TcpListener> {
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// Warns when the kernel's own bounds are small: a full backlog is the one place where clients
/// are turned away before anybody can answer them.
pub fn warn_of_small_backlogs(asked: u32) {
    for file in [
        "/proc/sys/net/core/somaxconn",
        "/proc/sys/net/ipv4/tcp_max_syn_backlog",
    ] {
        let bound = std::fs::read_to_string(file)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        if let Some(bound) = bound.filter(|bound: &u32| *bound < asked.min(4_096)) {
            tracing::warn!(
                file,
                bound,
                "small kernel backlog: a burst of connects may stall"
            );
        }
    }
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// Which.
    pub address: SocketAddr,
    /// Why.
    #[source]
    pub source: io::Error,
}

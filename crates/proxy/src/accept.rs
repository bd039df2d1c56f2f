//! Accepting: always, and never waiting for a request. Over the bound of connections a client
//! gets the short answer from the reserve; over the reserve accepting pauses, and the kernel's
//! backlog waits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use forebay_layers::budget::Slot;
use forebay_layers::exchange::Peer;
use forebay_telemetry::metrics::{Doing, Timeout};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::connection::{self, ConnectionState};
use crate::linger::Linger;
use crate::reserve;
use crate::worker::Worker;

/// How long accepting pauses when no descriptor is left, in the kernel or in the reserve.
const PAUSE: Duration = Duration::from_millis(5);

/// Accepts on one listener for as long as the process runs. `index` names its certificate.
pub async fn run(worker: Arc<Worker>, listener: TcpListener, index: usize) {
    loop {
        match listener.accept().await {
            Ok((socket, address)) => admit(&worker, socket, address, index).await,
            Err(_) => {
                worker.metrics.connections().accept_paused.inc();
                sleep(PAUSE).await;
            }
        }
    }
}

async fn admit(worker: &Arc<Worker>, socket: TcpStream, address: SocketAddr, index: usize) {
    let connections = worker.metrics.connections();
    connections.accepted.inc();
    // Failing to set it costs a delay, not correctness.
    _ = socket.set_nodelay(true);
    let tls = worker.acceptor(index);
    let over = match worker.connections.take(1) {
        Some(place) => {
            let going = start(Arc::clone(worker), socket, address, place, tls);
            tokio::spawn(going);
            return;
        }
        None => socket,
    };
    connections.over_budget.inc();
    let place = loop {
        if let Some(place) = worker.reserve.take(1) {
            break place;
        }
        connections.accept_paused.inc();
        sleep(PAUSE).await;
    };
    connections.open.of(Doing::Active).inc();
    let socket = Linger::new(over, place, Arc::clone(&worker.lingering));
    let limit = worker.rules().header_timeout;
    tokio::spawn(async move {
        // The answer has its own deadlines; this one is for a client that does not read it.
        _ = timeout(limit, short(socket, tls)).await;
    });
}

async fn short(socket: Linger, tls: Option<TlsAcceptor>) {
    match tls {
        None => reserve::answer(socket).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(socket).await {
                reserve::answer(stream).await;
            }
        }
    }
}

async fn start(
    worker: Arc<Worker>,
    socket: TcpStream,
    address: SocketAddr,
    place: Slot,
    tls: Option<TlsAcceptor>,
) {
    let connections = worker.metrics.connections();
    connections.open.of(Doing::Active).inc();
    let socket = Linger::new(socket, place, Arc::clone(&worker.lingering));
    let state = Arc::new(ConnectionState::new(worker.clock.now()));
    let _listed = worker.list(&state);
    let peer = Peer::new(address, tls.is_some());
    match tls {
        None => connection::serve(Arc::clone(&worker), socket, peer, state).await,
        Some(acceptor) => {
            let limit = worker.rules().header_timeout;
            match timeout(limit, acceptor.accept(socket)).await {
                Ok(Ok(stream)) => {
                    connection::serve(Arc::clone(&worker), stream, peer, state).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
                Err(_elapsed) => connections.timeouts.inc(Timeout::Handshake),
            }
        }
    }
}

//! One connection to a server of the origin.

use std::sync::Arc;
use std::time::Duration;

use forebay_admission::verdict::Reason;
use forebay_layers::body::RequestBody;
use forebay_layers::origin::Origin;
use forebay_layers::server::{ConnectionSlot, InFlight, Server};
use forebay_telemetry::metrics::ConnectError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// A connection with nothing on it.
pub(super) struct Link {
    pub(super) sender: SendRequest<RequestBody>,
    slot: ConnectionSlot,
    driver: AbortHandle,
}

impl Link {
    /// Where it leads.
    pub(super) const fn server(&self) -> &Arc<Server> {
        self.slot.server()
    }
}

/// Whoever lets go of a connection closes it: hyper alone would go on for as long as an origin
/// that reads nothing lets it write.
impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A connection in use by one exchange.
pub(crate) struct Connected {
    pub(super) link: Link,
    origin: Arc<Origin>,
    /// Whether it has carried an exchange before.
    pub(super) reused: bool,
    in_flight: InFlight,
}

impl Connected {
    pub(super) fn new(link: Link, origin: &Arc<Origin>, in_flight: InFlight, reused: bool) -> Self {
        Self {
            link,
            origin: Arc::clone(origin),
            reused,
            in_flight,
        }
    }

    /// Where it leads.
    pub(super) const fn server(&self) -> &Arc<Server> {
        self.in_flight.server()
    }

    /// Ends the exchange's count; the connection is free, when it is worth keeping.
    pub(super) fn into_link(self) -> Option<Link> {
        drop(self.in_flight);
        let keep = !self.link.sender.is_closed() && self.origin.keeps(self.link.server());
        keep.then_some(self.link)
    }
}

/// Connects within the origin's `connect_timeout`.
pub(super) async fn dial(origin: &Origin, server: &Arc<Server>) -> Result<Link, Reason> {
    let counted = |error: ConnectError, reason: Reason| {
        origin.metrics.connect_errors.inc(error);
        reason
    };
    let slot = server
        .connect()
        .ok_or_else(|| counted(ConnectError::Full, Reason::OriginBusy))?;
    let limit: Duration = origin.rules.connect_timeout;
    let stream = match timeout(limit, TcpStream::connect(server.address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            return Err(counted(ConnectError::Refused, Reason::OriginUnreachable));
        }
        Ok(Err(_)) => {
            return Err(counted(
                ConnectError::Unreachable,
                Reason::OriginUnreachable,
            ));
        }
        Err(_elapsed) => {
            return Err(counted(ConnectError::Timeout, Reason::OriginConnectTimeout));
        }
    };
    // Failing to set it costs a delay, not correctness.
    _ = stream.set_nodelay(true);
    let (sender, connection) = http1::Builder::new()
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Reason::OriginReset)?;
    let driver = tokio::spawn(async move {
        // How an exchange ended is told to the exchange; this future only drives the socket.
        _ = connection.with_upgrades().await;
    });
    let driver = driver.abort_handle();
    Ok(Link {
        sender,
        slot,
        driver,
    })
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}

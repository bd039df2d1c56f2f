//! Sees abandoned exchanges to their end. An origin that runs a thread per request goes on when
//! we leave; so its answer is read in the background, and the permit is free when that is done.
//! What takes longer than `abort_grace` is closed, and its permit waits for another `abort_grace`.
//!
//! The one place that spawns a task per request, and never more than there are permits.

use std::sync::Arc;

use forebay_layers::body::Upload;
use forebay_layers::permit_body::{Held, Lease};
use forebay_telemetry::metrics::Abandoned;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::connection::Connected;
use super::pending::Sending;
use super::pool::Pools;

/// Takes over a request whose answer nobody waits for any more.
pub(super) fn adopt(sending: Sending, mut held: Held, pools: Arc<Pools>) {
    // Without a runtime the process is ending, and so is the permit.
    let Ok(handle) = Handle::try_current() else {
        return;
    };
    handle.spawn(async move {
        // A client that left early changes nothing for the origin; one that was told 504 has
        // waited for as long as an answer may take.
        let left = held
            .origin
            .rules
            .response_timeout
            .saturating_sub(held.sent.elapsed());
        let limit = left.max(held.permit.abort_grace());
        match timeout(limit, sending).await {
            Ok((Ok(response), connected)) => {
                held.status = response.status().as_u16();
                let server = connected.server();
                held.origin.servers.answered(server, held.status, None);
                drain(response.into_body(), Some(held), connected, &pools).await;
            }
            Ok((Err(_), _)) | Err(_) => held.origin.metrics.abandoned.inc(Abandoned::Closed),
        }
    });
}

/// Reads the rest of an answer, for at most `abort_grace`.
async fn drain(mut rest: Incoming, held: Option<Held>, connected: Connected, pools: &Pools) {
    let Some(held) = held else { return };
    let grace = held.permit.abort_grace();
    let to_end = async {
        while let Some(frame) = rest.frame().await {
            if frame.is_err() {
                return false;
            }
        }
        true
    };
    if timeout(grace, to_end).await == Ok(true) {
        held.origin.metrics.abandoned.inc(Abandoned::Finished);
        held.finish();
        pools.put(connected);
    } else {
        held.origin.metrics.abandoned.inc(Abandoned::Closed);
    }
}

/// The connection that an answer streams over.
pub(super) struct ConnectionLease {
    connected: Connected,
    pools: Arc<Pools>,
    upload: Option<Arc<Upload>>,
}

impl ConnectionLease {
    pub(super) const fn new(
        connected: Connected,
        pools: Arc<Pools>,
        upload: Option<Arc<Upload>>,
    ) -> Self {
        Self {
            connected,
            pools,
            upload,
        }
    }
}

impl Lease for ConnectionLease {
    fn done(self: Box<Self>) {
        // An origin that has answered wants no more of the request: the connection cannot be used
        // again before it has all of it, so it ends here.
        if self.upload.is_none_or(|upload| upload.is_over()) {
            self.pools.put(self.connected);
        }
    }

    fn abandon(self: Box<Self>, rest: Incoming, held: Option<Held>) {
        let Ok(handle) = Handle::try_current() else {
            return;
        };
        // A stream outside the limit has no permit to wait for: its connection just ends.
        if held.is_some() {
            handle.spawn(async move {
                let Self {
                    connected, pools, ..
                } = *self;
                drain(rest, held, connected, &pools).await;
            });
        }
    }
}

//! The origin's answer as it streams by, with the permit that it stands for.
//!
//! `tower::limit` frees its permit when the response *head* is ready; a slow download would then
//! no longer count as load on the origin. Here the permit ends with the origin's last byte. When
//! the client leaves before that, the rest moves to the reaper; when the answer goes on for
//! longer than `response_timeout`, it is a stream and stands outside the limit.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use forebay_admission::limit::Outcome;
use forebay_admission::verdict::Reason;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::budget::{Budget, Slot};
use crate::gate::Permit;
use crate::origin::Origin;

/// What an exchange holds on to until the origin is done; the proxy gives it the connection.
pub trait Lease: Send {
    /// The origin's last byte has arrived: the connection is free for the next exchange.
    fn done(self: Box<Self>);

    /// The client is gone: read the rest in the background and free the permit when the origin
    /// is done, or `abort_grace` after its connection was closed.
    fn abandon(self: Box<Self>, rest: Incoming, permit: Option<Held>);
}

/// A permit in use, and what its end will tell the limit.
#[derive(Debug)]
pub struct Held {
    /// The permit.
    pub permit: Permit,
    /// Whose.
    pub origin: Arc<Origin>,
    /// The status of the answer's head.
    pub status: u16,
    /// When the request was sent.
    pub sent: Instant,
    /// The limit has already been told that it came too late; its end tells nothing more.
    late: bool,
}

impl Held {
    /// A permit that is about to be used, at `origin`.
    #[must_use]
    pub fn new(permit: Permit, origin: Arc<Origin>) -> Self {
        Self {
            permit,
            origin,
            status: 0,
            sent: Instant::now(),
            late: false,
        }
    }

    /// The origin is done.
    pub fn finish(self) {
        let outcome = if self.late {
            Outcome::Ignored
        } else {
            Outcome::of_status(self.status)
        };
        self.end(outcome);
    }

    /// It goes on outside the limit, as a stream or a tunnel, and tells nothing about it.
    pub fn leave(self) {
        self.end(Outcome::Ignored);
    }

    /// There will be no whole answer. What had been sent may still be worked on: then the permit
    /// counts until the grace is over.
    pub fn fail(self, reason: Reason) {
        if reason == Reason::OriginDown {
            self.permit.gate().turned_away();
        }
        if !self.late {
            self.permit.failed(Outcome::of_failure(reason));
        }
    }

    /// The answer did not come in time; the origin may go on.
    pub fn overdue(&mut self) {
        self.permit.failed(Outcome::Congested);
        self.late = true;
    }

    fn end(self, outcome: Outcome) {
        let latency = self.sent.elapsed();
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.origin.metrics.request(self.status, nanos);
        self.permit.finish(outcome, latency);
    }
}

/// The body of an origin's answer.
pub struct PermitBody {
    incoming: Option<Incoming>,
    lease: Option<Box<dyn Lease>>,
    held: Option<Held>,
    stream: Option<Slot>,
    stream_after: Duration,
    streams: Arc<Budget>,
    alarm: Option<Pin<Box<Sleep>>>,
    failed: bool,
}

impl PermitBody {
    /// The answer's body; `stream_after` is the origin's `response_timeout`, `streams` where a
    /// long answer finds a place outside the limit.
    #[must_use]
    pub fn new(
        incoming: Incoming,
        lease: Box<dyn Lease>,
        held: Held,
        stream_after: Duration,
        streams: Arc<Budget>,
    ) -> Self {
        let mut body = Self {
            incoming: Some(incoming),
            lease: Some(lease),
            held: Some(held),
            stream: None,
            stream_after,
            streams,
            alarm: None,
            failed: false,
        };
        body.end_if_over();
        body
    }

    fn end_if_over(&mut self) {
        if self.incoming.as_ref().is_none_or(Incoming::is_end_stream) {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Some(held) = self.held.take() {
            held.finish();
        }
        if let Some(lease) = self.lease.take() {
            lease.done();
        }
    }

    /// The origin broke off: whether it still works is unknown, so the permit waits for
    /// `abort_grace`, which its drop sees to; the connection is gone.
    fn fail(&mut self) {
        self.failed = true;
        if let Some(held) = self.held.take() {
            held.fail(Reason::OriginReset);
        }
        self.lease = None;
    }

    /// When an answer has gone on for as long as a head may take.
    fn deadline(&self) -> Option<Instant> {
        self.held.as_ref().map(|held| held.sent + self.stream_after)
    }

    /// From here on the answer is a stream. With no stream free it goes on counting against the
    /// limit.
    fn leave_limit(&mut self) {
        if let Some(slot) = self.streams.take(1) {
            self.stream = Some(slot);
            if let Some(held) = self.held.take() {
                held.leave();
            }
        }
    }

    /// The origin is silent: wakes when that makes the answer a stream.
    fn poll_silence(&mut self, cx: &mut Context<'_>) {
        let Some(deadline) = self.deadline() else {
            return;
        };
        let mut alarm = self
            .alarm
            .take()
            .unwrap_or_else(|| Box::pin(sleep_until(deadline)));
        while self.held.is_some() && alarm.as_mut().poll(cx).is_ready() {
            alarm.as_mut().reset(Instant::now() + self.stream_after);
            self.leave_limit();
        }
        self.alarm = Some(alarm);
    }
}

impl Body for PermitBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(incoming).poll_frame(cx);
        match &frame {
            Poll::Ready(Some(Ok(_))) => {
                self.end_if_over();
                // A client that reads slowly leaves the origin no time to be silent.
                if self
                    .deadline()
                    .is_some_and(|deadline| Instant::now() >= deadline)
                {
                    self.leave_limit();
                }
            }
            Poll::Ready(Some(Err(_))) => self.fail(),
            Poll::Ready(None) => self.end(),
            Poll::Pending => self.poll_silence(cx),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for PermitBody {
    fn drop(&mut self) {
        if self.failed {
            return;
        }
        if let (Some(incoming), Some(lease)) = (self.incoming.take(), self.lease.take()) {
            lease.abandon(incoming, self.held.take());
        }
    }
}

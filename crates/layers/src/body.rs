//! Bodies in both directions: what the client sends, and what it gets.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use forebay_admission::verdict::Reason;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::permit_body::PermitBody;

/// Why a request body could not be read to its end.
#[derive(Debug)]
pub enum BodyError {
    /// Over `limits.body_size`, or slower than `limits.body_rate_min`.
    Refused(Reason),
    /// The client left, or its framing is broken.
    Client(hyper::Error),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "request body refused: {}", reason.name()),
            Self::Client(_) => f.write_str("request body broken off by the client"),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Client(error) => Some(error),
        }
    }
}

/// What a client's body may be: its size in bytes, and how slow.
#[derive(Clone, Copy, Debug)]
pub struct BodyRules {
    /// The largest body, in bytes (`limits.body_size`).
    pub size: u64,
    /// Bytes per second below which it is a slow-loris (`limits.body_rate_min`).
    pub rate_min: u64,
    /// How long a body may be silent before the rate is asked for.
    pub grace: Duration,
}

/// A request's body on its way to the origin: nothing, bytes that were read before the permit
/// was taken, or a stream, or first the one and then the other.
pub struct RequestBody {
    head: Option<Bytes>,
    trailers: Option<http::HeaderMap>,
    stream: Option<Box<Stream>>,
}

struct Stream {
    incoming: Incoming,
    rules: BodyRules,
    upload: Arc<Upload>,
    waited: Duration,
    waiting_since: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

/// What is known of an upload beside its bytes: shared with whoever has to know how it went after
/// the body itself has gone to the origin's connection.
#[derive(Debug, Default)]
pub struct Upload {
    received: AtomicU64,
    failure: OnceLock<Reason>,
    awaits_client: AtomicBool,
    over: AtomicBool,
    told: Notify,
}

impl Upload {
    /// Bytes received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Why the client's side broke off, if it did: the error that comes back through the origin's
    /// connection no longer knows.
    #[must_use]
    pub fn failure(&self) -> Option<Reason> {
        self.failure.get().copied()
    }

    /// Whether nothing more is sent: all of it went, or it was given up.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Whether the next bytes are the client's to send, and not the origin's to take.
    #[must_use]
    pub fn awaits_client(&self) -> bool {
        self.awaits_client.load(Ordering::Relaxed)
    }

    /// Waits until nothing more is sent. For one waiter.
    pub async fn over(&self) {
        if !self.is_over() {
            self.told.notified().await;
        }
    }

    fn fail(&self, reason: Reason) {
        // The first reason is the cause; what follows is its echo.
        _ = self.failure.set(reason);
    }
}

impl RequestBody {
    /// No body at all.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            head: None,
            trailers: None,
            stream: None,
        }
    }

    /// The body of a request as it arrived.
    #[must_use]
    pub fn incoming(incoming: Incoming, rules: BodyRules) -> Self {
        if incoming.is_end_stream() {
            return Self::empty();
        }
        let stream = Stream {
            incoming,
            rules,
            upload: Arc::default(),
            waited: Duration::ZERO,
            waiting_since: None,
            alarm: None,
        };
        Self {
            head: None,
            trailers: None,
            stream: Some(Box::new(stream)),
        }
    }

    /// Puts what has been read already in front of what is still to come.
    pub fn prepend(&mut self, head: Bytes) {
        debug_assert!(self.head.is_none(), "a body is buffered once");
        self.head = (!head.is_empty()).then_some(head);
    }

    /// Keeps the trailers of a body that was read to its end.
    pub fn set_trailers(&mut self, trailers: http::HeaderMap) {
        self.trailers = Some(trailers);
    }

    /// Says that everything has been read: no stream remains.
    pub fn finish(&mut self) {
        self.stream = None;
    }

    /// Whether bytes are still to come from the client.
    #[must_use]
    pub fn is_streaming(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(|stream| !stream.incoming.is_end_stream())
    }

    /// How the upload goes; `None` when there is nothing to upload.
    #[must_use]
    pub fn upload(&self) -> Option<Arc<Upload>> {
        self.stream
            .as_ref()
            .map(|stream| Arc::clone(&stream.upload))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.upload.over.store(true, Ordering::Release);
        self.upload.told.notify_one();
    }
}

impl Stream {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.stop_waiting();
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                let received = self.upload.received.fetch_add(length, Ordering::Relaxed) + length;
                if received > self.rules.size {
                    return Poll::Ready(Some(Err(self.refuse(Reason::BodyTooLarge))));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.upload.fail(Reason::BadRequest);
                Poll::Ready(Some(Err(BodyError::Client(error))))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                ready!(self.poll_alarm(cx));
                Poll::Ready(Some(Err(self.refuse(Reason::BodyTimeout))))
            }
        }
    }

    fn refuse(&self, reason: Reason) -> BodyError {
        self.upload.fail(reason);
        BodyError::Refused(reason)
    }

    /// Only the time in which we wait for the client counts against it: while the origin does
    /// not take more, nobody polls.
    fn stop_waiting(&mut self) {
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
            self.upload.awaits_client.store(false, Ordering::Relaxed);
        }
    }

    /// Ready when the client has been slower than the rules allow.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let since = *self.waiting_since.get_or_insert(now);
        self.upload.awaits_client.store(true, Ordering::Relaxed);
        let received = self.upload.received();
        let allowed = self.rules.grace
            + Duration::from_millis(received.saturating_mul(1000) / self.rules.rate_min.max(1));
        let deadline = since + allowed.saturating_sub(self.waited);
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        loop {
            ready!(alarm.as_mut().poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(deadline);
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(head) = self.head.take() {
            return Poll::Ready(Some(Ok(Frame::data(head))));
        }
        if let Some(stream) = &mut self.stream {
            return stream.poll(cx);
        }
        Poll::Ready(
            self.trailers
                .take()
                .map(|trailers| Ok(Frame::trailers(trailers))),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.head.is_none()
            && self.trailers.is_none()
            && self
                .stream
                .as_ref()
                .is_none_or(|stream| stream.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let head = self.head.as_ref().map_or(0, |head| head.len() as u64);
        let rest = self.stream.as_ref().map_or_else(
            || SizeHint::with_exact(0),
            |stream| stream.incoming.size_hint(),
        );
        if self.trailers.is_some() {
            // Trailers need chunked framing, so no exact length may be told.
            return SizeHint::default();
        }
        let mut hint = SizeHint::default();
        hint.set_lower(rest.lower().saturating_add(head));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(head));
        }
        hint
    }
}

/// What the client gets: nothing, our own bytes, or the origin's answer as it streams by.
pub enum AnswerBody {
    /// No body.
    Empty,
    /// Bytes of our own.
    Full(Option<Bytes>),
    /// The origin's.
    Origin(Box<PermitBody>),
    /// The origin's, of which the first part has been read already.
    Begun(Box<Begun>),
}

/// What was read of a body, and the rest of it.
pub struct Begun {
    /// Read already, in order.
    pub read: VecDeque<Frame<Bytes>>,
    /// Still to come.
    pub rest: AnswerBody,
}

impl Begun {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.read.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let read: u64 = self
            .read
            .iter()
            .filter_map(Frame::data_ref)
            .map(|data| data.len() as u64)
            .sum();
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::default();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

impl AnswerBody {
    /// A body of our own.
    #[must_use]
    pub fn full(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            Self::Empty
        } else {
            Self::Full(Some(bytes))
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Origin(body) => Pin::new(&mut **body).poll_frame(cx),
            Self::Begun(begun) => begun.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_none(),
            Self::Origin(body) => body.is_end_stream(),
            Self::Begun(begun) => begun.read.is_empty() && begun.rest.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Origin(body) => body.size_hint(),
            Self::Begun(begun) => begun.size_hint(),
        }
    }
}

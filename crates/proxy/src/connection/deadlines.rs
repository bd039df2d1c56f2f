//! Our own deadlines over a connection's bytes (above TLS): a request's header in time or a 408,
//! an idle connection ended quietly, a client that does not read its answer given up.
//!
//! One timer a connection, set lazily: it fires at the earliest moment that may matter and is
//! set again when that has moved, so that a request in time costs no timer at all.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use forebay_admission::time::Timestamp;
use forebay_telemetry::metrics::Timeout;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

use super::state::{ConnectionState, Phase};
use crate::worker::Worker;

/// A connection under deadlines.
pub struct Deadlines<T> {
    inner: T,
    state: Arc<ConnectionState>,
    worker: Arc<Worker>,
    timer: Option<Pin<Box<Sleep>>>,
    stalled: Option<Timestamp>,
    ended: bool,
}

impl<T> Deadlines<T> {
    /// Watches `inner`.
    pub const fn new(inner: T, state: Arc<ConnectionState>, worker: Arc<Worker>) -> Self {
        Self {
            inner,
            state,
            worker,
            timer: None,
            stalled: None,
            ended: false,
        }
    }
}

/// The whole answer to a header that does not come; the connection ends behind it.
const LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\n\
cache-control: no-store\r\nproxy-status: forebay; error=http_request_error; details=\"header_timeout\"\r\n\
content-length: 38\r\nconnection: close\r\n\r\nThe request's header came too slowly.\n";

impl<T> Deadlines<T>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    /// Ready when the phase's time is over.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        let this = self;
        this.state.waker.register(cx.waker());
        loop {
            let phase = this.state.phase();
            let rules = this.worker.rules();
            let wait = match phase {
                Phase::Busy | Phase::Tunnel => return Poll::Pending,
                Phase::Idle if this.state.is_ending() => return Poll::Ready(phase),
                Phase::Idle => rules.idle_timeout,
                Phase::Header => rules.header_timeout,
            };
            let clock = this.worker.clock;
            let deadline = this.state.since().plus(wait);
            if clock.now() >= deadline {
                return Poll::Ready(phase);
            }
            let deadline = clock.instant(deadline);
            let timer = this
                .timer
                .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            // A timer that fires too early is set again; one that would fire too late is moved.
            if timer.is_elapsed() || timer.deadline() > deadline {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(cx));
        }
    }

    /// Says 408 to a header that did not come. One write: nothing else is on its way.
    fn write_late(&mut self, cx: &mut Context<'_>) {
        let mut inner = Pin::new(&mut self.inner);
        if let Poll::Ready(Ok(_)) = inner.as_mut().poll_write(cx, LATE) {
            // What does not leave now leaves with the close; under TLS its end has to be said.
            _ = inner.as_mut().poll_flush(cx);
            _ = inner.poll_shutdown(cx);
        }
    }

    /// Ready when the client has not read for `idle_timeout`.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let this = self;
        let clock = this.worker.clock;
        let since = *this.stalled.get_or_insert_with(|| clock.now());
        let deadline = since.plus(this.worker.rules().idle_timeout);
        loop {
            if clock.now() >= deadline {
                this.worker
                    .metrics
                    .connections()
                    .timeouts
                    .inc(Timeout::Write);
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            let at = clock.instant(deadline);
            let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
            timer.as_mut().reset(at);
            ready!(timer.as_mut().poll(cx));
        }
    }

    fn written<R>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        match result {
            Poll::Pending => {
                let error = ready!(self.poll_stalled(cx));
                Poll::Ready(Err(error))
            }
            Poll::Ready(Err(error)) => {
                note(&self.state, &error);
                Poll::Ready(Err(error))
            }
            Poll::Ready(Ok(value)) => {
                self.stalled = None;
                Poll::Ready(Ok(value))
            }
        }
    }
}

fn note(state: &ConnectionState, error: &io::Error) {
    if matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    ) {
        state.saw_reset();
    }
}

impl<T> AsyncRead for Deadlines<T>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.inner).poll_read(cx, buf) {
            Poll::Ready(Ok(())) if buf.filled().len() > before => {
                if self.state.phase() == Phase::Idle {
                    self.state.header(self.worker.clock.now());
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Ok(())) => {
                self.state.saw_end();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => {
                note(&self.state, &error);
                Poll::Ready(Err(error))
            }
            Poll::Pending => {
                let phase = ready!(self.poll_over(cx));
                let timeouts = &self.worker.metrics.connections().timeouts;
                if phase == Phase::Header {
                    timeouts.inc(Timeout::Header);
                    self.write_late(cx);
                } else if !self.state.is_ending() {
                    timeouts.inc(Timeout::Idle);
                }
                self.ended = true;
                // To hyper this is the client's end: it closes without another word.
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl<T> AsyncWrite for Deadlines<T>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_flush(cx);
        if !self.ended && self.state.phase() == Phase::Idle && self.poll_over(cx).is_ready() {
            // hyper does not read again by itself behind an answer, so here begins the wait for
            // the next request; where it is over already, that is seen by reading.
            cx.waker().wake_by_ref();
        }
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.written(cx, result)
    }
}

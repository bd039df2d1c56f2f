//! The origin's side of a connection, as hyper wants it, with one addition: it
//! can be closed by a reset, as an overrun server's kernel would.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes read at once; requests to the portal are smaller.
const CHUNK: usize = 4096;

/// Says that connections are to end by a reset instead of FIN.
#[derive(Debug, Clone, Default)]
pub(super) struct Reset(Arc<AtomicBool>);

impl Reset {
    pub(super) fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A socket that hyper can serve.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    /// Any of them is enough.
    resets: [Reset; 2],
}

impl Socket {
    pub(super) const fn new(stream: TcpStream, resets: [Reset; 2]) -> Self {
        Self { stream, resets }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.resets.iter().any(Reset::is_requested) {
            reset(&self.stream);
        }
    }
}

/// Makes closing `stream` send RST. Fails only where the peer is already gone.
pub(super) fn reset(stream: &TcpStream) {
    stream.set_zero_linger().ok();
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut chunk = [0; CHUNK];
        let mut buffer = ReadBuf::new(&mut chunk[..cursor.remaining().min(CHUNK)]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        cursor.put_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

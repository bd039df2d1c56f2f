//! The bytes of a connection, plain or through TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;

use super::dangerous;
use crate::outcome::Outcome;

/// An open connection's bytes.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    Bytes(usize),
    /// The peer ended its side in order.
    End,
    /// The peer's FIN came without TLS's own end: whoever sits in between could have cut it.
    EndUnsaid,
}

impl Stream {
    /// Connects to `target`, from `source` if one is given, and speaks TLS with `name`,
    /// if there is one.
    pub(super) async fn connect(
        target: SocketAddr,
        source: Option<IpAddr>,
        name: Option<ServerName<'static>>,
    ) -> Result<Self, Outcome> {
        let stream = dial(target, source)
            .await
            .map_err(|error| Outcome::of_connect(&error))?;
        let Some(name) = name else {
            return Ok(Self::Plain(stream));
        };
        let shaken = dangerous::connector().connect(name, stream).await;
        shaken
            .map(|stream| Self::Tls(Box::new(stream)))
            .map_err(|error| Outcome::of_handshake(&error))
    }

    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Read>> {
        let mut buffer = ReadBuf::new(buffer);
        let read = match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, &mut buffer),
        };
        Poll::Ready(match (ready!(read), buffer.filled().len()) {
            (Ok(()), 0) => Ok(Read::End),
            (Ok(()), bytes) => Ok(Read::Bytes(bytes)),
            (Err(error), _) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Read::EndUnsaid),
            (Err(error), _) => Err(error),
        })
    }

    /// Writes some of `bytes`.
    pub(super) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    /// Sends what TLS still holds of the bytes written.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_unbuffered) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }
}

async fn dial(target: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if target.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    let stream = socket.connect(target).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What the certificate would be for: the host without its port.
pub(super) fn server_name(host: &str, target: SocketAddr) -> ServerName<'static> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(name.to_owned()).unwrap_or_else(|_bad| target.ip().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_certificate_is_the_host_without_its_port() {
        let target = "127.0.0.9:443".parse().unwrap();
        for (host, name) in [
            ("portal.example", "portal.example"),
            ("portal.example:8443", "portal.example"),
            ("10.1.2.3:443", "10.1.2.3"),
            ("[::1]:443", "::1"),
            ("no name", "127.0.0.9"),
        ] {
            assert_eq!(server_name(host, target).to_str(), name, "{host}");
        }
    }
}

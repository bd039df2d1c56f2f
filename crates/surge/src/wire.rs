//! A browser's side of an HTTP/1.1 connection, over a bare socket.
//!
//! Written by hand so that nothing stands between the socket and the judge: no
//! library retries, hides a reset behind an error of its own, or takes a
//! cut-off body for a whole one.

mod answer;
mod body;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

pub(crate) use answer::Answer;
use answer::{HEAD_MAX, Head};
use body::Body;

use crate::outcome::Outcome;

/// Bytes asked of the socket at once.
const CHUNK: usize = 16 * 1024;

/// After an answer with `Connection: close`, how long the end is watched: it should be a FIN.
const END_WATCH: Duration = Duration::from_millis(500);

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// Bytes read beyond the last answer.
    rest: Vec<u8>,
    idle_since: Instant,
}

/// An answer, and whether the connection can carry another request.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) answer: Answer,
    pub(crate) connection: Option<Connection>,
    /// The peer said `Connection: close`, and then ended by a reset.
    pub(crate) reset_at_end: bool,
}

impl Connection {
    /// Connects, from `source` if one is given.
    pub(crate) async fn open(
        target: SocketAddr,
        source: Option<IpAddr>,
        bound: Duration,
    ) -> Result<Self, Outcome> {
        let connecting = async {
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
        };
        match timeout(bound, connecting).await {
            Ok(Ok(stream)) => Ok(Self {
                stream,
                rest: Vec::new(),
                idle_since: Instant::now(),
            }),
            Ok(Err(error)) => Err(Outcome::of_connect(&error)),
            Err(_elapsed) => Err(Outcome::ConnectTimedOut),
        }
    }

    /// Whether the connection, idle until now, can carry another request.
    ///
    /// # Errors
    /// The peer has reset it meanwhile. An end by FIN is none: idle connections may be closed.
    pub(crate) fn reusable(&self, keep_alive: Duration) -> Result<bool, Outcome> {
        let mut byte = [0];
        match self.stream.try_read(&mut byte) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok(self.idle_since.elapsed() < keep_alive)
            }
            Err(error) => Err(Outcome::of_exchange(&error, false)),
            Ok(_end_or_unasked) => Ok(false),
        }
    }

    /// Sends one request and reads its whole answer.
    pub(crate) async fn exchange(
        self,
        request: &[u8],
        bound: Duration,
    ) -> Result<Exchange, Outcome> {
        timeout(bound, self.ask(request))
            .await
            .unwrap_or(Err(Outcome::TimedOut))
    }

    async fn ask(mut self, request: &[u8]) -> Result<Exchange, Outcome> {
        // Even when the request could not be sent whole, an answer may be there to read.
        let sent = self.stream.write_all(request).await;
        let head = self.head(sent).await?;
        let mut body = Body::of(&head);
        let mut content = Vec::new();
        while !body
            .take(&mut self.rest, &mut content)
            .map_err(|_bad| Outcome::Malformed)?
        {
            let read = self
                .read()
                .await
                .map_err(|error| Outcome::of_exchange(&error, true))?;
            if read == 0 && body.ends_with_stream() {
                break;
            } else if read == 0 {
                return Err(Outcome::Truncated);
            }
        }
        let answer = head.into_answer(content);
        if answer.closes || body.ends_with_stream() {
            return Ok(Exchange {
                answer,
                connection: None,
                reset_at_end: self.watch_end().await,
            });
        }
        self.idle_since = Instant::now();
        Ok(Exchange {
            answer,
            connection: Some(self),
            reset_at_end: false,
        })
    }

    /// Reads up to the end of the final head; interim ones (1xx) are skipped.
    async fn head(&mut self, sent: io::Result<()>) -> Result<Head, Outcome> {
        let mut begun = false;
        loop {
            match Head::parse(&self.rest).map_err(|_bad| Outcome::Malformed)? {
                Some((head, length)) => {
                    self.rest.drain(..length);
                    if head.status >= 200 {
                        return Ok(head);
                    }
                    continue;
                }
                None if self.rest.len() > HEAD_MAX => return Err(Outcome::Malformed),
                None => {}
            }
            begun |= !self.rest.is_empty();
            match (self.read().await, &sent) {
                (Ok(0), Err(error)) => return Err(Outcome::of_exchange(error, begun)),
                (Ok(0), Ok(())) if begun => return Err(Outcome::Truncated),
                (Ok(0), Ok(())) => return Err(Outcome::Closed),
                (Ok(_more), _) => {}
                (Err(error), _) => return Err(Outcome::of_exchange(&error, begun)),
            }
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.rest.reserve(CHUNK);
        self.stream.read_buf(&mut self.rest).await
    }

    /// Whether the peer's announced end is a reset.
    async fn watch_end(&mut self) -> bool {
        let end = async {
            while self.read().await? > 0 {
                self.rest.clear();
            }
            io::Result::Ok(())
        };
        let reset = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
        timeout(END_WATCH, end)
            .await
            .is_ok_and(|end| end.as_ref().is_err_and(reset))
    }
}

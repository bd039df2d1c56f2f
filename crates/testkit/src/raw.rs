//! One client connection, driven byte by byte.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use crate::answer::{Answer, Framing, Malformed, find};
use crate::wire::End;

/// How long a connection attempt may take.
const CONNECT: Duration = Duration::from_secs(5);
/// The most that one read takes.
const PIECE: usize = 16 * 1024;

/// A connection that keeps all it has seen and knows how it ended.
#[derive(Debug)]
pub struct Raw {
    stream: TcpStream,
    seen: Vec<u8>,
    taken: usize,
    end: Option<End>,
}

impl Raw {
    /// Connects.
    ///
    /// # Panics
    /// When nobody accepts within five seconds.
    #[track_caller]
    #[must_use]
    pub fn connect(address: SocketAddr) -> Self {
        match Self::try_connect(address, None, CONNECT) {
            Ok(raw) => raw,
            Err(error) => panic!("cannot connect to {address}: {error}"),
        }
    }

    /// Connects from the loopback address `from`, so that one test can be many clients.
    ///
    /// # Errors
    /// What the kernel answered: refused, timed out, no such address.
    pub fn try_connect(
        address: SocketAddr,
        from: Option<IpAddr>,
        within: Duration,
    ) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        if let Some(from) = from {
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        socket.connect_timeout(&address.into(), within)?;
        socket.set_tcp_nodelay(true)?;
        Ok(Self {
            stream: socket.into(),
            seen: Vec::new(),
            taken: 0,
            end: None,
        })
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// The first failed write; a reset is then the connection's [`End`].
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let sent = self.stream.write_all(bytes.as_ref());
        if sent.as_ref().is_err_and(is_reset) {
            self.end = Some(End::Rst);
        }
        sent
    }

    /// Says that no more will be sent; reading goes on.
    ///
    /// # Errors
    /// When the connection is gone already.
    pub fn half_close(&self) -> io::Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)
    }

    /// Ends the connection with a reset, as a crashed client's kernel does.
    ///
    /// # Errors
    /// When the socket refuses the option.
    pub fn reset(self) -> io::Result<()> {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }

    /// Everything that came so far.
    #[must_use]
    pub fn seen(&self) -> &[u8] {
        &self.seen
    }

    /// What came and was not taken by [`Raw::read_until`] or [`Raw::answer`].
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.seen[self.taken..]
    }

    /// The socket, for options and addresses.
    #[must_use]
    pub const fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// Takes everything up to and with `pattern`.
    ///
    /// # Panics
    /// When it does not come `within` that time or before the end.
    #[track_caller]
    pub fn read_until(&mut self, pattern: impl AsRef<[u8]>, within: Duration) -> Vec<u8> {
        let pattern = pattern.as_ref();
        let deadline = Instant::now() + within;
        loop {
            if let Some(at) = find(self.rest(), pattern) {
                let taken = self.rest()[..at + pattern.len()].to_vec();
                self.taken += taken.len();
                return taken;
            }
            if !self.fill(deadline) {
                self.fail(
                    &format!("no {:?}", String::from_utf8_lossy(pattern)),
                    within,
                );
            }
        }
    }

    /// Takes the next answer, to a request with `method`.
    ///
    /// A body that only the end delimits is read to the end. A truncated
    /// answer is returned as such when the connection ended inside it.
    ///
    /// # Panics
    /// When no complete head comes `within` that time, or bytes break RFC 9112.
    #[track_caller]
    pub fn answer(&mut self, method: &str, within: Duration) -> Answer {
        let deadline = Instant::now() + within;
        loop {
            match Answer::parse(self.rest(), method) {
                Ok(answer) if self.end.is_some() || is_whole(&answer) => {
                    self.taken += answer.used;
                    return answer;
                }
                Err(Malformed::Broken(why)) => self.fail(why, within),
                Ok(_) | Err(Malformed::Unfinished) => {}
            }
            if !self.fill(deadline) && self.end.is_none_or(|_| self.no_head(method)) {
                self.fail("no whole answer", within);
            }
        }
    }

    /// Reads on until the connection ends or `within` has passed.
    pub fn end(&mut self, within: Duration) -> End {
        let deadline = Instant::now() + within;
        while self.fill(deadline) {}
        self.end.unwrap_or(End::Open)
    }

    /// Reads one piece; false at the end or the deadline.
    pub(crate) fn fill(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        if self.end.is_some() || left.is_zero() {
            return false;
        }
        let mut piece = [0; PIECE];
        let read = self
            .stream
            .set_read_timeout(Some(left))
            .and_then(|()| self.stream.read(&mut piece));
        match read {
            Ok(0) => self.end = Some(End::Fin),
            Ok(count) => self.seen.extend_from_slice(&piece[..count]),
            Err(error) if is_reset(&error) => self.end = Some(End::Rst),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
        self.end.is_none()
    }

    pub(crate) fn into_parts(self) -> (TcpStream, Vec<u8>, Option<End>) {
        (self.stream, self.seen, self.end)
    }

    fn no_head(&self, method: &str) -> bool {
        Answer::parse(self.rest(), method).is_err()
    }

    #[track_caller]
    fn fail(&self, why: &str, within: Duration) -> ! {
        panic!(
            "{why} within {within:?}; end {:?}; unread: {:?}",
            self.end,
            String::from_utf8_lossy(self.rest())
        )
    }
}

fn is_whole(answer: &Answer) -> bool {
    !answer.truncated && answer.framing != Framing::Close
}

/// Whether the peer's kernel said RST.
pub(crate) fn is_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted
    )
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    /// A peer that sends `bytes` to the one who connects, then drops the socket.
    fn peer(bytes: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            socket.write_all(bytes).unwrap();
        });
        address
    }

    #[test]
    fn answers_are_taken_one_after_the_other() {
        let both = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 204 No Content\r\n\r\n";
        let mut raw = Raw::connect(peer(both));
        assert_eq!(raw.answer("GET", SOON).text(), "a");
        assert_eq!(raw.answer("GET", SOON).status, 204);
        assert_eq!(raw.end(SOON), End::Fin);
        assert!(raw.rest().is_empty());
    }

    #[test]
    fn a_body_that_ends_early_is_truncated() {
        let mut raw = Raw::connect(peer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na"));
        assert!(raw.answer("GET", SOON).truncated);
    }

    #[test]
    fn a_pattern_is_taken_and_the_rest_stays() {
        let mut raw = Raw::connect(peer(b"one\r\ntwo"));
        assert_eq!(raw.read_until("\r\n", SOON), b"one\r\n");
        assert_eq!((raw.end(SOON), raw.rest()), (End::Fin, b"two".as_slice()));
    }

    #[test]
    #[should_panic(expected = "no whole answer")]
    fn an_end_without_a_head_fails_the_test() {
        Raw::connect(peer(b"HTTP/1.1 200")).answer("GET", SOON);
    }

    #[test]
    fn a_client_comes_from_the_address_it_is_given() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let from: IpAddr = "127.9.8.7".parse().unwrap();
        let raw = Raw::try_connect(listener.local_addr().unwrap(), Some(from), SOON).unwrap();
        assert_eq!(listener.accept().unwrap().1.ip(), from);
        raw.reset().unwrap();
    }
}

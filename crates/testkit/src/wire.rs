//! One exchange, judged at the wire: what came, and was it a FIN or an RST?
//!
//! Sending and receiving go on at the same time, because the answers that
//! matter most (to a large POST that is refused at once) come before the
//! request has been sent.

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::answer::{Answer, Framing};
use crate::raw::{Raw, is_reset};

/// The most that one write hands to the kernel.
const PIECE: usize = 64 * 1024;
/// How long one write may block before it looks whether it should stop.
const BLOCKED: Duration = Duration::from_millis(50);

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// Closed in order.
    Fin,
    /// Reset.
    Rst,
    /// Still open when looking ended.
    Open,
    /// The connection attempt was answered with RST.
    Refused,
    /// The connection attempt was not answered in time, or failed otherwise.
    Unreachable,
}

/// When looking ends, before the timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When the peer closes.
    End,
    /// When one whole answer has come.
    Answer,
}

/// How an exchange is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bound of the whole exchange.
    pub timeout: Duration,
    /// When looking ends.
    pub until: Until,
    /// Whether to say FIN when everything is sent.
    pub half_close: bool,
    /// The loopback address to come from.
    pub from: Option<IpAddr>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            until: Until::End,
            half_close: false,
            from: None,
        }
    }
}

impl Options {
    /// Ends with the first whole answer, and leaves the connection open until then.
    #[must_use]
    pub fn one_answer() -> Self {
        Self {
            until: Until::Answer,
            ..Self::default()
        }
    }
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Every byte that came.
    pub bytes: Vec<u8>,
    /// How the connection ended.
    pub end: End,
    /// Whether a reset came after the FIN: the answer is whole, but a slower
    /// client on another system might have lost it.
    pub late_reset: bool,
    /// How many bytes of the request the kernel took.
    pub sent: usize,
    /// From the connection attempt to the first byte.
    pub first_byte: Option<Duration>,
    /// The whole time.
    pub took: Duration,
}

impl Seen {
    fn nothing(end: End, took: Duration) -> Self {
        Self {
            bytes: Vec::new(),
            end,
            late_reset: false,
            sent: 0,
            first_byte: None,
            took,
        }
    }

    /// The first answer, to a request with `method`.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    #[must_use]
    pub fn answer_to(&self, method: &str) -> Answer {
        match Answer::parse(&self.bytes, method) {
            Ok(answer) => answer,
            Err(error) => panic!("no answer ({error}): {self:?}"),
        }
    }

    /// The first answer, to a request that was not HEAD.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.answer_to("GET")
    }

    /// Whether a whole answer came and no reset: what everybody is promised.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.end != End::Rst
            && !self.late_reset
            && Answer::parse(&self.bytes, "GET").is_ok_and(|answer| !answer.truncated)
    }
}

/// Sends `request` to `address` and looks until the end, an answer, or the timeout.
///
/// Never fails: what went wrong is what is to be judged.
pub fn exchange(address: SocketAddr, request: impl AsRef<[u8]>, options: &Options) -> Seen {
    let start = Instant::now();
    let raw = match Raw::try_connect(address, options.from, options.timeout) {
        Ok(raw) => raw,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            return Seen::nothing(End::Refused, start.elapsed());
        }
        Err(_) => return Seen::nothing(End::Unreachable, start.elapsed()),
    };
    let Ok(writer) = raw.socket().try_clone() else {
        return Seen::nothing(End::Unreachable, start.elapsed());
    };
    let sending = Sending::default();
    let request = request.as_ref();
    thread::scope(|scope| {
        scope.spawn(|| sending.run(&writer, request, options, start));
        let seen = receive(raw, options, start);
        sending.finish(seen, options)
    })
}

/// The writing half, on its own thread.
#[derive(Default)]
struct Sending {
    sent: AtomicUsize,
    stop: AtomicBool,
    reset: AtomicBool,
    done: AtomicBool,
}

impl Sending {
    fn run(&self, stream: &TcpStream, request: &[u8], options: &Options, start: Instant) {
        let result = self.write(stream, request, start + options.timeout);
        if result.as_ref().is_err_and(is_reset) {
            self.reset.store(true, Ordering::Release);
        }
        if result.is_ok() && options.half_close && stream.shutdown(Shutdown::Write).is_err() {
            self.reset.store(true, Ordering::Release);
        }
        self.done.store(true, Ordering::Release);
    }

    fn write(&self, mut stream: &TcpStream, request: &[u8], deadline: Instant) -> io::Result<()> {
        stream.set_write_timeout(Some(BLOCKED))?;
        let mut at = 0;
        while at < request.len() {
            if self.stop.load(Ordering::Acquire) || Instant::now() >= deadline {
                return Err(ErrorKind::TimedOut.into());
            }
            match stream.write(&request[at..request.len().min(at + PIECE)]) {
                Ok(count) => at += count,
                Err(error) if is_blocked(&error) => {}
                Err(error) => return Err(error),
            }
            self.sent.store(at, Ordering::Release);
        }
        Ok(())
    }

    /// Puts both halves together. After a FIN the rest of the request still
    /// goes out: a peer that closed too early then answers with RST.
    fn finish(&self, mut seen: Seen, options: &Options) -> Seen {
        if options.until == Until::Answer || seen.end != End::Fin {
            self.stop.store(true, Ordering::Release);
        }
        let patience = options.timeout.saturating_sub(seen.took);
        if !crate::wait::holds_within(patience, || self.done.load(Ordering::Acquire)) {
            self.stop.store(true, Ordering::Release);
        }
        if self.reset.load(Ordering::Acquire) {
            match seen.end {
                End::Fin if !seen.bytes.is_empty() => seen.late_reset = true,
                _ => seen.end = End::Rst,
            }
        }
        seen.sent = self.sent.load(Ordering::Acquire);
        seen
    }
}

fn receive(mut raw: Raw, options: &Options, start: Instant) -> Seen {
    let deadline = start + options.timeout;
    let mut first_byte = None;
    while raw.fill(deadline) {
        first_byte.get_or_insert_with(|| start.elapsed());
        if options.until == Until::Answer && has_answer(raw.seen()) {
            break;
        }
    }
    let (_, bytes, end) = raw.into_parts();
    Seen {
        bytes,
        end: end.unwrap_or(End::Open),
        first_byte,
        took: start.elapsed(),
        ..Seen::nothing(End::Open, Duration::ZERO)
    }
}

fn has_answer(bytes: &[u8]) -> bool {
    Answer::parse(bytes, "GET")
        .is_ok_and(|answer| !answer.truncated && answer.framing != Framing::Close)
}

fn is_blocked(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 503 x\r\nContent-Length: 2\r\n\r\nno";

    fn served(serve: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || serve(listener.accept().unwrap().0));
        address
    }

    fn read_request(socket: &mut TcpStream) {
        let mut byte = [0];
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
    }

    #[test]
    fn a_close_in_order_is_a_fin() {
        let address = served(|mut socket| {
            read_request(&mut socket);
            socket.write_all(ANSWER).unwrap();
        });
        let seen = exchange(address, "GET / HTTP/1.1\r\n\r\n", &Options::default());
        assert_eq!((seen.end, seen.late_reset), (End::Fin, false));
        assert_eq!(seen.answer().status, 503);
        assert!(seen.is_answered() && seen.first_byte.is_some());
    }

    #[test]
    fn a_close_with_linger_zero_is_a_reset() {
        let address = served(|mut socket| {
            read_request(&mut socket);
            socket2::SockRef::from(&socket)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
        });
        let seen = exchange(address, "GET / HTTP/1.1\r\n\r\n", &Options::default());
        assert_eq!(seen.end, End::Rst);
        assert!(!seen.is_answered());
    }

    #[test]
    fn an_answer_that_leaves_the_request_unread_is_seen_as_a_reset() {
        let address = served(|mut socket| {
            read_request(&mut socket);
            socket.write_all(ANSWER).unwrap();
        });
        let mut request = b"POST / HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n".to_vec();
        request.resize(request.len() + 8_000_000, b'x');
        let seen = exchange(address, request, &Options::default());
        assert!(seen.end == End::Rst || seen.late_reset, "{:?}", seen.end);
    }

    #[test]
    fn an_early_answer_with_a_lingering_close_is_no_reset() {
        let address = served(|mut socket| {
            read_request(&mut socket);
            socket.write_all(ANSWER).unwrap();
            socket.shutdown(Shutdown::Write).unwrap();
            io::copy(&mut socket, &mut io::sink()).unwrap();
        });
        let mut request = b"POST / HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n".to_vec();
        request.resize(request.len() + 8_000_000, b'x');
        let options = Options {
            half_close: true,
            ..Options::default()
        };
        let seen = exchange(address, &request, &options);
        assert_eq!((seen.end, seen.late_reset), (End::Fin, false));
        assert_eq!(seen.sent, request.len());
    }

    #[test]
    fn a_body_that_stops_short_is_truncated() {
        let address = served(|mut socket| {
            read_request(&mut socket);
            socket.write_all(&ANSWER[..ANSWER.len() - 1]).unwrap();
        });
        let seen = exchange(address, "GET / HTTP/1.1\r\n\r\n", &Options::default());
        assert!(seen.answer().truncated && !seen.is_answered());
    }

    #[test]
    fn nobody_listening_is_refused() {
        let seen = exchange(crate::port::free_address(), "", &Options::default());
        assert_eq!(seen.end, End::Refused);
    }

    #[test]
    fn silence_is_open() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = Options {
            timeout: Duration::from_millis(50),
            ..Options::default()
        };
        let seen = exchange(listener.local_addr().unwrap(), "", &options);
        assert_eq!((seen.end, seen.bytes.len()), (End::Open, 0));
    }

    #[test]
    fn one_answer_is_enough_where_the_connection_stays_open() {
        let address = served(|mut socket| {
            read_request(&mut socket);
            socket.write_all(ANSWER).unwrap();
            io::copy(&mut socket, &mut io::sink()).unwrap();
        });
        let seen = exchange(address, "GET / HTTP/1.1\r\n\r\n", &Options::one_answer());
        assert_eq!((seen.end, seen.answer().status), (End::Open, 503));
    }
}

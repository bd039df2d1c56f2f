//! An origin that keeps every request's exact bytes and answers as scripted.
//!
//! A strict HTTP/1.1 server on plain threads, one per connection. What a
//! careful proxy must never send (two lengths, no Host, a broken chunk) is
//! answered 400 and kept under [`Recorder::violations`].

mod reply;
mod request;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use reply::{Gate, Reply, Step};
pub use request::Request;

use crate::answer::{Framing, Malformed};

/// How long a connection may be silent, or a gate closed, before the origin lets go.
const PATIENCE: Duration = Duration::from_secs(120);

type Script = dyn Fn(&Request) -> Reply + Send + Sync;
type Early = dyn Fn(&Request) -> Option<Reply> + Send + Sync;

/// A running origin; it stops when this is dropped.
pub struct Recorder {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    script: Box<Script>,
    early: Box<Early>,
    start: Instant,
    requests: Mutex<Vec<Request>>,
    violations: Mutex<Vec<String>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    in_flight: AtomicUsize,
    in_flight_max: AtomicUsize,
    left: AtomicUsize,
    stop: AtomicBool,
}

impl Recorder {
    /// Starts one that answers each whole request with what `script` says.
    ///
    /// `Expect: 100-continue` is answered 100 at once.
    ///
    /// # Panics
    /// When no port can be had.
    #[track_caller]
    #[must_use]
    pub fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_early(|_| None, script)
    }

    /// Starts one like [`start`](Self::start), at an address where nobody listens (any more).
    ///
    /// # Panics
    /// When the address cannot be had.
    #[track_caller]
    #[must_use]
    pub fn start_at(
        address: SocketAddr,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::bind(address, Box::new(|_| None), Box::new(script))
    }

    /// Starts one that may answer a request before its body: `early` sees the
    /// head; with `Some`, the body is never read, and the connection closes
    /// after the answer.
    ///
    /// # Panics
    /// When no port can be had.
    #[track_caller]
    #[must_use]
    pub fn start_early(
        early: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::bind(address, Box::new(early), Box::new(script))
    }

    #[track_caller]
    fn bind(address: SocketAddr, early: Box<Early>, script: Box<Script>) -> Self {
        let bound = TcpListener::bind(address).and_then(|listener| {
            let address = listener.local_addr()?;
            Ok((listener, address))
        });
        let (listener, address) = match bound {
            Ok(bound) => bound,
            Err(error) => panic!("the recorder cannot listen: {error}"),
        };
        let shared = Arc::new(Shared {
            script,
            early,
            start: Instant::now(),
            requests: Mutex::default(),
            violations: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            in_flight_max: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        Self { address, shared }
    }

    /// Every request so far whose head was whole, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// The one request so far.
    ///
    /// # Panics
    /// When there were none or several.
    #[track_caller]
    #[must_use]
    pub fn only_request(&self) -> Request {
        let mut requests = self.requests();
        match requests.pop() {
            Some(request) if requests.is_empty() => request,
            last => panic!("not one request but {}: {last:?}", requests.len()),
        }
    }

    /// What was sent against the rules, with the reason.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        lock(&self.shared.violations).clone()
    }

    /// Connections accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Acquire)
    }

    /// Connections open now.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::Acquire)
    }

    /// Requests between the end of their head and the last step of their answer.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::Acquire)
    }

    /// The most that were in flight at once.
    #[must_use]
    pub fn in_flight_max(&self) -> usize {
        self.shared.in_flight_max.load(Ordering::Acquire)
    }

    /// Answers that could not be written because the client had left.
    #[must_use]
    pub fn left_early(&self) -> usize {
        self.shared.left.load(Ordering::Acquire)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // Wakes the accepting thread; when it is gone already, nothing is left to wake.
        TcpStream::connect(self.address).ok();
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((stream, _)) = listener.accept() {
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            let connection = self.connections.fetch_add(1, Ordering::AcqRel);
            let shared = Arc::clone(self);
            thread::spawn(move || {
                shared.open.fetch_add(1, Ordering::AcqRel);
                if shared.serve(stream, connection).is_err() {
                    shared.left.fetch_add(1, Ordering::AcqRel);
                }
                shared.open.fetch_sub(1, Ordering::AcqRel);
            });
        }
    }

    /// Serves one connection to its end; an error is a client that left.
    fn serve(&self, mut stream: TcpStream, connection: usize) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut bytes = Vec::new();
        while !self.stop.load(Ordering::Acquire) {
            match Request::parse(&bytes) {
                Ok((request, framing)) => {
                    let head = request.head.len();
                    bytes.drain(..head);
                    if !self.exchange(&mut stream, &mut bytes, request, framing, connection)? {
                        return Ok(());
                    }
                }
                Err(Malformed::Broken(why)) => return self.refuse(&mut stream, &bytes, why),
                Err(Malformed::Unfinished) => {
                    if !more(&mut stream, &mut bytes)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// One request and its answer; says whether the connection goes on.
    fn exchange(
        &self,
        stream: &mut TcpStream,
        bytes: &mut Vec<u8>,
        mut request: Request,
        framing: Framing,
        connection: usize,
    ) -> io::Result<bool> {
        request.connection = connection;
        request.at = self.start.elapsed();
        let flight = Flight::begin(self);
        if let Some(reply) = (self.early)(&request) {
            let method = request.method.clone();
            lock(&self.requests).push(request);
            play(stream, reply, &method, flight)?;
            return Ok(false);
        }
        let slot = {
            let mut requests = lock(&self.requests);
            requests.push(request.clone());
            requests.len() - 1
        };
        if request.expects_continue() {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let whole = self.body(stream, bytes, &mut request, framing)?;
        lock(&self.requests)[slot] = request.clone();
        if !whole {
            return Ok(false);
        }
        let method = request.method.clone();
        play(stream, (self.script)(&request), &method, flight)
    }

    fn body(
        &self,
        stream: &mut TcpStream,
        bytes: &mut Vec<u8>,
        request: &mut Request,
        framing: Framing,
    ) -> io::Result<bool> {
        loop {
            match request.fill(bytes, framing) {
                Ok(Some(used)) => {
                    bytes.drain(..used);
                    return Ok(true);
                }
                Ok(None) => {
                    if !more(stream, bytes)? {
                        return Ok(false);
                    }
                }
                Err(why) => {
                    self.refuse(stream, bytes, &why.to_string())?;
                    return Ok(false);
                }
            }
        }
    }

    fn refuse(&self, stream: &mut TcpStream, bytes: &[u8], why: &str) -> io::Result<()> {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)]).into_owned();
        lock(&self.violations).push(format!("{why}: {text:?}"));
        stream.write_all(
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )
    }
}

/// Counts one request in flight until it is dropped.
struct Flight<'a>(&'a Shared);

impl<'a> Flight<'a> {
    fn begin(shared: &'a Shared) -> Self {
        let now = shared.in_flight.fetch_add(1, Ordering::AcqRel) + 1;
        shared.in_flight_max.fetch_max(now, Ordering::AcqRel);
        Self(shared)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Does every step; says whether the connection goes on. The flight ends before the last bytes are
/// written: whoever has them may send the next request before this thread runs again.
fn play(
    stream: &mut TcpStream,
    reply: Reply,
    method: &str,
    flight: Flight<'_>,
) -> io::Result<bool> {
    let mut flight = Some(flight);
    let mut steps = reply.steps(method).into_iter().peekable();
    while let Some(step) = steps.next() {
        if steps.peek().is_none() && matches!(step, Step::Send(_)) {
            flight = None;
        }
        match step {
            Step::Send(bytes) => stream.write_all(&bytes)?,
            Step::Pause(time) => thread::sleep(time),
            Step::Wait(gate) => gate.pass(PATIENCE),
            Step::Echo => echo(stream)?,
            Step::Close => {
                stream.shutdown(Shutdown::Write)?;
                return Ok(false);
            }
            Step::Reset => {
                socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
                return Ok(false);
            }
        }
    }
    drop(flight);
    Ok(true)
}

fn echo(stream: &mut TcpStream) -> io::Result<()> {
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            count => stream.write_all(&piece[..count])?,
        }
    }
}

/// Reads one piece; false when the client said FIN.
fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = [0; 16 * 1024];
    let count = stream.read(&mut piece)?;
    bytes.extend_from_slice(&piece[..count]);
    Ok(count > 0)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{End, Options, Raw, exchange, wait_until};

    const SOON: Duration = Duration::from_secs(5);
    const GET: &str = "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n";

    #[test]
    fn exact_bytes_are_kept_and_answers_are_as_scripted() {
        let origin = Recorder::start(|request| Reply::ok(request.body.clone()));
        let mut client = Raw::connect(origin.address);
        let head = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-Odd:  y\r\n\r\n";
        client.send(head).unwrap();
        client.send("3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n").unwrap();
        assert_eq!(client.answer("POST", SOON).text(), "abc");
        let request = origin.only_request();
        assert_eq!(request.head, head.as_bytes());
        assert_eq!(
            (request.header("x-odd"), request.body.as_slice()),
            (Some("y"), b"abc".as_slice())
        );
        assert_eq!(request.trailers, [("x-t".into(), "1".into())]);
        client.send(GET).unwrap();
        assert_eq!(client.answer("GET", SOON).status, 200);
        assert_eq!(
            (origin.connections(), origin.requests()[1].connection),
            (1, 0)
        );
    }

    #[test]
    fn endings_are_seen_as_scripted() {
        let cut = |end: Step| {
            let origin = Recorder::start(move |_| Reply::ok("abc").cut_after(40, end.clone()));
            exchange(origin.address, GET, &Options::default())
        };
        assert_eq!(cut(Step::Close).end, End::Fin);
        assert_eq!(cut(Step::Reset).end, End::Rst);
    }

    #[test]
    fn a_gate_holds_answers_and_flights_are_counted() {
        let gate = Gate::closed();
        let held = gate.clone();
        let origin = Recorder::start(move |_| Reply::ok("").first(Step::Wait(held.clone())));
        let mut clients: Vec<Raw> = (0..3).map(|_| Raw::connect(origin.address)).collect();
        for client in &mut clients {
            client.send(GET).unwrap();
        }
        wait_until(SOON, || origin.in_flight() == 3);
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer("GET", SOON).status, 200);
        }
        wait_until(SOON, || origin.in_flight() == 0);
        assert_eq!(origin.in_flight_max(), 3);
    }

    #[test]
    fn a_broken_request_is_a_violation_and_gets_400() {
        let origin = Recorder::start(|_| Reply::ok(""));
        let seen = exchange(
            origin.address,
            "GET / HTTP/1.1\r\n\r\n",
            &Options::default(),
        );
        assert_eq!(seen.answer().status, 400);
        assert_eq!((origin.violations().len(), origin.requests().len()), (1, 0));
    }

    #[test]
    fn a_tunnel_echoes() {
        let origin = Recorder::start(|_| Reply::upgrade("websocket"));
        let mut client = Raw::connect(origin.address);
        client.send(GET).unwrap();
        assert_eq!(client.answer("GET", SOON).status, 101);
        client.send("ping").unwrap();
        assert_eq!(client.read_until("ping", SOON), b"ping");
        client.half_close().unwrap();
        assert_eq!(client.end(SOON), End::Fin);
    }

    #[test]
    fn an_early_answer_leaves_the_body_unread() {
        let origin = Recorder::start_early(|_| Some(Reply::status(413, "")), |_| Reply::ok(""));
        let mut client = Raw::connect(origin.address);
        client
            .send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            .unwrap();
        assert_eq!(client.answer("POST", SOON).status, 413);
        assert!(origin.only_request().truncated);
    }

    #[test]
    fn a_client_that_expects_is_told_to_go_on() {
        let origin = Recorder::start(|_| Reply::ok(""));
        let mut client = Raw::connect(origin.address);
        client
            .send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
            .unwrap();
        client.read_until("100 Continue\r\n\r\n", SOON);
        client.send("x").unwrap();
        assert_eq!(client.answer("POST", SOON).status, 200);
    }
}

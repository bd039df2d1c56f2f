//! A browser's side of an HTTP/1.1 connection, over a bare socket or TLS.
//!
//! Written by hand so that nothing stands between the socket and the judge: no
//! library retries, hides a reset behind an error of its own, or takes a
//! cut-off body for a whole one. And so that a plain request costs little more than
//! its two system calls: the answer is read in place from a buffer that all
//! connections of a thread share, and one timer serves a connection all its life.

mod answer;
mod body;
mod dangerous;
mod deadline;
mod head;
mod reading;
mod stream;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

pub(crate) use answer::{Answer, Keep};
use deadline::Deadline;
use reading::Reading;
use stream::{Read, Stream};

use crate::crowd::Site;
use crate::outcome::Outcome;

/// Bytes asked of a socket at once.
const CHUNK: usize = 64 * 1024;

/// After an answer with `Connection: close`, how long the end is watched: it should be a FIN.
const END_WATCH: Duration = Duration::from_millis(500);

thread_local! {
    /// Where all connections of a thread read to; nothing in it outlives one turn.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into_boxed_slice());
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    deadline: Deadline,
    idle_since: Instant,
}

/// An answer, and what became of its connection.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) answer: Answer,
    /// The connection can carry another request.
    pub(crate) stays: bool,
}

impl Connection {
    /// Connects to `site`, from `source` if one is given, within `bound`.
    ///
    /// # Errors
    /// With the outcome of the request that wanted the connection.
    pub(crate) async fn open(
        site: &Site,
        source: Option<IpAddr>,
        bound: Duration,
    ) -> Result<Self, Outcome> {
        let name = site
            .tls
            .then(|| stream::server_name(&site.host, site.address));
        let connecting = Stream::connect(site.address, source, name);
        let stream = timeout(bound, connecting)
            .await
            .unwrap_or(Err(Outcome::ConnectTimedOut))?;
        let now = Instant::now();
        Ok(Self {
            stream,
            deadline: Deadline::new(now),
            idle_since: now,
        })
    }

    /// Whether the connection, idle until now, can carry another request. Costs no system
    /// call where nothing has come.
    ///
    /// # Errors
    /// The peer has reset it meanwhile. An end by FIN is none: idle connections may be closed.
    pub(crate) fn reusable(&mut self, keep_alive: Duration) -> Result<bool, Outcome> {
        let mut context = Context::from_waker(Waker::noop());
        match self.stream.poll_read(&mut context, &mut [0]) {
            Poll::Pending => Ok(self.idle_since.elapsed() < keep_alive),
            Poll::Ready(Err(error)) => Err(Outcome::of_exchange(&error, false)),
            Poll::Ready(Ok(_end_or_unasked)) => Ok(false),
        }
    }

    /// Sends one request and reads its whole answer, within `bound`. After an error the
    /// connection is of no use.
    ///
    /// # Errors
    /// With the outcome, where it is no whole answer.
    pub(crate) async fn ask(
        &mut self,
        request: &[u8],
        bound: Duration,
        keep: Keep,
    ) -> Result<Exchange, Outcome> {
        self.deadline.set(Instant::now() + bound);
        let mut sending = Sending::new(request);
        let mut reading = Reading::new(keep);
        poll_fn(|context| self.turn(context, &mut sending, &mut reading)).await?;
        Ok(self.whole(reading, sending.is_whole()))
    }

    /// Sends `opening` at once and then `slowly` byte by byte, the last byte again and again,
    /// until an answer is whole or `patience` is out. After an error the connection is of
    /// no use.
    ///
    /// # Errors
    /// With the outcome, where it is no whole answer; out of patience is [`Outcome::Abandoned`].
    pub(crate) async fn drip(
        &mut self,
        opening: &[u8],
        slowly: &[u8],
        every: Duration,
        patience: Duration,
    ) -> Result<Exchange, Outcome> {
        let began = Instant::now();
        self.deadline.set(began + patience);
        let mut sending = Sending::new(opening);
        let mut reading = Reading::new(Keep::All);
        let mut clock = interval_at(began + every, every);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sent = 0;
        let ended = poll_fn(|context| {
            loop {
                if let Poll::Ready(ended) = self.turn(context, &mut sending, &mut reading) {
                    return Poll::Ready(ended);
                }
                if !sending.left.is_empty() || clock.poll_tick(context).is_pending() {
                    return Poll::Pending;
                }
                let next = sent.min(slowly.len().saturating_sub(1));
                sending.add(&slowly[next..(next + 1).min(slowly.len())]);
                sent += 1;
            }
        });
        match ended.await {
            Ok(()) => Ok(self.whole(reading, false)),
            Err(Outcome::TimedOut) => Err(Outcome::Abandoned),
            Err(outcome) => Err(outcome),
        }
    }

    /// What has been read whole, and how the connection goes on.
    fn whole(&mut self, reading: Reading, sent: bool) -> Exchange {
        let answer = reading.into_answer();
        self.idle_since = Instant::now();
        Exchange {
            stays: sent && !answer.closes,
            answer,
        }
    }

    /// Sends and reads what can be sent and read now; ready once the answer is whole.
    fn turn(
        &mut self,
        context: &mut Context<'_>,
        sending: &mut Sending<'_>,
        reading: &mut Reading,
    ) -> Poll<Result<(), Outcome>> {
        // Even when the request could not be sent whole, an answer may be there to read.
        sending.turn(context, &mut self.stream);
        SCRATCH.with_borrow_mut(|scratch| {
            while let Poll::Ready(read) = self.stream.poll_read(context, scratch) {
                match read {
                    Ok(Read::Bytes(bytes)) => match reading.feed(&scratch[..bytes]) {
                        Ok(true) => return Poll::Ready(Ok(())),
                        Ok(false) => {}
                        Err(_malformed) => return Poll::Ready(Err(Outcome::Malformed)),
                    },
                    Ok(end) => return Poll::Ready(ended(end, sending, reading)),
                    Err(error) => {
                        return Poll::Ready(Err(Outcome::of_exchange(&error, reading.begun())));
                    }
                }
            }
            self.deadline.poll(context).map(|()| Err(Outcome::TimedOut))
        })
    }

    /// Whether the end that the peer announced by `Connection: close` is a reset. Nobody
    /// waits for it with the answer in hand, so its time is nobody's.
    pub(crate) async fn ends_by_reset(mut self) -> bool {
        self.deadline.set(Instant::now() + END_WATCH);
        poll_fn(|context| {
            SCRATCH.with_borrow_mut(|scratch| {
                while let Poll::Ready(read) = self.stream.poll_read(context, scratch) {
                    match read {
                        Ok(Read::Bytes(_unasked)) => {}
                        Ok(Read::End | Read::EndUnsaid) => return Poll::Ready(false),
                        Err(error) => {
                            return Poll::Ready(error.kind() == io::ErrorKind::ConnectionReset);
                        }
                    }
                }
                self.deadline.poll(context).map(|()| false)
            })
        })
        .await
    }
}

/// What the end of the stream makes of the answer so far.
fn ended(end: Read, sending: &Sending<'_>, reading: &Reading) -> Result<(), Outcome> {
    match (reading.at_end(), &sending.failed) {
        // The reset had been told to the write, and the read saw only the end.
        (Err(_cut), Some(error)) => Err(Outcome::of_exchange(error, reading.begun())),
        // Whether content without a length was whole, only TLS's own end would have said.
        (Ok(()), _) if end == Read::EndUnsaid => Err(Outcome::Truncated),
        (end, _) => end,
    }
}

/// A request on its way.
#[derive(Debug)]
struct Sending<'a> {
    left: &'a [u8],
    flushed: bool,
    failed: Option<io::Error>,
}

impl<'a> Sending<'a> {
    const fn new(request: &'a [u8]) -> Self {
        Self {
            left: request,
            flushed: false,
            failed: None,
        }
    }

    const fn is_whole(&self) -> bool {
        self.left.is_empty() && self.flushed && self.failed.is_none()
    }

    /// Goes on with `more`; what was there before has been sent or given up.
    const fn add(&mut self, more: &'a [u8]) {
        self.left = more;
        self.flushed = false;
    }

    fn turn(&mut self, context: &mut Context<'_>, stream: &mut Stream) {
        while !self.left.is_empty() && self.failed.is_none() {
            match stream.poll_write(context, self.left) {
                Poll::Ready(Ok(0)) => self.failed = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => self.left = &self.left[written..],
                Poll::Ready(Err(error)) => self.failed = Some(error),
                Poll::Pending => return,
            }
        }
        if !self.flushed && self.failed.is_none() {
            match stream.poll_flush(context) {
                Poll::Ready(Ok(())) => self.flushed = true,
                Poll::Ready(Err(error)) => self.failed = Some(error),
                Poll::Pending => {}
            }
        }
    }
}

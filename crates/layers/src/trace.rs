//! One record per exchange: metrics and the access-log line, written when the last byte of the
//! answer has been handed over, or when the client left before.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use forebay_admission::priority::Priority;
use forebay_admission::time::{Timestamp, WallTime};
use forebay_admission::verdict::Reason;
use forebay_telemetry::access::{Line, Pen};
use forebay_telemetry::metrics::{BadRequest, Copied, Decision, Grounds};
use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Method, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower::Service;

use crate::body::{AnswerBody, Upload};
use crate::bypass::Rule;
use crate::clock::Clock;
use crate::exchange::{Answer, Exchange, Note};
use crate::request_id::RequestId;
use crate::site::Site;

/// A worker's pen; `None`: no access log. The lock is never contended: only this worker writes.
pub type SharedPen = Arc<Mutex<Option<Pen>>>;

/// Records what `inner` does.
#[derive(Clone)]
pub struct Trace<S> {
    inner: S,
    clock: Clock,
    pen: SharedPen,
}

impl<S> fmt::Debug for Trace<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").finish_non_exhaustive()
    }
}

impl<S> Trace<S> {
    /// Stands around `inner`.
    pub const fn new(inner: S, clock: Clock, pen: SharedPen) -> Self {
        Self { inner, clock, pen }
    }
}

impl<S> Service<Exchange> for Trace<S>
where
    S: Service<Exchange, Response = Answer, Error = Infallible>,
{
    type Response = Response<Traced>;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        let record = Record::begin(&exchange, self.clock, Arc::clone(&self.pen));
        ResponseFuture {
            inner: self.inner.call(exchange),
            record: Some(record),
        }
    }
}

pin_project! {
    /// The answer, with its record in the body.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        record: Option<Record>,
    }
}

impl<F> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Answer, Infallible>>,
{
    type Output = Result<Response<Traced>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(Answer { mut response, note }) = ready!(this.inner.poll(cx));
        if let Some(reason) = note.reason {
            let fault = note.fault;
            response.extensions_mut().insert(Said { reason, fault });
        }
        let mut record = this.record.take();
        if let Some(record) = &mut record {
            record.status = response.status().as_u16();
            record.note = note;
        }
        Poll::Ready(Ok(response.map(|inner| Traced { inner, record })))
    }
}

/// Why we answered ourselves: an extension of the response, for the connection's counters.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// Why.
    pub reason: Reason,
    /// What was wrong with the request's form, if that was it.
    pub fault: Option<BadRequest>,
}

/// An answer's body that ends its record.
pub struct Traced {
    inner: AnswerBody,
    record: Option<Record>,
}

impl Body for Traced {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if let (Poll::Ready(Some(Ok(frame))), Some(record)) = (&frame, &mut self.record) {
            record.bytes_out += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What will be said about one exchange.
struct Record {
    site: Arc<Site>,
    clock: Clock,
    pen: SharedPen,
    arrived: Timestamp,
    wall: WallTime,
    id: RequestId,
    client: IpAddr,
    tls: bool,
    method: Method,
    target: Uri,
    host: Option<HeaderValue>,
    agent: Option<HeaderValue>,
    upload: Option<Arc<Upload>>,
    bytes_out: u64,
    status: u16,
    note: Note,
}

impl Record {
    fn begin(exchange: &Exchange, clock: Clock, pen: SharedPen) -> Self {
        let head = &exchange.head;
        Self {
            site: Arc::clone(&exchange.site),
            clock,
            pen,
            arrived: exchange.arrived,
            wall: exchange.wall,
            id: exchange.id,
            client: exchange.client.address,
            tls: exchange.peer.tls,
            method: head.method.clone(),
            target: head.uri.clone(),
            host: head.headers.get(HOST).cloned(),
            agent: head.headers.get(USER_AGENT).cloned(),
            upload: exchange.body.upload(),
            bytes_out: 0,
            status: 0,
            note: Note::default(),
        }
    }

    fn decision(&self) -> Decision {
        match self.note.reason {
            None if self.note.copied.is_some() => Decision::Cache,
            None => Decision::Admit,
            Some(
                Reason::RoomWaiting
                | Reason::RoomClosed
                | Reason::Maintenance
                | Reason::SubResource
                | Reason::FormWithoutPass,
            ) => Decision::Hold,
            Some(_) => Decision::Shed,
        }
    }

    fn grounds(&self) -> Grounds {
        match self.note.bypass {
            None => Grounds::Plain,
            Some(Rule::Header) => Grounds::BypassHeader,
            Some(Rule::Address) => Grounds::BypassAddress,
            Some(Rule::Path) => Grounds::BypassPath,
            Some(Rule::Method) => Grounds::BypassMethod,
            Some(Rule::Preflight) => Grounds::Preflight,
        }
    }

    fn count(&self, decision: Decision, took: Duration) {
        let metrics = match self.note.route {
            Some(route) => &self.site.entries[route as usize].metrics,
            None => &self.site.unrouted,
        };
        let reason = self.note.reason.map_or(0, |reason| reason as usize);
        match decision {
            Decision::Admit => metrics.admitted(self.grounds()),
            Decision::Cache => metrics.copied(self.note.copied.unwrap_or(Copied::Fresh)),
            Decision::Hold => metrics.held(reason),
            Decision::Shed => metrics.shed(reason),
        }
        metrics.request(
            self.status,
            u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
        );
    }

    fn write(&self, pen: &mut Pen, decision: Decision, took: Duration) {
        let entry = self
            .note
            .route
            .map(|route| &self.site.entries[route as usize]);
        let room = entry
            .and_then(|entry| entry.room.as_ref())
            .map_or("", |desk| &*desk.name);
        let path = self
            .target
            .path_and_query()
            .map_or("", |target| target.as_str());
        let reason = match (self.status, self.note.reason, self.note.copied) {
            (_, Some(reason), _) => reason.name(),
            (0, None, _) => "client_gone",
            (_, None, Some(copied)) => copied.name(),
            (_, None, None) if self.note.bypass.is_some() => self.grounds().name(),
            (_, None, None) => "",
        };
        pen.write(&Line {
            time_ms: self.wall.as_millis(),
            id: self.id.as_str(),
            client: self.client,
            method: self.method.as_str(),
            host: self
                .host
                .as_ref()
                .and_then(|host| host.to_str().ok())
                .unwrap_or_default(),
            path,
            route: entry.map_or("", |entry| &*entry.name),
            status: self.status,
            bytes_in: self.upload.as_ref().map_or(0, |upload| upload.received()),
            bytes_out: self.bytes_out,
            duration_us: micros(took),
            origin_us: self.note.origin.map(micros),
            queue_us: (!self.note.queued.is_zero()).then(|| micros(self.note.queued)),
            class: self.note.class.map_or("", Priority::name),
            decision: decision.name(),
            reason,
            server: self.note.server.as_deref().unwrap_or_default(),
            room,
            user_agent: self.agent.as_ref().map_or(&b""[..], HeaderValue::as_bytes),
            tls: self.tls,
        });
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.clock.now().saturating_since(self.arrived);
        let decision = self.decision();
        self.count(decision, took);
        let mut pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pen) = &mut *pen {
            self.write(pen, decision, took);
        }
    }
}

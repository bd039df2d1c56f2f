//! What travels through the layers: one [`Exchange`] inwards, one [`Answer`] or [`Refusal`]
//! outwards. Typed fields instead of a map of extensions: what a layer needs, the compiler knows.

use std::net::{IpAddr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use forebay_admission::pass::{Pass, Standing};
use forebay_admission::priority::Priority;
use forebay_admission::quota::ClientKey;
use forebay_admission::room::Told;
use forebay_admission::ticket::Ticket;
use forebay_admission::time::{Timestamp, WallTime};
use forebay_admission::verdict::Reason;
use forebay_telemetry::metrics::{BadRequest, Copied};
use http::request::Parts;
use http::{HeaderValue, Response};

use crate::asker::Asker;
use crate::body::{AnswerBody, RequestBody};
use crate::bypass::Rule;
use crate::gate::Permit;
use crate::identity;
use crate::page::Pages;
use crate::request_id::{RequestId, RequestIds};
use crate::room::Desk;
use crate::site::{RouteEntry, Site};

/// The other end of a client's connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address, or that of the proxy in front of us.
    pub address: SocketAddr,
    /// The same without the port, as text for the origin.
    pub text: HeaderValue,
    /// Whether the connection is TLS.
    pub tls: bool,
}

impl Peer {
    /// The peer at this address.
    #[must_use]
    pub fn new(address: SocketAddr, tls: bool) -> Self {
        let ip = address.ip().to_canonical().to_string();
        let text = HeaderValue::try_from(ip).unwrap_or(HeaderValue::from_static("unknown"));
        Self { address, text, tls }
    }
}

/// Who asks: the address that quotas count, found through trusted proxies.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The visitor's address, as far as it can be trusted.
    pub address: IpAddr,
    /// The key of its prefix in quota tables.
    pub key: ClientKey,
    /// Whether the visitor's own connection is TLS, here or at a trusted proxy.
    pub https: bool,
    /// Whether the peer is a trusted proxy.
    pub proxied: bool,
}

/// What the visitor's cookie says.
#[derive(Clone, Copy, Debug)]
pub enum Visitor {
    /// No cookie, or none that counts.
    Stranger,
    /// A place in line.
    Waiting(Ticket),
    /// A pass, and what it is worth now.
    Inside(Pass, Standing),
}

impl Visitor {
    /// The pass, when it lets the visitor in now.
    #[must_use]
    pub const fn valid_pass(&self) -> Option<&Pass> {
        match self {
            Self::Inside(pass, Standing::Fresh | Standing::Renew) => Some(pass),
            Self::Inside(..) | Self::Stranger | Self::Waiting(_) => None,
        }
    }
}

/// One request on its way in. It passes a dozen layers by value, each in a future of its own, so
/// what it carries stays in one place.
pub struct Exchange(Box<Carried>);

impl Deref for Exchange {
    type Target = Carried;

    fn deref(&self) -> &Carried {
        &self.0
    }
}

impl DerefMut for Exchange {
    fn deref_mut(&mut self) -> &mut Carried {
        &mut self.0
    }
}

/// What an [`Exchange`] carries.
pub struct Carried {
    /// Method, target, headers.
    pub head: Parts,
    /// The body, as far as it has come.
    pub body: RequestBody,
    /// The other end of the connection.
    pub peer: Peer,
    /// When the header was complete.
    pub arrived: Timestamp,
    /// The same moment on the wall clock.
    pub wall: WallTime,
    /// When this page was asked for first: before `arrived`, when it is asked for again after a
    /// "one moment" page.
    pub first_try: Timestamp,
    /// The configuration that this request lives under, loaded once.
    pub site: Arc<Site>,
    /// The request's name in logs, pages and at the origin.
    pub id: RequestId,
    /// The route, once `normalize` has found it: an index into the site's routes. `None` for what
    /// `local` answers.
    pub route: Option<usize>,
    /// The room whose cookie counts: the route's, or the one that a status request names.
    pub desk: Option<Arc<Desk>>,
    /// Who asks.
    pub client: Client,
    /// What the visitor's cookie says, once `identity` has looked.
    pub visitor: Visitor,
    /// The rule by which the route's room does not hold it, once `identity` has looked.
    pub bypass: Option<Rule>,
    /// What its headers say about who asks.
    pub asker: Asker,
    /// The permit, once `concurrency` has it.
    pub permit: Option<Permit>,
}

impl Exchange {
    /// A request as it arrived: who asks is known, where it leads is not yet.
    #[must_use]
    pub fn new(
        (head, body): (Parts, RequestBody),
        peer: Peer,
        (arrived, wall): (Timestamp, WallTime),
        site: Arc<Site>,
        ids: &RequestIds,
    ) -> Self {
        let client = identity::client(&site.client, peer.address, peer.tls, &head.headers);
        let foreign = client
            .proxied
            .then(|| head.headers.get("x-request-id"))
            .flatten();
        let id = foreign
            .and_then(RequestId::foreign)
            .unwrap_or_else(|| ids.next());
        Self(Box::new(Carried {
            asker: Asker::of(&head),
            head,
            body,
            peer,
            arrived,
            wall,
            first_try: arrived,
            site,
            id,
            route: None,
            desk: None,
            client,
            visitor: Visitor::Stranger,
            bypass: None,
            permit: None,
        }))
    }

    /// The route's entry.
    ///
    /// # Panics
    /// Above `normalize`, and for what `local` answers: no layer asks there.
    #[must_use]
    pub fn entry(&self) -> &RouteEntry {
        let route = self
            .route
            .expect("normalize has found the route, or local has answered");
        &self.site.entries[route]
    }
}

/// What is to be said about an exchange when it is over.
#[derive(Clone, Debug, Default)]
pub struct Note {
    /// The route's index, when one was found. Notes travel by value: small numbers.
    pub route: Option<u32>,
    /// Why we answered ourselves.
    pub reason: Option<Reason>,
    /// What was wrong with the request's form, if that was it.
    pub fault: Option<BadRequest>,
    /// How long the request waited for a permit.
    pub queued: Duration,
    /// The class in which it came to the short queue, if it did.
    pub class: Option<Priority>,
    /// From sending to the origin until its answer's head.
    pub origin: Option<Duration>,
    /// Whether it was answered from memory, by `local`.
    pub local: bool,
    /// The rule by which it went to the origin past the room.
    pub bypass: Option<Rule>,
    /// How good the copy was with which it was answered.
    pub copied: Option<Copied>,
    /// Which server answered.
    pub server: Option<Arc<str>>,
}

/// A response on its way out.
pub struct Answer {
    /// Status, headers, body.
    pub response: Response<AnswerBody>,
    /// For metrics and the access log.
    pub note: Note,
}

/// A refusal on its way to [`rescue`](crate::rescue), the one place where it becomes a response.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// When to come back, where that is known better than by the reason alone.
    pub retry_after: Option<Duration>,
    /// What the visitor in line is told.
    pub waiting: Option<Box<Waiting>>,
    /// The room's cookie, to be set whatever the answer is.
    pub cookie: Option<Box<HeaderValue>>,
    /// The cookie that carries the page's first try along, for one moment.
    pub attempt: Option<Box<HeaderValue>>,
    /// The quota that was used up, for `RateLimit` and `RateLimit-Policy`.
    pub quota: Option<Box<QuotaNote>>,
    /// Whether a request body remains unread, so that the connection has to end.
    pub unread: bool,
    /// For metrics and the access log.
    pub note: Note,
}

/// What the waiting page shows.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The room's name.
    pub room: Arc<str>,
    /// The status of a held answer (`room.status`).
    pub status: u16,
    /// The room's pages.
    pub pages: Arc<Pages>,
    /// How long a silent visitor's place is kept.
    pub keep: Duration,
    /// Whether lots decide the place, and not the arrival.
    pub drawn: bool,
    /// Position, time, next appointment.
    pub told: Told,
}

/// What the `RateLimit` headers say.
#[derive(Clone, Debug)]
pub struct QuotaNote {
    /// The quota's name.
    pub name: Arc<str>,
    /// Requests in one burst.
    pub burst: u32,
    /// Seconds in which a used-up burst grows again.
    pub window: u64,
    /// Seconds until the next request is allowed.
    pub reset: u64,
}

impl Refusal {
    /// A refusal for this reason, with nothing else known.
    #[must_use]
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            retry_after: None,
            waiting: None,
            cookie: None,
            attempt: None,
            quota: None,
            unread: false,
            note: Note {
                reason: Some(reason),
                ..Note::default()
            },
        }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

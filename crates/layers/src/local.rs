//! What is answered from memory, even when everything else is full: the room's status, and the
//! small answer by which a page without JavaScript makes its second contact. Both have a budget
//! of their own, larger than a client's quota. A poll whose visitor's turn is near may be kept
//! back until it comes; everything else is answered at once.

mod draw;
mod held;
mod link;
mod opening;
mod slip;
mod status;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use forebay_admission::verdict::Reason;
use futures_util::future::{Either, Ready, ready};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderValue, Method, Response};
use tower::Service;

pub use self::draw::write_draws;
use self::held::HeldPoll;
pub use self::status::{named, reference, write_place};
use crate::body::AnswerBody;
use crate::clock::Clock;
use crate::exchange::{Answer, Exchange, Note, Refusal};
use crate::rate;
use crate::room::Desk;

type Boxed = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// Answers what is ours before `inner`.
#[derive(Clone, Debug)]
pub struct Local<S> {
    inner: S,
    clock: Clock,
}

/// What a request for us comes to.
enum Step {
    /// An answer.
    Now(Answer),
    /// An answer that waits.
    Held(HeldPoll),
}

impl<S> Local<S> {
    /// Stands before `inner`.
    pub const fn new(inner: S, clock: Clock) -> Self {
        Self { inner, clock }
    }
}

impl<S> Service<Exchange> for Local<S>
where
    S: Service<Exchange, Response = Answer, Error = Refusal>,
{
    type Response = Answer;
    type Error = Refusal;
    type Future = Either<Either<Ready<Result<Answer, Refusal>>, Boxed>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        if exchange.route.is_some() {
            return Either::Right(self.inner.call(exchange));
        }
        let unread = exchange.body.is_streaming();
        let refused = |mut refusal: Refusal| {
            refusal.unread = unread;
            refusal
        };
        if let Err(refusal) = within_budget(&exchange) {
            return Either::Left(Either::Left(ready(Err(refused(refusal)))));
        }
        if exchange.head.method == Method::POST
            && matches!(name(&exchange), "/return" | "/invite")
            && let Some(desk) = exchange.desk.clone()
        {
            return Either::Left(Either::Right(opening::open(exchange, desk)));
        }
        Either::Left(match answer(&exchange) {
            Ok(Step::Now(answer)) => Either::Left(ready(Ok(answer))),
            Ok(Step::Held(poll)) => {
                let clock = self.clock;
                Either::Right(Box::pin(async move { Ok(poll.answer(clock).await) }))
            }
            Err(refusal) => Either::Left(ready(Err(refused(refusal)))),
        })
    }
}

fn within_budget(exchange: &Exchange) -> Result<(), Refusal> {
    rate::check(
        &exchange.site.room_quota,
        Reason::RoomRate,
        exchange.client.key,
        None,
        exchange.arrived,
    )
}

/// The address below our prefix.
fn name(exchange: &Exchange) -> &str {
    let path = exchange.head.uri.path();
    path.strip_prefix(exchange.site.prefix.as_str())
        .unwrap_or_default()
}

fn answer(exchange: &Exchange) -> Result<Step, Refusal> {
    if !matches!(exchange.head.method, Method::GET | Method::HEAD) {
        return Err(Reason::MethodNotAllowed.into());
    }
    let Some(desk) = &exchange.desk else {
        return Err(Reason::NoRoute.into());
    };
    Ok(Step::Now(match name(exchange) {
        "/status" => return Ok(status::status(exchange, desk)),
        "/link" => link::link(exchange, desk),
        "/return" | "/invite" => opening::look(exchange, desk),
        "/draw" => draw::draw(exchange, desk),
        "/here.css" => status::here(exchange, desk),
        _ => return Err(Reason::NoRoute.into()),
    }))
}

/// Whether the path is ours; then the room that `?room=` names, if there is one, or without a
/// name the first.
#[must_use]
pub fn desk(exchange: &Exchange) -> Option<Option<Arc<Desk>>> {
    let site = &exchange.site;
    let rest = exchange
        .head
        .uri
        .path()
        .strip_prefix(site.prefix.as_str())?;
    // `/__forebaying` is the origin's.
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let query = exchange.head.uri.query().unwrap_or_default();
    Some(match room_named(query) {
        Some(name) => site.rooms.iter().find(|desk| *desk.name == *name).cloned(),
        None => site.rooms.first().cloned(),
    })
}

/// The room that a query names: the first `room=`, as it stands there. Rooms' names need no
/// encoding.
#[must_use]
pub fn room_named(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("room="))
}

fn respond(body: Vec<u8>, kind: &'static str, cookie: Option<HeaderValue>) -> Answer {
    let mut response = Response::new(AnswerBody::full(Bytes::from(body)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        headers.insert(SET_COOKIE, cookie);
    }
    Answer {
        response,
        note: Note {
            local: true,
            ..Note::default()
        },
    }
}

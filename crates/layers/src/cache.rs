//! Kept answers: a small shared cache (RFC 9111) for routes that ask for one, so that what is the
//! same for everybody costs the origin one request, and is there while the origin is overrun.
//!
//! Only GETs that carry nothing of a person are kept, only whole 200s that the origin, or else the
//! route, calls fresh; a copy costs neither a permit nor a place in the room, behind which this
//! layer stands. One request fetches what is missing, the others wait for it a bounded time. A
//! stale copy serves while the origin is pressed, down or failing (RFC 5861), and every answer says
//! by `Cache-Status` (RFC 9211) where it came from. With [`rescue`](crate::rescue), `room` and
//! `local` this is the fourth place that makes responses: each is one that the origin made before.

mod collect;
mod directives;
mod fetch;
mod key;
mod life;
mod status;
mod storage;
mod stored;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use forebay_admission::time::Timestamp;
use forebay_telemetry::metrics::Copied;
use futures_util::future::{Either, Ready, ready};
use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, EXPECT, IF_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
    UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use tower::Service;

pub use self::life::CacheRules;
pub use self::storage::{Cache, CacheSize};

use self::fetch::Asked;
use self::key::Key;
use self::status::Forward;
use self::storage::Found;
use self::stored::{Standing, Stored};
use crate::asker::is_safe;
use crate::body::AnswerBody;
use crate::clock::Clock;
use crate::exchange::{Answer, Exchange, Note, Refusal};
use crate::request_id::RequestId;
use crate::site::Site;

type Boxed = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// Answers with copies before `inner`.
#[derive(Clone, Debug)]
pub struct Copies<S> {
    inner: S,
    clock: Clock,
}

impl<S> Copies<S> {
    /// Stands before `inner`.
    pub const fn new(inner: S, clock: Clock) -> Self {
        Self { inner, clock }
    }
}

impl<S> Service<Exchange> for Copies<S>
where
    S: Service<Exchange, Response = Answer, Error = Refusal> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Answer;
    type Error = Refusal;
    type Future = Either<S::Future, Either<Ready<Result<Answer, Refusal>>, Boxed>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        let Some(cache) = &exchange.site.cache else {
            return Either::Left(self.inner.call(exchange));
        };
        let boxed = |future: Boxed| Either::Right(Either::Right(future));
        match Way::of(&exchange) {
            Way::On => Either::Left(self.inner.call(exchange)),
            Way::Past => boxed(Box::pin(past(self.inner.call(exchange)))),
            Way::Change(key) => {
                let cache = Arc::clone(cache);
                boxed(Box::pin(change(self.inner.call(exchange), cache, key)))
            }
            Way::Look(key, rules) => {
                if let Some(answer) = fresh(cache, &key, &exchange) {
                    return Either::Right(Either::Left(ready(Ok(answer))));
                }
                let asked = Asked::new(&exchange, Arc::clone(cache), key, rules, self.clock);
                boxed(Box::pin(asked.serve(self.inner.clone(), exchange)))
            }
        }
    }
}

/// What a copy may have to do with a request.
enum Way {
    /// Nothing: the route keeps no answers.
    On,
    /// Nothing, although others of this route are kept.
    Past,
    /// It changes what is kept under this name (RFC 9111 section 4.4).
    Change(Key),
    /// It may be answered with one.
    Look(Key, CacheRules),
}

/// Fields with which a request wants something else than the whole answer, or one of its own.
const PARTICULAR: [HeaderName; 7] = [
    AUTHORIZATION,
    RANGE,
    IF_RANGE,
    IF_MATCH,
    IF_UNMODIFIED_SINCE,
    UPGRADE,
    EXPECT,
];

impl Way {
    fn of(exchange: &Exchange) -> Self {
        let head = &exchange.head;
        let rules = exchange.entry().cache;
        if !is_safe(&head.method) {
            return key::key(exchange).map_or(Self::On, Self::Change);
        }
        let Some(rules) = rules else {
            return Self::On;
        };
        let plain = matches!(head.method, Method::GET | Method::HEAD)
            && !exchange.body.is_streaming()
            && !PARTICULAR
                .iter()
                .any(|name| head.headers.contains_key(name));
        match key::key(exchange).filter(|_| plain) {
            Some(key) => Self::Look(key, rules),
            None => Self::Past,
        }
    }
}

/// A fresh copy, if there is one for this request: nothing is copied but its header.
fn fresh(cache: &Cache, key: &Key, exchange: &Exchange) -> Option<Answer> {
    let headers = &exchange.head.headers;
    let now = exchange.arrived;
    let (Found::Copy(stored), _) = cache.find(key, headers, now) else {
        return None;
    };
    let Standing::Fresh(left) = stored.standing(now) else {
        return None;
    };
    (stored.life().public || !headers.contains_key(COOKIE)).then(|| {
        let reader = Reader::of(exchange);
        let response = stored.answer(headers, reader.head, now);
        reader.copy(response, status::hit(left, false), Copied::Fresh)
    })
}

/// To whom a copy goes.
struct Reader {
    site: Arc<Site>,
    id: RequestId,
    head: bool,
}

impl Reader {
    fn of(exchange: &Exchange) -> Self {
        Self {
            site: Arc::clone(&exchange.site),
            id: exchange.id,
            head: exchange.asker.head,
        }
    }

    /// The copy as this reader's answer.
    fn copy(&self, mut response: Response<AnswerBody>, said: String, copied: Copied) -> Answer {
        self.address(response.headers_mut(), said);
        Answer {
            response,
            note: Note {
                copied: Some(copied),
                ..Note::default()
            },
        }
    }

    /// What every answer of this reader's carries.
    fn address(&self, headers: &mut HeaderMap, said: String) {
        const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
        headers.insert(X_REQUEST_ID, self.id.to_value());
        status::say(headers, said);
        if self.site.closing.ends_own_answers() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// A stale copy as this reader's answer.
    fn stale(
        &self,
        stored: &Stored,
        conditions: &HeaderMap,
        now: Timestamp,
        said: String,
    ) -> Answer {
        let response = stored.answer(conditions, self.head, now);
        self.copy(response, said, Copied::Stale)
    }
}

/// The answer to a request that no copy could have answered.
async fn past<F>(going: F) -> Result<Answer, Refusal>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    let mut answer = going.await?;
    let status = answer.response.status().as_u16();
    let said = status::forwarded(Forward::Bypass, status, false);
    status::say(answer.response.headers_mut(), said);
    Ok(answer)
}

/// The answer to an unsafe request; when it did something, what was kept is no longer true.
async fn change<F>(going: F, cache: Arc<Cache>, key: Key) -> Result<Answer, Refusal>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    let answer = going.await?;
    let status = answer.response.status();
    if status.is_success() || status.is_redirection() {
        cache.forget(&key);
    }
    Ok(answer)
}

/// Whether a copy that is stale for `by` serves within `span`.
fn within(by: Duration, span: Duration) -> bool {
    by < span
}

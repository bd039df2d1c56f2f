//! What happens when no fresh copy is there: one request fetches, the others wait or get the stale
//! copy; a stale copy also stands in for an origin that is overrun.

use std::sync::Arc;
use std::time::Duration;

use forebay_admission::time::Timestamp;
use forebay_admission::verdict::Reason;
use forebay_telemetry::metrics::Copied;
use http::header::{AGE, COOKIE, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::timeout;
use tower::Service;

use super::collect::{Collected, collect};
use super::key::{Key, varying};
use super::life::{CacheRules, Life};
use super::status::{self, Forward};
use super::storage::{Cache, Fetch, Fetched, Found, Turn};
use super::stored::{Standing, Stored};
use super::{Reader, within};
use crate::body::AnswerBody;
use crate::clock::Clock;
use crate::exchange::{Answer, Exchange, Refusal, Visitor};
use crate::origin::Origin;

/// How long a request waits for the answer that another one fetches; then it asks for itself.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// How often it begins to wait: again only when whoever fetched has left without an answer.
const WAITS_MAX: usize = 3;

/// A request that a copy may answer, and what is needed of it when it has gone on.
pub(super) struct Asked {
    cache: Arc<Cache>,
    key: Key,
    rules: CacheRules,
    clock: Clock,
    origin: Arc<Origin>,
    reader: Reader,
    /// The fields by which an answer may vary.
    fields: HeaderMap,
    conditions: HeaderMap,
    with_cookie: bool,
}

/// A copy that is no longer fresh, and for how long.
#[derive(Clone)]
struct Old {
    stored: Arc<Stored>,
    by: Duration,
}

/// What is there for a request.
enum There {
    /// A fresh copy: the answer.
    Answer(Answer),
    /// A stale copy, or nothing; a new one will be kept under this name.
    Missing(Option<Old>, Key),
    /// What answers it is not kept.
    Unkept,
}

const fn forward(old: Option<&Old>) -> Forward {
    match old {
        Some(_) => Forward::Stale,
        None => Forward::Miss,
    }
}

impl Asked {
    pub(super) fn new(
        exchange: &Exchange,
        cache: Arc<Cache>,
        key: Key,
        rules: CacheRules,
        clock: Clock,
    ) -> Self {
        let headers = &exchange.head.headers;
        let mut conditions = HeaderMap::new();
        for name in [IF_NONE_MATCH, IF_MODIFIED_SINCE] {
            for value in headers.get_all(&name) {
                conditions.append(name.clone(), value.clone());
            }
        }
        Self {
            cache,
            key,
            rules,
            clock,
            origin: Arc::clone(&exchange.entry().origin),
            reader: Reader::of(exchange),
            fields: varying(headers),
            conditions,
            with_cookie: headers.contains_key(COOKIE),
        }
    }

    /// The answer, from wherever it can be had soonest.
    pub(super) async fn serve<S>(self, inner: S, exchange: Exchange) -> Result<Answer, Refusal>
    where
        S: Service<Exchange, Response = Answer, Error = Refusal> + Send + 'static,
        S::Future: Send,
    {
        let mut last = None;
        let mut over = false;
        for wait in 0..WAITS_MAX {
            let (old, form) = match self.look(wait > 0) {
                There::Answer(answer) => return Ok(answer),
                There::Missing(old, form) => (old, form),
                There::Unkept => break,
            };
            last.clone_from(&old);
            if over || self.reader.head {
                break;
            }
            match self.cache.turn(&form) {
                Turn::Fetch(fetch) => return self.fetch(inner, exchange, fetch, old).await,
                Turn::Wait(mut fetched) => {
                    if let Some(answer) = old.and_then(|old| self.meanwhile(&old)) {
                        return Ok(answer);
                    }
                    let end = fetched.wait_for(|fetched| *fetched == Fetched::Over);
                    match timeout(WAIT_MAX, end).await {
                        Ok(end) => over = end.is_ok(),
                        Err(_late) => break,
                    }
                }
                Turn::Alone => break,
            }
        }
        self.alone(inner, exchange, last).await
    }

    fn look(&self, waited: bool) -> There {
        let now = self.clock.now();
        let (found, form) = self.cache.find(&self.key, &self.fields, now);
        let old = match found {
            Found::Copy(stored) if self.with_cookie && !stored.life().public => None,
            Found::Copy(stored) => match stored.standing(now) {
                Standing::Fresh(left) => {
                    let response = stored.answer(&self.conditions, self.reader.head, now);
                    let said = status::hit(left, waited);
                    return There::Answer(self.reader.copy(response, said, Copied::Fresh));
                }
                Standing::Stale(by) => Some(Old { stored, by }),
            },
            Found::Unkept if !self.with_cookie => return There::Unkept,
            Found::Unkept | Found::Nothing => None,
        };
        if !self.with_cookie {
            return There::Missing(old, form);
        }
        // Whether the answer to somebody with a cookie is everybody's, its own turns find out.
        let own: Key = [&form[..], b"\0cookie"].concat().into();
        if old.is_none() && self.cache.is_unkept(&own, now) {
            return There::Unkept;
        }
        There::Missing(old, own)
    }

    /// A stale copy for somebody who would wait for what is just being fetched.
    fn meanwhile(&self, old: &Old) -> Option<Answer> {
        let life = old.stored.life();
        let good = within(old.by, life.while_revalidate.max(life.if_error));
        good.then(|| self.stale(old, status::stale(old.by, "revalidating")))
    }

    fn stale(&self, old: &Old, said: String) -> Answer {
        let now = self.clock.now();
        self.reader.stale(&old.stored, &self.conditions, now, said)
    }

    /// Why the stale copy is good enough at once, while the origin is asked in the background.
    fn at_once(&self, old: &Old) -> Option<&'static str> {
        let life = old.stored.life();
        let overrun = || self.origin.gate.is_pressed() || self.origin.servers.are_down();
        if within(old.by, life.while_revalidate) {
            Some("revalidating")
        } else if within(old.by, life.if_error) && overrun() {
            Some("overrun")
        } else {
            None
        }
    }

    async fn fetch<S>(
        self,
        inner: S,
        mut exchange: Exchange,
        fetch: Fetch,
        old: Option<Old>,
    ) -> Result<Answer, Refusal>
    where
        S: Service<Exchange, Response = Answer, Error = Refusal> + Send + 'static,
        S::Future: Send,
    {
        let good = old.as_ref().and_then(|old| Some((old, self.at_once(old)?)));
        let Some((good, why)) = good else {
            return self.fill(inner, exchange, fetch, old).await;
        };
        let answer = self.stale(good, status::stale(good.by, why));
        // Nobody waits for it: at the queue it stands behind all who do. As many are on their way
        // as there are turns.
        exchange.visitor = Visitor::Stranger;
        exchange.bypass = None;
        tokio::spawn(async move { self.fill(inner, exchange, fetch, old).await.is_ok() });
        Ok(answer)
    }

    /// Asks the origin, and keeps what it answers if it may be kept.
    async fn fill<S>(
        &self,
        mut inner: S,
        mut exchange: Exchange,
        fetch: Fetch,
        old: Option<Old>,
    ) -> Result<Answer, Refusal>
    where
        S: Service<Exchange, Response = Answer, Error = Refusal>,
    {
        let headers = &mut exchange.head.headers;
        // What is kept is the whole answer, whatever this client has already.
        headers.remove(IF_NONE_MATCH);
        headers.remove(IF_MODIFIED_SINCE);
        let asks = old
            .as_ref()
            .is_some_and(|old| old.stored.ask_whether_it_holds(headers));
        let sent = self.clock.now();
        let answer = match inner.call(exchange).await {
            Ok(answer) if !answer.response.status().is_server_error() => answer,
            failed => {
                fetch.over();
                return self.or_stale(failed, old.as_ref());
            }
        };
        let result = match old {
            Some(old) if asks && answer.response.status() == StatusCode::NOT_MODIFIED => {
                Ok(self.confirmed(&old.stored, answer, sent))
            }
            old => self.renewed(answer, sent, &fetch, old.as_ref()).await,
        };
        fetch.over();
        result
    }

    /// The copy still holds: its time begins anew.
    fn confirmed(&self, stored: &Stored, mut answer: Answer, sent: Timestamp) -> Answer {
        let now = self.clock.now();
        let headers = stored.confirmed(answer.response.headers());
        let life = self.life(StatusCode::OK, &headers, (now, sent));
        let (life, kept) = match life {
            Some(life) => (life, true),
            None => (stored.life(), false),
        };
        let at = (now, self.clock.wall(now));
        let renewed = Arc::new(Stored::new(&headers, stored.body(), life, at));
        if kept {
            self.cache
                .keep(&self.key, &self.fields, Arc::clone(&renewed));
        } else {
            self.cache.forget(&self.key);
        }
        let said = status::forwarded(Forward::Stale, 304, kept);
        answer.response = self.answer(&renewed, now, said);
        answer
    }

    /// The origin has answered anew: kept, or handed on and remembered as none to wait for.
    async fn renewed(
        &self,
        answer: Answer,
        sent: Timestamp,
        fetch: &Fetch,
        old: Option<&Old>,
    ) -> Result<Answer, Refusal> {
        let now = self.clock.now();
        let Answer { response, note } = answer;
        let (head, body) = response.into_parts();
        let why = forward(old);
        let said = |stored| status::forwarded(why, head.status.as_u16(), stored);
        let life = self.life(head.status, &head.headers, (now, sent));
        let collected = match life {
            Some(_) => self.collected(body).await,
            None => Ok(Collected::Part(body)),
        };
        let response = match (collected, life) {
            (Ok(Collected::Whole(bytes)), Some(life)) => {
                let at = (now, self.clock.wall(now));
                let stored = Arc::new(Stored::new(&head.headers, bytes, life, at));
                self.cache
                    .keep(&self.key, &self.fields, Arc::clone(&stored));
                self.answer(&stored, now, said(true))
            }
            (Ok(body), _) => {
                fetch.keep_nothing(now);
                let said = said(false);
                let mut response = http::Response::from_parts(head, body.into_body());
                status::say(response.headers_mut(), said);
                response
            }
            (Err(_broken_off), _) => {
                let refusal = Refusal {
                    note,
                    ..Refusal::new(Reason::OriginReset)
                };
                return self.or_stale(Err(refusal), old);
            }
        };
        Ok(Answer { response, note })
    }

    /// The body, where there is room for it.
    async fn collected(&self, body: AnswerBody) -> Result<Collected, hyper::Error> {
        let object = self.cache.size().object;
        let length = http_body::Body::size_hint(&body).exact();
        match self.cache.room(length.unwrap_or(object)) {
            Some(_room) => collect(body, object).await,
            None => Ok(Collected::Part(body)),
        }
    }

    fn life(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        (now, sent): (Timestamp, Timestamp),
    ) -> Option<Life> {
        let times = (self.clock.wall(now), now.saturating_since(sent));
        Life::of(status, headers, self.with_cookie, self.rules, times)
    }

    /// What was just fetched, as the answer to this request.
    fn answer(&self, stored: &Stored, now: Timestamp, said: String) -> http::Response<AnswerBody> {
        let mut response = stored.answer(&self.conditions, self.reader.head, now);
        let headers = response.headers_mut();
        if headers.get(AGE) == Some(&HeaderValue::from_static("0")) {
            // It would say that the origin was not asked (RFC 9111 section 5.1).
            headers.remove(AGE);
        }
        self.reader.address(headers, said);
        response
    }

    /// What the origin, or the way to it, says to this request alone.
    async fn alone<S>(
        &self,
        mut inner: S,
        exchange: Exchange,
        old: Option<Old>,
    ) -> Result<Answer, Refusal>
    where
        S: Service<Exchange, Response = Answer, Error = Refusal>,
    {
        let result = inner.call(exchange).await;
        let mut answer = self.or_stale(result, old.as_ref())?;
        if answer.note.copied.is_none() {
            let status = answer.response.status().as_u16();
            let why = forward(old.as_ref());
            let said = status::forwarded(why, status, false);
            status::say(answer.response.headers_mut(), said);
        }
        Ok(answer)
    }

    /// The stale copy, where the origin could not answer and the copy is not too old for that.
    fn or_stale(
        &self,
        result: Result<Answer, Refusal>,
        old: Option<&Old>,
    ) -> Result<Answer, Refusal> {
        let old = old.filter(|old| within(old.by, old.stored.life().if_error));
        match (result, old) {
            (Ok(answer), Some(old)) if answer.response.status().is_server_error() => {
                let status = answer.response.status().as_u16();
                Ok(self.stale(old, status::stale_after(Some(status), "error")))
            }
            (Err(refusal), Some(old)) => {
                let said = status::stale_after(None, refusal.reason.name());
                Ok(self.stale(old, said))
            }
            (result, _) => result,
        }
    }
}

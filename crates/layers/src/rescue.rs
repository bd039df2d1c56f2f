//! The one place where a refusal, or a panic, becomes a response: status, `Retry-After`, and a
//! body that a person, or a program that asked for JSON, can use.

mod words;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use forebay_admission::quota::whole_seconds;
use forebay_admission::room::TurnState;
use forebay_admission::verdict::Reason;
use forebay_telemetry::json::JsonWriter;
use futures_util::FutureExt;
use futures_util::future::CatchUnwind;
use http::header::{
    ACCEPT_LANGUAGE, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HeaderName, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use pin_project_lite::pin_project;
use tower::Service;

use crate::asker::{Asker, Form};
use crate::body::AnswerBody;
use crate::cors::Caller;
use crate::exchange::{Answer, Exchange, QuotaNote, Refusal};
use crate::local;
use crate::page;
use crate::request_id::RequestId;
use crate::site::Site;

/// Answers for `inner` when it refuses.
#[derive(Clone, Debug)]
pub struct Rescue<S> {
    inner: S,
}

impl<S> Rescue<S> {
    /// Stands around `inner`.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Exchange> for Rescue<S>
where
    S: Service<Exchange, Response = Answer, Error = Refusal>,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        let context = Addressee {
            asker: exchange.asker,
            languages: exchange.head.headers.get(ACCEPT_LANGUAGE).cloned(),
            caller: Caller::of(&exchange.head.headers),
            id: exchange.id,
            site: Arc::clone(&exchange.site),
        };
        let inner = AssertUnwindSafe(self.inner.call(exchange)).catch_unwind();
        ResponseFuture {
            inner,
            addressee: context,
        }
    }
}

pin_project! {
    /// The answer, whatever happened.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: CatchUnwind<AssertUnwindSafe<F>>,
        addressee: Addressee,
    }
}

impl<F> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    type Output = Result<Answer, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = match ready!(this.inner.poll(cx)) {
            Ok(Ok(mut answer)) => {
                if let (true, Some(caller)) = (answer.note.local, &this.addressee.caller) {
                    caller.allow(answer.response.headers_mut());
                }
                answer
            }
            Ok(Err(refusal)) => this.addressee.answer(refusal),
            Err(_panic) => {
                tracing::error!(id = this.addressee.id.as_str(), "a request panicked");
                this.addressee.answer(Refusal {
                    unread: true,
                    ..Refusal::new(Reason::Panic)
                })
            }
        };
        Poll::Ready(Ok(answer))
    }
}

/// Whom a refusal is told, and how.
struct Addressee {
    asker: Asker,
    languages: Option<HeaderValue>,
    caller: Option<Caller>,
    id: RequestId,
    site: Arc<Site>,
}

/// The status of a refusal, and when coming back is worth it.
#[must_use]
pub const fn status(reason: Reason) -> (StatusCode, Option<Duration>) {
    const fn soon(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }
    match reason {
        Reason::ClientRate | Reason::PassRate | Reason::RoomRate => {
            (StatusCode::TOO_MANY_REQUESTS, soon(5))
        }
        Reason::RoomWaiting
        | Reason::RoomClosed
        | Reason::Maintenance
        | Reason::Stranger
        | Reason::FormWithoutPass => (StatusCode::SERVICE_UNAVAILABLE, soon(10)),
        Reason::Busy | Reason::SubResource | Reason::OriginDown => {
            (StatusCode::SERVICE_UNAVAILABLE, soon(3))
        }
        Reason::NoRoute => (StatusCode::NOT_FOUND, None),
        Reason::UnknownHost => (StatusCode::MISDIRECTED_REQUEST, None),
        Reason::BadRequest => (StatusCode::BAD_REQUEST, None),
        Reason::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, None),
        Reason::ExpectationFailed => (StatusCode::EXPECTATION_FAILED, None),
        Reason::HeaderTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, None),
        Reason::TargetTooLong => (StatusCode::URI_TOO_LONG, None),
        Reason::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, None),
        Reason::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, None),
        Reason::ConnectionsFull | Reason::StreamsFull => (StatusCode::SERVICE_UNAVAILABLE, soon(5)),
        Reason::OriginBusy => (StatusCode::SERVICE_UNAVAILABLE, soon(5)),
        Reason::OriginUnreachable
        | Reason::OriginReset
        | Reason::OriginProtocol
        | Reason::BadUpgrade => (StatusCode::BAD_GATEWAY, soon(10)),
        Reason::OriginConnectTimeout | Reason::OriginTimeout => {
            (StatusCode::GATEWAY_TIMEOUT, soon(10))
        }
        Reason::Panic => (StatusCode::INTERNAL_SERVER_ERROR, None),
    }
}

impl Addressee {
    fn answer(&self, refusal: Refusal) -> Answer {
        let (mut status, soon) = status(refusal.reason);
        if let Some(waiting) = &refusal.waiting {
            status = StatusCode::from_u16(waiting.status).unwrap_or(status);
        }
        let retry_after = refusal.retry_after.or(soon);
        let (body, kind) = self.body(&refusal, status, retry_after);
        let mut response = Response::new(AnswerBody::full(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            PROXY_STATUS,
            PROXY_STATUSES[refusal.reason as usize].clone(),
        );
        headers.insert(X_REQUEST_ID, self.id.to_value());
        if let Some(wait) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if refusal.reason == Reason::MethodNotAllowed {
            headers.insert(
                ALLOW,
                HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            );
        }
        if self.asker.form == Form::Page {
            let pages = refusal
                .waiting
                .as_ref()
                .map_or(&self.site.pages, |held| &held.pages);
            self.page_headers(headers, pages);
        }
        if let Some(quota) = &refusal.quota {
            rate_limit(headers, quota);
        }
        if let Some(caller) = &self.caller {
            caller.allow(headers);
        }
        for cookie in [refusal.cookie, refusal.attempt].into_iter().flatten() {
            headers.append(SET_COOKIE, *cookie);
        }
        if refusal.unread || self.site.closing.ends_own_answers() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let mut note = refusal.note;
        note.reason = Some(refusal.reason);
        Answer { response, note }
    }

    fn page_headers(&self, headers: &mut HeaderMap, pages: &page::Pages) {
        headers.insert(CONTENT_SECURITY_POLICY, pages.csp().clone());
        let language = pages.content_language(self.choice(pages));
        headers.insert(CONTENT_LANGUAGE, language.clone());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }

    fn choice(&self, pages: &page::Pages) -> page::LanguageChoice {
        let languages = self
            .languages
            .as_ref()
            .and_then(|value| value.to_str().ok());
        pages.choose(languages)
    }

    fn body(
        &self,
        refusal: &Refusal,
        status: StatusCode,
        retry_after: Option<Duration>,
    ) -> (Bytes, &'static str) {
        match self.asker.form {
            Form::Page => (
                self.page(refusal, status, retry_after),
                "text/html; charset=utf-8",
            ),
            Form::Problem => (self.problem(refusal, status), "application/problem+json"),
            Form::Text => (self.text(refusal, retry_after), "text/plain; charset=utf-8"),
        }
    }

    fn page(&self, refusal: &Refusal, status: StatusCode, retry: Option<Duration>) -> Bytes {
        let form = !self.asker.safe;
        if let Some(waiting) = &refusal.waiting {
            let pages = &waiting.pages;
            let choice = self.choice(pages);
            let told = &waiting.told;
            let state = match told.state {
                TurnState::Closed => page::WaitState::Closed,
                TurnState::Maintenance => page::WaitState::Maintenance,
                TurnState::Called | TurnState::Open => page::WaitState::Called,
                TurnState::Queueing => told
                    .opens_in
                    .map_or(page::WaitState::Queueing, page::WaitState::Early),
            };
            let page = page::Waiting {
                room: &waiting.room,
                state,
                ahead: told.ahead,
                eta: told.eta.map(|eta| (eta.p50, eta.p90)),
                poll_after: told.poll_after,
                keep: waiting.keep,
                reference: &local::reference(told.reference),
                counting: told.ahead.is_none() && told.state == TurnState::Queueing,
                drawn: waiting.drawn,
                form,
            };
            return pages.waiting(choice, &page);
        }
        let pages = &self.site.pages;
        let choice = self.choice(pages);
        let reference = self.short_id();
        if matches!(
            refusal.reason,
            Reason::Busy | Reason::OriginDown | Reason::Stranger | Reason::SubResource
        ) {
            let retry_after = retry.unwrap_or(Duration::from_secs(3));
            return pages.busy(
                choice,
                &page::Busy {
                    retry_after,
                    reference,
                    form,
                },
            );
        }
        let failure = page::Failure {
            status: status.as_u16(),
            kind: page::ErrorKind::of(refusal.reason),
            retry_after: retry,
            reference,
            form,
        };
        pages.error(choice, &failure)
    }

    fn problem(&self, refusal: &Refusal, status: StatusCode) -> Bytes {
        let mut body = Vec::with_capacity(384);
        JsonWriter::object(&mut body, |json| {
            json.str("type", "about:blank");
            json.str("title", words::title(refusal.reason));
            json.u64("status", u64::from(status.as_u16()));
            json.str("detail", words::detail(refusal.reason));
            json.str("reason", refusal.reason.name());
            match &refusal.waiting {
                Some(waiting) => local::write_place(json, &waiting.room, &waiting.told),
                None => json.str("reference", self.short_id()),
            }
        });
        Bytes::from(body)
    }

    fn text(&self, refusal: &Refusal, retry_after: Option<Duration>) -> Bytes {
        let mut text = format!("{}\n", words::detail(refusal.reason));
        if let Some(ahead) = refusal
            .waiting
            .as_ref()
            .and_then(|waiting| waiting.told.ahead)
        {
            text.push_str(&format!("Ahead of you: {ahead}\n"));
        }
        if let Some(wait) = retry_after {
            text.push_str(&format!("Please come back in {} s.\n", whole_seconds(wait)));
        }
        text.push_str(&format!("Reference: {}\n", self.short_id()));
        Bytes::from(text)
    }

    /// What a person reads out; the log has the whole.
    fn short_id(&self) -> &str {
        let id = self.id.as_str();
        id.get(..8).unwrap_or(id)
    }
}

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Fields that an answer of ours may have: room for them is made once.
const HEADERS: usize = 16;

/// What [`proxy_status`] says of each reason, by its index.
static PROXY_STATUSES: LazyLock<Vec<HeaderValue>> =
    LazyLock::new(|| Reason::ALL.into_iter().map(proxy_status).collect());

/// `Proxy-Status` (RFC 9209 section 2): the registered error type that comes nearest, and our own
/// reason as its details.
fn proxy_status(reason: Reason) -> HeaderValue {
    let error = words::proxy_error(reason);
    let text = format!("forebay; error={error}; details=\"{}\"", reason.name());
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static("forebay"))
}

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).
fn rate_limit(headers: &mut HeaderMap, quota: &QuotaNote) {
    let QuotaNote {
        name,
        burst,
        window,
        reset,
    } = quota;
    let policy = format!("\"{name}\";q={burst};w={window}");
    let limit = format!("\"{name}\";r=0;t={reset}");
    for (header, text) in [("ratelimit-policy", policy), ("ratelimit", limit)] {
        if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(text)) {
            headers.insert(header, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_an_error_status() {
        for reason in Reason::ALL {
            let (status, _) = status(reason);
            assert!(
                status.is_client_error() || status.is_server_error(),
                "{reason:?}"
            );
        }
    }

    #[test]
    fn what_passes_by_itself_says_when_to_come_back() {
        for reason in Reason::ALL {
            let (status, retry_after) = status(reason);
            let passes = matches!(status.as_u16(), 429 | 502 | 503 | 504);
            assert_eq!(retry_after.is_some(), passes, "{reason:?}");
        }
    }
}

//! The origin's head comes within `response_timeout` of the request's last byte, or the client
//! gets a 504; the exchange itself, dropped here, is seen to its end by the reaper.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use forebay_admission::verdict::Reason;
use futures_util::future::Either;
use pin_project_lite::pin_project;
use tokio::time::{Timeout, sleep, timeout};
use tower::Service;

use crate::body::Upload;
use crate::exchange::{Answer, Exchange, Refusal};

type Boxed = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// Bounds the wait for `inner`.
#[derive(Clone, Debug)]
pub struct Deadline<S> {
    inner: S,
}

impl<S> Deadline<S> {
    /// Bounds the wait for `inner`.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Exchange> for Deadline<S>
where
    S: Service<Exchange, Response = Answer, Error = Refusal>,
    S::Future: Send + 'static,
{
    type Response = Answer;
    type Error = Refusal;
    type Future = Either<ResponseFuture<S::Future>, Boxed>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        let limit = exchange.entry().origin.rules.response_timeout;
        let upload = exchange.body.upload();
        let inner = self.inner.call(exchange);
        match upload {
            None => Either::Left(ResponseFuture {
                inner: timeout(limit, inner),
            }),
            Some(upload) => Either::Right(Box::pin(after_upload(inner, upload, limit))),
        }
    }
}

/// A long upload has its own minimum rate; the origin's time begins when it is over, or when the
/// origin takes no more of it.
async fn after_upload<F>(inner: F, upload: Arc<Upload>, limit: Duration) -> Result<Answer, Refusal>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    let late = async {
        while !upload.is_over() {
            let before = upload.received();
            let taken = timeout(limit, upload.over()).await.is_ok();
            if !taken && upload.received() == before && !upload.awaits_client() {
                return;
            }
        }
        sleep(limit).await;
    };
    tokio::select! {
        biased;
        result = inner => result,
        () = late => Err(Refusal {
            unread: !upload.is_over(),
            ..Refusal::new(Reason::OriginTimeout)
        }),
    }
}

pin_project! {
    /// The answer, or the timeout.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Timeout<F>,
    }
}

impl<F> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    type Output = Result<Answer, Refusal>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(self.project().inner.poll(cx));
        Poll::Ready(result.unwrap_or_else(|_elapsed| Err(Refusal::new(Reason::OriginTimeout))))
    }
}

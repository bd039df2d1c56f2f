//! A request's body is read before a permit is taken, up to `body_buffer`: a slow upload holds no
//! place at the origin, and a large one, which then streams under its permit at a minimum rate,
//! shows first that it moves. What finds `body_buffers` full streams at once. A body that waits for `100 Continue` is left alone: it is asked for only
//! once a permit is held (RFC 9110 section 10.1.1).

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use forebay_admission::verdict::Reason;
use futures_util::future::Either;
use http::header::EXPECT;
use http_body_util::BodyExt;
use tower::Service;

use crate::body::{BodyError, RequestBody};
use crate::exchange::{Answer, Exchange, Refusal};

type Boxed = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// Reads bodies, or their first part, before `inner`.
#[derive(Clone, Debug)]
pub struct Buffer<S> {
    inner: S,
}

impl<S> Buffer<S> {
    /// Reads before `inner`.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Exchange> for Buffer<S>
where
    S: Service<Exchange, Response = Answer, Error = Refusal> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Answer;
    type Error = Refusal;
    type Future = Either<S::Future, Boxed>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut exchange: Exchange) -> Self::Future {
        let waits = exchange.head.headers.contains_key(EXPECT);
        if !exchange.body.is_streaming() || waits {
            return Either::Left(self.inner.call(exchange));
        }
        let size = exchange.site.body_buffer;
        let Some(slot) = exchange.site.body_buffers.take(size as u64) else {
            return Either::Left(self.inner.call(exchange));
        };
        let mut inner = self.inner.clone();
        Either::Right(Box::pin(async move {
            read(&mut exchange.body, size).await?;
            let answer = inner.call(exchange).await;
            // The bytes are held until the origin has answered.
            drop(slot);
            answer
        }))
    }
}

/// Reads until the end or until `size` bytes are there.
async fn read(body: &mut RequestBody, size: usize) -> Result<(), Refusal> {
    let mut held = BytesMut::new();
    let mut first: Option<Bytes> = None;
    loop {
        match body.frame().await {
            None => {
                body.finish();
                break;
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if first.is_none() && held.is_empty() => first = Some(data),
                Ok(data) => {
                    held.extend_from_slice(&first.take().unwrap_or_default());
                    held.extend_from_slice(&data);
                }
                Err(frame) => {
                    body.finish();
                    if let Ok(trailers) = frame.into_trailers() {
                        body.set_trailers(trailers);
                    }
                    break;
                }
            },
            Some(Err(error)) => return Err(refusal(&error)),
        }
        if !body.is_streaming() {
            body.finish();
            break;
        }
        if first.as_ref().map_or(held.len(), Bytes::len) >= size {
            break;
        }
    }
    body.prepend(first.unwrap_or_else(|| held.freeze()));
    Ok(())
}

fn refusal(error: &BodyError) -> Refusal {
    let reason = match error {
        BodyError::Refused(reason) => *reason,
        BodyError::Client(_) => Reason::BadRequest,
    };
    Refusal {
        unread: true,
        ..Refusal::new(reason)
    }
}

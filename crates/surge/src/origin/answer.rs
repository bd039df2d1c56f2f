//! What the portal writes back: pages, redirects, and answers that are cut off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};

/// An answer. hyper adds `Content-Length` and `Date`.
pub(super) type Answer = Response<Content>;

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Content {
    bytes: Bytes,
    /// Ends half-way, and the connection with it.
    cut: bool,
    sent: bool,
}

impl Content {
    const fn whole(bytes: Bytes) -> Self {
        Self {
            bytes,
            cut: false,
            sent: false,
        }
    }

    /// The same, cut off half-way.
    pub(super) fn cut(self) -> Self {
        Self { cut: true, ..self }
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if !self.sent {
            self.sent = true;
            let length = self.bytes.len();
            let sent = if self.cut { length / 2 } else { length };
            if sent > 0 {
                return Poll::Ready(Some(Ok(Frame::data(self.bytes.slice(..sent)))));
            }
        }
        let cut = || io::Error::other("cut off on purpose");
        Poll::Ready(self.cut.then(|| Err(cut())))
    }

    fn is_end_stream(&self) -> bool {
        !self.cut && (self.sent || self.bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.sent {
            0
        } else {
            self.bytes.len() as u64
        })
    }
}

pub(super) fn html(status: StatusCode, text: String) -> Answer {
    answer(status, "text/html; charset=utf-8", "no-store", text.into())
}

pub(super) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    answer(status, "text/plain; charset=utf-8", "no-store", text.into())
}

pub(super) fn json(text: Vec<u8>) -> Answer {
    answer(StatusCode::OK, "application/json", "no-store", text.into())
}

pub(super) fn style(text: &'static str) -> Answer {
    answer(
        StatusCode::OK,
        "text/css",
        "public, max-age=3600",
        text.into(),
    )
}

pub(super) fn see_other(location: &str) -> Answer {
    let mut page = plain(StatusCode::SEE_OTHER, "");
    let location = location
        .parse()
        .expect("the portal's own paths are valid in a header");
    page.headers_mut().insert(LOCATION, location);
    page
}

fn answer(status: StatusCode, kind: &'static str, caching: &'static str, body: Bytes) -> Answer {
    let mut response = Response::new(Content::whole(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

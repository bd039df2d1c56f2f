//! An answer's body is read to its end before anybody gets it, at the origin's pace and not at that
//! of the client who happened to ask first: a slow reader would keep all others waiting.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::body::{AnswerBody, Begun};

/// A body that takes longer is no page: it is handed on as it comes, and not kept.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of reading.
pub(super) enum Collected {
    /// The whole body, in bytes of its own.
    Whole(Bytes),
    /// Too long, too slow, or with trailers: the body, to be handed on.
    Part(AnswerBody),
}

impl Collected {
    /// The body, to be handed on.
    pub(super) fn into_body(self) -> AnswerBody {
        match self {
            Self::Whole(bytes) => AnswerBody::full(bytes),
            Self::Part(body) => body,
        }
    }
}

/// Reads a body of at most `size_max` bytes.
///
/// # Errors
/// The origin broke off.
pub(super) async fn collect(
    mut body: AnswerBody,
    size_max: u64,
) -> Result<Collected, hyper::Error> {
    if body.size_hint().lower() > size_max {
        return Ok(Collected::Part(body));
    }
    let deadline = Instant::now() + PATIENCE;
    let mut read: VecDeque<Frame<Bytes>> = VecDeque::new();
    let mut size: u64 = 0;
    loop {
        let Ok(frame) = timeout_at(deadline, body.frame()).await else {
            return Ok(part(read, body));
        };
        let Some(frame) = frame.transpose()? else {
            return Ok(Collected::Whole(whole(&read, size)));
        };
        size += frame.data_ref().map_or(0, |data| data.len() as u64);
        let fits = frame.is_data() && size <= size_max;
        read.push_back(frame);
        if !fits {
            return Ok(part(read, body));
        }
    }
}

fn part(read: VecDeque<Frame<Bytes>>, rest: AnswerBody) -> Collected {
    Collected::Part(AnswerBody::Begun(Box::new(Begun { read, rest })))
}

fn whole(read: &VecDeque<Frame<Bytes>>, size: u64) -> Bytes {
    let mut bytes = BytesMut::with_capacity(usize::try_from(size).unwrap_or_default());
    for data in read.iter().filter_map(Frame::data_ref) {
        bytes.extend_from_slice(data);
    }
    bytes.freeze()
}

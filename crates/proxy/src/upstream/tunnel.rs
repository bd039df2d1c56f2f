//! WebSocket: once the origin has switched, bytes go both ways and nobody counts them. A tunnel
//! stands outside the concurrency limit, in the budget `limits.streams`.

use forebay_admission::verdict::Reason;
use forebay_layers::body::AnswerBody;
use forebay_layers::budget::Slot;
use forebay_layers::exchange::{Answer, Exchange, Note, Refusal};
use forebay_layers::hop;
use http::Response;
use http::header::UPGRADE;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::Sent;

/// A client that wants to switch, and the place that its tunnel will take.
pub(super) struct Wanted {
    client: OnUpgrade,
    slot: Slot,
}

/// Whether this request wants to switch protocols.
pub(super) fn wanted(exchange: &mut Exchange) -> Result<Option<Wanted>, Refusal> {
    if !exchange.head.headers.contains_key(UPGRADE) {
        return Ok(None);
    }
    let Some(client) = exchange.head.extensions.remove::<OnUpgrade>() else {
        return Ok(None);
    };
    let slot = exchange
        .site
        .streams
        .take(1)
        .ok_or_else(|| Refusal::new(Reason::StreamsFull))?;
    Ok(Some(Wanted { client, slot }))
}

impl Wanted {
    /// The origin has switched: passes its 101 on, and joins the two connections behind it.
    pub(super) fn open(self, sent: Sent) -> Answer {
        let Sent {
            mut response,
            connected,
            mut held,
        } = sent;
        held.status = response.status().as_u16();
        let origin = hyper::upgrade::on(&mut response);
        let (mut head, _) = response.into_parts();
        hop::remove(&mut head.headers, true);
        held.leave();
        let Self { client, slot } = self;
        tokio::spawn(async move {
            if let (Ok(client), Ok(origin)) = tokio::join!(client, origin) {
                let (mut client, mut origin) = (TokioIo::new(client), TokioIo::new(origin));
                // Either side may end it as it likes; there is nobody left to tell.
                _ = copy_bidirectional(&mut client, &mut origin).await;
            }
            drop((slot, connected));
        });
        let mut answer = Response::new(AnswerBody::Empty);
        *answer.status_mut() = head.status;
        *answer.headers_mut() = head.headers;
        Answer {
            response: answer,
            note: Note::default(),
        }
    }
}

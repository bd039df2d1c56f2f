//! Quotas: how fast one client may go. What is about to go to the origin counts against the pass
//! where one is valid, else against the address prefix; what the room will answer itself counts
//! against the room's larger budget, so that many people behind one address get the line and
//! not an error.

use std::task::{Context, Poll};

use forebay_admission::quota::{ClientKey, Decision, whole_seconds};
use forebay_admission::time::Timestamp;
use forebay_admission::verdict::Reason;
use futures_util::future::{Either, Ready, ready};
use tower::Service;

use crate::exchange::{Answer, Exchange, QuotaNote, Refusal};
use crate::request_id::mix;
use crate::site::{NamedQuota, Per};

/// Counts before `inner`.
#[derive(Clone, Debug)]
pub struct Rate<S> {
    inner: S,
}

impl<S> Rate<S> {
    /// Counts before `inner`.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Exchange> for Rate<S>
where
    S: Service<Exchange, Response = Answer, Error = Refusal>,
{
    type Response = Answer;
    type Error = Refusal;
    type Future = Either<Ready<Result<Answer, Refusal>>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        match count(&exchange) {
            Ok(()) => Either::Right(self.inner.call(exchange)),
            Err(mut refusal) => {
                refusal.unread = exchange.body.is_streaming();
                Either::Left(ready(Err(refusal)))
            }
        }
    }
}

fn count(exchange: &Exchange) -> Result<(), Refusal> {
    let entry = exchange.entry();
    let client = exchange.client.key;
    let now = exchange.arrived;
    let Some(quota) = &entry.quota else {
        return Ok(());
    };
    if let Some(pass) = exchange.visitor.valid_pass() {
        let key = ClientKey::new(mix(pass.id));
        return check(&entry.pass_quota, Reason::PassRate, client, Some(key), now);
    }
    let held = entry.room.as_ref().is_some_and(|desk| !desk.is_open());
    if held && exchange.bypass.is_none() {
        return check(
            &exchange.site.room_quota,
            Reason::RoomRate,
            client,
            None,
            now,
        );
    }
    check(quota, Reason::ClientRate, client, None, now)
}

/// Counts one request against a quota.
///
/// # Errors
/// The quota is used up; the refusal says when to come back.
pub fn check(
    named: &NamedQuota,
    reason: Reason,
    client: ClientKey,
    pass: Option<ClientKey>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let key = match named.per {
        Per::Client => client,
        Per::Pass => pass.unwrap_or(client),
        Per::Route => ClientKey::new(1),
    };
    match named.quota.check(key, now) {
        Decision::Within { .. } => Ok(()),
        Decision::Exceeded { retry_after } => {
            let allowance = named.quota.allowance();
            let note = QuotaNote {
                name: named.name.clone(),
                burst: allowance.burst.get(),
                window: allowance.window_seconds(),
                reset: whole_seconds(retry_after),
            };
            let mut refusal = Refusal::new(reason);
            refusal.retry_after = Some(retry_after);
            refusal.quota = Some(Box::new(note));
            Err(refusal)
        }
    }
}

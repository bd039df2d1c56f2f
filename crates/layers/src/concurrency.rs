//! Takes a permit, or waits for one a bounded time by class. The permit travels with the
//! exchange and ends when the origin is done.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use forebay_admission::credential::Attempt;
use forebay_admission::priority::Priority;
use forebay_admission::verdict::Reason;
use futures_util::future::Either;
use http::HeaderValue;
use tower::Service;

use crate::bypass::Rule;
use crate::clock::Clock;
use crate::cookie;
use crate::exchange::{Answer, Exchange, Refusal, Visitor};

type Boxed = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// Lets as many through to `inner` as the gate allows.
#[derive(Clone, Debug)]
pub struct Concurrency<S> {
    inner: S,
    clock: Clock,
}

impl<S> Concurrency<S> {
    /// Stands before `inner`.
    pub const fn new(inner: S, clock: Clock) -> Self {
        Self { inner, clock }
    }
}

impl<S> Service<Exchange> for Concurrency<S>
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
        let entry = exchange.entry();
        let gate = &entry.origin.gate;
        // A form whose pass ran out a moment ago goes first like one whose pass holds.
        let inside = matches!(exchange.visitor, Visitor::Inside(..))
            || exchange.bypass.is_some_and(Rule::is_personal);
        // The request with which somebody enters is what the inlet granted, and nothing that it
        // has to expect of those inside.
        if let Visitor::Inside(pass, _) = exchange.visitor
            && pass.seen < exchange.wall
        {
            gate.tried();
        }
        if let Some(permit) = gate.try_acquire() {
            exchange.permit = Some(permit);
            return Either::Left(self.inner.call(exchange));
        }
        let traits = exchange
            .asker
            .traits(&exchange.head.headers, inside, entry.priority);
        let wait = wait(
            exchange,
            Priority::of(traits),
            self.inner.clone(),
            self.clock,
        );
        Either::Right(Box::pin(wait))
    }
}

async fn wait<S>(
    mut exchange: Exchange,
    priority: Priority,
    mut inner: S,
    clock: Clock,
) -> Result<Answer, Refusal>
where
    S: Service<Exchange, Response = Answer, Error = Refusal>,
{
    let began = clock.now();
    let gate = exchange.entry().origin.gate.clone();
    let permit = gate.acquire(priority, exchange.first_try).await;
    let queued = clock.now().saturating_since(began);
    let Some(permit) = permit else {
        return Err(shed(&exchange, priority, queued));
    };
    exchange.permit = Some(permit);
    let mut result = inner.call(exchange).await;
    let note = match &mut result {
        Ok(answer) => &mut answer.note,
        Err(refusal) => &mut refusal.note,
    };
    note.queued = queued;
    note.class = Some(priority);
    result
}

/// Who is inside, or goes past the room, is asked to try again in a moment, whatever the class;
/// who is not gets a place in line.
fn shed(exchange: &Exchange, priority: Priority, queued: Duration) -> Refusal {
    let mut refusal = match exchange.visitor {
        Visitor::Inside(pass, _) => Refusal {
            attempt: attempt(exchange, pass.id).map(Box::new),
            ..Refusal::new(Reason::Busy)
        },
        _ if exchange.bypass.is_some() => Refusal::new(Reason::Busy),
        _ => Refusal::new(Reason::Stranger),
    };
    refusal.note.queued = queued;
    refusal.note.class = Some(priority);
    refusal.unread = exchange.body.is_streaming();
    refusal
}

/// The next try of this page keeps its place before those who come now.
fn attempt(exchange: &Exchange, pass: u64) -> Option<HeaderValue> {
    let age = exchange.arrived.saturating_since(exchange.first_try);
    let began = exchange.wall.minus(age);
    let text = Attempt { pass, began }.seal(&**exchange.site.keyring.now());
    cookie::set_attempt(&text, exchange.head.uri.path(), exchange.client.https)
}

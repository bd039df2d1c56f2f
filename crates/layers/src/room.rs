//! The waiting room wraps what follows: who has a pass goes on; who has a place in line waits or
//! enters; who has neither goes on while the room is open, and gets a place when it is not, or
//! when the short queue behind turned the request away.

mod agenda;
mod desk;
mod held;
mod polls;
mod register;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use forebay_admission::pass::{Pass, Standing};
use forebay_admission::quota::ClientKey;
use forebay_admission::room::{Mode, Told, Turn, TurnState};
use forebay_admission::ticket::Ticket;
use forebay_admission::time::WallTime;
use forebay_admission::verdict::Reason;
use futures_util::future::{Either, Ready, ready};
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use tower::Service;

pub use self::agenda::{Agenda, hex};
pub use self::desk::{Desk, DeskRules, Random};
pub use self::held::Held;
pub use self::polls::PollPace;
pub use self::register::Register;
use crate::asker::{Asker, Purpose};
use crate::exchange::{Answer, Exchange, Refusal, Visitor, Waiting};
use crate::local;
use crate::site::Site;

type Boxed = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// The room in front of `inner`.
#[derive(Clone, Debug)]
pub struct RoomLayer<S> {
    inner: S,
}

impl<S> RoomLayer<S> {
    /// Stands before `inner`.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

/// What the room decided before the request went on.
enum Way {
    /// On, and nothing more to do.
    On,
    /// On; the answer, whatever it is, sets this pass.
    OnWithPass(Pass),
    /// On; the first answer to a navigation gives a pass; a shed stranger comes back.
    OnAsStranger,
    /// Not on.
    Refused(Box<Refusal>),
}

impl<S> Service<Exchange> for RoomLayer<S>
where
    S: Service<Exchange, Response = Answer, Error = Refusal>,
    S::Future: Send + 'static,
{
    type Response = Answer;
    type Error = Refusal;
    type Future = Either<S::Future, Either<Ready<Result<Answer, Refusal>>, Boxed>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut exchange: Exchange) -> Self::Future {
        // Nobody waits here, or this visitor is inside: on, with nothing to remember.
        let inside = matches!(exchange.visitor, Visitor::Inside(_, Standing::Fresh));
        let held = |desk: &&Arc<Desk>| match exchange.bypass {
            Some(rule) => desk.is_shut() && !rule.is_personal(),
            None => !inside || desk.is_shut(),
        };
        let Some(desk) = exchange.entry().room.as_ref().filter(held).cloned() else {
            return Either::Left(self.inner.call(exchange));
        };
        let guest = Guest::of(&exchange, desk);
        match guest.way(&exchange) {
            Way::On => Either::Left(self.inner.call(exchange)),
            Way::OnWithPass(pass) => {
                // Who enters now is inside from here on: at the gate, too. And whose pass was
                // signed anew has this one, should the origin end the visit.
                exchange.visitor = Visitor::Inside(pass, Standing::Fresh);
                let going = self.inner.call(exchange);
                Either::Right(Either::Right(Box::pin(with_pass(going, guest, pass))))
            }
            Way::OnAsStranger => {
                let going = self.inner.call(exchange);
                Either::Right(Either::Right(Box::pin(as_stranger(going, guest))))
            }
            Way::Refused(mut refusal) => {
                refusal.unread = exchange.body.is_streaming();
                Either::Right(Either::Left(ready(Err(*refusal))))
            }
        }
    }
}

/// What is told during maintenance to somebody who has no place in line, or is inside.
pub(crate) const AWAY: Told = Told {
    state: TurnState::Maintenance,
    ahead: None,
    eta: None,
    opens_in: None,
    poll_after: Duration::from_secs(30),
    reference: 0,
};

/// What of a request the room needs when the answer comes back.
struct Guest {
    desk: Arc<Desk>,
    site: Arc<Site>,
    asker: Asker,
    https: bool,
    client: ClientKey,
    wall: WallTime,
}

impl Guest {
    fn of(exchange: &Exchange, desk: Arc<Desk>) -> Self {
        Self {
            desk,
            site: Arc::clone(&exchange.site),
            asker: exchange.asker,
            https: exchange.client.https,
            client: exchange.client.key,
            wall: exchange.wall,
        }
    }

    fn way(&self, exchange: &Exchange) -> Way {
        match exchange.visitor {
            Visitor::Inside(pass, standing) if self.desk.is_shut() => {
                self.turned_out(&pass, standing)
            }
            Visitor::Inside(_, Standing::Fresh) => Way::On,
            Visitor::Inside(pass, Standing::Renew) => {
                Way::OnWithPass(self.desk.room().renew(self.wall, &pass))
            }
            Visitor::Inside(pass, _) => self.ran_out(&pass),
            Visitor::Waiting(ticket) => self.in_line(&ticket),
            Visitor::Stranger => self.stranger(),
        }
    }

    /// Never lose a form: what is sent with a pass that ran out a moment ago goes on. Everything
    /// else of such a visitor begins anew.
    fn ran_out(&self, pass: &Pass) -> Way {
        if self.asker.safe {
            self.stranger()
        } else {
            Way::OnWithPass(self.desk.room().renew(self.wall, pass))
        }
    }

    /// Maintenance: nothing is sent on, and the pass stays as good as it is. Who looks in now and
    /// then keeps it alive.
    fn turned_out(&self, pass: &Pass, standing: Standing) -> Way {
        let told = Told {
            reference: pass.id,
            ..AWAY
        };
        if !self.asker.may_queue() {
            return self.part(&told);
        }
        let mut refusal = self.waiting(Reason::Maintenance, told);
        if standing == Standing::Renew {
            let pass = self.desk.room().renew(self.wall, pass);
            refusal.cookie = self.pass_cookie(&pass).map(Box::new);
        }
        Way::Refused(Box::new(refusal))
    }

    fn in_line(&self, ticket: &Ticket) -> Way {
        if self.desk.is_free() {
            let pass = self.desk.room().grant(self.wall, ticket.id);
            return Way::OnWithPass(pass);
        }
        if !self.asker.may_queue() {
            let told = self.desk.room().look(self.wall, ticket);
            return self.part(&told);
        }
        let turn = self.desk.room().poll(self.wall, ticket);
        match turn {
            Turn::Through => Way::OnWithPass(self.desk.room().grant(self.wall, ticket.id)),
            Turn::Enter(pass) => {
                self.desk.waited(self.wall.saturating_since(ticket.arrived));
                Way::OnWithPass(pass)
            }
            Turn::Wait(ticket, told) => Way::Refused(Box::new(self.held(&ticket, told))),
        }
    }

    fn arrive(&self) -> Turn {
        let id = self.desk.fresh_id();
        self.desk.room().arrive_from(self.wall, id, self.client)
    }

    fn stranger(&self) -> Way {
        if self.desk.is_free() || (self.desk.is_open() && !self.asker.may_queue()) {
            return Way::OnAsStranger;
        }
        if !self.asker.may_queue() {
            return Way::Refused(Box::new(Refusal::new(Reason::SubResource)));
        }
        let turn = self.arrive();
        self.desk.refresh();
        match turn {
            Turn::Through => Way::OnAsStranger,
            Turn::Enter(pass) => Way::OnWithPass(pass),
            Turn::Wait(ticket, told) => Way::Refused(Box::new(self.held(&ticket, told))),
        }
    }

    /// A part of a page of somebody in line: a short text, neither page nor ticket.
    fn part(&self, told: &Told) -> Way {
        let mut refusal = Refusal::new(Reason::SubResource);
        refusal.retry_after = Some(told.poll_after);
        Way::Refused(Box::new(refusal))
    }

    /// The waiting page, with the place in line as its cookie.
    fn held(&self, ticket: &Ticket, told: Told) -> Refusal {
        let reason = match (self.asker.safe, told.state) {
            (_, TurnState::Maintenance) => Reason::Maintenance,
            (false, _) => Reason::FormWithoutPass,
            (true, TurnState::Closed) => Reason::RoomClosed,
            (true, _) => Reason::RoomWaiting,
        };
        let mut refusal = self.waiting(reason, local::named(told));
        refusal.cookie = self.ticket_cookie(ticket).map(Box::new);
        if let Some(waiting) = &mut refusal.waiting {
            waiting.drawn = self.desk.room().is_drawn(ticket);
        }
        refusal
    }

    /// The page for who does not go on, with the name that the pass has or will have.
    fn waiting(&self, reason: Reason, told: Told) -> Refusal {
        let rules = self.desk.rules();
        let mut refusal = Refusal::new(reason);
        refusal.retry_after = Some(told.poll_after);
        refusal.waiting = Some(Box::new(Waiting {
            room: Arc::clone(&self.desk.name),
            status: rules.status,
            pages: self.desk.pages(),
            keep: rules.keep,
            drawn: false,
            told,
        }));
        refusal
    }

    fn ticket_cookie(&self, ticket: &Ticket) -> Option<HeaderValue> {
        self.desk
            .ticket_cookie(&self.site.keyring.now(), ticket, self.https)
    }

    fn pass_cookie(&self, pass: &Pass) -> Option<HeaderValue> {
        self.desk
            .pass_cookie(&self.site.keyring.now(), pass, self.https)
    }
}

async fn with_pass<F>(going: F, guest: Guest, pass: Pass) -> Result<Answer, Refusal>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    match going.await {
        Ok(mut answer) => {
            let headers = answer.response.headers_mut();
            if !is_meant_to_be_shared(headers) {
                give(headers, guest.pass_cookie(&pass));
            }
            Ok(answer)
        }
        Err(mut refusal) => {
            refusal.cookie = guest.pass_cookie(&pass).map(Box::new);
            Err(refusal)
        }
    }
}

/// An open room gives a pass with the first answer to a navigation, so that who is inside when it
/// closes stays inside. Whom the short queue turned away gets a place in line.
async fn as_stranger<F>(going: F, guest: Guest) -> Result<Answer, Refusal>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    match going.await {
        Ok(mut answer) => {
            let headers = answer.response.headers_mut();
            let navigation = guest.asker.purpose == Purpose::Navigation && !guest.asker.head;
            if navigation && !is_meant_to_be_shared(headers) {
                let id = guest.desk.fresh_id();
                let pass = guest.desk.room().grant(guest.wall, id);
                give(headers, guest.pass_cookie(&pass));
            }
            Ok(answer)
        }
        Err(refusal) if refusal.reason == Reason::Stranger => {
            if !guest.asker.may_queue() {
                return Err(Refusal {
                    note: refusal.note,
                    unread: refusal.unread,
                    ..Refusal::new(Reason::SubResource)
                });
            }
            let id = guest.desk.fresh_id();
            let mut room = guest.desk.room();
            if room.settings().mode == Mode::Off {
                return Err(refusal);
            }
            let (ticket, told) = room.shed(guest.wall, id);
            drop(room);
            guest.desk.refresh();
            let mut held = guest.held(&ticket, told);
            held.unread = refusal.unread;
            held.note.queued = refusal.note.queued;
            held.note.class = refusal.note.class;
            Err(held)
        }
        Err(refusal) => Err(refusal),
    }
}

/// Sets the cookie, on an answer that then is this visitor's alone: without a word against it a
/// shared cache may store an answer (RFC 9111 section 3), and one visitor's pass would be
/// everybody's.
fn give(headers: &mut HeaderMap, cookie: Option<HeaderValue>) {
    let Some(cookie) = cookie else { return };
    if !says(headers, &["private", "no-store"]) {
        headers.append(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
    headers.append(SET_COOKIE, cookie);
}

/// Whether the origin wants shared caches to store the answer: then it stays as it is, and the
/// cookie goes on the next one.
fn is_meant_to_be_shared(headers: &HeaderMap) -> bool {
    says(headers, &["public", "s-maxage"])
}

/// Whether `Cache-Control` has one of the directives.
fn says(headers: &HeaderMap, directives: &[&str]) -> bool {
    headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|directive| {
            let name = directive.split('=').next().unwrap_or_default().trim();
            directives
                .iter()
                .any(|wanted| name.eq_ignore_ascii_case(wanted))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shared_cache_may_store_carries_no_cookie() {
        let cases: [(&str, bool, &[&str]); 6] = [
            ("public, max-age=60", true, &["public, max-age=60"]),
            (
                "max-age=60, s-maxage=10",
                true,
                &["max-age=60, s-maxage=10"],
            ),
            ("Private, max-age=60", false, &["Private, max-age=60"]),
            ("no-store", false, &["no-store"]),
            ("max-age=60", false, &["max-age=60", "private"]),
            // Even without a word a cache may guess (RFC 9111 section 4.2.2).
            ("", false, &["", "private"]),
        ];
        for (value, shared, given) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
            assert_eq!(is_meant_to_be_shared(&headers), shared, "{value}");
            give(&mut headers, Some(HeaderValue::from_static("a=b")));
            let lines: Vec<_> = headers.get_all(CACHE_CONTROL).iter().collect();
            if !shared {
                assert_eq!(lines, given, "{value}");
            }
        }
    }

    #[test]
    fn without_a_cookie_an_answer_stays_as_it_is() {
        let mut headers = HeaderMap::new();
        give(&mut headers, None);
        assert!(headers.is_empty());
    }
}

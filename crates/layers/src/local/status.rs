//! Where a visitor stands: the status as JSON, and the small answer by which a page without
//! JavaScript makes its second contact. Asking makes no ticket, and claims nothing.

use std::sync::Arc;
use std::time::Duration;

use forebay_admission::pass::{Pass, Standing};
use forebay_admission::quota::whole_seconds;
use forebay_admission::room::{Asked, Asking, Told, TurnState};
use forebay_admission::ticket::Ticket;
use forebay_telemetry::json::JsonWriter;
use http::{HeaderValue, Method};

use super::held::HeldPoll;
use super::{Step, respond};
use crate::exchange::{Answer, Exchange, Visitor};
use crate::room::{AWAY, Desk};
use crate::site::Site;

/// The reference of somebody who has no place.
const NOBODY: u64 = 0;

/// Where the visitor stands, without counting anybody in line, and the cookie that says so.
fn place(exchange: &Exchange, desk: &Desk) -> (Told, Option<HeaderValue>) {
    let wall = exchange.wall;
    let open = Told {
        state: TurnState::Open,
        ahead: Some(0),
        eta: None,
        opens_in: None,
        poll_after: Duration::from_secs(60),
        reference: NOBODY,
    };
    match exchange.visitor {
        Visitor::Inside(pass, standing) if desk.is_shut() => (
            Told {
                reference: pass.id,
                ..AWAY
            },
            kept_alive(exchange, desk, &pass, standing),
        ),
        Visitor::Inside(pass, _) => (
            Told {
                reference: pass.id,
                ..open
            },
            None,
        ),
        Visitor::Waiting(ticket) => (named(desk.room().look(wall, &ticket)), None),
        // Nobody's place: asking makes no ticket, visiting the page does.
        Visitor::Stranger if desk.is_open() => (open, None),
        Visitor::Stranger if desk.is_shut() => (AWAY, None),
        Visitor::Stranger => (
            Told {
                state: TurnState::Queueing,
                ahead: None,
                ..open
            },
            None,
        ),
    }
}

/// During maintenance a page that stays open keeps its visitor's pass alive.
fn kept_alive(
    exchange: &Exchange,
    desk: &Desk,
    pass: &Pass,
    standing: Standing,
) -> Option<HeaderValue> {
    if standing != Standing::Renew || exchange.head.method == Method::HEAD {
        return None;
    }
    let pass = desk.room().renew(exchange.wall, pass);
    desk.pass_cookie(&exchange.site.keyring.now(), &pass, exchange.client.https)
}

/// The place as JSON; at once, or when the turn has come.
pub(super) fn status(exchange: &Exchange, desk: &Arc<Desk>) -> Step {
    if let Visitor::Waiting(ticket) = exchange.visitor
        && exchange.head.method != Method::HEAD
    {
        return ask(exchange, desk, &ticket);
    }
    let (told, cookie) = place(exchange, desk);
    Step::Now(respond_place(desk, &told, cookie))
}

/// Somebody in line asks. Only the page says that it can wait; a script that does not know of
/// that is answered at once.
fn ask(exchange: &Exchange, desk: &Arc<Desk>, ticket: &Ticket) -> Step {
    let site = &exchange.site;
    let can_wait =
        says(exchange, "wait=1") && !site.closing.is_draining() && !exchange.body.is_streaming();
    let slot = can_wait.then(|| desk.held.slot()).flatten();
    let asking = Asking {
        hidden: says(exchange, "hidden=1"),
        can_wait: slot.is_some(),
    };
    desk.metrics.polls.inc();
    let asked = desk.room().ask(exchange.wall, ticket, asking);
    match (asked.hold, slot) {
        (Some(at_most), Some(slot)) => Step::Held(HeldPoll {
            desk: Arc::clone(desk),
            site: Arc::clone(site),
            https: exchange.client.https,
            asking,
            asked,
            at_most,
            _slot: slot,
        }),
        _ => Step::Now(tell(desk, site, exchange.client.https, &asked)),
    }
}

/// The answer to somebody in line who asked.
pub(super) fn tell(desk: &Desk, site: &Site, https: bool, asked: &Asked) -> Answer {
    let cookie = desk.ticket_cookie(&site.keyring.now(), &asked.ticket, https);
    respond_place(desk, &named(asked.told), cookie)
}

/// Whether the query has this pair.
fn says(exchange: &Exchange, pair: &str) -> bool {
    let query = exchange.head.uri.query().unwrap_or_default();
    query.split('&').any(|one| one == pair)
}

fn respond_place(desk: &Desk, told: &Told, cookie: Option<HeaderValue>) -> Answer {
    let mut body = Vec::with_capacity(160);
    JsonWriter::object(&mut body, |json| write_place(json, &desk.name, told));
    respond(body, "application/json", cookie)
}

/// The fields of a place in line, for the status address and for problem+json.
pub fn write_place(json: &mut JsonWriter<'_>, room: &str, told: &Told) {
    json.str("room", room);
    json.str("state", told.state.name());
    match told.ahead {
        Some(ahead) => json.u64("ahead", u64::from(ahead)),
        None => json.null("ahead"),
    }
    match told.eta {
        Some(eta) => json.nested("eta_seconds", |json| {
            json.u64("p50", whole_seconds(eta.p50));
            json.u64("p90", whole_seconds(eta.p90));
        }),
        None => json.null("eta_seconds"),
    }
    if let Some(left) = told.opens_in {
        json.u64("opens_in_seconds", whole_seconds(left));
    }
    json.u64("poll_after_seconds", whole_seconds(told.poll_after));
    match told.reference {
        NOBODY => json.null("reference"),
        id => json.str("reference", &reference(id)),
    }
}

/// A ticket's place under the name that its pass will have, so that what somebody reads out from
/// the page is still right inside.
#[must_use]
pub fn named(told: Told) -> Told {
    Told {
        reference: Pass::id_of(told.reference),
        ..told
    }
}

/// A place's name for people: what they read out when they call. Takes the pass's id.
#[must_use]
pub fn reference(id: u64) -> String {
    let text = format!("{id:016X}");
    format!("{}-{}", &text[..4], &text[4..8])
}

/// An empty style sheet that a page asks for when it has no JavaScript: the second contact.
pub(super) fn here(exchange: &Exchange, desk: &Desk) -> Answer {
    let cookie = match exchange.visitor {
        Visitor::Waiting(ticket) if exchange.head.method != Method::HEAD => {
            counted(exchange, desk, &ticket)
        }
        _ => place(exchange, desk).1,
    };
    respond(Vec::new(), "text/css", cookie)
}

/// Counts a ticket without telling anything: a token is promised to nobody who does not read it,
/// and a number that nobody was told binds nobody.
fn counted(exchange: &Exchange, desk: &Desk, ticket: &Ticket) -> Option<HeaderValue> {
    let mut room = desk.room();
    let state = room.look(exchange.wall, ticket).state;
    if matches!(state, TurnState::Called | TurnState::Open) {
        return None;
    }
    let asked = room.ask(exchange.wall, ticket, Asking::default());
    drop(room);
    let counted = Ticket {
        least_ahead: ticket.least_ahead,
        first_told: ticket.first_told,
        ..asked.ticket
    };
    desk.ticket_cookie(
        &exchange.site.keyring.now(),
        &counted,
        exchange.client.https,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_documented() {
        let told = Told {
            state: TurnState::Queueing,
            ahead: Some(12),
            eta: Some(forebay_admission::room::Eta {
                p50: Duration::from_millis(59_100),
                p90: Duration::from_secs(90),
            }),
            opens_in: None,
            poll_after: Duration::from_millis(200),
            reference: 0x0123_4567_89ab_cdef,
        };
        let text = |told: &Told| {
            let mut body = Vec::new();
            JsonWriter::object(&mut body, |json| write_place(json, "main", told));
            String::from_utf8(body).unwrap()
        };
        assert_eq!(
            text(&told),
            r#"{"room":"main","state":"queueing","ahead":12,"eta_seconds":{"p50":60,"p90":90},"poll_after_seconds":1,"reference":"0123-4567"}"#
        );
        let before = Told {
            ahead: None,
            eta: None,
            opens_in: Some(Duration::from_millis(733_001)),
            ..told
        };
        assert_eq!(
            text(&before),
            r#"{"room":"main","state":"queueing","ahead":null,"eta_seconds":null,"opens_in_seconds":734,"poll_after_seconds":1,"reference":"0123-4567"}"#
        );
    }
}

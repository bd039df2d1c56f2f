//! `/return` and `/invite`: a code is opened. Asking for the address shows a page with one button and uses
//! nothing up, because mail programs and chats look at links before people do; the button sends
//! it. It is in the ledger's file before anybody gets what it gives.

use std::sync::Arc;

use forebay_admission::credential::{Code, Gives, Rejected};
use forebay_admission::ledger::Opening;
use forebay_admission::pass::{Pass, Standing};
use http::header::{CONNECTION, HOST, LOCATION, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::slip::{self, Slip};
use super::{Boxed, link, respond};
use crate::exchange::{Answer, Exchange, Visitor};
use crate::room::Desk;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The page with the button, or why the link is of no use.
pub(super) fn look(exchange: &Exchange, desk: &Desk) -> Answer {
    match code(exchange, desk) {
        Ok(_) => slip::slip(exchange, desk, Slip::Confirm),
        Err(slip) => slip::slip(exchange, desk, slip),
    }
}

/// Opens the code.
pub(super) fn open(exchange: Exchange, desk: Arc<Desk>) -> Boxed {
    Box::pin(async move {
        let mut answer = opened(&exchange, &desk).await;
        if exchange.body.is_streaming() {
            let headers = answer.response.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(answer)
    })
}

async fn opened(exchange: &Exchange, desk: &Arc<Desk>) -> Answer {
    // Another site must not put its own place under somebody who has a better one.
    if !is_same_site(&exchange.head.headers) {
        return slip::slip(exchange, desk, Slip::Elsewhere);
    }
    let to = link::asked_for(exchange).unwrap_or_else(|| "/".to_owned());
    // Who is inside has no use for a place in line.
    if let Visitor::Inside(_, Standing::Fresh | Standing::Renew) = exchange.visitor {
        return onward(&to, None);
    }
    let code = match code(exchange, desk) {
        Ok(code) => code,
        Err(slip) => return slip::slip(exchange, desk, slip),
    };
    let register = &desk.register;
    match register.open_code(code.name(), code.until, exchange.wall) {
        Opening::First => {}
        Opening::Again => return slip::slip(exchange, desk, Slip::Used),
        Opening::Full => return slip::slip(exchange, desk, Slip::Full),
    }
    let saving = Arc::clone(desk);
    let saved = tokio::task::spawn_blocking(move || saving.register.save()).await;
    if !matches!(saved, Ok(Ok(()))) {
        // On in memory: the room's tick tries again and says so.
        tracing::error!(room = &*desk.name, "a code was opened and cannot be saved");
    }
    let ticket = match code.gives {
        Gives::Place(ticket) => ticket,
        Gives::Invitation { id, .. } => desk.room().invite(exchange.wall, id),
    };
    let keys = exchange.site.keyring.now();
    let cookie = desk.ticket_cookie(&keys, &ticket, exchange.client.https);
    onward(&to, cookie)
}

/// The code in the address, when it can still be opened.
fn code(exchange: &Exchange, desk: &Desk) -> Result<Code, Slip> {
    let query = exchange.head.uri.query().unwrap_or_default();
    let mut pairs = query.split('&');
    let text = pairs.find_map(|pair| pair.strip_prefix("code="));
    let keys = exchange.site.keyring.now();
    let code = Code::open(text.unwrap_or_default(), desk.id, &**keys, exchange.wall);
    let code = code.map_err(|rejected| match rejected {
        Rejected::Expired => Slip::Expired,
        _ => Slip::Wrong,
    })?;
    let id = match code.gives {
        Gives::Place(ticket) => ticket.id,
        Gives::Invitation { id, .. } => id,
    };
    if desk.register.was_opened(code.name()) {
        Err(Slip::Used)
    } else if desk.register.is_revoked(Pass::id_of(id)) {
        Err(Slip::Wrong)
    } else {
        Ok(code)
    }
}

/// What browsers say of a form's sender; who says nothing is no browser of these years, and has
/// no cookies that another site could use.
fn is_same_site(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let authority = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    matches!((authority, host), (Some((_, from)), Some(host)) if from.eq_ignore_ascii_case(host))
}

/// To the page, as a GET (303, RFC 9110 section 15.4.4).
fn onward(to: &str, cookie: Option<HeaderValue>) -> Answer {
    let mut answer = respond(Vec::new(), "text/plain; charset=utf-8", cookie);
    *answer.response.status_mut() = StatusCode::SEE_OTHER;
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    answer.response.headers_mut().insert(LOCATION, to);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_sites_form_opens_nothing() {
        for (fields, same) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://site.test")], true),
            (&[("origin", "https://SITE.test")], true),
            (&[("origin", "https://evil.test")], false),
            (&[("origin", "https://site.test.evil.test")], false),
            (&[("origin", "null")], false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("site.test"));
            for (name, value) in fields {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_same_site(&headers), same, "{fields:?}");
        }
    }
}

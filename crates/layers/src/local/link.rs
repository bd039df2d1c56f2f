//! `/link`: a visitor in line gets a link that another browser of the same visitor can open once.

use forebay_admission::credential::{Code, Gives, RETURN_VALID};
use forebay_admission::ticket::Ticket;
use forebay_telemetry::json::JsonWriter;
use http::header::{HOST, REFERER};
use http::{HeaderMap, StatusCode};

use super::{respond, slip};
use crate::asker::Form;
use crate::exchange::{Answer, Exchange, Visitor};
use crate::room::Desk;

/// The longest path that a link brings somebody to.
const PATH_MAX: usize = 512;

/// The link as a page to copy it from, or as JSON for programs.
pub(super) fn link(exchange: &Exchange, desk: &Desk) -> Answer {
    let link = match exchange.visitor {
        Visitor::Waiting(ticket) => Some(made(exchange, desk, ticket)),
        Visitor::Inside(..) | Visitor::Stranger => None,
    };
    if exchange.asker.form == Form::Page {
        return match &link {
            Some(link) => slip::offer(exchange, desk, link),
            None => slip::slip(exchange, desk, slip::Slip::NoPlace),
        };
    }
    let mut body = Vec::with_capacity(320);
    JsonWriter::object(&mut body, |json| {
        json.str("room", &desk.name);
        match &link {
            Some(link) => {
                json.str("link", link);
                json.u64("expires_seconds", RETURN_VALID.as_secs());
            }
            None => json.null("link"),
        }
    });
    let mut answer = respond(body, "application/json", None);
    if link.is_none() {
        *answer.response.status_mut() = StatusCode::NOT_FOUND;
    }
    answer
}

fn made(exchange: &Exchange, desk: &Desk, ticket: Ticket) -> String {
    let code = Code {
        until: exchange.wall.plus(RETURN_VALID),
        gives: Gives::Place(ticket),
    };
    let code = code.seal(&**exchange.site.keyring.now());
    let headers = &exchange.head.headers;
    let to = asked_for(exchange).or_else(|| came_from(headers, &exchange.site.prefix));
    let to = to.map_or_else(String::new, |path| format!("&to={}", encoded(&path)));
    let start = site_start(exchange);
    let (prefix, room) = (&exchange.site.prefix, &desk.name);
    format!("{start}{prefix}/return?room={room}&code={code}{to}")
}

/// Scheme and host as the visitor's browser has them; nothing for a host that is none.
fn site_start(exchange: &Exchange) -> String {
    let host = exchange.head.headers.get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return String::new();
    }
    let scheme = if exchange.client.https {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{host}")
}

/// The page of this site that `to` names. Never another site's, and none of our own.
pub(super) fn asked_for(exchange: &Exchange) -> Option<String> {
    let query = exchange.head.uri.query().unwrap_or_default();
    let written = query.split('&').find_map(|pair| pair.strip_prefix("to="))?;
    page(decoded(written)?, &exchange.site.prefix)
}

/// The page that the visitor came from, when it is one of this site.
fn came_from(headers: &HeaderMap, prefix: &str) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let (_, rest) = headers.get(REFERER)?.to_str().ok()?.split_once("://")?;
    let at = rest.find('/')?;
    let (authority, path) = rest.split_at_checked(at)?;
    if authority.eq_ignore_ascii_case(host) {
        page(path.to_owned(), prefix)
    } else {
        None
    }
}

/// A path and query of this site: what begins with two slashes, or with one that browsers read
/// as such, would lead to another one.
fn page(path: String, prefix: &str) -> Option<String> {
    let ours = path.strip_prefix(prefix);
    let ours = ours.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let fits = path.len() <= PATH_MAX
        && path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.bytes().all(|byte| byte.is_ascii_graphic())
        && !ours;
    fits.then_some(path)
}

/// Everything but unreserved characters (RFC 3986 section 2.3) by its number.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn decoded(text: &str) -> Option<String> {
    if text.len() > 3 * PATH_MAX {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        rest = after;
        let digits = str::from_utf8(digits).ok()?;
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        out.push(u8::from_str_radix(digits, 16).ok().filter(|_| plain)?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_link_leads_to_a_page_of_this_site_and_nowhere_else() {
        for (path, leads) in [
            ("/", true),
            ("/apply/step?n=2&x=%2F", true),
            ("/__forebaying", true),
            ("", false),
            ("apply", false),
            ("//evil.example/", false),
            ("/\\evil.example/", false),
            ("\\\\evil.example", false),
            ("https://evil.example/", false),
            ("/a b", false),
            ("/a\r\nSet-Cookie: x=1", false),
            ("/\u{e9}", false),
            ("/__forebay", false),
            ("/__forebay/return?code=x", false),
            ("/__forebay?x", false),
        ] {
            let found = page(path.to_owned(), "/__forebay");
            assert_eq!(found.is_some(), leads, "{path:?}");
            assert_eq!(decoded(&encoded(path)).as_deref(), Some(path));
        }
        assert_eq!(page(format!("/{}", "a".repeat(600)), "/__forebay"), None);
        for text in ["%", "%2", "%zz", "%+1", "%ff"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn the_page_before_counts_when_it_is_of_the_same_host() {
        for (referer, expected) in [
            ("https://site.test/apply?x=1", Some("/apply?x=1")),
            ("http://SITE.test/", Some("/")),
            ("https://site.test", None),
            ("https://other.test/apply", None),
            ("https://site.test@other.test/apply", None),
            ("https://site.test//other.test/", None),
            ("nonsense", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("site.test"));
            headers.insert(REFERER, HeaderValue::from_static(referer));
            let found = came_from(&headers, "/__forebay");
            assert_eq!(found.as_deref(), expected, "{referer}");
        }
    }
}

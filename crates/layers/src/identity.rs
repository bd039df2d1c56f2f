//! Who asks: the client's address through trusted proxies, the room's cookie, verified once, and
//! whether the room has to see the request at all. Cookie and secrets are then removed, so that the
//! origin never sees them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use forebay_admission::credential::{Attempt, Credential, Rejected};
use forebay_admission::pass::{Pass, Standing};
use forebay_admission::quota::ClientKey;
use forebay_admission::time::WallTime;
use forebay_telemetry::metrics::Rejection;
use http::HeaderMap;
use tower::Service;

use crate::bypass::Rule;
use crate::cookie;
use crate::exchange::{Answer, Client, Exchange, Refusal, Visitor};
use crate::room::Desk;
use crate::site::{ClientRules, Forwarded, Site};

/// Finds the client and the visitor.
#[derive(Clone, Debug)]
pub struct Identity<S> {
    inner: S,
}

impl<S> Identity<S> {
    /// Identifies before `inner`.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Exchange> for Identity<S>
where
    S: Service<Exchange, Response = Answer, Error = Refusal>,
{
    type Response = Answer;
    type Error = Refusal;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut exchange: Exchange) -> S::Future {
        let headers = &exchange.head.headers;
        if let Some(desk) = &exchange.desk {
            exchange.visitor = visitor(&exchange.site, desk, headers, exchange.wall);
        }
        if let Some(began) = first_try(&exchange) {
            let age = exchange.wall.saturating_since(began);
            exchange.first_try = exchange.arrived.minus(age);
        }
        cookie::remove_ours(&mut exchange.head.headers);
        let head = &exchange.head;
        let bypass = exchange
            .route
            .and_then(|_| exchange.entry().bypass.as_ref());
        exchange.bypass = bypass.and_then(|bypass| bypass.rule(head, exchange.client.address));
        if exchange.asker.preflight && exchange.bypass.is_none() {
            exchange.bypass = Some(Rule::Preflight);
        }
        // A secret is shown on whatever route somebody asks for, and is nobody's behind us.
        if !exchange.site.hidden.is_empty() {
            let site = Arc::clone(&exchange.site);
            for name in &site.hidden {
                exchange.head.headers.remove(name);
            }
        }
        self.inner.call(exchange)
    }
}

/// What the cookies say for one room. Of several that hold, a pass counts before a ticket, and
/// the earlier ticket before the later: a planted cookie takes nobody's place away.
#[must_use]
pub fn visitor(site: &Site, desk: &Desk, headers: &HeaderMap, now: WallTime) -> Visitor {
    let mut best = Visitor::Stranger;
    let keys = site.keyring.now();
    for value in desk.cookies.values(headers).take(COOKIES_MAX) {
        match Credential::open(value, desk.id, &**keys, now) {
            Ok(Credential::Pass(pass)) => {
                let standing = pass.standing(now, &desk.rules().pass);
                if desk.register.is_revoked(pass.id) {
                    taken_back(desk, &pass, standing);
                    continue;
                }
                if standing != Standing::Expired {
                    return Visitor::Inside(pass, standing);
                }
                desk.metrics.rejected.inc(Rejection::Expired);
            }
            // The pass that it would yield, however often it is shown.
            Ok(Credential::Ticket(ticket)) if desk.register.is_revoked(Pass::id_of(ticket.id)) => {
                desk.metrics.rejected.inc(Rejection::Revoked);
            }
            Ok(Credential::Ticket(ticket)) => match best {
                Visitor::Waiting(held) if held.arrived <= ticket.arrived => {}
                _ => best = Visitor::Waiting(ticket),
            },
            Err(rejected) => desk.metrics.rejected.inc(counted(rejected)),
        }
    }
    best
}

/// A revoked visitor is a stranger from now on, and the place inside is free.
fn taken_back(desk: &Desk, pass: &Pass, standing: Standing) {
    desk.metrics.rejected.inc(Rejection::Revoked);
    if matches!(standing, Standing::Fresh | Standing::Renew) {
        desk.room().end(pass);
    }
}

/// When a visitor inside asked for this page first, if there was a "one moment" page since.
fn first_try(exchange: &Exchange) -> Option<WallTime> {
    let Visitor::Inside(pass, _) = exchange.visitor else {
        return None;
    };
    let keys = exchange.site.keyring.now();
    cookie::attempts(&exchange.head.headers)
        .take(COOKIES_MAX)
        .filter_map(|text| Attempt::open(text, pass.id, &**keys, exchange.wall))
        .map(|attempt| attempt.began)
        .min()
}

const fn counted(rejected: Rejected) -> Rejection {
    match rejected {
        Rejected::Malformed => Rejection::Malformed,
        Rejected::UnknownKey => Rejection::UnknownKey,
        Rejected::Forged => Rejection::Forged,
        Rejected::OtherRoom => Rejection::OtherRoom,
        Rejected::FromTheFuture => Rejection::FromTheFuture,
        Rejected::Expired => Rejection::Expired,
    }
}

/// Cookies of one room that are looked at in one request; each costs a MAC.
const COOKIES_MAX: usize = 4;

/// Finds the client behind the peer.
#[must_use]
pub fn client(rules: &ClientRules, peer: SocketAddr, tls: bool, headers: &HeaderMap) -> Client {
    let direct = peer.ip().to_canonical();
    let trusted = |address: &IpAddr| rules.trusted.iter().any(|net| net.contains(address));
    let proxied = !rules.trusted.is_empty() && trusted(&direct);
    let (address, https) = if proxied {
        (behind(rules, headers, direct, trusted), says_https(headers))
    } else {
        (direct, false)
    };
    Client {
        address,
        key: key(rules, address),
        https: tls || https,
        proxied,
    }
}

/// The nearest address that is not a trusted proxy's, read from the right, because what stands
/// further left was written by whoever sent it. What cannot be read ends the walk.
fn behind(
    rules: &ClientRules,
    headers: &HeaderMap,
    direct: IpAddr,
    trusted: impl Fn(&IpAddr) -> bool,
) -> IpAddr {
    let (name, node): (_, fn(&str) -> Option<IpAddr>) = match rules.forwarded {
        Forwarded::XForwardedFor => ("x-forwarded-for", address),
        Forwarded::Standard => ("forwarded", forwarded_for),
        Forwarded::None => return direct,
    };
    let lines: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let mut nearest = direct;
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(address) = node(hop.trim()) else {
            return nearest;
        };
        nearest = address;
        if !trusted(&address) {
            return nearest;
        }
    }
    nearest
}

/// `for=` of one element of `Forwarded` (RFC 7239 section 4); an obfuscated node is no address.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let node = element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    })?;
    address(node.trim_matches('"'))
}

/// An address with or without brackets and port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .map(|(ip, _)| ip);
    text.parse()
        .or_else(|_| bare.unwrap_or_default().parse())
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()
        .map(|ip| ip.to_canonical())
}

fn says_https(headers: &HeaderMap) -> bool {
    let last = |name: &str| {
        let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
        value
            .rsplit(',')
            .next()
            .map(|part| part.trim().to_ascii_lowercase())
    };
    last("x-forwarded-proto").is_some_and(|proto| proto == "https")
        || last("forwarded").is_some_and(|hop| {
            hop.split(';')
                .any(|pair| pair.trim().trim_end_matches('"').ends_with("proto=https"))
        })
}

/// The quota key of the address's prefix.
fn key(rules: &ClientRules, address: IpAddr) -> ClientKey {
    let prefix = match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits() & mask32(rules.ipv4_prefix)),
        IpAddr::V6(v6) => v6.to_bits() & mask128(rules.ipv6_prefix),
    };
    ClientKey::new(rules.hasher.hash_one((address.is_ipv4(), prefix)))
}

fn mask32(bits: u8) -> u32 {
    u32::MAX
        .checked_shl(32 - u32::from(bits.min(32)))
        .unwrap_or(0)
}

fn mask128(bits: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(bits.min(128)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    type Fields = [(&'static str, &'static str)];

    fn rules(forwarded: Forwarded) -> ClientRules {
        ClientRules {
            trusted: vec!["10.0.0.0/8".parse().unwrap()],
            forwarded,
            ipv4_prefix: 32,
            ipv6_prefix: 64,
            hasher: ahash::RandomState::with_seeds(1, 2, 3, 4),
        }
    }

    fn found(forwarded: Forwarded, peer: &str, fields: &[(&str, &str)]) -> Client {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        client(&rules(forwarded), peer.parse().unwrap(), false, &headers)
    }

    #[test]
    fn the_client_is_the_nearest_untrusted_address() {
        use Forwarded::{None, Standard, XForwardedFor};
        let xff = "x-forwarded-for";
        let cases: [(Forwarded, &str, &Fields, &str); 9] = [
            (
                XForwardedFor,
                "192.0.2.1:9",
                &[(xff, "198.51.100.7")],
                "192.0.2.1",
            ),
            (
                XForwardedFor,
                "10.0.0.1:9",
                &[(xff, "198.51.100.7")],
                "198.51.100.7",
            ),
            (
                XForwardedFor,
                "10.0.0.1:9",
                &[(xff, "1.1.1.1, 198.51.100.7, 10.0.0.2")],
                "198.51.100.7",
            ),
            (
                XForwardedFor,
                "10.0.0.1:9",
                &[(xff, "1.1.1.1"), (xff, "198.51.100.7")],
                "198.51.100.7",
            ),
            (
                XForwardedFor,
                "10.0.0.1:9",
                &[(xff, "1.1.1.1, junk")],
                "10.0.0.1",
            ),
            (XForwardedFor, "10.0.0.1:9", &[], "10.0.0.1"),
            (None, "10.0.0.1:9", &[(xff, "198.51.100.7")], "10.0.0.1"),
            (
                Standard,
                "10.0.0.1:9",
                &[("forwarded", "for=\"[2001:db8::1]:4\";proto=https")],
                "2001:db8::1",
            ),
            (
                Standard,
                "10.0.0.1:9",
                &[("forwarded", "for=1.1.1.1, for=198.51.100.7:80")],
                "198.51.100.7",
            ),
        ];
        for (forwarded, peer, fields, expected) in cases {
            let client = found(forwarded, peer, fields);
            assert_eq!(client.address.to_string(), expected, "{peer} {fields:?}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_says_https() {
        let fields = [("x-forwarded-proto", "https")];
        assert!(found(Forwarded::XForwardedFor, "10.0.0.1:9", &fields).https);
        assert!(!found(Forwarded::XForwardedFor, "192.0.2.1:9", &fields).https);
    }

    #[test]
    fn one_prefix_is_one_client() {
        let key = |peer: &str| found(Forwarded::None, peer, &[]).key;
        assert_eq!(key("[2001:db8::1]:1"), key("[2001:db8::2]:2"));
        assert_ne!(key("[2001:db8::1]:1"), key("[2001:db8:0:1::1]:1"));
        assert_ne!(key("192.0.2.1:1"), key("192.0.2.2:1"));
    }
}

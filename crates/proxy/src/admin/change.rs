//! Changes: who may ask for them, and what a change to a room may say.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use forebay_admission::ledger::Whom;
use forebay_config::Secret;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde::Deserialize;
use tokio::net::unix::UCred;

use super::{json, problem, revoke, small, status};
use crate::live::{Live, RoomChange};

/// The other end of an operator's connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Peer {
    /// Over the socket, which only its owner may open: who it is, as the kernel says.
    Socket(Option<UCred>),
    /// Over the address: reads, and with the token writes.
    Address(IpAddr),
}

impl Peer {
    /// Under which name the changes of this peer stand in the log.
    ///
    /// # Errors
    /// The answer to whoever may change nothing.
    pub(super) fn may_change(
        &self,
        headers: &HeaderMap,
        token: Option<&Secret>,
    ) -> Result<String, Box<Response<Full<Bytes>>>> {
        match (self, token) {
            (Self::Socket(who), _) => Ok(of_socket(who.as_ref())),
            (Self::Address(_), None) => Err(Box::new(problem(
                StatusCode::FORBIDDEN,
                "changes are taken by the admin socket only; over this address they need \
                 admin.token in the configuration",
            ))),
            (Self::Address(address), Some(token)) if shows(headers, token) => {
                Ok(format!("token from {address}"))
            }
            (Self::Address(address), Some(_)) => {
                tracing::warn!(%address, "a change was asked for without the right token");
                let mut refused = problem(
                    StatusCode::UNAUTHORIZED,
                    "a change needs the token: Authorization: Bearer TOKEN",
                );
                refused
                    .headers_mut()
                    .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                Err(Box::new(refused))
            }
        }
    }
}

fn of_socket(who: Option<&UCred>) -> String {
    let uid = who.map_or_else(|| "?".to_owned(), |who| who.uid().to_string());
    match who.and_then(UCred::pid) {
        Some(pid) => format!("uid {uid} pid {pid}"),
        None => format!("uid {uid}"),
    }
}

/// Whether the request shows the token (RFC 6750 section 2.1). Compared by digest, in the same
/// time whatever is shown, so that neither the length nor a beginning can be found out.
fn shows(headers: &HeaderMap, token: &Secret) -> bool {
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().split_at_checked(BEARER.len()))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(BEARER))
        .map_or(&b""[..], |(_, shown)| shown);
    let digests = [shown, token.expose()].map(|text| digest(&SHA256, text));
    verify_slices_are_equal(digests[0].as_ref(), digests[1].as_ref()).is_ok()
}

const BEARER: &[u8] = b"Bearer ";

/// The body of a change to a room.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    mode: Option<String>,
    inlet: Option<String>,
    active: Option<serde_json::Value>,
    revoke: Option<String>,
}

impl Wanted {
    fn change(self) -> Result<(RoomChange, Option<Whom>), String> {
        let whom = self.revoke.as_deref().map(revoke::whom).transpose()?;
        let mode = self.mode.map(|mode| mode.parse()).transpose();
        let inlet = self.inlet.map(|inlet| inlet.parse()).transpose();
        let active = self.active.map(|active| match active {
            serde_json::Value::String(word) if word == "unlimited" => Ok(None),
            value => serde_json::from_value(value).map(Some).map_err(|_| {
                format!(
                    "active is a number from 1 to {}, or \"unlimited\"",
                    u32::MAX
                )
            }),
        });
        let change = RoomChange {
            mode: mode.map_err(|error| format!("mode {error}"))?,
            inlet: inlet.map_err(|error| format!("inlet {error}"))?,
            active: active.transpose()?,
        };
        if change == RoomChange::default() && whom.is_none() {
            return Err(format!("nothing is changed; write {EXAMPLE}"));
        }
        Ok((change, whom))
    }
}

/// What a change may look like.
const EXAMPLE: &str =
    r#"{"mode": "hold"}, {"inlet": "50/s"}, {"active": 500} or {"revoke": "0123-4567"}"#;

/// Changes a room as the body says.
pub(super) async fn change(
    room: &str,
    body: Incoming,
    live: &Arc<Live>,
    by: &str,
) -> Response<Full<Bytes>> {
    let body = match small(body).await {
        Ok(body) => body,
        Err(answer) => return *answer,
    };
    let change = serde_json::from_slice::<Wanted>(&body)
        .map_err(|error| format!("{error}; write {EXAMPLE}"))
        .and_then(Wanted::change);
    let (change, whom) = match change {
        Err(why) => return problem(StatusCode::BAD_REQUEST, &why),
        Ok(change) => change,
    };
    if let Some(whom) = whom
        && let Err(why) = revoke::revoke(live, room, whom, by).await
    {
        return problem(StatusCode::NOT_FOUND, &why);
    }
    if change != RoomChange::default()
        && let Err(why) = live.change_room(room, change, by)
    {
        return problem(StatusCode::NOT_FOUND, &why);
    }
    json(StatusCode::OK, &status::of_room(live, room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_is_the_token() {
        let token = Secret::new("abcdefghijklmnop");
        for (shown, right) in [
            (Some("Bearer abcdefghijklmnop"), true),
            (Some("bearer abcdefghijklmnop"), true),
            (Some("Bearer abcdefghijklmno"), false),
            (Some("Bearer abcdefghijklmnopq"), false),
            (Some("Bearer "), false),
            (Some("Basic abcdefghijklmnop"), false),
            (Some("abcdefghijklmnop"), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(shown) = shown {
                headers.insert(AUTHORIZATION, HeaderValue::from_static(shown));
            }
            assert_eq!(shows(&headers, &token), right, "{shown:?}");
        }
    }
}

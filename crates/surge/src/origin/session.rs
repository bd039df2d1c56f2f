//! Who fills in a form, and which post of it this is.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The portal's cookie: who fills in a form.
const SESSION: &str = "portal-session";

/// What makes two posts one and the same, where a client says so itself.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Whether the request carries the portal's cookie.
pub(super) fn is_known(headers: &HeaderMap) -> bool {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .any(|pair| {
            pair.trim()
                .split_once('=')
                .is_some_and(|(name, _value)| name == SESSION)
        })
}

/// The cookie that makes a visitor known.
pub(super) fn cookie(session: u64) -> HeaderValue {
    format!("{SESSION}={session:016x}; Path=/; HttpOnly; SameSite=Lax")
        .parse()
        .expect("hexadecimal digits are valid in a header")
}

/// What makes a second post of a form's page known as one: the `Idempotency-Key` field,
/// or else the form's own token. `None` if the form has no token.
pub(super) fn post_key(headers: &HeaderMap, posted: &[u8]) -> Option<u64> {
    let token = form_token(posted)?;
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
        return Some(token);
    };
    let mut hasher = DefaultHasher::new();
    key.as_bytes().hash(&mut hasher);
    Some(hasher.finish())
}

/// The `token` field of a form.
fn form_token(posted: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(posted).ok()?;
    let token = text
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))?;
    u64::from_str_radix(token, 16).ok()
}

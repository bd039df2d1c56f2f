//! `POST /api/keys/rotate`: a new key of tickets and passes signs from now on.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde::Deserialize;

use super::{json, problem, small};
use crate::assembly::Trust;
use crate::live::Live;

/// The body; without one, nothing is distrusted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    /// Ends the keys before at once, and with them every ticket and pass.
    distrust: bool,
}

pub(super) async fn rotate(body: Incoming, live: Arc<Live>, by: String) -> Response<Full<Bytes>> {
    let body = match small(body).await {
        Ok(body) => body,
        Err(answer) => return *answer,
    };
    let wanted = if body.is_empty() {
        Ok(Wanted::default())
    } else {
        serde_json::from_slice::<Wanted>(&body)
    };
    let trust = match wanted {
        Ok(Wanted { distrust: true }) => Trust::Ended,
        Ok(Wanted { distrust: false }) => Trust::Kept,
        Err(error) => return problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    };
    // The key is in its file before it signs: that may take as long as the disk takes.
    match tokio::task::spawn_blocking(move || live.rotate_keys(trust, &by)).await {
        Ok(Ok(keys)) => json(StatusCode::OK, &serde_json::json!({ "keys": keys })),
        Ok(Err(why)) => problem(StatusCode::CONFLICT, &why),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the change broke off"),
    }
}

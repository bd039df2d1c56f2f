//! `POST /api/room/NAME/invite`: signed codes that open a place in the room's lane of the invited.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use forebay_admission::credential::{Code, Gives, INVITATION_VALID_MAX};
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde::Deserialize;

use super::{json, problem, small};
use crate::live::Live;

/// Invitations of one request.
const COUNT_MAX: u32 = 1_000;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    count: u32,
    valid_seconds: u64,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            count: 1,
            valid_seconds: 7 * 24 * 3_600,
        }
    }
}

impl Wanted {
    fn of(body: &[u8]) -> Result<Self, String> {
        let wanted = if body.is_empty() {
            Self::default()
        } else {
            serde_json::from_slice(body).map_err(|error| error.to_string())?
        };
        if !(1..=COUNT_MAX).contains(&wanted.count) {
            return Err(format!("count is a number from 1 to {COUNT_MAX}"));
        }
        let most = INVITATION_VALID_MAX.as_secs();
        if !(60..=most).contains(&wanted.valid_seconds) {
            return Err(format!(
                "valid_seconds is a number from 60 to {most}, which are 31 days"
            ));
        }
        Ok(wanted)
    }
}

pub(super) async fn invite(
    room: &str,
    body: Incoming,
    live: &Arc<Live>,
    by: &str,
) -> Response<Full<Bytes>> {
    let body = match small(body).await {
        Ok(body) => body,
        Err(answer) => return *answer,
    };
    let wanted = match Wanted::of(&body) {
        Ok(wanted) => wanted,
        Err(why) => return problem(StatusCode::BAD_REQUEST, &why),
    };
    match live.invite(
        room,
        wanted.count,
        Duration::from_secs(wanted.valid_seconds),
        by,
    ) {
        Ok(links) => json(StatusCode::OK, &serde_json::json!({ "links": links })),
        Err(why) => problem(StatusCode::NOT_FOUND, &why),
    }
}

impl Live {
    /// Addresses below the site's that invite into a room, each to be opened once.
    ///
    /// # Errors
    /// No room of that name.
    fn invite(
        &self,
        room: &str,
        count: u32,
        valid: Duration,
        by: &str,
    ) -> Result<Vec<String>, String> {
        let desk = self.desk(room)?;
        let until = self.clock.wall(self.clock.now()).plus(valid);
        let prefix = self.now().config.prefix.clone();
        let keys = self.keys.now();
        let link = |_| {
            let (room, id) = (desk.id, desk.fresh_id());
            let gives = Gives::Invitation { room, id };
            let code = Code { until, gives }.seal(&**keys);
            format!("{prefix}/invite?room={}&code={code}", desk.name)
        };
        let links = (0..count).map(link).collect();
        let valid_seconds = valid.as_secs();
        tracing::info!(by, room, count, valid_seconds, "invited");
        Ok(links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_checked() {
        for (body, expected) in [
            ("", Ok((1, 604_800))),
            ("{}", Ok((1, 604_800))),
            (r#"{"count": 1000, "valid_seconds": 60}"#, Ok((1_000, 60))),
            (r#"{"count": 0}"#, Err("count")),
            (r#"{"count": 1001}"#, Err("count")),
            (r#"{"count": -1}"#, Err("invalid")),
            (r#"{"valid_seconds": 59}"#, Err("valid_seconds")),
            (r#"{"valid_seconds": 2678401}"#, Err("valid_seconds")),
            (r#"{"colour": 1}"#, Err("colour")),
        ] {
            let found = Wanted::of(body.as_bytes());
            let found = found.map(|wanted| (wanted.count, wanted.valid_seconds));
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{body}"),
                (Err(why), Err(word)) => assert!(why.contains(word), "{body}: {why}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}

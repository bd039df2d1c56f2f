//! The draws of a room's events, in `/api/status`: the seed only of those that were held.

use forebay_admission::room::Drawn;
use forebay_layers::room::hex;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Draw {
    prequeue_unix_seconds: u64,
    opens_unix_seconds: u64,
    commitment: String,
    seed: Option<String>,
}

impl Draw {
    pub(super) fn of(draw: &Drawn) -> Self {
        Self {
            prequeue_unix_seconds: draw.since.as_millis() / 1_000,
            opens_unix_seconds: draw.opens.as_millis() / 1_000,
            commitment: hex(&draw.seed.commitment()),
            seed: draw.is_open.then(|| hex(&draw.seed.expose())),
        }
    }
}

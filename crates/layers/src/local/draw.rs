//! What may be known of a room's draws: before the opening what binds the seed, from then on the
//! seed; and to whoever asks with a cookie the reference and the rank, so that everybody can
//! compute again what was drawn.

use forebay_admission::draw::Seed;
use forebay_admission::pass::Pass;
use forebay_admission::room::Drawn;
use forebay_admission::time::WallTime;
use forebay_telemetry::json::JsonWriter;

use super::respond;
use crate::exchange::{Answer, Exchange, Visitor};
use crate::room::{Desk, hex};

/// In a sentence; `forebay_admission::draw` is what does it.
const RULE: &str = "rank = first 16 hexadecimal digits of SHA-256(seed, reference), both as \
                    bytes; the lowest rank goes first; commitment = SHA-256(seed)";

/// The draws as JSON, from memory.
pub(super) fn draw(exchange: &Exchange, desk: &Desk) -> Answer {
    let draws = desk.agenda.draws();
    let mut body = Vec::with_capacity(512);
    JsonWriter::object(&mut body, |json| {
        json.str("room", &desk.name);
        json.str("rule", RULE);
        write_draws(json, &draws);
        write_mine(json, exchange, &draws);
    });
    respond(body, "application/json", None)
}

/// Draws for anybody: the seed only of those that were held.
pub fn write_draws(json: &mut JsonWriter<'_>, draws: &[Drawn]) {
    json.list("draws", draws, |json, draw| {
        json.u64("prequeue_unix_seconds", draw.since.as_millis() / 1_000);
        json.u64("opens_unix_seconds", draw.opens.as_millis() / 1_000);
        json.str("commitment", &hex(&draw.seed.commitment()));
        match told(draw) {
            Some(seed) => json.str("seed", &hex(&seed.expose())),
            None => json.null("seed"),
        }
    });
}

fn told(draw: &Drawn) -> Option<&Seed> {
    draw.is_open.then_some(&draw.seed)
}

/// The asker's own part: the full reference from the first page on, the rank from the opening on.
fn write_mine(json: &mut JsonWriter<'_>, exchange: &Exchange, draws: &[Drawn]) {
    let (reference, arrived, late): (u64, Option<WallTime>, bool) = match exchange.visitor {
        Visitor::Inside(pass, _) => (pass.id, None, false),
        Visitor::Waiting(ticket) => (Pass::id_of(ticket.id), Some(ticket.arrived), ticket.late),
        Visitor::Stranger => return,
    };
    json.str("reference", &format!("{reference:016x}"));
    let takes = |draw: &&Drawn| arrived.is_some_and(|at| draw.since <= at && at < draw.opens);
    let Some(mine) = draws.iter().find(takes) else {
        return;
    };
    json.u64("mine_opens_unix_seconds", mine.opens.as_millis() / 1_000);
    json.bool("takes_part", !late);
    match told(mine).filter(|_| !late) {
        Some(seed) => json.str("rank", &format!("{:016x}", seed.rank(reference))),
        None => json.null("rank"),
    }
}

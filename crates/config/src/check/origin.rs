//! Origins.

use std::num::NonZeroU32;

use crate::checked::{Origin, Queue, Server};
use crate::raw::{self, Count};
use crate::read::{At, Named, Reader};

pub(super) fn origins(
    raw: At<Named<raw::Origin>>,
    routed: bool,
    reader: &mut Reader<'_>,
) -> Vec<Origin> {
    let At {
        place,
        value: Named(named),
    } = raw;
    if named.is_empty() && !reader.report.mentions(&place.key) {
        let write = "write [origin.portal] and below it servers = [\"http://127.0.0.1:3000\"]";
        reader
            .report
            .error(&place, "is missing: there is nothing to protect", write);
    }
    if let [_, (second, _), ..] = named.as_slice()
        && !routed
    {
        let what = "is a second origin, and no [[route]] says what goes where";
        reader
            .report
            .error(&second.place, what, "write a [[route]] for each");
    }
    named
        .into_iter()
        .map(|(name, raw)| origin(name.value, raw, reader))
        .collect()
}

fn origin(name: String, raw: raw::Origin, reader: &mut Reader<'_>) -> Origin {
    let limit = raw.limit.value;
    let raw::LimitMode::Fixed = limit.mode.value;
    Origin {
        name,
        servers: raw
            .servers
            .map(|servers| self::servers(servers, reader))
            .unwrap_or_default(),
        connect_timeout: raw.connect_timeout.value.0,
        response_timeout: raw.response_timeout.value.0,
        keep_alive: raw.keep_alive.value.0,
        host: raw.host.value,
        connections: raw.connections.value.fit(),
        limit: non_zero(limit.concurrency.value),
        queue: queue(&raw.queue.value),
        abort_grace: raw.abort_grace.value.0.map(|wait| wait.0),
    }
}

pub(super) fn non_zero(count: Count) -> NonZeroU32 {
    NonZeroU32::new(count.fit()).expect("a Count is 1 or more")
}

fn servers(raw: At<Vec<At<Server>>>, reader: &mut Reader<'_>) -> Vec<Server> {
    if raw.value.is_empty() {
        let write = "write one such as \"http://127.0.0.1:3000\"";
        reader.report.error(&raw.place, "is empty", write);
    }
    let mut list = Vec::new();
    for At { place, value } in raw.value {
        if list.contains(&value) {
            reader
                .report
                .error(&place, "is there twice", "leave one out");
        }
        list.push(value);
    }
    list
}

fn queue(raw: &raw::Queue) -> Queue {
    Queue {
        length: raw.length.value.0.map(|length| length.fit()),
        submit: raw.submit.value.0,
        visitor: raw.visitor.value.0,
        stranger: raw.stranger.value.0.map(|wait| wait.0),
    }
}

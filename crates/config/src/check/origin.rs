//! Origins.

use std::num::NonZeroU32;

use crate::checked::{Limit, Origin, Queue, Server};
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
        limit: limit(&raw.limit, reader),
        queue: queue(&raw.queue.value),
        abort_grace: raw.abort_grace.value.0.map(|wait| wait.0),
    }
}

fn limit(raw: &At<raw::Limit>, reader: &mut Reader<'_>) -> Limit {
    let raw::Limit {
        mode,
        concurrency,
        min,
        max,
    } = &raw.value;
    let (least, most) = (non_zero(min.value), non_zero(max.value));
    match (mode.value, concurrency) {
        (raw::LimitMode::Fixed, Some(number)) => Limit::Fixed(non_zero(number.value)),
        (raw::LimitMode::Fixed, None) => {
            let write = "write concurrency = 64, or mode = \"adaptive\"";
            reader
                .report
                .error(&raw.place, "is fixed at no number", write);
            Limit::Fixed(NonZeroU32::MIN)
        }
        (raw::LimitMode::Adaptive, concurrency) => {
            if let Some(number) = concurrency {
                let what = "is the number of mode \"fixed\"";
                reader
                    .report
                    .error(&number.place, what, "write mode = \"fixed\", or max");
            }
            if least > most {
                reader
                    .report
                    .error(&min.place, "is more than max", "lower it, or raise max");
            }
            Limit::Adaptive {
                min: least,
                max: most.max(least),
            }
        }
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

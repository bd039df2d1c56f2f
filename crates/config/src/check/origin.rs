//! Origins.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::checked::{Health, Limit, Origin, Queue, Retry, Server};
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
        hint: raw.hint.value.0.map(|name| name.0),
        health: raw.health.and_then(|health| self::health(health, reader)),
        retry: Retry {
            attempts: raw.retry.value.attempts.value.fit(),
            per_thousand: raw.retry.value.budget.value.0,
        },
    }
}

/// Probes that come more often than this are a load of their own.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

fn health(raw: At<raw::Health>, reader: &mut Reader<'_>) -> Option<Health> {
    let raw::Health { path, interval } = raw.value;
    let period = interval.value.0;
    if period < INTERVAL_MIN {
        let what = "is less than 100 ms: probes would be a load of their own";
        reader
            .report
            .error(&interval.place, what, "write \"100ms\" or more");
    }
    Some(Health {
        path: path?.value.0,
        interval: period,
    })
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

fn servers(raw: At<Vec<At<raw::Member>>>, reader: &mut Reader<'_>) -> Vec<Server> {
    if raw.value.is_empty() {
        let write = "write one such as \"http://127.0.0.1:3000\"";
        reader.report.error(&raw.place, "is empty", write);
    }
    let mut list: Vec<Server> = Vec::new();
    for At { place, value } in raw.value {
        let raw::Member(server) = value;
        let same = |other: &Server| (&other.host, other.port) == (&server.host, server.port);
        if list.iter().any(same) {
            reader
                .report
                .error(&place, "is there twice", "leave one out");
        }
        list.push(server);
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

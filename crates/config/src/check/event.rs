//! A room's events: openings in order, whose pre-queues do not overlap.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::origin::non_zero;
use crate::checked::Event;
use crate::raw;
use crate::read::{At, Place, Reader};

/// A pre-queue is the part of a day in which people come for an opening.
const PREQUEUE_MAX: Duration = Duration::from_secs(12 * 3_600);

/// Events of a room; a plan for a year of days.
const EVENTS_MAX: usize = 400;

pub(super) fn events(raw: &At<Vec<At<raw::Event>>>, reader: &mut Reader<'_>) -> Vec<Event> {
    if raw.value.len() > EVENTS_MAX {
        let what = format!("has {} events", raw.value.len());
        let write = format!("write {EVENTS_MAX} at most, and the others later");
        reader.report.error(&raw.place, what, write);
    }
    let mut found: Vec<(&Place, Event)> = raw
        .value
        .iter()
        .filter_map(|event| Some((&event.place, self::event(event, reader)?)))
        .collect();
    found.sort_by_key(|(_, event)| event.opens);
    for pair in found.windows(2) {
        if let [(_, before), (place, event)] = pair
            && event.begins() < before.opens
        {
            reader.report.error(
                place,
                "begins its pre-queue before another event has opened",
                "shorten its prequeue, or leave one of the two out",
            );
        }
    }
    let over = found
        .iter()
        .filter(|(_, event)| event.opens <= SystemTime::now());
    for (place, _) in over {
        reader.report.warning(
            place,
            "has opened already",
            "leave it out when its line is gone",
        );
    }
    found.into_iter().map(|(_, event)| event).collect()
}

fn event(raw: &At<raw::Event>, reader: &mut Reader<'_>) -> Option<Event> {
    let At { value: raw, .. } = raw;
    let prequeue = raw.prequeue.value.0;
    if !(Duration::from_secs(1)..=PREQUEUE_MAX).contains(&prequeue) {
        reader.report.error(
            &raw.prequeue.place,
            "is no time in which people gather for an opening",
            "write \"1s\" to \"12h\"",
        );
    }
    let opens = raw.opens.as_ref()?;
    if opens
        .value
        .0
        .duration_since(UNIX_EPOCH)
        .is_ok_and(|time| time < prequeue)
    {
        reader
            .report
            .error(&opens.place, "is long past", "write a time to come");
        return None;
    }
    Some(Event {
        opens: opens.value.0,
        prequeue,
        per_client: raw.per_client.value.0.map(non_zero),
    })
}

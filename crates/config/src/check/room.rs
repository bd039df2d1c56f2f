//! Rooms: those of the file, and `main`, which is always there.

use super::bypass::bypass;
use super::in_order;
use super::origin::non_zero;
use crate::checked::{Pass, Poll, Room, Ticket};
use crate::raw;
use crate::read::{At, Named, Place, Reader, read_default};

const IMPLIED: &str = "main";

pub(super) fn rooms(raw: Named<raw::Room>, reader: &mut Reader<'_>) -> Vec<Room> {
    let named = raw.0.into_iter();
    let mut list: Vec<Room> = named
        .map(|(name, raw)| room(name.value, &raw, reader))
        .collect();
    if !list.iter().any(|room| room.name == IMPLIED) {
        let place = Place {
            key: format!("room.{IMPLIED}"),
            span: 0..0,
        };
        let raw = read_default(&place, "{}", reader);
        list.push(room(IMPLIED.to_owned(), &raw, reader));
    }
    list
}

fn room(name: String, raw: &raw::Room, reader: &mut Reader<'_>) -> Room {
    let pass = pass(&raw.pass.value, reader);
    let poll = poll(&raw.poll.value, reader);
    let ticket = &raw.ticket.value;
    let ticket = Ticket {
        keep: ticket.keep.value.0,
    };
    if ticket.keep < poll.max {
        let what = "is less than poll.max: places would be lost between two polls";
        reader.report.error(
            &raw.ticket.value.keep.place,
            what,
            "raise it, or lower poll.max",
        );
    }
    Room {
        mode: raw.mode.value,
        inlet: raw.inlet.value,
        active: raw.active.value.0.map(non_zero),
        pass,
        ticket,
        poll,
        status: status(&raw.status.place, raw.status.value.fit(), reader),
        languages: languages(&raw.languages, reader),
        bypass: bypass(&raw.bypass.value, reader),
        name,
    }
}

fn pass(raw: &raw::Pass, reader: &mut Reader<'_>) -> Pass {
    let pass = Pass {
        idle: raw.idle.value.0,
        lifetime: raw.lifetime.value.0,
        form_grace: raw.form_grace.value.0,
    };
    let lifetime = (&raw.lifetime.place, pass.lifetime);
    in_order((&raw.idle.place, pass.idle), lifetime, reader);
    pass
}

fn poll(raw: &raw::Poll, reader: &mut Reader<'_>) -> Poll {
    let poll = Poll {
        min: raw.min.value.0,
        max: raw.max.value.0,
        budget: raw.budget.value,
    };
    in_order(
        (&raw.min.place, poll.min),
        (&raw.max.place, poll.max),
        reader,
    );
    poll
}

fn status(place: &Place, status: u16, reader: &mut Reader<'_>) -> u16 {
    match status {
        200 => reader.report.warning(
            place,
            "is 200, with which search engines index the waiting page",
            "write 503",
        ),
        400.. => {}
        _ => {
            let what = format!("is {status}, with which a waiting page does not work");
            reader
                .report
                .error(place, what, "write 200, or a number from 400 to 599");
        }
    }
    status
}

fn languages(raw: &At<Vec<At<raw::Language>>>, reader: &mut Reader<'_>) -> Vec<String> {
    if raw.value.is_empty() {
        reader
            .report
            .error(&raw.place, "is empty", "write [\"en\"], [\"fr\"] or both");
    }
    let mut list: Vec<String> = Vec::new();
    for At {
        place,
        value: language,
    } in &raw.value
    {
        if list.iter().any(|other| other == language.tag) {
            reader
                .report
                .error(place, "is there twice", "leave one out");
        }
        if !language.reviewed {
            let tag = language.tag;
            let what = format!("is {tag:?}, whose words nobody who reads it has signed for yet");
            let write = "have somebody read its catalogue before visitors do";
            reader.report.warning(place, what, write);
        }
        list.push(language.tag.to_owned());
    }
    list
}

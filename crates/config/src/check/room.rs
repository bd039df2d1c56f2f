//! Rooms: those of the file, and `main`, which is always there.

use super::bypass::bypass;
use super::event::events;
use super::in_order;
use super::origin::non_zero;
use super::site::{self, Pages};
use crate::checked::{Invite, Language, Pass, Poll, Room, Template, Ticket};
use crate::raw;
use crate::read::{At, Named, Place, Reader, read_default};

const IMPLIED: &str = "main";

pub(super) fn rooms(raw: Named<raw::Room>, pages: &Pages, reader: &mut Reader<'_>) -> Vec<Room> {
    let named = raw.0.into_iter();
    let mut list: Vec<Room> = named
        .map(|(name, raw)| room(name.value, &raw, pages, reader))
        .collect();
    if !list.iter().any(|room| room.name == IMPLIED) {
        let place = Place {
            key: format!("room.{IMPLIED}"),
            span: 0..0,
        };
        let raw = read_default(&place, "{}", reader);
        list.push(room(IMPLIED.to_owned(), &raw, pages, reader));
    }
    list
}

fn room(name: String, raw: &raw::Room, pages: &Pages, reader: &mut Reader<'_>) -> Room {
    let pass = pass(&raw.pass.value, reader);
    let poll = poll(&raw.poll.value, reader);
    let ticket = &raw.ticket.value;
    let ticket = Ticket {
        call: ticket.call.value.0,
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
    let (call, keep) = (&raw.ticket.value.call.place, &raw.ticket.value.keep.place);
    in_order((call, ticket.call), (keep, ticket.keep), reader);
    Room {
        mode: raw.mode.value,
        inlet: raw.inlet.value,
        active: raw.active.value.0.map(non_zero),
        order: raw.order.value,
        events: events(&raw.event, reader),
        pass,
        ticket,
        invite: invite(&raw.invite.value.share, reader),
        poll,
        status: status(&raw.status.place, raw.status.value.fit(), reader),
        page: page(raw, pages, reader),
        languages: languages(raw, pages, reader),
        bypass: bypass(&raw.bypass.value, reader),
        name,
    }
}

fn invite(share: &At<raw::Percent>, reader: &mut Reader<'_>) -> Invite {
    const MOST: u32 = 500;
    let per_thousand = share.value.0;
    if per_thousand == 0 {
        let what = "is nothing: nobody whom you invite would enter while others wait";
        reader
            .report
            .error(&share.place, what, "write \"1%\" or more");
    } else if per_thousand > MOST {
        let what = "is more than half: the line would wait for those whom you invite";
        reader
            .report
            .error(&share.place, what, "write \"50%\" or less");
    }
    Invite { per_thousand }
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
        held: raw.held.value.fit(),
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

fn page(raw: &raw::Room, pages: &Pages, reader: &mut Reader<'_>) -> Option<Template> {
    match &raw.page {
        Some(page) => site::template(page, reader),
        None => pages.site.page.clone(),
    }
}

fn languages(raw: &raw::Room, pages: &Pages, reader: &mut Reader<'_>) -> Vec<Language> {
    match &raw.languages {
        Some(languages) => site::languages(languages, pages.texts.as_deref(), reader),
        None => pages.site.languages.clone(),
    }
}

//! `[room.NAME]`.

use super::{Bypass, Count, Percent};
use crate::checked::{Inlet, Rate, RoomMode, RoomOrder};
use crate::read::{
    At, FromText, Moment, Number, Or, PathText, Period, Unlimited, Wait, Word, Wrong, table,
};

table! {
    /// A waiting room.
    Room, later [], {
        /// When visitors wait. "auto": the room opens and goes away by itself;
        /// "hold": nobody new enters; "queue-all": everybody gets a ticket and
        /// at least one page; "maintenance": nobody reaches the origin, and
        /// places and passes are kept; "off": nobody waits.
        mode: RoomMode = "'auto'",
        /// What lets waiting visitors in. "auto": what the origin can take;
        /// "shadow": whoever comes, and what "auto" would do is only logged;
        /// or a steady rate such as "50/s".
        inlet: Inlet = "'auto'",
        /// Visitors inside at once.
        active: Or<Unlimited, Count> = "'unlimited'",
        /// In which order those who wait are called. "arrival": first come, first
        /// served; "lottery": draw after draw among all who wait.
        order: RoomOrder = "'arrival'",
        /// The right to be inside.
        pass: Pass = "{}",
        /// The place in line.
        ticket: Ticket = "{}",
        /// Those whom you invite (`forebay room NAME invite`).
        invite: Invite = "{}",
        /// How often waiting pages ask for their place.
        poll: Poll = "{}",
        /// Status of the waiting page: 200, or 400 to 599.
        status: Number<200, 599> = "503",
        /// A template around its pages. Default: that of the site.
        page: PathText = optional,
        /// Languages of its pages, the first two together for whoever asks for
        /// none of them. Default: those of the site.
        languages: Vec<At<Language>> = optional,
        /// Whom the room never holds.
        bypass: Bypass = "{}",
        /// Openings at a known time. Who comes in the pre-queue gets a place by
        /// lot when it opens, who comes later stands behind.
        event: Vec<At<Event>> = "[]",
    }
}

table! {
    /// An opening with a pre-queue.
    Event, later [], {
        /// When the first are let in, such as 2030-12-01T09:00:00-05:00.
        opens: Moment = required,
        /// How long before that everybody who comes takes part in the draw.
        prequeue: Period = "'30m'",
        /// Tickets of one client that take part in the draw; further ones stand
        /// behind it. A client is an address prefix, as for the quotas.
        per_client: Or<Unlimited, Count> = "'unlimited'",
    }
}

table! {
    /// The right to be inside.
    Pass, later [], {
        /// A visitor unseen for longer is no longer inside.
        idle: Period = "'10m'",
        /// A pass ends this long after it was given, however busy.
        lifetime: Period = "'12h'",
        /// How long after its end a pass still lets a form be sent.
        form_grace: Wait = "'15m'",
    }
}

table! {
    /// The place in line.
    Ticket, later [], {
        /// Who was told that the turn has come and did not come is not waited
        /// for again for so long; the turn stays.
        call: Period = "'2m'",
        /// How long a silent visitor's place is kept.
        keep: Period = "'30m'",
    }
}

table! {
    /// Those whom you invite.
    Invite, later [], {
        /// The most that they get of what is let in, while others wait.
        share: Percent = "'10%'",
    }
}

table! {
    /// How often waiting pages ask for their place.
    Poll, later [], {
        /// The shortest interval.
        min: Period = "'1s'",
        /// The longest interval while the budget suffices.
        max: Period = "'60s'",
        /// Polls of the whole room.
        budget: Rate = "'10000/s'",
        /// Polls that are kept back for the last seconds before their turn; more
        /// are answered at once. 0: none is.
        held: Number<0, 1_000_000> = "2000",
    }
}

impl Word for RoomMode {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("hold", Self::Hold),
        ("queue-all", Self::QueueAll),
        ("maintenance", Self::Maintenance),
        ("off", Self::Off),
    ];
}

impl Word for RoomOrder {
    const WORDS: &'static [(&'static str, Self)] =
        &[("arrival", Self::Arrival), ("lottery", Self::Lottery)];
}

/// A language of the pages: what stands before the first hyphen of its tag
/// (RFC 5646 section 2.1), since catalogues know no regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Language(pub(crate) String);

impl FromText for Language {
    const WRITE: &'static str = "write a tag such as \"en\" or \"fr\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let letters = text.bytes().all(|byte| byte.is_ascii_lowercase());
        if !letters || !matches!(text.len(), 2 | 3) {
            return Err(Wrong::new("which is no language's tag", Self::WRITE));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromText for Inlet {
    const WRITE: &'static str = "write \"auto\", \"shadow\" or a rate such as \"50/s\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "auto" => Ok(Self::Auto),
            "shadow" => Ok(Self::Shadow),
            rate if rate.starts_with(|c: char| c.is_ascii_digit()) => {
                Rate::parse(rate).map(Self::Rate)
            }
            _ => Err(Wrong::new("which is no rate", Self::WRITE)),
        }
    }
}

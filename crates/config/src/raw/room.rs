//! `[room.NAME]`.

use super::{Bypass, Count};
use crate::checked::{Inlet, Rate, RoomMode};
use crate::read::{At, FromText, Number, Or, Period, Unlimited, Wait, Word, Wrong, table};

table! {
    /// A waiting room.
    Room, later ["order", "page", "event"], {
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
        /// The right to be inside.
        pass: Pass = "{}",
        /// The place in line.
        ticket: Ticket = "{}",
        /// How often waiting pages ask for their place.
        poll: Poll = "{}",
        /// Status of the waiting page: 200, or 400 to 599.
        status: Number<200, 599> = "503",
        /// Languages of the page; the first two together for whoever asks for
        /// none of them.
        languages: Vec<At<Language>> = "['en', 'fr']",
        /// Whom the room never holds.
        bypass: Bypass = "{}",
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
    Ticket, later ["call"], {
        /// How long a silent visitor's place is kept.
        keep: Period = "'30m'",
    }
}

table! {
    /// How often waiting pages ask for their place.
    Poll, later ["held"], {
        /// The shortest interval.
        min: Period = "'1s'",
        /// The longest interval while the budget suffices.
        max: Period = "'60s'",
        /// Polls of the whole room.
        budget: Rate = "'10000/s'",
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

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language {
    pub(crate) tag: &'static str,
    /// Whether somebody who reads it has signed for its words.
    pub(crate) reviewed: bool,
}

impl Language {
    const fn known(tag: &'static str, reviewed: bool) -> (&'static str, Self) {
        (tag, Self { tag, reviewed })
    }
}

impl Word for Language {
    const WORDS: &'static [(&'static str, Self)] = &[
        Self::known("en", true),
        Self::known("fr", true),
        Self::known("ar", false),
        Self::known("es", false),
        Self::known("hi", false),
        Self::known("pt", false),
        Self::known("uk", false),
        Self::known("zh", false),
    ];
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

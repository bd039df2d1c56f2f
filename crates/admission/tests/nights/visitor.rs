//! Somebody before the room: what the page's script does, and what people do with a page.

use forebay_admission::pass::Pass;
use forebay_admission::ticket::Ticket;

/// The page says so long that it goes in before it does.
pub(crate) const LEAVES_AFTER: u64 = 3_000;
/// A network makes a request so late at most.
pub(crate) const NETWORK: u64 = 2_500;
/// A browser lets the timers of a tab that nobody sees run once a minute, after so long.
pub(crate) const THROTTLED_AFTER: u64 = 300_000;
/// Nobody who is never told a number.
pub(crate) const NEVER: u64 = u64::MAX;

/// What somebody does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Gets the page: the first time, a reload, the link without JavaScript, or to enter.
    Page,
    /// Asks for the status, as the page's script does; without JavaScript the style sheet.
    Ask,
    /// Has had enough.
    Leaves,
    /// Looks at the tab again.
    Looks,
    /// Is inside and asks for something.
    Visits,
}

/// How somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Script,
    Plain,
    Ghost,
}

/// Where somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Line,
    Inside,
    Gone,
}

pub(crate) struct Visitor {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    pub(crate) at: At,
    pub(crate) can_wait: bool,
    pub(crate) sleepy: bool,
    pub(crate) asleep: bool,
    /// Since when nobody looks at the tab.
    pub(crate) hidden: Option<u64>,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) pass: Option<Pass>,
    /// When the next step is, and which: an event that says another is stale.
    pub(crate) next: (u64, Step),
    pub(crate) leaves: u64,
    pub(crate) failures: u32,
    /// The page says that the turn has come.
    pub(crate) entering: bool,
    /// Counted among those who wait for the room and for nothing else.
    pub(crate) live: bool,
    pub(crate) told: Told,
}

/// What somebody was told, and when what happened; for the account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) least: Option<u32>,
    /// The first band: when, p50, p90 in milliseconds.
    pub(crate) band: Option<(u64, u64, u64)>,
    /// First there when called.
    pub(crate) present: u64,
    /// When the right to enter was given.
    pub(crate) turn: u64,
    pub(crate) entered: u64,
    /// How often "your turn" was said.
    pub(crate) turns: u32,
}

impl Visitor {
    pub(crate) const fn new(id: u64, kind: Kind) -> Self {
        Self {
            id,
            kind,
            at: At::Line,
            can_wait: true,
            sleepy: false,
            asleep: false,
            hidden: None,
            ticket: None,
            pass: None,
            next: (0, Step::Page),
            leaves: NEVER,
            failures: 0,
            entering: false,
            live: false,
            told: Told {
                least: None,
                band: None,
                present: NEVER,
                turn: NEVER,
                entered: NEVER,
                turns: 0,
            },
        }
    }

    /// Waits for the room, awake and on the page, and for nothing of its own.
    pub(crate) fn waits(&self) -> bool {
        self.at == At::Line
            && self.kind == Kind::Script
            && !self.asleep
            && self.hidden.is_none()
            && !self.entering
            && self.ticket.is_some_and(|ticket| ticket.confirmed)
    }
}

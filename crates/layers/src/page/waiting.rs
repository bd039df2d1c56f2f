//! The waiting room's page.

use std::time::Duration;

use super::escape;
use super::template::Slot;
use super::words::{self, Words};

/// Where a visitor in line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitState {
    /// In line, which moves.
    Queueing,
    /// The turn has come.
    Called,
    /// In line while nobody is let in (mode `hold`).
    Closed,
    /// In line while the site is being worked on (mode `maintenance`).
    Maintenance,
    /// Before an event has opened; this long until it does, at least.
    Early(Duration),
}

impl WaitState {
    /// The name in the page's `data-state`: that of the room's status, but for what comes before
    /// an event.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queueing => "queueing",
            Self::Early(_) => "early",
            Self::Called => "called",
            Self::Closed | Self::Maintenance => "closed",
        }
    }
}

/// Which texts a waiting page carries: a page in line cannot become one before an event, so that
/// not every page has to have the words of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Everybody enters in order of arrival.
    Arrival,
    /// The order is drawn by lot.
    Drawn,
    /// The same, and it has not been drawn yet.
    Early,
    /// The site is being worked on.
    Maintenance,
}

impl Phase {
    /// Every phase, at its own index.
    pub(super) const ALL: [Self; 4] = [Self::Arrival, Self::Drawn, Self::Early, Self::Maintenance];

    /// The phase in which one visitor is.
    pub(super) const fn of(waiting: &Waiting<'_>) -> Self {
        match waiting.state {
            WaitState::Maintenance => Self::Maintenance,
            WaitState::Early(_) => Self::Early,
            _ if waiting.drawn => Self::Drawn,
            _ => Self::Arrival,
        }
    }

    /// Whether a template's flag of this name holds; none: there is no such flag.
    pub(super) fn holds(self, flag: &str) -> Option<bool> {
        match flag {
            "drawn" => Some(matches!(self, Self::Drawn | Self::Early)),
            "early" => Some(self == Self::Early),
            "maintenance" => Some(self == Self::Maintenance),
            // Few lines are paused before they have moved: not worth their bytes.
            "pausable" => Some(matches!(self, Self::Arrival | Self::Drawn)),
            _ => None,
        }
    }
}

/// What the waiting page tells one visitor.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// The room's name, for the status address.
    pub room: &'a str,
    /// Where the visitor stands.
    pub state: WaitState,
    /// Live visitors ahead; none: not known.
    pub ahead: Option<u32>,
    /// How long the wait is likely to be (p50) and hardly more than (p90); none: not known.
    pub eta: Option<(Duration, Duration)>,
    /// When the page asks next; rounded up to whole seconds, at least one.
    pub poll_after: Duration,
    /// How long the place of a visitor who went silent is kept (`ticket.keep`).
    pub keep: Duration,
    /// What the visitor names when asking for help; at best the same for a ticket's whole life.
    pub reference: &'a str,
    /// First contact: the position is being counted, and the page asks again within 1.5 s.
    pub counting: bool,
    /// The order is drawn by lot and not that of arrival.
    pub drawn: bool,
    /// The held request carried a form (an unsafe method): the page never leaves by itself and
    /// offers to send the form again when the turn comes.
    pub form: bool,
}

impl Waiting<'_> {
    /// What takes as many bytes as numbers and names are likely to.
    pub(super) const WORST: Self = Waiting {
        room: "a-room-whose-name-is-as-long-as-names-of-rooms-are-likely-to-get",
        state: WaitState::Queueing,
        ahead: Some(u32::MAX),
        eta: Some((Duration::from_secs(359_000), Duration::from_secs(360_000))),
        poll_after: Duration::from_secs(u32::MAX as u64),
        keep: Duration::from_secs(86_000),
        reference: "0123456789abcdef",
        counting: true,
        drawn: false,
        form: true,
    };

    /// At most how many bytes the slots take, for two languages and names that need no escaping.
    pub(super) const fn spare(&self) -> usize {
        512 + self.room.len() + 4 * self.reference.len()
    }

    /// Fills one slot.
    pub(super) fn fill(&self, slot: WaitingSlot, words: &[Words], out: &mut Vec<u8>) {
        match slot {
            WaitingSlot::State => out.extend_from_slice(self.state.name().as_bytes()),
            WaitingSlot::Counting => {
                if self.counting {
                    out.extend_from_slice(b" data-counting");
                }
            }
            WaitingSlot::AheadPlain => {
                if let Some(ahead) = self.ahead {
                    words::decimal(ahead.into(), out);
                }
            }
            WaitingSlot::Poll => words::decimal(whole_seconds(self.poll_after), out),
            WaitingSlot::Room => escape::query(self.room, out),
            WaitingSlot::Reference => escape::html(self.reference, out),
            WaitingSlot::Keep(language) => {
                words[language].clock(self.keep.as_secs().div_ceil(60).max(1), out);
            }
            WaitingSlot::Ahead(language) => {
                let drawn = self.drawn || matches!(self.state, WaitState::Early(_));
                words[language].ahead(self.ahead, (self.counting, drawn), out);
            }
            WaitingSlot::Wait(language) => words[language].wait(self.eta, out),
            WaitingSlot::Opens(language) => words[language].wait(self.opens(), out),
            WaitingSlot::Again(language) => words[language].try_again_in(self.poll_after, out),
            WaitingSlot::Title(language) => words[language].title(self.state, self.ahead, out),
        }
    }

    /// Until the opening, from a minute on in whole ones: it is no guess, and no band.
    const fn opens(&self) -> Option<(Duration, Duration)> {
        match self.state {
            WaitState::Early(until) if until.as_secs() >= 60 => {
                let whole = Duration::from_secs(until.as_secs().div_ceil(60) * 60);
                Some((whole, whole))
            }
            WaitState::Early(until) => Some((until, until)),
            _ => None,
        }
    }
}

/// Rounded up, and at least one, so that nobody is told to ask again at once.
pub(super) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs()
        .saturating_add(u64::from(time.subsec_nanos() > 0))
        .max(1)
}

/// What is spliced into the waiting page; a number is the index of the language.
#[derive(Clone, Copy, Debug)]
pub(super) enum WaitingSlot {
    State,
    Counting,
    AheadPlain,
    Poll,
    Room,
    Reference,
    Keep(usize),
    Ahead(usize),
    Wait(usize),
    Opens(usize),
    Again(usize),
    Title(usize),
}

impl Slot for WaitingSlot {
    fn named(name: &str, language: usize) -> Option<Self> {
        Some(match name {
            "state" => Self::State,
            "counting_flag" => Self::Counting,
            "ahead_plain" => Self::AheadPlain,
            "poll" => Self::Poll,
            "room" => Self::Room,
            "reference" => Self::Reference,
            "keep" => Self::Keep(language),
            "ahead" => Self::Ahead(language),
            "wait" => Self::Wait(language),
            "opens" => Self::Opens(language),
            "again" => Self::Again(language),
            "waiting_title" => Self::Title(language),
            _ => return None,
        })
    }
}

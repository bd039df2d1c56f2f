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
}

impl WaitState {
    const ALL: [Self; 3] = [Self::Queueing, Self::Called, Self::Closed];

    /// The name that the room's status uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queueing => "queueing",
            Self::Called => "called",
            Self::Closed => "closed",
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
    /// The held request carried a form (an unsafe method): the page never leaves by itself and
    /// offers to send the form again when the turn comes.
    pub form: bool,
}

impl Waiting<'_> {
    /// At most how many bytes the slots take, for two languages and names that need no escaping.
    pub(super) const fn spare(&self) -> usize {
        512 + self.room.len() + 4 * self.reference.len()
    }

    /// Fills one slot.
    pub(super) fn fill(&self, slot: WaitingSlot, words: &[Words], out: &mut Vec<u8>) {
        match slot {
            WaitingSlot::State => out.extend_from_slice(self.state.name().as_bytes()),
            WaitingSlot::HiddenUnless(states) => {
                if !states.has(self.state) {
                    out.extend_from_slice(b" hidden");
                }
            }
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
            WaitingSlot::Keep => words::clock(self.keep.as_secs().div_ceil(60).max(1), out),
            WaitingSlot::Ahead(language) => words[language].ahead(self.ahead, self.counting, out),
            WaitingSlot::Wait(language) => words[language].wait(self.eta, out),
            WaitingSlot::Title(language) if self.state == WaitState::Called => {
                words[language].title_called(out);
            }
            WaitingSlot::Title(language) => words[language].title_waiting(self.ahead, out),
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
    HiddenUnless(States),
    Counting,
    AheadPlain,
    Poll,
    Room,
    Reference,
    Keep,
    Ahead(usize),
    Wait(usize),
    Title(usize),
}

impl Slot for WaitingSlot {
    fn named(name: &str, language: usize) -> Option<Self> {
        if let Some(states) = name.strip_prefix("in ") {
            return States::named(states).map(Self::HiddenUnless);
        }
        Some(match name {
            "state" => Self::State,
            "counting_flag" => Self::Counting,
            "ahead_plain" => Self::AheadPlain,
            "poll" => Self::Poll,
            "room" => Self::Room,
            "reference" => Self::Reference,
            "keep" => Self::Keep,
            "ahead" => Self::Ahead(language),
            "wait" => Self::Wait(language),
            "waiting_title" => Self::Title(language),
            _ => return None,
        })
    }
}

/// A set of states.
#[derive(Clone, Copy, Debug)]
pub(super) struct States(u8);

impl States {
    fn named(names: &str) -> Option<Self> {
        names.split(' ').try_fold(Self(0), |states, name| {
            let state = WaitState::ALL
                .into_iter()
                .find(|state| state.name() == name)?;
            Some(Self(states.0 | Self::bit(state)))
        })
    }

    const fn has(self, state: WaitState) -> bool {
        self.0 & Self::bit(state) != 0
    }

    const fn bit(state: WaitState) -> u8 {
        1 << state as u8
    }
}

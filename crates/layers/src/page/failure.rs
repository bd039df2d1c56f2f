//! What went wrong, in a visitor's terms: each reason has its words.

use std::time::Duration;

use forebay_admission::verdict::Reason;

use super::catalogue::Catalogue;
use super::escape;
use super::template::Slot;
use super::words::{self, Words};

/// What an error page says.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The answer's status, shown small.
    pub status: u16,
    /// What happened, in the visitor's terms.
    pub kind: ErrorKind,
    /// When trying again is worth it; none: not said.
    pub retry_after: Option<Duration>,
    /// What the visitor names when asking for help.
    pub reference: &'a str,
    /// The request carried a form: the page says whether it may have arrived.
    pub form: bool,
}

/// What an error page tells about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Too many requests in a short time.
    TooFast,
    /// All places are taken for the moment.
    Full,
    /// Nothing stands at this address.
    NotFound,
    /// This host is not served here.
    WrongSite,
    /// The request cannot be understood or is not allowed here.
    BadRequest,
    /// The request's header is too large, mostly because of old cookies.
    HeaderTooLarge,
    /// What was sent is too large.
    TooLarge,
    /// What was sent came too slowly.
    TooSlow,
    /// The site behind us gave no usable answer.
    Unavailable,
    /// The site behind us gave no answer in time.
    Late,
    /// A fault of our own.
    Fault,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::TooFast,
        Self::Full,
        Self::NotFound,
        Self::WrongSite,
        Self::BadRequest,
        Self::HeaderTooLarge,
        Self::TooLarge,
        Self::TooSlow,
        Self::Unavailable,
        Self::Late,
        Self::Fault,
    ];

    /// The words for a reason.
    #[must_use]
    pub const fn of(reason: Reason) -> Self {
        match reason {
            Reason::ClientRate | Reason::PassRate | Reason::RoomRate => Self::TooFast,
            Reason::RoomWaiting
            | Reason::RoomClosed
            | Reason::Maintenance
            | Reason::Stranger
            | Reason::Busy
            | Reason::SubResource
            | Reason::FormWithoutPass
            | Reason::ConnectionsFull
            | Reason::StreamsFull
            | Reason::OriginBusy => Self::Full,
            Reason::NoRoute => Self::NotFound,
            Reason::UnknownHost => Self::WrongSite,
            Reason::BadRequest
            | Reason::MethodNotAllowed
            | Reason::ExpectationFailed
            | Reason::TargetTooLong => Self::BadRequest,
            Reason::HeaderTooLarge => Self::HeaderTooLarge,
            Reason::BodyTooLarge => Self::TooLarge,
            Reason::BodyTimeout => Self::TooSlow,
            Reason::OriginUnreachable
            | Reason::OriginDown
            | Reason::OriginReset
            | Reason::OriginProtocol
            | Reason::BadUpgrade => Self::Unavailable,
            Reason::OriginConnectTimeout | Reason::OriginTimeout => Self::Late,
            Reason::Panic => Self::Fault,
        }
    }

    /// Whether the same request may succeed when tried again.
    const fn passes(self) -> bool {
        match self {
            Self::TooFast
            | Self::Full
            | Self::TooSlow
            | Self::Unavailable
            | Self::Late
            | Self::Fault => true,
            Self::NotFound
            | Self::WrongSite
            | Self::BadRequest
            | Self::HeaderTooLarge
            | Self::TooLarge => false,
        }
    }

    /// Whether the request may have had its effect all the same.
    const fn may_have_arrived(self) -> bool {
        matches!(self, Self::Unavailable | Self::Late | Self::Fault)
    }

    /// Keys of the heading and the text in a catalogue.
    const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::TooFast => ("too_fast_heading", "too_fast_text"),
            Self::Full => ("full_heading", "full_text"),
            Self::NotFound => ("not_found_heading", "not_found_text"),
            Self::WrongSite => ("wrong_site_heading", "wrong_site_text"),
            Self::BadRequest => ("bad_request_heading", "bad_request_text"),
            Self::HeaderTooLarge => ("header_too_large_heading", "header_too_large_text"),
            Self::TooLarge => ("too_large_heading", "too_large_text"),
            Self::TooSlow => ("too_slow_heading", "too_slow_text"),
            Self::Unavailable => ("unavailable_heading", "unavailable_text"),
            Self::Late => ("late_heading", "late_text"),
            Self::Fault => ("fault_heading", "fault_text"),
        }
    }
}

/// Heading and text of every kind in one language, escaped already.
#[derive(Clone, Debug)]
pub(super) struct FailureWords([(String, String); ErrorKind::ALL.len()]);

impl FailureWords {
    /// Takes the words from a catalogue; the key of a missing one otherwise.
    pub(super) fn of(catalogue: &Catalogue) -> Result<Self, &'static str> {
        let mut words = Self(Default::default());
        for (slot, kind) in words.0.iter_mut().zip(ErrorKind::ALL) {
            let text = |key| catalogue.text(key).map(escape::html_string).ok_or(key);
            let (heading, explanation) = kind.keys();
            *slot = (text(heading)?, text(explanation)?);
        }
        Ok(words)
    }

    const fn about(&self, kind: ErrorKind) -> &(String, String) {
        &self.0[kind as usize]
    }
}

impl Failure<'_> {
    /// Fills one slot.
    pub(super) fn fill(
        &self,
        slot: FailureSlot,
        words: &[Words],
        failures: &[FailureWords],
        out: &mut Vec<u8>,
    ) {
        match slot {
            FailureSlot::Status => words::decimal(self.status.into(), out),
            FailureSlot::Reference => escape::html(self.reference, out),
            FailureSlot::Heading(language) => {
                out.extend_from_slice(failures[language].about(self.kind).0.as_bytes());
            }
            FailureSlot::Text(language) => {
                out.extend_from_slice(failures[language].about(self.kind).1.as_bytes());
            }
            FailureSlot::When(language) => {
                if let Some(time) = self.retry_after.filter(|_| self.kind.passes()) {
                    words[language].try_again_in(time, out);
                }
            }
            FailureSlot::Form(language) if self.kind.may_have_arrived() => {
                out.extend_from_slice(words[language].error_unsure.as_bytes());
            }
            FailureSlot::Form(language) => {
                out.extend_from_slice(words[language].error_unsent.as_bytes());
            }
            FailureSlot::AgainHidden => {
                if !self.kind.passes() {
                    out.extend_from_slice(b" hidden");
                }
            }
        }
    }
}

/// What is spliced into an error page; a number is the index of the language.
#[derive(Clone, Copy, Debug)]
pub(super) enum FailureSlot {
    Status,
    Reference,
    Heading(usize),
    Text(usize),
    When(usize),
    Form(usize),
    AgainHidden,
}

impl Slot for FailureSlot {
    fn named(name: &str, language: usize) -> Option<Self> {
        Some(match name {
            "status" => Self::Status,
            "reference" => Self::Reference,
            "error_heading" => Self::Heading(language),
            "error_text" => Self::Text(language),
            "error_when" => Self::When(language),
            "error_form" => Self::Form(language),
            "again_hidden" => Self::AgainHidden,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_finds_its_own_words() {
        for (index, kind) in ErrorKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index, "{kind:?}");
        }
    }
}

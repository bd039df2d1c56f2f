//! The "one moment" page.

use std::time::Duration;

use super::escape;
use super::template::Slot;
use super::waiting::whole_seconds;
use super::words;

/// What the "one moment" page tells a visitor who is inside.
#[derive(Clone, Copy, Debug)]
pub struct Busy<'a> {
    /// When the page tries again, rounded up to whole seconds; it adds its own jitter of a quarter.
    pub retry_after: Duration,
    /// What the visitor names when asking for help.
    pub reference: &'a str,
    /// The request carried a form: the page does not try by itself and offers to send it again.
    pub form: bool,
}

impl Busy<'_> {
    /// Fills one slot.
    pub(super) fn fill(&self, slot: BusySlot, out: &mut Vec<u8>) {
        match slot {
            BusySlot::Retry => words::decimal(whole_seconds(self.retry_after), out),
            BusySlot::Reference => escape::html(self.reference, out),
        }
    }
}

/// What is spliced into the "one moment" page.
#[derive(Clone, Copy, Debug)]
pub(super) enum BusySlot {
    Retry,
    Reference,
}

impl Slot for BusySlot {
    fn named(name: &str, _language: usize) -> Option<Self> {
        match name {
            "retry" => Some(Self::Retry),
            "reference" => Some(Self::Reference),
            _ => None,
        }
    }
}

//! A visitor: what the waiting page's script and a person on a form do.

use forebay_admission::pass::Pass;
use forebay_admission::ticket::Ticket;

/// The page says so long that it goes in before it does.
pub(crate) const LEAVES_AFTER: f64 = 3.0;
/// Who is inside waits so long for a page, "one moment" pages and all.
pub(crate) const PATIENCE: f64 = 60.0;
/// The "one moment" page tries again after this, a quarter more or less.
pub(crate) const ONE_MOMENT: f64 = 3.0;
/// To the proxy and back.
pub(crate) const TRIP: f64 = 0.05;

/// Where a visitor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Outside or in line.
    Line,
    /// Before, at or behind the gate, or thinking.
    Inside,
    /// Gone.
    Gone,
}

pub(crate) struct Visitor {
    pub(crate) id: u64,
    pub(crate) at: At,
    pub(crate) ghost: bool,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) pass: Option<Pass>,
    /// Until when the answer to a poll is kept back.
    pub(crate) held: Option<f64>,
    /// Until when the visitor stays in line.
    pub(crate) leaves: f64,
    /// The first try of this page.
    pub(crate) since: f64,
    /// The page that is asked for, from 0.
    pub(crate) page: u32,
    /// Requests of this page that are not answered.
    pub(crate) open: u32,
    /// The room has let this one in, or the open room through, with the request at the gate.
    pub(crate) entering: bool,
}

impl Visitor {
    /// Whether the page asked for is sent rather than fetched.
    pub(crate) const fn sends(&self) -> bool {
        self.page >= 2
    }
}

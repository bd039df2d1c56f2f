//! What the operator may set. Checked by `config`; any value here is safe.

use core::num::NonZeroU32;
use core::time::Duration;

use super::{Event, Order};
use crate::pass::PassRules;
use crate::rate::Rate;

/// Who may enter at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The room opens by itself under pressure and goes away by itself.
    #[default]
    Auto,
    /// Nobody new enters; the called keep their call and wait too. Passes go on.
    Hold,
    /// Everybody gets a ticket and sees at least one page.
    QueueAll,
    /// As [`Hold`](Self::Hold), and passes do not go on either: nobody reaches the origin.
    /// Tickets and passes keep their worth.
    Maintenance,
    /// No room: everybody passes, and a ticket is worth a pass at once.
    Off,
}

impl Mode {
    /// The name in the configuration, the API and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Hold => "hold",
            Self::QueueAll => "queue-all",
            Self::Maintenance => "maintenance",
            Self::Off => "off",
        }
    }

    /// Whether nobody is called and nobody enters.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Hold | Self::Maintenance)
    }
}

/// What moves the watermark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InletRule {
    /// What the origin can take.
    #[default]
    Auto,
    /// At most so many visitors per time, and fewer where the origin cannot take them.
    Rate(Rate),
    /// Whoever comes; what [`Auto`](Self::Auto) would do is worked out and told, and not done.
    Shadow,
}

/// A room's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Who may enter at all.
    pub mode: Mode,
    /// What moves the watermark.
    pub inlet: InletRule,
    /// In which order those who wait are called.
    pub order: Order,
    /// The next event, if one is planned.
    pub event: Option<Event>,
    /// Hard bound on called + inside.
    pub active: Option<NonZeroU32>,
    /// How much of the tokens those have whom the operator invited, while others wait: thousandths.
    pub invite_milli: u32,
    /// How long a silent visitor keeps the place.
    pub keep: Duration,
    /// Who was told that the turn has come and did not come is promised no token again for so
    /// long; the turn stays, and who comes enters before all others.
    pub call: Duration,
    /// How long passes are good.
    pub pass: PassRules,
    /// Shortest time between two polls of one visitor.
    pub poll_min: Duration,
    /// Longest time between two polls while the budget allows it.
    pub poll_max: Duration,
    /// Polls per second to aim for at most; a longer line polls more rarely.
    pub poll_budget: u32,
}

impl Settings {
    /// Neither a rate nor a number of visitors inside has to see each newcomer.
    #[must_use]
    pub const fn is_uncounted(&self) -> bool {
        !matches!(self.inlet, InletRule::Rate(_)) && self.active.is_none()
    }
}

impl Default for Settings {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        let pass = PassRules {
            idle: minutes(10),
            lifetime: minutes(720),
            form_grace: minutes(15),
        };
        Self {
            mode: Mode::Auto,
            inlet: InletRule::Auto,
            order: Order::Arrival,
            event: None,
            active: None,
            invite_milli: 100,
            keep: minutes(30),
            call: minutes(2),
            pass,
            poll_min: Duration::from_secs(1),
            poll_max: Duration::from_secs(60),
            poll_budget: 5_000,
        }
    }
}

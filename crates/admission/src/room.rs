//! The waiting room: who waits, in which order they enter, and what they are told.
//!
//! Nothing is kept per visitor: the place in line is in the signed ticket, and the room counts.
//! The order comes from the watermark, the bound from the tokens taken at the claim. All
//! randomness is in the ids given by the caller; all time is an argument and never goes back.

mod accuracy;
mod ask;
mod bucket;
mod calls;
mod forecast;
mod inside;
mod lane;
mod line;
mod load;
mod order;
mod present;
mod recent;
mod settings;
mod shadow;
mod share;
mod snapshot;
mod status;
mod tell;
mod tick;
mod told;
mod turn;

pub use ask::{Asked, Asking};
pub use load::Load;
pub use order::{Drawn, Event, Order};
pub use settings::{InletRule, Mode, Settings};
pub use shadow::Shadow;
pub use snapshot::BadSnapshot;
pub use status::{Holds, Status};
pub use told::{Eta, State, Told, Turn, TurnState};

use core::num::NonZeroU32;

use self::accuracy::Accuracy;
use self::calls::Calls;
use self::forecast::Forecast;
use self::inside::Inside;
use self::lane::Lane;
use self::line::Line;
use self::order::Orders;
use self::present::Present;
use self::recent::Recent;
use self::share::Shares;
use self::tick::Pulse;
use crate::credential::RoomId;
use crate::inlet::{Auto, Credit, Inlet, Pace};
use crate::time::WallTime;
use crate::watermark::{Place, Watermark};

/// One waiting room. The shell keeps it behind a mutex: no verb but [`tick`](Self::tick),
/// [`publish`](Self::publish) and [`snapshot`](Self::snapshot) walks over the line.
#[derive(Debug)]
pub struct Room {
    id: RoomId,
    settings: Settings,
    now: WallTime,
    ticked: WallTime,
    /// In mode auto: the line is open.
    queueing: bool,
    /// Since when it is open, and since when nothing speaks for it.
    opened: WallTime,
    calm_since: WallTime,
    line: Line,
    orders: Orders,
    shares: Shares,
    calls: Calls,
    /// Free places at the origin that nobody was let into since the last tick.
    idle: u32,
    present: Present,
    lane: Lane,
    watermark: Watermark,
    inlet: Inlet,
    auto: Auto,
    /// What the inlet would do, where it only looks on.
    shadow: Option<Shadow>,
    /// When the origin was last not at ease, where the inlet only looks on.
    uneasy: WallTime,
    /// The load of the last tick.
    load: Load,
    inside: Inside,
    polls: Recent,
    claims: Recent,
    pulse: Pulse,
    forecast: Forecast,
    accuracy: Accuracy,
    claimed: u64,
    /// Passes given.
    admitted: u64,
    /// Something changed that a snapshot would keep.
    dirty: bool,
}

impl Room {
    /// An empty room. Tickets of an earlier process, whose snapshot was lost, are counted and
    /// called: the tokens keep the bound and the order of those who come.
    #[must_use]
    pub fn new(id: RoomId, settings: Settings, now: WallTime) -> Self {
        let line = Line::new(now, 0..bucket::second(now) + 1);
        let inlet = Inlet::full(pace(settings.inlet), now);
        let orders = Orders::after_loss(settings.event, now);
        let called = orders
            .bound(now)
            .map_or(Place::at(now), |bound| bound.min(Place::at(now)));
        let watermark = Watermark::new(called);
        let mut room = Self::with(id, settings, line, watermark, inlet, now);
        room.orders = orders;
        room.orders.configure(settings.order, settings.event, now);
        room
    }

    fn with(
        id: RoomId,
        settings: Settings,
        line: Line,
        watermark: Watermark,
        inlet: Inlet,
        now: WallTime,
    ) -> Self {
        let mut room = Self {
            id,
            settings,
            now,
            ticked: now,
            queueing: false,
            opened: now,
            calm_since: now,
            idle: 0,
            calls: Calls::restart(&line, now),
            line,
            orders: Orders::default(),
            shares: Shares::default(),
            present: Present::default(),
            lane: Lane::default(),
            watermark,
            inlet,
            auto: Auto::default(),
            shadow: None,
            uneasy: now,
            load: Load::default(),
            inside: Inside::new(settings.pass.idle),
            polls: Recent::new(14),
            claims: Recent::new(15),
            pulse: Pulse::new(settings.inlet),
            forecast: Forecast::new(now),
            accuracy: Accuracy::new(),
            claimed: 0,
            admitted: 0,
            dirty: true,
        };
        room.orders.configure(settings.order, settings.event, now);
        room.publish(now);
        room
    }

    /// Takes new settings; the line and everybody's place stay.
    pub fn configure(&mut self, settings: Settings, now: WallTime) {
        let now = self.touch(now);
        let before = core::mem::replace(&mut self.settings, settings);
        if before.inlet != settings.inlet {
            self.inlet.set_pace(pace(settings.inlet), now);
            self.pulse.speed = Pulse::new(settings.inlet).speed;
        }
        if before.mode != settings.mode {
            self.queueing = !self.is_empty(now);
            self.calm_since = now;
        }
        self.inside.set_idle(settings.pass.idle, now);
        self.orders.configure(settings.order, settings.event, now);
        self.check();
    }

    /// Changes the mode.
    pub fn set_mode(&mut self, mode: Mode, now: WallTime) {
        self.configure(
            Settings {
                mode,
                ..self.settings
            },
            now,
        );
    }

    /// Changes what moves the watermark.
    pub fn set_inlet(&mut self, inlet: InletRule, now: WallTime) {
        self.configure(
            Settings {
                inlet,
                ..self.settings
            },
            now,
        );
    }

    /// Changes the cap on visitors inside.
    pub fn set_active(&mut self, active: Option<NonZeroU32>, now: WallTime) {
        self.configure(
            Settings {
                active,
                ..self.settings
            },
            now,
        );
    }

    /// The settings in force.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The room's id.
    #[must_use]
    pub const fn id(&self) -> RoomId {
        self.id
    }

    /// Whether newcomers pass, wait, or are held.
    #[must_use]
    pub fn state(&self) -> State {
        match self.settings.mode {
            Mode::Hold | Mode::Maintenance => State::Closed,
            Mode::Off => State::Open,
            Mode::QueueAll => State::Queueing,
            Mode::Auto if self.queueing || self.is_before_opening() => State::Queueing,
            Mode::Auto => State::Open,
        }
    }

    /// The room's figures.
    #[must_use]
    pub fn status(&self, now: WallTime) -> Status {
        let now = self.now.max(now);
        let first = self
            .line
            .oldest()
            .map(Place::start_of)
            .into_iter()
            .chain(self.present.first());
        let mut status = Status {
            mode: self.settings.mode,
            state: self.state(),
            waiting: self.line.believed(),
            active: self.inside.count(),
            called: self.line.called.whole(),
            outstanding: self.line.out.plus(HALF).whole(),
            claimed: self.claimed,
            abandoned: self.line.abandoned,
            admitted_total: self.admitted,
            oldest_wait: first
                .min()
                .map(|place| now.saturating_since(place.time()))
                .unwrap_or_default(),
            rate_milli: self.pulse.admitted.get().milli(),
            holds: self.holds(),
            pace_milli: self.pace_milli(),
            capacity_milli: self.auto.capacity_milli(),
            demand_milli: self.auto.demand_milli(),
            shadow: self.shadow,
            ghosts: self.line.ghosts,
            ..Status::default()
        };
        self.accuracy.fill(&mut status);
        status
    }

    /// The latest time the room has seen. The shell's wall clock must not start before it:
    /// credentials signed at this time would look as if they came from the future.
    #[must_use]
    pub const fn clock(&self) -> WallTime {
        self.now
    }

    /// How far the line is called, as published.
    #[must_use]
    pub const fn called_up_to(&self) -> Place {
        self.watermark.published()
    }

    fn advance(&mut self, now: WallTime) -> WallTime {
        self.now = self.now.max(now);
        self.inlet.earn(self.now);
        if self.lane.is_wanted() {
            let share = self.share();
            self.lane.take(&mut self.inlet, share, self.now);
        }
        self.now
    }

    /// A verb that changes something a snapshot keeps.
    fn touch(&mut self, now: WallTime) -> WallTime {
        self.dirty = true;
        self.advance(now)
    }

    /// Debug builds check after each verb what must hold at any time.
    fn check(&self) {
        debug_assert!(
            self.watermark.published() <= self.watermark.pending(),
            "told, then saved"
        );
        debug_assert!(self.inlet.holds(), "never more tokens than the burst");
        debug_assert!(self.line.settled(), "counts are never below zero");
        debug_assert!(self.orders.holds(), "draws stand in order");
    }
}

/// For rounding to whole visitors.
const HALF: Credit = Credit::from_nano(Credit::ONE.as_nano() / 2);

/// The pace at the start; the automatic one is found by ticks.
fn pace(inlet: InletRule) -> Pace {
    match inlet {
        InletRule::Auto => Pace::Measured(Credit::ZERO),
        InletRule::Rate(rate) => Pace::Fixed(rate),
        InletRule::Shadow => Pace::Measured(Credit::from_whole(ANYBODY)),
    }
}

/// Visitors a second where nothing holds anybody up.
const ANYBODY: u64 = 1_000_000;

#[cfg(test)]
mod tests;

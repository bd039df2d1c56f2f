//! The adaptive limit: does one per cent more at once still buy throughput?
//!
//! The limit is moved a little up and down in turn, and what the origin finished under the higher
//! and the lower one is compared: an elasticity above [`WORTH`] moves it up, one below moves it
//! down. It learns only while the limit binds, and no latency moves it: a database that is three
//! times slower does not change the right limit. There is no baseline that could drift and no probe
//! that turns anybody away.
//!
//! Errors cut. Throughput that is suddenly lost, or comes back, takes the limit half of the way to
//! where it belongs if servers died or returned, and the dither finds the rest.
//!
//! ```text
//!   start ──(more buys nothing, throughput falls, or answers take 3 times as long)──► dither ◄─┐
//!                                                                                      │      │
//!                           errors: × 0.8; throughput lost or back: × √(now/before) ───┴──────┘
//! ```

use core::time::Duration;

use super::change::{Change, Shift};
use super::exposure::{Expected, Exposure, Window};
use super::peak::Peak;
use super::slew::Slew;
use crate::time::Timestamp;

/// What a doubling has to buy: throughput by 2^0.07, about 5 %.
const WORTH: f64 = 0.07;
/// Growth from window to window while starting.
const START_GROWTH: f64 = 1.6;
/// First limit without anything known.
const FIRST: f64 = 10.0;
/// How wrong the level may be at most, as a variance of its logarithm.
const DOUBT_MAX: f64 = 0.3;
/// How wrong what a start found may be.
const DOUBT_FOUND: f64 = 0.15;
/// How wrong a saved level may be.
const DOUBT_RESTORED: f64 = 0.1;
/// How fast doubt grows by itself, a second.
const DOUBT_PER_SECOND: f64 = 0.000_5;
/// How steeply elasticity falls with the logarithm of the level.
const SLOPE: f64 = 0.5;
/// The dither while unsure, and its least and usual size.
const DITHER: (f64, f64) = (0.25, 0.12);
/// Completions at which the usual dither is enough.
const DITHER_COUNT: f64 = 150.0;
/// Pairs of windows for which a new regime stays unsure.
const UNSURE_PAIRS: u8 = 3;
/// The largest step of one pair, in the logarithm of the level.
const STEP_MAX: f64 = 0.7;
/// How many responses a window settles, and lasts: while unsure, and else.
const HASTY: (f64, f64) = (0.3, 1.0);
const CALM: (f64, f64) = (1.0, 2.0);
/// More than one per cent of throughput for one per cent more at once.
const PROPORTIONAL: f64 = 1.0;
/// Share of failures that is congestion, and of how many at least.
const CONGESTED: (f64, u64) = (0.05, 10);
/// The largest change of throughput, as a logarithm, that is taken for one.
const SHIFT_MAX: f64 = 2.0;
/// While starting, so much more throughput is better.
const BETTER: f64 = 0.1;
/// Under pressure for more than this share of a window: what the origin does is its own doing.
const WHOLLY: f64 = 0.8;
/// What congestion leaves of the level.
const CUT: f64 = 0.8;
/// Under pressure for less than this share of a window: nothing to learn.
const PRESSED: f64 = 0.02;

/// Between which limits the law is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Never below; at least 1.
    pub min: u32,
    /// Never above.
    pub max: u32,
}

impl Bounds {
    /// The same, but never below one request for each of so many servers that are alive.
    #[must_use]
    pub fn leaving_each_one(self, live: u32) -> Self {
        Self {
            min: self.min.max(live).min(self.max),
            ..self
        }
    }
}

/// Why the limit last moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Not yet.
    Never,
    /// Looking for the knee after a start.
    Start,
    /// More bought throughput.
    Worth,
    /// More bought nothing.
    Wasted,
    /// Refused, reset, timed out, 502, 503, 504.
    Congested,
    /// Throughput went up by itself.
    Returned,
    /// Throughput went down by itself.
    Lost,
    /// A limit saved before a restart.
    Restored,
}

impl Moved {
    /// Its name in `/api/status` and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Start => "start",
            Self::Worth => "worth",
            Self::Wasted => "wasted",
            Self::Congested => "congested",
            Self::Returned => "returned",
            Self::Lost => "lost",
            Self::Restored => "restored",
        }
    }
}

/// The law's memory.
#[derive(Clone, Debug)]
pub struct Adaptive {
    bounds: Bounds,
    level: f64,
    doubt: f64,
    phase: Phase,
    unsure: u8,
    turn: u8,
    limit: u32,
    slew: Slew,
    last_at: Timestamp,
    window: Window,
    first_half: Option<Measured>,
    count: f64,
    response: f64,
    rate: f64,
    /// What a loss took from the level, as a factor, for as long as it is unsure.
    given: f64,
    seen: bool,
    change: Change,
    errors: Window,
    peak: Peak,
    clamped: bool,
    spoilt: bool,
    moved: Moved,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Growing fast; what the windows before said.
    Start {
        quickest: f64,
        best: Option<Measured>,
        before: Option<Measured>,
        before_that: Option<Measured>,
    },
    Dither,
}

/// What one window under pressure said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    /// Requests at the origin, on average.
    pub(super) n: f64,
    /// Good completions a second.
    pub(super) rate: f64,
    /// What the origin does in a second, in the answers that young requests would have had.
    pub(super) work: f64,
    /// Good completions that this rests on.
    pub(super) count: f64,
    /// The share of the window that was under pressure.
    pub(super) pressed: f64,
}

const START: Phase = Phase::Start {
    quickest: f64::INFINITY,
    best: None,
    before: None,
    before_that: None,
};

impl Adaptive {
    /// Starts without knowing anything, at `now` with the totals `exposure`.
    #[must_use]
    pub fn new(bounds: Bounds, exposure: Exposure, now: Timestamp) -> Self {
        Self {
            bounds,
            level: FIRST.clamp(f64::from(bounds.min), f64::from(bounds.max)),
            doubt: DOUBT_MAX,
            phase: START,
            unsure: UNSURE_PAIRS,
            turn: 0,
            limit: (FIRST as u32).clamp(bounds.min, bounds.max),
            slew: Slew::default(),
            last_at: now,
            window: Window::new(exposure, now),
            first_half: None,
            count: 0.0,
            response: 0.05,
            rate: 0.0,
            given: 1.0,
            seen: false,
            change: Change::default(),
            errors: Window::new(exposure, now),
            peak: Peak::default(),
            clamped: false,
            spoilt: false,
            moved: Moved::Never,
        }
    }

    /// Goes on from a limit that was right when it was saved, instead of looking for one.
    pub fn restore(&mut self, limit: u32) {
        let limit = limit.clamp(self.bounds.min, self.bounds.max);
        self.level = f64::from(limit);
        self.limit = limit;
        self.slew = Slew::default();
        self.peak.see(limit, self.last_at);
        self.phase = Phase::Dither;
        self.doubt = DOUBT_RESTORED;
        self.unsure = 0;
        self.first_half = None;
        self.change = Change::default();
        self.spoilt = true;
        self.moved = Moved::Restored;
    }

    /// What was found so far, without the dither; `None` while it still looks for the knee.
    #[must_use]
    pub fn learned(&self) -> Option<u32> {
        let found = matches!(self.phase, Phase::Dither);
        found.then(|| libm::round(self.level) as u32)
    }

    /// The origin became another one just now, for instance because a server was ejected or came
    /// back: what was known is doubted, and the window that was being measured is thrown away.
    /// What it did until now stays known, so that capacity which comes back is seen as that.
    pub const fn unsure(&mut self) {
        self.doubt = DOUBT_MAX;
        self.unsure = UNSURE_PAIRS;
        self.first_half = None;
        self.spoilt = true;
    }

    /// The servers that are there can do `factor` times what those before could: so much more or
    /// less belongs at the origin, and nobody has to find that out. Less holds at once. What had
    /// been given for a loss that was just seen in the throughput is not given twice.
    pub fn scale(&mut self, factor: f64) {
        let given = core::mem::replace(&mut self.given, 1.0);
        self.rate *= factor;
        let factor = if factor < 1.0 {
            (factor / given).min(1.0)
        } else {
            factor
        };
        let (min, max) = (f64::from(self.bounds.min), f64::from(self.bounds.max));
        self.level = (self.level * factor).clamp(min, max);
        let level = libm::round(self.level) as u32;
        if level < self.limit {
            self.limit = level;
            self.slew = Slew::default();
        }
        self.change = Change::default();
        self.unsure();
    }

    /// Whether something else holds the limit below [`current`](Self::current) now, such as a
    /// hint of the origin. Windows in which it did teach nothing; errors still cut.
    pub const fn clamped(&mut self, clamped: bool) {
        self.spoilt |= clamped || self.clamped != clamped;
        self.clamped = clamped;
    }

    /// Other bounds, from the next window on.
    pub const fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// The limit in force.
    #[must_use]
    pub const fn current(&self) -> u32 {
        self.limit
    }

    /// The response time under pressure that it last saw; `None` before it saw one.
    #[must_use]
    pub const fn response(&self) -> Option<Duration> {
        if self.seen {
            Some(Duration::from_nanos((self.response * 1e9) as u64))
        } else {
            None
        }
    }

    /// Up to which age a request counts as young.
    #[must_use]
    pub const fn youth(&self) -> Duration {
        Duration::from_nanos((4.0 * self.response * 1e9) as u64)
    }

    /// Whether it still looks for the knee after a start.
    #[must_use]
    pub const fn starting(&self) -> bool {
        matches!(self.phase, Phase::Start { .. })
    }

    /// Why it last moved.
    #[must_use]
    pub const fn moved(&self) -> Moved {
        self.moved
    }

    /// Takes in the totals at `now`; called about every 50 ms. The limit may be another then.
    pub fn tick(&mut self, exposure: Exposure, now: Timestamp) {
        let span = now.saturating_since(self.last_at).as_secs_f64();
        self.last_at = now;
        if self.doubt < DOUBT_MAX {
            self.doubt = (self.doubt + DOUBT_PER_SECOND * span).min(DOUBT_MAX);
        }
        self.peak.see(exposure.in_flight, now);
        self.limit = self.slew.at(now).unwrap_or(self.limit);
        if self.congested(exposure, now) {
            return;
        }
        if self.clamped {
            return;
        }
        if self.spoilt {
            self.spoilt = false;
            self.first_half = None;
            self.open(exposure, now);
            return;
        }
        let expected = Expected {
            response: self.response,
            rate: self.rate,
            generations: self.pace().1,
        };
        if self.window.is_over(exposure, now, self.limit, expected) {
            self.learn(exposure, now);
            self.open(exposure, now);
        }
    }

    /// Cuts when too much of what ended lately failed.
    fn congested(&mut self, exposure: Exposure, now: Timestamp) -> bool {
        let patience = self.response.max(0.25);
        let age = now.saturating_since(self.errors.began()).as_secs_f64();
        let (good, failed) = self.errors.ended(exposure);
        let ended = good + failed;
        let many = ended >= CONGESTED.1 && failed as f64 > CONGESTED.0 * ended as f64;
        if many {
            let n = self.window.mean(exposure);
            self.level = CUT * self.level.min(1.2 * n.max(1.0));
            self.phase = Phase::Dither;
            self.doubtful();
            self.moved = Moved::Congested;
            self.open(exposure, now);
        }
        if many || (age > patience && ended >= CONGESTED.1) || age > 4.0 * patience {
            self.errors = Window::new(exposure, now);
        }
        many
    }

    fn doubtful(&mut self) {
        self.given = 1.0;
        self.doubt = DOUBT_MAX;
        self.unsure = UNSURE_PAIRS;
        self.first_half = None;
        self.change = Change::default();
    }

    fn learn(&mut self, exposure: Exposure, now: Timestamp) {
        let Some(measured) = self.window.measured(exposure, now, PRESSED) else {
            self.first_half = None;
            return;
        };
        self.response = (measured.n / measured.rate.max(1e-3)).clamp(0.001, 30.0);
        self.rate = measured.rate;
        self.seen = true;
        self.count = measured.count;
        match self.phase {
            Phase::Start { .. } => self.grow(measured),
            Phase::Dither => self.compare(measured),
        }
    }

    fn grow(&mut self, measured: Measured) {
        let Phase::Start {
            quickest,
            best,
            before,
            before_that,
        } = self.phase
        else {
            return;
        };
        let quickest = quickest.min(self.response);
        // Where the throughput was highest first: what is hardly more is no better.
        let better = best.is_none_or(|best| measured.work > best.work * (1.0 + BETTER));
        let best = if better {
            measured
        } else {
            best.unwrap_or(measured)
        };
        let error = libm::sqrt(1.0 / measured.count.max(1.0) + 1.0 / best.count.max(1.0));
        let fell = measured.work < best.work * (1.0 - BETTER - 2.0 * error);
        let flat = before.is_some_and(|before| {
            let (e, error) = elasticity(before, measured);
            e + 2.0 * error < 0.1
        });
        let flattening = before_that.is_some_and(|earlier| {
            let (e, error) = elasticity(earlier, measured);
            e + 2.0 * error < 0.35
        });
        if fell || flat || flattening || self.response > 3.0 * quickest {
            // One step back; where throughput is lower than it was, towards where it was highest.
            let last = measured.n / START_GROWTH;
            self.level = if fell {
                best.n.min(last)
            } else if measured.work < best.work * (1.0 - error) {
                last.min(libm::sqrt(last * best.n))
            } else {
                last
            };
            self.phase = Phase::Dither;
            self.doubtful();
            self.doubt = DOUBT_FOUND;
        } else {
            self.level = self.level.max(measured.n) * START_GROWTH;
            self.phase = Phase::Start {
                quickest,
                best: Some(best),
                before: Some(measured),
                before_that: before,
            };
        }
        self.moved = Moved::Start;
    }

    fn compare(&mut self, measured: Measured) {
        // A window in which permits came free now and then says what the last pause left.
        let shift = (measured.pressed > WHOLLY).then(|| self.change.see(measured, WORTH));
        match shift.flatten() {
            Some(Shift::Up(by)) => return self.shifted(by, Moved::Returned),
            Some(Shift::Down(by)) => return self.shifted(-by, Moved::Lost),
            None => {}
        }
        let Some(first) = self.first_half.take() else {
            self.first_half = Some(measured);
            return;
        };
        let (high, low) = if first.n > measured.n {
            (first, measured)
        } else {
            (measured, first)
        };
        let distance = ln(high.n / low.n);
        if distance <= 0.06 {
            return;
        }
        let bought = ln(high.work / low.work) / distance;
        let noise = (1.0 / high.count + 1.0 / low.count) / (distance * distance);
        if bought > PROPORTIONAL + 2.0 * libm::sqrt(noise) {
            // No origin does that: it became another one between the two.
            return;
        }
        self.unsure = self.unsure.saturating_sub(1);
        if self.unsure == 0 {
            self.given = 1.0;
        }
        let excess = (bought - WORTH).clamp(-1.5, 1.5);
        let gain = self.doubt * SLOPE / (SLOPE * SLOPE * self.doubt + noise);
        let step = (gain * excess).clamp(-STEP_MAX, STEP_MAX);
        self.level *= exp(step);
        self.change.moved(step);
        self.doubt *= 1.0 - gain * SLOPE;
        self.moved = if excess > 0.0 {
            Moved::Worth
        } else {
            Moved::Wasted
        };
    }

    /// The origin does more or less by so much, as a logarithm, at the same number in flight.
    /// Whether its work became quicker or slower, where the best limit stays, or it became larger
    /// or smaller, where that moves as much, cannot be told: the middle of the two costs little in
    /// the first case, and in the second the rest is found in a few pairs.
    fn shifted(&mut self, by: f64, moved: Moved) {
        let by = by.clamp(-SHIFT_MAX, SHIFT_MAX);
        let given = exp(by / 2.0);
        self.level *= given;
        self.doubtful();
        self.given = given.min(1.0);
        self.doubt = self.doubt.max(by * by / 4.0);
        self.moved = moved;
    }

    /// Sets the limit of the next window.
    fn open(&mut self, exposure: Exposure, now: Timestamp) {
        let most = f64::from(self.bounds.max).min((2.0 * f64::from(self.peak.most())).max(FIRST));
        self.level = self.level.clamp(
            f64::from(self.bounds.min),
            most.max(f64::from(self.bounds.min)),
        );
        let dither = match self.phase {
            Phase::Start { .. } => 0.0,
            Phase::Dither => self.dither(),
        };
        // Up, down, down, up: a trend in the load falls on both alike.
        if self.first_half.is_none() && self.turn % 2 == 1 {
            self.turn = self.turn.wrapping_add(1);
        }
        let sign = if matches!(self.turn % 4, 0 | 3) {
            1.0
        } else {
            -1.0
        };
        self.turn = self.turn.wrapping_add(1);
        let size = if dither > 0.0 {
            (self.level * dither).max(1.0)
        } else {
            0.0
        };
        let limit = libm::round(self.level + sign * size) as u32;
        let limit = limit.clamp(self.bounds.min.max(2).min(self.bounds.max), self.bounds.max);
        let settle = Duration::from_secs_f64((self.pace().0 * self.response).clamp(0.05, 2.0));
        self.slew = Slew {
            from: self.limit,
            to: limit,
            began: now,
            lasts: settle,
        };
        self.limit = self.slew.at(now).unwrap_or(limit);
        self.window = Window::settling(exposure, now, settle);
    }

    /// How many responses a window settles and lasts.
    fn pace(&self) -> (f64, f64) {
        if self.unsure > 0 { HASTY } else { CALM }
    }

    fn dither(&self) -> f64 {
        if self.unsure > 0 {
            return DITHER.0;
        }
        let usual = DITHER.1 * libm::sqrt(DITHER_COUNT / self.count.max(1.0));
        usual.clamp(DITHER.1, DITHER.0)
    }
}

/// What a per cent more bought from `before` to `after`, and its standard error.
fn elasticity(before: Measured, after: Measured) -> (f64, f64) {
    let distance = ln(after.n / before.n);
    if distance < 0.06 {
        return (1.0, 1.0);
    }
    let error = libm::sqrt(1.0 / before.count + 1.0 / after.count) / distance;
    (ln(after.work / before.work) / distance, error)
}

pub(super) fn ln(value: f64) -> f64 {
    libm::log(value.max(1e-9))
}

pub(super) fn exp(value: f64) -> f64 {
    libm::exp(value)
}

#[cfg(test)]
mod tests;

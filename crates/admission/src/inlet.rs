//! The inlet: how many may enter, as credit for calls and as tokens for claims.
//!
//! Credit is spent when the watermark calls somebody and comes back when nobody comes; it keeps
//! the line moving. Tokens are spent when somebody enters; they are the bound: both grow with the
//! same rate, and no more is saved up than [`BURST`] and [`RESERVE`] of it (but always one
//! visitor's), so an idle hour cannot admit an hour's crowd at once, and in any span at most
//! `BURST + RESERVE` of the rate enter beyond it.
//!
//! A token may be promised before it is earned, to somebody who comes for it in a moment: the page
//! says for three seconds that it goes in before it does, and a token that waited for it so long
//! would be lost to a slow rate. A promise is not a token: whoever comes for it takes one of those
//! that are there. What others take leaves `RESERVE` for those who were promised one and come a
//! little early.

mod auto;
mod credit;

pub use auto::Auto;
pub use credit::Credit;

use core::time::Duration;

use crate::rate::Rate;
use crate::time::WallTime;

/// The most that is saved up for anybody, as time at the rate.
pub const BURST: Duration = Duration::from_millis(1_000);

/// The most that is saved up besides, for those who were promised a token.
pub const RESERVE: Duration = Duration::from_millis(400);

/// So far ahead a token is promised: the page says so long that it goes in before it does.
pub const PROMISE: Duration = Duration::from_millis(3_000);

/// The most credit for calls that is saved up.
const CALLS: Duration = Duration::from_millis(1_500);

/// Tokens and credit, and the pace at which they grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlet {
    pace: Pace,
    calls: Pace,
    tokens: Credit,
    /// What tokens will be in [`PROMISE`], when all come who were promised one.
    promises: Credit,
    credit: Credit,
    earned_at: WallTime,
    credited_at: WallTime,
}

/// How fast tokens and credit grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The operator's rate, exactly.
    Fixed(Rate),
    /// So many each second, set anew by each tick.
    Measured(Credit),
}

impl Pace {
    /// What is earned in `span`.
    #[must_use]
    pub fn over(self, span: Duration) -> Credit {
        match self {
            Self::Fixed(rate) => Credit::earned(rate, span),
            Self::Measured(second) => second.scaled(span.as_nanos(), 1_000_000_000),
        }
    }

    fn reserve(self) -> Credit {
        match self {
            Self::Fixed(_) => self.over(RESERVE),
            // It is no bound that somebody set, and changes with each tick.
            Self::Measured(_) => Credit::ZERO,
        }
    }

    fn burst(self) -> Credit {
        match self {
            Self::Fixed(_) => self.over(BURST).max(Credit::ONE),
            Self::Measured(_) => self.over(CALLS).max(Credit::from_whole(2)),
        }
    }

    fn most(self) -> Credit {
        self.burst().plus(self.reserve())
    }

    fn most_credit(self) -> Credit {
        self.over(CALLS).max(Credit::ONE)
    }
}

impl Inlet {
    /// Starts with what an idle room would have saved up.
    #[must_use]
    pub fn full(pace: Pace, now: WallTime) -> Self {
        Self {
            tokens: pace.most(),
            promises: pace.burst(),
            credit: pace.most_credit(),
            ..Self::empty(pace, now)
        }
    }

    /// Starts with nothing: after a restart nobody knows what was spent last.
    #[must_use]
    pub const fn empty(pace: Pace, now: WallTime) -> Self {
        Self {
            pace,
            calls: pace,
            tokens: Credit::ZERO,
            promises: Credit::ZERO,
            credit: Credit::ZERO,
            earned_at: now,
            credited_at: now,
        }
    }

    /// Changes the pace from `now` on; what was saved beyond its burst is gone.
    pub fn set_pace(&mut self, pace: Pace, now: WallTime) {
        self.set_paces(pace, pace, now);
    }

    /// Changes the pace from `now` on, and the pace of calls: who is called now comes in a while.
    pub fn set_paces(&mut self, pace: Pace, calls: Pace, now: WallTime) {
        self.earn(now);
        self.pace = pace;
        self.calls = calls;
        self.tokens = self.tokens.min(pace.most());
        self.promises = self.promises.min(pace.burst());
    }

    /// The pace in force.
    #[must_use]
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// The pace at which credit for calls grows.
    #[must_use]
    pub const fn calls(&self) -> Pace {
        self.calls
    }

    /// Tokens grow with time.
    pub fn earn(&mut self, now: WallTime) {
        let span = now.saturating_since(self.earned_at);
        self.earned_at = self.earned_at.max(now);
        let earned = self.pace.over(span);
        self.tokens = self.tokens.plus(earned).min(self.pace.most());
        self.promises = self.promises.plus(earned).min(self.pace.burst());
    }

    /// Credit grows with time; it is bounded only by [`settle`](Self::settle), after it could be
    /// spent.
    pub fn credit(&mut self, now: WallTime) -> Credit {
        let span = now.saturating_since(self.credited_at);
        self.credited_at = self.credited_at.max(now);
        self.credit = self.credit.plus(self.calls.over(span));
        self.credit
    }

    /// What a call cost, of the credit.
    pub fn spend(&mut self, credit: Credit) {
        self.credit = self.credit.minus(credit);
    }

    /// Calls that nobody took.
    pub fn give_back(&mut self, credit: Credit) {
        self.credit = self.credit.plus(credit);
    }

    /// What is lost when nobody is called: the credit beyond the burst.
    #[must_use]
    pub fn surplus(&self) -> Credit {
        // A turn's earnings below the bound already would be lost by the next turn.
        self.credit
            .minus(self.calls.most_credit().minus(self.calls.over(TURN)))
    }

    /// What could not be spent beyond the burst is lost.
    pub fn settle(&mut self) {
        self.credit = self.credit.min(self.calls.most_credit());
    }

    /// Whether the credit is all that may be saved.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.credit >= self.calls.most_credit().minus(self.calls.over(TURN))
    }

    /// Whole tokens at hand for anybody.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens.minus(self.pace.reserve()).whole()
    }

    /// Takes a token; false when there is none.
    pub fn take(&mut self) -> bool {
        let enough = self.tokens() > 0;
        if enough {
            self.tokens = self.tokens.minus(Credit::ONE);
        }
        enough
    }

    /// A token that was taken for nothing.
    pub fn put_back(&mut self) {
        self.tokens = self.tokens.plus(Credit::ONE).min(self.pace.most());
    }

    /// Promises a token to one more than the `promised` ones, who comes in [`PROMISE`]; false when
    /// it would not be there then.
    pub fn promise(&mut self, promised: u64) -> bool {
        let then = self.tokens.plus(self.pace.over(PROMISE));
        let owed = Credit::from_whole(promised.saturating_add(1)).plus(self.pace.reserve());
        let enough = self.promises >= Credit::ONE && owed <= then;
        if enough {
            self.promises = self.promises.minus(Credit::ONE);
        }
        enough
    }

    /// Who was promised a token does not come for it: it may be promised again.
    pub fn release(&mut self) {
        self.promises = self.promises.plus(Credit::ONE).min(self.pace.burst());
    }

    /// Somebody comes for a token that was promised; false when it is not there yet.
    pub fn redeem(&mut self) -> bool {
        let enough = self.tokens >= Credit::ONE;
        if enough {
            self.tokens = self.tokens.minus(Credit::ONE);
        }
        enough
    }

    /// What holds at any time.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.tokens <= self.pace.most()
    }
}

/// The time between two ticks of the room.
const TURN: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use alloc::collections::VecDeque;

    use super::*;

    fn at(millis: u64) -> WallTime {
        WallTime::from_millis(millis)
    }

    /// Tokens taken by one try each `every_ms` until `until_ms`, at 20 a second.
    fn taken(every_ms: u64, until_ms: u64, start_ms: u64) -> u64 {
        let rate = Rate::new(20, Duration::from_secs(1)).unwrap();
        let mut inlet = Inlet::full(Pace::Fixed(rate), at(0));
        (start_ms..until_ms)
            .step_by(every_ms as usize)
            .filter(|&ms| {
                inlet.earn(at(ms));
                inlet.take()
            })
            .count() as u64
    }

    #[test]
    fn an_idle_hour_does_not_admit_an_hours_crowd() {
        assert_eq!(taken(1, 3_600_100, 3_600_000), 20 + 2 - 1);
    }

    #[test]
    fn over_a_minute_the_rate_is_exact() {
        assert_eq!(taken(1, 60_000, 0), 20 + 20 * 60 - 1);
    }

    #[test]
    fn one_visitor_an_hour_still_enters() {
        let rate = Rate::new(1, Duration::from_secs(3_600)).unwrap();
        let mut inlet = Inlet::empty(Pace::Fixed(rate), at(0));
        for tick in 0..17_999 {
            inlet.earn(at(tick * 200));
            assert!(!inlet.take());
        }
        inlet.earn(at(3_601_000));
        assert!(inlet.take());
    }

    #[test]
    fn whoever_comes_in_time_for_a_promise_finds_it_and_nobody_else_takes_it() {
        for per_second in [1, 10, 200] {
            let rate = Rate::new(per_second, Duration::from_secs(1)).unwrap();
            let mut inlet = Inlet::empty(Pace::Fixed(rate), at(0));
            let (mut coming, mut entered) = (VecDeque::new(), 0);
            for ms in (20..=20_000).step_by(20) {
                inlet.earn(at(ms));
                while inlet.promise(coming.len() as u64) {
                    coming.push_back(ms + 3_000);
                }
                while coming.pop_front_if(|due| *due <= ms).is_some() {
                    assert!(inlet.redeem(), "{per_second} a second, {ms} ms");
                    entered += 1;
                }
            }
            let used = f64::from(entered) / (17.0 * f64::from(per_second));
            assert!(used > 0.9, "{per_second} a second: {used}");
        }
    }

    #[test]
    fn a_promise_is_made_again_when_nobody_comes() {
        let mut inlet = Inlet::full(Pace::Measured(Credit::from_whole(10)), at(0));
        let made = (0..100).take_while(|&promised| inlet.promise(promised));
        assert_eq!(made.count(), 15, "no more than can come at once");
        inlet.release();
        assert!(inlet.promise(14));
    }

    #[test]
    fn time_that_goes_back_earns_nothing() {
        let mut inlet = Inlet::empty(Pace::Measured(Credit::from_whole(10)), at(10_000));
        inlet.earn(at(5_000));
        inlet.earn(at(10_000));
        assert_eq!(inlet.tokens(), 0);
        assert!(inlet.holds());
    }
}

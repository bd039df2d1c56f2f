//! The inlet: how many may enter, as credit for calls and as tokens for claims.
//!
//! Credit is spent when the watermark calls somebody and comes back when nobody comes; it keeps
//! the line moving. Tokens are spent when somebody enters; they are the bound. Both grow with
//! the same rate and neither exceeds [`BURST`] of it (but always reaches one visitor), so an
//! idle hour cannot admit an hour's crowd at once. With tokens that are set aside for visitors on
//! the way, the excess over the rate in any span is at most [`ASIDE`] of it, or two visitors.

mod auto;
mod credit;

pub use auto::Auto;
pub use credit::Credit;

use core::time::Duration;

use crate::rate::Rate;
use crate::time::WallTime;

/// The most that is saved up, as time at the rate.
pub const BURST: Duration = Duration::from_millis(1_500);

/// The most that is saved up and set aside together. Whoever a token is set aside for comes within
/// three seconds, because the page says so long that it goes in; with less than that an operator's
/// rate would never be reached.
pub const ASIDE: Duration = Duration::from_millis(3_000);

/// Tokens and credit, and the pace at which they grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlet {
    pace: Pace,
    calls: Pace,
    tokens: Credit,
    reserved: Credit,
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

    fn most(self) -> Credit {
        self.over(BURST).max(Credit::ONE)
    }
}

impl Inlet {
    /// Starts with what an idle room would have saved up.
    #[must_use]
    pub fn full(pace: Pace, now: WallTime) -> Self {
        let most = pace.most();
        Self {
            tokens: most,
            credit: most,
            ..Self::empty(pace, now)
        }
    }

    /// Starts with nothing: after a restart nobody knows what was spent last.
    #[must_use]
    pub const fn empty(pace: Pace, now: WallTime) -> Self {
        let (tokens, reserved, credit) = (Credit::ZERO, Credit::ZERO, Credit::ZERO);
        Self {
            pace,
            calls: pace,
            tokens,
            reserved,
            credit,
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
        self.tokens = self.tokens.min(self.room());
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
        self.tokens = self.tokens.plus(self.pace.over(span)).min(self.room());
    }

    /// What tokens may grow to: what is set aside is saved up too, within a bound of its own.
    fn room(&self) -> Credit {
        let aside = self.pace.over(ASIDE).max(Credit::from_whole(2));
        self.pace.most().min(aside.minus(self.reserved))
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
            .minus(self.calls.most().minus(self.calls.over(TURN)))
    }

    /// What could not be spent beyond the burst is lost.
    pub fn settle(&mut self) {
        self.credit = self.credit.min(self.calls.most());
    }

    /// Whether the credit is all that may be saved.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.credit >= self.calls.most().minus(self.calls.over(TURN))
    }

    /// Whole tokens at hand.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        self.tokens.whole()
    }

    /// Takes a token; false when there is none.
    pub fn take(&mut self) -> bool {
        let enough = self.tokens >= Credit::ONE;
        if enough {
            self.tokens = self.tokens.minus(Credit::ONE);
        }
        enough
    }

    /// A token that was taken for nothing.
    pub fn put_back(&mut self) {
        self.tokens = self.tokens.plus(Credit::ONE).min(self.room());
    }

    /// Sets a token aside for somebody who is known to come; false when there is none.
    pub fn reserve(&mut self) -> bool {
        let taken = self.take();
        if taken {
            self.reserved = self.reserved.plus(Credit::ONE);
        }
        taken
    }

    /// Somebody came for a token that was set aside.
    pub fn redeem(&mut self) {
        debug_assert!(self.reserved >= Credit::ONE, "it was set aside");
        self.reserved = self.reserved.minus(Credit::ONE);
    }

    /// Nobody came for a token that was set aside.
    pub fn release(&mut self) {
        self.redeem();
        self.put_back();
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
        assert_eq!(taken(1, 3_600_100, 3_600_000), 30 + 2 - 1);
    }

    #[test]
    fn over_a_minute_the_rate_is_exact() {
        assert_eq!(taken(1, 60_000, 0), 30 + 20 * 60 - 1);
    }

    #[test]
    fn one_visitor_an_hour_still_enters() {
        let rate = Rate::new(1, Duration::from_secs(3_600)).unwrap();
        let mut inlet = Inlet::empty(Pace::Fixed(rate), at(0));
        for tick in 0..17_999 {
            inlet.earn(at(tick * 200));
            assert!(!inlet.take());
        }
        inlet.earn(at(3_600_200));
        assert!(inlet.take());
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

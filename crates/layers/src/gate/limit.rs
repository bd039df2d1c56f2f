//! What others than the law say of the limit: the servers that are there, the origin's own word, an
//! earlier process. They hold at once.

use std::sync::Arc;

use super::{Gate, Holds, LimitRule, Waiting, lock};

/// All servers, in thousandths.
pub(super) const WHOLE: u32 = 1_000;

/// Less of a change, in thousandths, waits for more of it.
const ALIVE_STEP: u32 = 20;

impl Gate {
    /// What the origin, or servers that have just come back, allow at most; `None`: anything.
    pub fn ceiling(self: &Arc<Self>, most: Option<u32>) {
        let rule = lock(&self.rules).limit;
        let mut waiting = lock(&self.waiters);
        waiting.ceiling = most;
        self.set_limit(&mut waiting, rule);
        drop(waiting);
        self.wake();
    }

    /// So many servers are alive now; the limit leaves each at least one request.
    pub fn servers(&self, live: u32) {
        let rule = lock(&self.rules).limit;
        let mut waiting = lock(&self.waiters);
        waiting.live = live;
        if let (LimitRule::Adaptive(bounds), Some(law)) = (rule, &mut waiting.law) {
            law.set_bounds(bounds.leaving_each_one(live));
        }
    }

    /// Goes on from a limit that an earlier process had found.
    pub fn restore(&self, limit: u32) {
        let rule = lock(&self.rules).limit;
        let mut waiting = lock(&self.waiters);
        if let Some(law) = &mut waiting.law {
            law.restore(limit);
        }
        self.set_limit(&mut waiting, rule);
    }

    /// The limit that was found, once it was; what [`restore`](Self::restore) takes.
    #[must_use]
    pub fn learned(&self) -> Option<u32> {
        lock(&self.waiters).law.as_ref()?.learned()
    }

    /// So many thousandths of the origin's servers, by weight, are there: an adaptive limit
    /// follows at once. With none of them it stays, for those who come back.
    pub fn alive(&self, thousandths: u32) {
        let rule = lock(&self.rules).limit;
        let mut waiting = lock(&self.waiters);
        let before = waiting.alive;
        let little = before.abs_diff(thousandths) < ALIVE_STEP && thousandths < WHOLE;
        if thousandths == 0 || thousandths == before || little {
            return;
        }
        waiting.alive = thousandths;
        if let Some(law) = &mut waiting.law {
            law.scale(f64::from(thousandths) / f64::from(before));
        }
        self.set_limit(&mut waiting, rule);
    }

    /// A server was ejected or came back: what the limit rests on is doubted.
    pub fn unsure(&self) {
        if let Some(law) = &mut lock(&self.waiters).law {
            law.unsure();
        }
    }

    /// Puts the limit in force.
    pub(super) fn set_limit(&self, waiting: &mut Waiting, rule: LimitRule) {
        let own = rule.first(waiting.law.as_ref());
        let limit = waiting.ceiling.map_or(own, |most| own.min(most)).max(1);
        if self.counts.set_limit(limit) {
            self.settle(waiting);
        }
    }

    /// What holds the limit where it is.
    pub(super) fn holds(waiting: &Waiting, rule: LimitRule) -> Holds {
        let own = rule.first(waiting.law.as_ref());
        match &waiting.law {
            _ if waiting.ceiling.is_some_and(|most| most < own) => Holds::Ceiling,
            Some(law) => Holds::Learned(law.moved()),
            None => Holds::Operator,
        }
    }
}

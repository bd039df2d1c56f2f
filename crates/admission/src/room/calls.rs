//! Calls that wait to be taken. What nobody took within [`CALL`] goes back to the credit.

use alloc::collections::VecDeque;
use core::time::Duration;

use super::line::Line;
use crate::inlet::Credit;
use crate::time::WallTime;

/// A call is worth its credit for so long: a poll that is due just after it, and a slow network.
pub(super) const CALL: Duration = Duration::from_secs(6);

/// One call: so many of one second, at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call {
    at: WallTime,
    arrived: u64,
    mark: Credit,
}

/// Calls in the order in which they were made. Never longer than the buckets called within
/// [`CALL`]: each tick adds one for a bucket it stays in, and each bucket is passed once.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: VecDeque<Call>,
}

impl Calls {
    /// `credit` visitors who arrived in the second `arrived` are called.
    pub(super) fn call(&mut self, line: &mut Line, arrived: u64, credit: Credit, at: WallTime) {
        let mark = line.call(arrived, credit);
        self.open.push_back(Call { at, arrived, mark });
    }

    /// Calls whose time is over give back what nobody took.
    pub(super) fn expire(&mut self, line: &mut Line, now: WallTime) -> Credit {
        let mut back = Credit::ZERO;
        while let Some(call) = self.open.front()
            && now.saturating_since(call.at) >= CALL
        {
            back = back.plus(line.settle(call.arrived, call.mark));
            self.open.pop_front();
        }
        back
    }

    /// After a restart: what was called and not taken has its full time again.
    pub(super) fn restart(line: &Line, now: WallTime) -> Self {
        let open = line
            .buckets
            .iter()
            .zip(line.first..)
            .filter(|(bucket, _)| bucket.out() > Credit::ZERO)
            .map(|(bucket, arrived)| Call {
                at: now,
                arrived,
                mark: bucket.called,
            })
            .collect();
        Self { open }
    }
}

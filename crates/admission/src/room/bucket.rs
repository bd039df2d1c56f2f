//! The visitors of one second of arrivals, by when each is due to come back.

use alloc::vec::Vec;
use core::ops::Range;

use crate::inlet::Credit;
use crate::time::WallTime;
use crate::watermark::Place;

/// Seconds in an epoch of due times.
pub(super) const EPOCH_SECONDS: u64 = 5;

/// All places of a second.
const WHOLE: Range<u32> = 0..1_000_000;

/// Visitors who arrived within one second.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bucket {
    /// Tickets issued.
    pub(super) issued: u64,
    /// Tickets that came back at least once.
    pub(super) confirmed: u64,
    /// Of these, those that came back while young.
    pub(super) prompt: u64,
    /// Tickets that were claimed.
    pub(super) claimed: u64,
    /// Counts in `cells`.
    pub(super) live: u64,
    /// Of these, the suspects.
    pub(super) suspects: u64,
    /// Called in all, and of that what was claimed or given back.
    pub(super) called: Credit,
    pub(super) settled: Credit,
    /// Counts by due epoch; few, so a plain list.
    pub(super) cells: Vec<Cell>,
    /// Between which places of the second its tickets lie, in microseconds; empty while none does.
    pub(super) span: Range<u32>,
}

/// Visitors of one second who are due in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) epoch: u64,
    pub(super) count: u64,
}

impl Bucket {
    /// One more ticket, at this place.
    pub(super) fn issue(&mut self, place: Place) {
        let micros = within(place);
        self.span = if self.issued == 0 {
            micros..micros + 1
        } else {
            // Where earlier ones lie may be unknown: then anywhere.
            let span = self.span();
            span.start.min(micros)..span.end.max(micros + 1)
        };
        self.issued += 1;
    }

    /// Between which places of the second its tickets lie: the whole of it when that is not known.
    fn span(&self) -> Range<u32> {
        if self.span.is_empty() {
            WHOLE
        } else {
            self.span.clone()
        }
    }

    /// Which share of those who stand behind `called` stands before `place`, if they are spread
    /// evenly: so many of so many.
    pub(super) fn before(&self, place: Place, called: Place) -> (u128, u128) {
        let span = self.span();
        let called = if called.second() == place.second() {
            within(called)
        } else if called > place {
            WHOLE.end
        } else {
            0
        };
        let start = span.start.max(called);
        let whole = span.end.saturating_sub(start);
        let way = within(place).saturating_sub(start).min(whole);
        (u128::from(way), u128::from(whole))
    }

    /// Called, and neither claimed nor given back.
    pub(super) fn out(&self) -> Credit {
        self.called.minus(self.settled)
    }

    pub(super) fn is_over(&self) -> bool {
        self.live == 0 && self.out() == Credit::ZERO
    }

    /// Marks those who are overdue as suspects, and drops those who are gone.
    pub(super) fn age(&mut self, swept: u64, suspect: u64, gone: u64) -> Aged {
        let mut aged = Aged {
            suspects: 0,
            gone: 0,
        };
        self.cells.retain(|cell| {
            if cell.epoch > swept && cell.epoch <= suspect {
                aged.suspects += cell.count;
            }
            let stays = cell.epoch > gone;
            aged.gone += if stays { 0 } else { cell.count };
            stays
        });
        self.live -= aged.gone;
        self.suspects = self.suspects + aged.suspects - aged.gone;
        aged
    }

    /// What holds at any time.
    pub(super) fn holds(&self) -> bool {
        self.live == self.cells.iter().map(|cell| cell.count).sum::<u64>()
            && self.suspects <= self.live
            && self.confirmed <= self.issued
            && self.prompt <= self.issued
            && self.settled <= self.called
    }
}

/// Microseconds since the second began.
const fn within(place: Place) -> u32 {
    (place.as_micros() % 1_000_000) as u32
}

/// What an ageing changed.
pub(super) struct Aged {
    pub(super) suspects: u64,
    pub(super) gone: u64,
}

/// The epoch in which `time` lies.
pub(super) const fn epoch(time: WallTime) -> u64 {
    second(time) / EPOCH_SECONDS
}

/// The last moment of the epoch in which `time` lies.
pub(super) const fn epoch_end(time: WallTime) -> WallTime {
    WallTime::from_millis((epoch(time) + 1) * EPOCH_SECONDS * 1_000 - 1)
}

/// The second in which `time` lies.
pub(super) const fn second(time: WallTime) -> u64 {
    time.as_millis() / 1_000
}

/// The last epoch that is overdue by `late` seconds.
pub(super) const fn overdue(now: WallTime, late: u64) -> u64 {
    (second(now).saturating_sub(late) / EPOCH_SECONDS).saturating_sub(1)
}

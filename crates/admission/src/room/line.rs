//! The line as counts: by the second of arrival, and there by when each is due to come back.
//!
//! Who comes back moves one count from the epoch in which the ticket was due to the one in which
//! it is due next. Who does not is a suspect 10 s after the due epoch, discounted by the measured
//! share of suspects who return, and gone after 75 s: a hidden tab polls once a minute. A count
//! never exceeds the tickets issued in its second, so replayed tickets can fill nothing up.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

use super::bucket::{Bucket, Cell, EPOCH_SECONDS, epoch, overdue, second};
use crate::estimate::{Finite, Ratio};
use crate::inlet::Credit;
use crate::ticket::Ticket;
use crate::time::WallTime;
use crate::watermark::Place;

/// A network, and a page that is busy, make a poll so late at most.
const LATE: Duration = Duration::from_secs(2);
/// Overdue for so long: a suspect.
const SUSPECT_SECONDS: u64 = 10;
/// Overdue for so long: gone.
pub(super) const GONE_SECONDS: u64 = 75;
/// Tickets younger than this may still be on the way to their second contact.
pub(super) const YOUNG: Duration = Duration::from_millis(2_500);
/// The line's length in seconds of arrivals; who arrived before it keeps the place uncounted.
pub(super) const SECONDS_MAX: usize = 24 * 3_600;
/// How fast the shares forget.
const SHARE_HALF: Duration = Duration::from_secs(10);
const RETURN_HALF: Duration = Duration::from_secs(300);

/// Everybody who waits, as counts.
#[derive(Debug)]
pub(super) struct Line {
    /// The second of the front bucket.
    pub(super) first: u64,
    pub(super) buckets: VecDeque<Bucket>,
    /// Sums over all buckets.
    pub(super) live: u64,
    pub(super) suspects: u64,
    pub(super) out: Credit,
    /// All who were called, ever.
    pub(super) called: Credit,
    /// The last epoch whose counts are suspects.
    pub(super) swept: u64,
    /// The last second whose promptness is known.
    pub(super) judged: u64,
    /// Seconds of arrival of which a lost snapshot may have known more than we do.
    pub(super) lost: Range<u64>,
    /// The share of tickets that come back while young.
    pub(super) prompt: Ratio,
    /// The share of suspects who return.
    pub(super) returning: Ratio,
    /// Totals.
    pub(super) issued: u64,
    pub(super) suspected: u64,
    pub(super) abandoned: u64,
    /// Tickets that did not come back while young.
    pub(super) ghosts: u64,
    /// `ahead[i]`: those before bucket `i`, as last published, and the second of bucket 0 then.
    ahead: Vec<Credit>,
    ahead_first: u64,
    oldest: Option<u64>,
}

impl Line {
    /// An empty line. Tickets that arrived within `lost` are counted although it knows nothing
    /// of them.
    pub(super) fn new(now: WallTime, lost: Range<u64>) -> Self {
        Self {
            first: second(now),
            buckets: VecDeque::new(),
            live: 0,
            suspects: 0,
            out: Credit::ZERO,
            called: Credit::ZERO,
            swept: overdue(now, SUSPECT_SECONDS),
            judged: second(now),
            lost,
            prompt: Ratio::new(Finite::new(1.0)),
            returning: Ratio::new(Finite::new(0.3)),
            issued: 0,
            suspected: 0,
            abandoned: 0,
            ghosts: 0,
            ahead: Vec::new(),
            ahead_first: second(now),
            oldest: None,
        }
    }

    /// A new ticket; not counted as a visitor before it comes back.
    pub(super) fn issue(&mut self, place: Place) {
        self.issued += 1;
        if let Some(bucket) = self.open(place.second()) {
            bucket.issue(place);
        }
    }

    /// A ticket came back: it is counted where it is due next.
    pub(super) fn count(&mut self, place: Place, ticket: &Ticket, due: WallTime, now: WallTime) {
        let arrived = place.second();
        if ticket.confirmed && self.uncount(place, ticket) {
            self.put(arrived, epoch(due));
            return;
        }
        let prompt = now.saturating_since(ticket.arrived) <= YOUNG;
        // A draw may give it a place in another second than that of its arrival.
        let lost = self.lost.contains(&second(ticket.arrived));
        if !ticket.confirmed && !lost && arrived < self.judged {
            // Late, but no ghost.
            self.ghosts = self.ghosts.saturating_sub(1);
        }
        let Some(bucket) = (if lost {
            self.open(arrived)
        } else {
            self.bucket(arrived)
        }) else {
            return;
        };
        if lost {
            bucket.issued = bucket.issued.max(bucket.live + bucket.claimed + 1);
            // Nobody knows where the others stand.
            bucket.span = 0..0;
        }
        if !ticket.confirmed {
            bucket.confirmed = (bucket.confirmed + 1).min(bucket.issued);
            bucket.prompt = (bucket.prompt + u64::from(prompt)).min(bucket.issued);
        }
        if bucket.live + bucket.claimed < bucket.issued {
            self.put(arrived, epoch(due));
        }
    }

    /// Takes a ticket out of where it was counted; false when it was not there.
    pub(super) fn uncount(&mut self, place: Place, ticket: &Ticket) -> bool {
        let (due, swept) = (epoch(ticket.due), self.swept);
        let Some(bucket) = self.bucket(place.second()) else {
            return false;
        };
        let Some(at) = bucket.cells.iter().position(|cell| cell.epoch == due) else {
            return false;
        };
        bucket.live -= 1;
        let suspect = due <= swept;
        bucket.suspects -= u64::from(suspect);
        if let Some(cell) = bucket.cells.get_mut(at) {
            cell.count -= 1;
            if cell.count == 0 {
                bucket.cells.swap_remove(at);
            }
        }
        self.live -= 1;
        if suspect {
            self.suspects -= 1;
            self.returning.hit(1);
        }
        true
    }

    fn put(&mut self, arrived: u64, due: u64) {
        let due = due.max(self.swept + 1);
        let Some(bucket) = self.bucket(arrived) else {
            return;
        };
        bucket.live += 1;
        match bucket.cells.iter_mut().find(|cell| cell.epoch == due) {
            Some(cell) => cell.count += 1,
            None => bucket.cells.push(Cell {
                epoch: due,
                count: 1,
            }),
        }
        self.live += 1;
    }

    /// A ticket was claimed. Returns what its call had not paid for.
    pub(super) fn claim(&mut self, place: Place, ticket: &Ticket) -> Credit {
        if ticket.confirmed {
            self.uncount(place, ticket);
        }
        let Some(bucket) = self.bucket(place.second()) else {
            return Credit::ONE;
        };
        bucket.claimed += 1;
        if !ticket.confirmed {
            bucket.confirmed = (bucket.confirmed + 1).min(bucket.issued);
            bucket.prompt = (bucket.prompt + 1).min(bucket.issued);
        }
        let paid = bucket.out().min(Credit::ONE);
        bucket.settled = bucket.settled.plus(paid);
        self.out = self.out.minus(paid);
        Credit::ONE.minus(paid)
    }

    /// `credit` visitors of `arrived` are called. Returns the mark of this call.
    pub(super) fn call(&mut self, arrived: u64, credit: Credit) -> Credit {
        self.out = self.out.plus(credit);
        self.called = self.called.plus(credit);
        self.bucket(arrived).map_or(Credit::ZERO, |bucket| {
            bucket.called = bucket.called.plus(credit);
            bucket.called
        })
    }

    /// Gives back what was called up to `mark` and not taken.
    pub(super) fn settle(&mut self, arrived: u64, mark: Credit) -> Credit {
        let Some(bucket) = self.bucket(arrived) else {
            return Credit::ZERO;
        };
        // A bucket that was over may have been made anew since the call.
        let back = mark.min(bucket.called).minus(bucket.settled);
        bucket.settled = bucket.settled.plus(back);
        self.out = self.out.minus(back);
        back
    }

    /// Ages the counts and forgets what is over and lies before `called`.
    pub(super) fn sweep(&mut self, now: WallTime, called: Place, span: Duration) {
        self.prompt.forget(span, SHARE_HALF);
        self.returning.forget(span, RETURN_HALF);
        let (suspect, gone) = (overdue(now, SUSPECT_SECONDS), overdue(now, GONE_SECONDS));
        if suspect > self.swept {
            for bucket in &mut self.buckets {
                let fresh = bucket.age(self.swept, suspect, gone);
                self.suspects = self.suspects + fresh.suspects - fresh.gone;
                self.live -= fresh.gone;
                self.abandoned += fresh.gone;
                self.suspected += fresh.suspects;
                self.returning.count(fresh.suspects);
            }
            self.swept = suspect;
        }
        self.judge(now);
        let keep = second(now)
            .saturating_sub(EPOCH_SECONDS)
            .min(called.second());
        while self.first < keep && self.buckets.front().is_some_and(Bucket::is_over) {
            self.buckets.pop_front();
            self.first += 1;
        }
    }

    /// Learns which share of tickets comes back while young.
    fn judge(&mut self, now: WallTime) {
        let until = second(now.minus(YOUNG));
        let from = self.judged.max(self.first);
        for arrived in from..until.max(from) {
            let Some(bucket) = self.index(arrived).and_then(|at| self.buckets.get(at)) else {
                break;
            };
            self.prompt.count(bucket.issued);
            self.prompt.hit(bucket.prompt.min(bucket.issued));
            self.ghosts += bucket.issued.saturating_sub(bucket.confirmed);
        }
        self.judged = self.judged.max(until);
    }

    /// Those of a second who wait and are not called, as far as is known at `now`: the live,
    /// suspects discounted, and of the young tickets the share that will come back.
    pub(super) fn remaining(&self, arrived: u64, now: WallTime) -> Credit {
        let Some(bucket) = self.index(arrived).and_then(|at| self.buckets.get(at)) else {
            return Credit::ZERO;
        };
        self.estimate(bucket.live, bucket.suspects)
            .plus(self.young(arrived, bucket, now))
            .minus(bucket.out())
    }

    /// Those of [`remaining`](Self::remaining) who are due from now on until `until`. Who is due
    /// later cannot come now even when called, and who is late may be away: both enter first
    /// when coming.
    pub(super) fn coming(&self, arrived: u64, now: WallTime, until: WallTime) -> Credit {
        let Some(bucket) = self.index(arrived).and_then(|at| self.buckets.get(at)) else {
            return Credit::ZERO;
        };
        let due = epoch(now.minus(LATE))..=epoch(until);
        let cells = bucket.cells.iter().filter(|cell| due.contains(&cell.epoch));
        Credit::from_whole(cells.map(|cell| cell.count).sum())
            .plus(self.young(arrived, bucket, now))
            .minus(bucket.out())
    }

    /// Those with a place before `called` who are due from now on until `until`.
    pub(super) fn due(&self, called: Place, now: WallTime, until: WallTime) -> Credit {
        let due = epoch(now.minus(LATE))..=epoch(until);
        let seconds = usize::try_from(called.second().saturating_sub(self.first));
        let buckets = self.buckets.iter().take(seconds.unwrap_or(usize::MAX));
        let cells = buckets.flat_map(|bucket| &bucket.cells);
        let due = cells.filter(|cell| due.contains(&cell.epoch));
        Credit::from_whole(due.map(|cell| cell.count).sum())
    }

    /// All who wait and are not called.
    pub(super) fn waiting(&self) -> Credit {
        self.estimate(self.live, self.suspects).minus(self.out)
    }

    /// All who are believed to be there, called or not.
    pub(super) fn estimated(&self) -> Credit {
        self.estimate(self.live, self.suspects)
    }

    /// The same in whole visitors.
    pub(super) fn believed(&self) -> u64 {
        self.estimated().whole()
    }

    fn estimate(&self, live: u64, suspects: u64) -> Credit {
        let doubted = Credit::from_whole(suspects).milli(1_000 - self.returning.milli().min(1_000));
        Credit::from_whole(live).minus(doubted)
    }

    fn young(&self, arrived: u64, bucket: &Bucket, now: WallTime) -> Credit {
        if (arrived + 1) * 1_000 + YOUNG.as_millis() as u64 <= now.as_millis() {
            return Credit::ZERO;
        }
        let open = bucket.issued.saturating_sub(bucket.confirmed);
        Credit::from_whole(open).milli(self.prompt.milli())
    }

    /// Those of the last seconds who have a ticket and will probably come back with it.
    pub(super) fn expected(&self, now: WallTime) -> Credit {
        let latest = self.first + self.buckets.len() as u64;
        let newest = self
            .buckets
            .iter()
            .rev()
            .zip((self.first..latest).rev())
            .take(4);
        newest.fold(Credit::ZERO, |sum, (bucket, arrived)| {
            sum.plus(self.young(arrived, bucket, now))
        })
    }

    /// Rebuilds what is told: how many are ahead of each second.
    pub(super) fn publish(&mut self, now: WallTime, called: Place) {
        let mut table = core::mem::take(&mut self.ahead);
        table.clear();
        let mut sum = Credit::ZERO;
        self.oldest = None;
        for arrived in self.first..self.first + self.buckets.len() as u64 {
            table.push(sum);
            let remaining = self.remaining(arrived, now);
            if self.oldest.is_none() && remaining >= Credit::ONE && arrived >= called.second() {
                self.oldest = Some(arrived);
            }
            sum = sum.plus(remaining);
        }
        table.push(sum);
        self.ahead = table;
        self.ahead_first = self.first;
    }

    /// The second of the first who is not called.
    pub(super) const fn oldest(&self) -> Option<u64> {
        self.oldest
    }

    /// How many are ahead of `place`, when the line is called up to `called`.
    pub(super) fn ahead(&self, place: Place, called: Place, now: WallTime) -> u64 {
        let arrived = place.second();
        let at = arrived
            .checked_sub(self.ahead_first)
            .and_then(|at| usize::try_from(at).ok());
        let Some(at) = at else {
            return 0;
        };
        let Some(before) = self.ahead.get(at).or(self.ahead.last()) else {
            return 0;
        };
        let (way, whole) = self
            .index(arrived)
            .and_then(|at| self.buckets.get(at))
            .map_or((0, 1), |bucket| bucket.before(place, called));
        let beside = self.remaining(arrived, now).scaled(way, whole);
        before.plus(beside).whole()
    }

    fn index(&self, arrived: u64) -> Option<usize> {
        usize::try_from(arrived.checked_sub(self.first)?).ok()
    }

    fn bucket(&mut self, arrived: u64) -> Option<&mut Bucket> {
        let index = self.index(arrived)?;
        self.buckets.get_mut(index)
    }

    /// The bucket of a second, made when it is missing; none beyond the line's length.
    fn open(&mut self, arrived: u64) -> Option<&mut Bucket> {
        if self.buckets.is_empty() {
            self.first = arrived;
        }
        while arrived < self.first && self.buckets.len() < SECONDS_MAX {
            self.buckets.push_front(Bucket::default());
            self.first -= 1;
        }
        let last = self.first + self.buckets.len() as u64;
        if arrived > last + SECONDS_MAX as u64 {
            return None;
        }
        for _ in last..=arrived {
            self.buckets.push_back(Bucket::default());
        }
        while self.buckets.len() > SECONDS_MAX {
            self.drop_front();
        }
        self.bucket(arrived)
    }

    /// The oldest keep their places, but are counted no more.
    fn drop_front(&mut self) {
        if let Some(bucket) = self.buckets.pop_front() {
            self.first += 1;
            self.live -= bucket.live;
            self.suspects -= bucket.suspects;
            self.out = self.out.minus(bucket.out());
        }
    }

    /// What holds at any time, without a walk over the line.
    pub(super) fn settled(&self) -> bool {
        self.suspects <= self.live && self.buckets.len() <= SECONDS_MAX
    }

    /// What holds at any time.
    pub(super) fn holds(&self) -> bool {
        let sums = self
            .buckets
            .iter()
            .fold((0, 0, Credit::ZERO), |sums, bucket| {
                (
                    sums.0 + bucket.live,
                    sums.1 + bucket.suspects,
                    sums.2.plus(bucket.out()),
                )
            });
        sums == (self.live, self.suspects, self.out)
            && self.buckets.iter().all(Bucket::holds)
            && self.buckets.len() <= SECONDS_MAX
    }
}

//! How long a wait will be: every five seconds the line is played forward, group by group of ten
//! seconds of arrivals, with the rate at which visitors entered lately and with what is known of
//! how soon people give up who have waited so long already.
//!
//! What is learnt is a few numbers, and the table a number for each group: nothing grows with
//! people. It tells nothing while it knows nothing.

use alloc::vec::Vec;
use core::time::Duration;

use super::bucket::{Bucket, second};
use super::line::Line;
use crate::estimate::{Finite, Hazard, Smooth};
use crate::inlet::Credit;
use crate::time::WallTime;
use crate::watermark::Place;

/// Seconds of arrivals that are played as one.
const GROUP_SECONDS: u64 = 10;
/// Played anew so often.
const EVERY: Duration = Duration::from_secs(5);
/// The rate at which visitors enter is the mean of about so long.
const SPEED_MEMORY: Duration = Duration::from_secs(80);
/// It is known when it rests on so much.
const SPEED_KNOWN: Duration = Duration::from_secs(5);
/// A visitor who left is missed so long after the poll that did not come.
const MISSED_SECONDS: f64 = 12.5;
/// Nobody learns who gives up for so long after a restart: everybody missed a poll.
const BLIND: Duration = Duration::from_secs(75);
/// The page says so long that it goes in before it does.
const SAYS: Duration = Duration::from_secs(3);
/// Nobody is told more than a day: beyond it nothing is known.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(24 * 3_600);

/// What the line will be.
#[derive(Debug)]
pub(super) struct Forecast {
    /// Entered of what the operator's rate permits, or each second where nobody set one.
    used: Smooth,
    pub(super) hazard: Hazard,
    /// By group: those who were seen once and were missing when last looked at.
    missing: Vec<i64>,
    missing_first: u64,
    looked: WallTime,
    blind_until: WallTime,
    /// By group: seconds until it is called, as of `played`.
    table: Vec<f32>,
    first: u64,
    played: WallTime,
    known: bool,
}

/// What the tick knows besides the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The operator's rate each second, if there is one.
    pub(super) fixed: Option<Finite>,
    /// Longest time between two polls.
    pub(super) poll_most: Duration,
    /// Somebody waits, and may enter.
    pub(super) moving: bool,
}

impl Forecast {
    /// Knows nothing; does not learn who gives up for a while.
    pub(super) fn new(now: WallTime) -> Self {
        Self {
            used: Smooth::new(SPEED_MEMORY),
            hazard: Hazard::default(),
            missing: Vec::new(),
            missing_first: 0,
            looked: now,
            blind_until: now.plus(BLIND),
            table: Vec::new(),
            first: 0,
            played: now,
            known: false,
        }
    }

    /// `entered` entered within `span`.
    pub(super) fn see(&mut self, entered: u64, span: Duration, pace: Pace) {
        if !pace.moving || span.is_zero() {
            return;
        }
        let speed = entered as f64 / span.as_secs_f64();
        let of = pace.fixed.map_or(1.0, Finite::get).max(1e-3);
        self.used.level(Finite::new(speed / of), span);
    }

    /// Plays the line forward when it is time.
    pub(super) fn play(&mut self, now: WallTime, line: &Line, called: Place, pace: Pace) {
        if self.known && now.saturating_since(self.played) < EVERY {
            return;
        }
        let speed = self.used.get().get() * pace.fixed.map_or(1.0, Finite::get);
        self.learn(now, line, called, pace.poll_most);
        self.known = self.used.seen() >= SPEED_KNOWN && speed > 0.0;
        self.played = now;
        self.first = line.first / GROUP_SECONDS;
        let mut table = core::mem::take(&mut self.table);
        table.clear();
        if self.known {
            let mut seconds = 0.0;
            for (group, believed) in groups(line, |arrived, _| whole(line.remaining(arrived, now)))
            {
                table.push(seconds as f32);
                let age = age(group, now);
                let unseen = unseen(seconds, pace.poll_most);
                let there = |at: f64| believed * self.hazard.stays(age - unseen, age + at);
                let about = there(seconds) / speed;
                seconds += there(seconds + about / 2.0) / speed;
            }
            table.push(seconds as f32);
        }
        self.table = table;
    }

    /// The time until `place` is called and its holder inside; `None` when it is not known.
    pub(super) fn wait(&self, place: Place, now: WallTime) -> Option<Duration> {
        let last = *self.table.last().filter(|_| self.known)?;
        let into = place.second().saturating_sub(self.first * GROUP_SECONDS);
        let at = usize::try_from(into / GROUP_SECONDS).ok()?;
        let (from, to) = (
            self.table.get(at).copied().unwrap_or(last),
            self.table.get(at + 1).copied().unwrap_or(last),
        );
        let part = (into % GROUP_SECONDS) as f32 / GROUP_SECONDS as f32;
        let seconds = Finite::new(f64::from(from + part * (to - from)));
        let passed = now.saturating_since(self.played);
        let left = Duration::from_secs_f64(seconds.get().min(WAIT_MAX.as_secs_f64()));
        Some(left.saturating_sub(passed).saturating_add(SAYS))
    }

    /// Learns from those who are missing now and were not when last looked at.
    fn learn(&mut self, now: WallTime, line: &Line, called: Place, poll_most: Duration) {
        let span = now.saturating_since(self.looked);
        self.looked = now;
        let blind = now < self.blind_until;
        let (before, before_first) = (core::mem::take(&mut self.missing), self.missing_first);
        self.missing_first = line.first / GROUP_SECONDS;
        for (group, missing) in groups(line, |_, bucket| missing(bucket)) {
            let known = usize::try_from(group.saturating_sub(before_first));
            let known = known.ok().and_then(|at| before.get(at));
            let fresh = known.map_or(0.0, |known| missing - *known as f64);
            self.missing.push(missing as i64);
            // Of those who are called some have gone in, and forgotten seconds miss nobody.
            if blind || Place::start_of(group * GROUP_SECONDS) < called {
                continue;
            }
            let unseen = unseen(self.seconds(group), poll_most);
            let age = age(group, now) - unseen;
            if age > 0.0 && known.is_some() {
                self.hazard
                    .see(age, fresh, believed(line, group, now), span);
            }
        }
        if !blind {
            self.hazard.settle(span);
        }
    }

    fn seconds(&self, group: u64) -> f64 {
        let at = usize::try_from(group.saturating_sub(self.first)).ok();
        let last = self.table.last().copied().unwrap_or_default();
        f64::from(
            at.and_then(|at| self.table.get(at).copied())
                .unwrap_or(last),
        )
    }
}

/// Who has just left was seen so long ago on average when the absence shows: half of the time
/// between two polls, and until the poll is missed.
fn unseen(seconds_left: f64, poll_most: Duration) -> f64 {
    (seconds_left / 2.0).min(poll_most.as_secs_f64()) / 2.0 + MISSED_SECONDS
}

fn believed(line: &Line, group: u64, now: WallTime) -> f64 {
    let seconds = group * GROUP_SECONDS..(group + 1) * GROUP_SECONDS;
    seconds
        .map(|arrived| whole(line.remaining(arrived, now)))
        .sum()
}

/// Sums over groups, from the first second of the line on.
fn groups(
    line: &Line,
    mut of: impl FnMut(u64, &Bucket) -> f64,
) -> impl Iterator<Item = (u64, f64)> {
    let mut buckets = (line.first..).zip(&line.buckets).peekable();
    core::iter::from_fn(move || {
        let (first, _) = buckets.peek()?;
        let group = first / GROUP_SECONDS;
        let mut sum = 0.0;
        while let Some((arrived, bucket)) =
            buckets.next_if(|(arrived, _)| arrived / GROUP_SECONDS == group)
        {
            sum += of(arrived, bucket);
        }
        Some((group, sum))
    })
}

/// Those of a second who were seen once, did not enter and do not come back.
fn missing(bucket: &Bucket) -> f64 {
    let here = bucket.claimed + bucket.live - bucket.suspects;
    bucket.confirmed as f64 - here as f64
}

fn age(group: u64, now: WallTime) -> f64 {
    let middle = group * GROUP_SECONDS + GROUP_SECONDS / 2;
    second(now).saturating_sub(middle) as f64
}

fn whole(credit: Credit) -> f64 {
    credit.as_nano() as f64 / 1e9
}

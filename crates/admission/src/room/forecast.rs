//! How long a wait will be: every five seconds the line is played forward, second by second of
//! arrivals, with the rate at which visitors entered lately and with what is known of how soon
//! people give up who have waited so long already.
//!
//! What is learnt is a few numbers, and the table one for each second of the line: nothing grows
//! with people. It tells nothing while it knows nothing.

use alloc::vec::Vec;
use core::time::Duration;

use super::bucket::{Bucket, second};
use super::line::Line;
use crate::estimate::{AGES, Finite, Hazard, Smooth};
use crate::inlet::Credit;
use crate::time::WallTime;
use crate::watermark::Place;

/// Seconds of arrivals of which it is learnt together who gives up.
const GROUP_SECONDS: u64 = 10;
/// Played anew so often.
const EVERY: Duration = Duration::from_secs(5);
/// The rate at which visitors enter is the mean of about so long.
const SPEED_MEMORY: Duration = Duration::from_secs(80);
/// It is known when it rests on so much.
const SPEED_KNOWN: Duration = Duration::from_secs(5);
/// Figures that a snapshot keeps.
pub(super) const LEARNT: usize = 4 + AGES;
/// So much of the operator's rate is used when it is the rate that holds visitors.
const BINDS: f64 = 0.7;
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
    /// Entered each second.
    speed: Smooth,
    /// Entered of what the operator's rate permits.
    used: Smooth,
    hazard: Hazard,
    /// By group: those who were seen once and were missing when last looked at.
    missing: Vec<i64>,
    missing_first: u64,
    looked: WallTime,
    blind_until: WallTime,
    /// By the second of arrival, from `first` on: seconds until it is called, as of `played`, when
    /// the line was called up to `called`.
    table: Vec<f32>,
    first: u64,
    called: Place,
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
            speed: Smooth::new(SPEED_MEMORY),
            used: Smooth::new(SPEED_MEMORY),
            hazard: Hazard::default(),
            missing: Vec::new(),
            missing_first: 0,
            looked: now,
            blind_until: now.plus(BLIND),
            table: Vec::new(),
            first: 0,
            called: Place::default(),
            played: now,
            known: false,
        }
    }

    /// What a snapshot keeps: the speed and the share of the rate that was used, in thousandths,
    /// the milliseconds that each rests on, and how soon people give up.
    pub(super) fn learnt(&self) -> [u64; LEARNT] {
        let smooth = |smooth: &Smooth| {
            let seen = smooth.seen().as_millis() as u64;
            [smooth.get().milli(), seen]
        };
        let mut learnt = [0; LEARNT];
        let parts = smooth(&self.speed).into_iter().chain(smooth(&self.used));
        let parts = parts.chain(self.hazard.rates_micro());
        learnt
            .iter_mut()
            .zip(parts)
            .for_each(|(to, part)| *to = part);
        learnt
    }

    /// Takes up what a snapshot kept.
    pub(super) fn resume(&mut self, learnt: [u64; LEARNT]) {
        let [speed, speed_seen, used, used_seen, rates @ ..] = learnt;
        let smooth = |milli, seen| {
            let seen = Duration::from_millis(seen);
            Smooth::primed(SPEED_MEMORY, Finite::from_milli(milli), seen)
        };
        self.speed = smooth(speed, speed_seen);
        self.used = smooth(used, used_seen);
        self.hazard.resume(rates);
    }

    /// `entered` entered within `span`.
    pub(super) fn see(&mut self, entered: u64, span: Duration, pace: Pace) {
        if !pace.moving || span.is_zero() {
            return;
        }
        self.speed.count(entered, span);
        if let Some(rate) = pace.fixed {
            let used = entered as f64 / (rate.get() * span.as_secs_f64());
            self.used.level(Finite::new(used), span);
        }
    }

    /// Visitors who will enter each second. A new rate holds at once, where it was the rate that
    /// held them.
    fn expected(&self, pace: Pace) -> Option<f64> {
        let of_rate = pace.fixed.map(Finite::get).unwrap_or_default() * self.used.get().get();
        let by_rate = self.used.get().get() >= BINDS && self.used.seen() >= SPEED_KNOWN;
        let speed = if by_rate && of_rate > 0.0 {
            of_rate
        } else {
            self.speed.get().get()
        };
        (self.speed.seen() >= SPEED_KNOWN && speed > 0.0).then_some(speed)
    }

    /// Plays the line forward when it is time.
    pub(super) fn play(&mut self, now: WallTime, line: &Line, called: Place, pace: Pace) {
        if self.known && now.saturating_since(self.played) < EVERY {
            return;
        }
        let speed = self.expected(pace);
        self.learn(now, line, called, pace.poll_most);
        self.known = speed.is_some();
        self.played = now;
        (self.first, self.called) = (line.first, called);
        let mut table = core::mem::take(&mut self.table);
        table.clear();
        if let Some(speed) = speed {
            let mut seconds = 0.0;
            for (arrived, _) in (line.first..).zip(&line.buckets) {
                table.push(seconds as f32);
                let believed = whole(line.remaining(arrived, now));
                if believed > 0.0 {
                    let age = second(now).saturating_sub(arrived) as f64;
                    let seen = age - unseen(seconds, pace.poll_most);
                    seconds += believed * self.hazard.stays(seen, age + seconds) / speed;
                }
            }
            table.push(seconds as f32);
        }
        self.table = table;
    }

    /// The time until `place` is called and its holder inside; `None` when it is not known.
    pub(super) fn wait(&self, place: Place, now: WallTime) -> Option<Duration> {
        let last = self.table.len().checked_sub(1).filter(|_| self.known)?;
        let start = Place::start_of(place.second()).max(self.called);
        let end = Place::start_of(place.second() + 1);
        let at = usize::try_from(place.second().saturating_sub(self.first)).ok()?;
        let found = |at: usize| self.table.get(at.min(last)).copied().unwrap_or_default();
        let part = micros(start, place) / micros(start, end).max(1.0);
        let (from, to) = (f64::from(found(at)), f64::from(found(at + 1)));
        let seconds = Finite::new(from + part.min(1.0) * (to - from));
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
        let second = group * GROUP_SECONDS;
        let at = usize::try_from(second.saturating_sub(self.first)).ok();
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

fn micros(from: Place, to: Place) -> f64 {
    to.as_micros().saturating_sub(from.as_micros()) as f64
}

fn whole(credit: Credit) -> f64 {
    credit.as_nano() as f64 / 1e9
}

//! What must survive the process, as bytes: counts, the pending watermark and what was learned.
//! Tokens are left out on purpose: nobody knows what was spent last, so they start at zero.
//!
//! A header (magic, version, length) and numbers of variable length (LEB128); the store adds a
//! checksum. A snapshot costs a few bytes for each second of arrivals. What came with a later
//! version stands at the end, in sections with a tag and a length: one that is missing was not
//! written yet, one that is not known is passed over, so that an upgrade and the way back keep
//! every place.

use alloc::vec::Vec;
use core::fmt;

use super::bucket::{Bucket, Cell, second};
use super::forecast::LEARNT;
use super::inside::Ring;
use super::line::{Line, SECONDS_MAX};
use super::order::{DRAWS_MAX, Draw, Orders};
use super::{Room, Settings, pace};
use crate::credential::RoomId;
use crate::draw::Seed;
use crate::inlet::{Credit, Inlet};
use crate::time::WallTime;
use crate::watermark::{Place, Watermark};

const MAGIC: [u8; 4] = *b"FBRM";
const VERSION: u8 = 1;
const HEADER: usize = 9;

/// The section of the draws.
const DRAWS: u64 = 1;
/// The section of what was learnt for the time told.
const FORECAST: u64 = 2;
/// The section of those who were told that their turn has come.
const TOLD: u64 = 3;

/// A snapshot that cannot be read: another version, a wrong length, or contents that contradict
/// each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSnapshot;

impl fmt::Display for BadSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the room's snapshot cannot be read")
    }
}

impl core::error::Error for BadSnapshot {}

impl Room {
    /// Everything that must survive the process, with the watermark that is still pending:
    /// written before [`publish`](Self::publish), it takes back nothing that was told.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(256 + self.line.buckets.len() * 16));
        out.0.extend_from_slice(&MAGIC);
        out.0.extend_from_slice(&[VERSION, 0, 0, 0, 0]);
        out.number(self.now.as_millis());
        out.number(u64::from(self.queueing));
        out.number(self.watermark.pending().as_micros());
        out.number(self.claimed);
        out.number(self.admitted);
        out.number(self.auto.capacity_milli());
        out.number(self.pulse.speed.get().milli());
        out.line(&self.line);
        out.ring(&self.inside.entering);
        out.ring(&self.inside.once);
        out.ring(&self.inside.known);
        out.section(FORECAST, |out| {
            out.number(self.line.ghosts);
            for learnt in self.forecast.learnt() {
                out.number(learnt);
            }
        });
        out.section(TOLD, |out| {
            for (place, id) in self.present.told() {
                out.number(place.as_micros());
                out.number(id);
            }
        });
        out.section(DRAWS, |out| out.orders(&self.orders));
        let length = u32::try_from(out.0.len() - HEADER).unwrap_or(u32::MAX);
        if let Some(place) = out.0.get_mut(HEADER - 4..HEADER) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        out.0
    }

    /// A room as it was when `snapshot` was taken. The watermark stands where it was pending,
    /// outstanding calls have their full time again, tokens start at zero, and the room's clock
    /// does not go back when the wall clock did.
    ///
    /// # Errors
    /// [`BadSnapshot`] when it cannot be read.
    pub fn restore(
        id: RoomId,
        settings: Settings,
        snapshot: &[u8],
        now: WallTime,
    ) -> Result<Self, BadSnapshot> {
        let mut from = Reader::open(snapshot)?;
        let taken = from.time()?;
        let queueing = from.figure()? != 0;
        let place = Place::from_micros(from.figure()?);
        let (claimed, admitted) = (from.figure()?, from.figure()?);
        let (capacity, speed) = (from.figure()?, from.figure()?);
        let now = now.max(taken);
        // What was issued after the snapshot, or in the second before it if the disk lagged.
        let lost = second(taken).saturating_sub(1)..second(now) + 1;
        let line = from.line(Line::new(taken, lost))?;
        let inlet = Inlet::empty(pace(settings.inlet), now);
        let mut room = Self::with(id, settings, line, Watermark::new(place), inlet, now);
        from.ring(&mut room.inside.entering)?;
        from.ring(&mut room.inside.once)?;
        from.ring(&mut room.inside.known)?;
        while !from.0.is_empty() {
            let (tag, section) = from.section()?;
            room.resume(tag, section, now)?;
        }
        room.orders.configure(settings.order, settings.event, now);
        (room.queueing, room.claimed, room.admitted) = (queueing, claimed, admitted);
        room.auto.resume(capacity);
        room.pulse.resume(speed, claimed, admitted, &room.line);
        room.check();
        Ok(room)
    }

    fn resume(
        &mut self,
        tag: u64,
        mut section: Reader<'_>,
        now: WallTime,
    ) -> Result<(), BadSnapshot> {
        match tag {
            DRAWS => self.orders = section.orders()?,
            FORECAST => {
                self.line.ghosts = section.figure()?;
                let mut learnt = [0; LEARNT];
                for value in &mut learnt {
                    *value = section.figure()?;
                }
                self.forecast.resume(learnt);
            }
            TOLD => {
                while !section.0.is_empty() {
                    let place = Place::from_micros(section.figure()?);
                    self.present.resume((place, section.number()?), now);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn section(&mut self, tag: u64, write: impl FnOnce(&mut Self)) {
        let mut section = Self(Vec::new());
        write(&mut section);
        self.number(tag);
        self.number(section.0.len() as u64);
        self.0.append(&mut section.0);
    }

    fn orders(&mut self, orders: &Orders) {
        self.number(orders.draws.len() as u64);
        for draw in &orders.draws {
            for value in [draw.since, draw.until, draw.width, u64::from(draw.is_event)] {
                self.number(value);
            }
            self.0.extend_from_slice(&draw.seed.expose());
        }
    }

    fn line(&mut self, line: &Line) {
        for value in [line.first, line.swept, line.judged] {
            self.number(value);
        }
        for value in [
            line.issued,
            line.suspected,
            line.abandoned,
            line.called.whole(),
        ] {
            self.number(value);
        }
        for (hits, of) in [line.prompt.parts_milli(), line.returning.parts_milli()] {
            self.number(hits);
            self.number(of);
        }
        self.number(line.buckets.len() as u64);
        for bucket in &line.buckets {
            self.bucket(bucket);
        }
    }

    fn bucket(&mut self, bucket: &Bucket) {
        // Empty seconds are the rule outside of a surge: one byte.
        self.number(bucket.issued);
        for value in [
            bucket.confirmed,
            bucket.prompt,
            bucket.claimed,
            bucket.out().as_nano(),
        ] {
            self.number(value);
        }
        self.number(bucket.cells.len() as u64);
        for cell in &bucket.cells {
            self.number(cell.epoch);
            self.number(cell.count);
        }
    }

    fn ring(&mut self, ring: &Ring) {
        self.number(ring.life.as_millis() as u64);
        self.number(ring.first);
        self.number(ring.counts.len() as u64);
        for count in &ring.counts {
            self.number(*count);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn open(snapshot: &'a [u8]) -> Result<Self, BadSnapshot> {
        let (header, rest) = snapshot.split_first_chunk::<HEADER>().ok_or(BadSnapshot)?;
        let (magic, header) = header.split_first_chunk::<4>().ok_or(BadSnapshot)?;
        let (version, length) = header.split_first().ok_or(BadSnapshot)?;
        let length = length.first_chunk().ok_or(BadSnapshot)?;
        let fits = u32::from_be_bytes(*length) as usize == rest.len();
        let ours = *magic == MAGIC && *version == VERSION && fits;
        if ours {
            Ok(Self(rest))
        } else {
            Err(BadSnapshot)
        }
    }

    fn number(&mut self) -> Result<u64, BadSnapshot> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(BadSnapshot)?;
            self.0 = rest;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return Err(BadSnapshot);
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BadSnapshot)
    }

    /// A figure: a time, a total. Nothing honest exceeds 53 bits, so that no sum overflows.
    fn figure(&mut self) -> Result<u64, BadSnapshot> {
        self.number().and_then(|value| {
            if value >> 53 == 0 {
                Ok(value)
            } else {
                Err(BadSnapshot)
            }
        })
    }

    /// A count of people in a second or an epoch.
    fn count(&mut self) -> Result<u64, BadSnapshot> {
        self.number().and_then(|value| {
            if value >> 32 == 0 {
                Ok(value)
            } else {
                Err(BadSnapshot)
            }
        })
    }

    /// A length of something of which each part takes a byte at least.
    fn length(&mut self, most: usize) -> Result<usize, BadSnapshot> {
        let length = usize::try_from(self.number()?).map_err(|_| BadSnapshot)?;
        if length <= most.min(self.0.len()) {
            Ok(length)
        } else {
            Err(BadSnapshot)
        }
    }

    fn time(&mut self) -> Result<WallTime, BadSnapshot> {
        self.figure().map(WallTime::from_millis)
    }

    fn section(&mut self) -> Result<(u64, Self), BadSnapshot> {
        let tag = self.number()?;
        let length = self.length(usize::MAX)?;
        let (section, rest) = self.0.split_at_checked(length).ok_or(BadSnapshot)?;
        self.0 = rest;
        Ok((tag, Self(section)))
    }

    fn orders(&mut self) -> Result<Orders, BadSnapshot> {
        let mut orders = Orders::default();
        for _ in 0..self.length(DRAWS_MAX)? {
            let (since, until, width) = (self.count()?, self.figure()?, self.count()?);
            let is_event = self.figure()? != 0;
            let (seed, rest) = self.0.split_first_chunk().ok_or(BadSnapshot)?;
            self.0 = rest;
            orders.draws.push_back(Draw {
                since,
                until,
                width,
                is_event,
                seed: Seed::new(*seed),
            });
        }
        if orders.holds() {
            Ok(orders)
        } else {
            Err(BadSnapshot)
        }
    }

    fn line(&mut self, mut line: Line) -> Result<Line, BadSnapshot> {
        (line.first, line.swept, line.judged) = (self.count()?, self.count()?, self.count()?);
        (line.issued, line.suspected, line.abandoned) =
            (self.figure()?, self.figure()?, self.figure()?);
        line.called = Credit::from_whole(self.figure()?);
        line.prompt.resume((self.figure()?, self.figure()?));
        line.returning.resume((self.figure()?, self.figure()?));
        for _ in 0..self.length(SECONDS_MAX)? {
            let bucket = self.bucket(line.swept)?;
            line.live += bucket.live;
            line.suspects += bucket.suspects;
            line.out = line.out.plus(bucket.out());
            line.buckets.push_back(bucket);
        }
        if line.holds() {
            Ok(line)
        } else {
            Err(BadSnapshot)
        }
    }

    fn bucket(&mut self, swept: u64) -> Result<Bucket, BadSnapshot> {
        let mut bucket = Bucket {
            issued: self.count()?,
            confirmed: self.count()?,
            prompt: self.count()?,
            claimed: self.count()?,
            called: Credit::from_nano(self.number()?),
            ..Bucket::default()
        };
        for _ in 0..self.length(usize::MAX)? {
            let cell = Cell {
                epoch: self.count()?,
                count: self.count()?,
            };
            bucket.live += cell.count;
            bucket.suspects += if cell.epoch <= swept { cell.count } else { 0 };
            bucket.cells.push(cell);
        }
        Ok(bucket)
    }

    fn ring(&mut self, ring: &mut Ring) -> Result<(), BadSnapshot> {
        let life = core::time::Duration::from_millis(self.figure()?);
        let mut kept = Ring::new(life, ring.epochs());
        kept.first = self.figure()?;
        for _ in 0..self.length(64)? {
            let count = self.count()?;
            kept.count += count;
            kept.counts.push_back(count);
        }
        if !kept.holds() {
            return Err(BadSnapshot);
        }
        ring.take_over(kept);
        Ok(())
    }
}

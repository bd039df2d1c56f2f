//! The access log: one line of JSON for each request, which never makes a request wait.
//!
//! A worker formats into its own buffer ([`Pen`]) and hands it on when it is half full or at
//! each [`Pen::flush`]; one thread writes ([`Writer`]). Between them is a queue of a fixed
//! number of buffers: when it is full the lines are dropped and counted, never waited for.

mod line;
mod time;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

pub use line::Line;
pub use writer::Writer;

/// A number of milliseconds since 1970 as a line shows it: RFC 3339 text, in UTC.
#[must_use]
pub fn timestamp(millis: u64) -> String {
    time::Clock::default().text(millis).to_owned()
}

/// Where the lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The standard output.
    Stdout,
    /// Appended to this file, which is made when it is not there, readable by owner and group.
    File(PathBuf),
}

/// Size of a pen's buffer. A line is far below it, so it never grows.
const BUFFER: usize = 64 * 1024;

/// A buffer that holds so much is handed on.
const FULL: usize = BUFFER / 2;

/// Lines on their way to the writer.
#[derive(Debug)]
struct Batch {
    text: Vec<u8>,
    lines: u64,
}

/// What pens, writer and owner share.
#[derive(Debug, Default)]
struct Shared {
    dropped: AtomicU64,
    errors: AtomicU64,
    reopen: AtomicBool,
    complaint: Mutex<Option<io::Error>>,
    spare: Mutex<Vec<Vec<u8>>>,
}

/// The log: makes pens, and says how it goes.
#[derive(Clone, Debug)]
pub struct AccessLog {
    batches: SyncSender<Batch>,
    shared: Arc<Shared>,
    capacity: usize,
}

impl AccessLog {
    /// Opens the target. `capacity` buffers of 64 KiB may wait for the writer (at least one).
    /// Lines are written once [`Writer::run`] runs on a thread of its own.
    ///
    /// # Errors
    /// The file cannot be opened for appending.
    pub fn open(to: Target, capacity: usize) -> io::Result<(Self, Writer)> {
        let capacity = capacity.max(1);
        let (batches, received) = sync_channel(capacity);
        let shared = Arc::<Shared>::default();
        let writer = Writer::open(to, received, Arc::clone(&shared), capacity)?;
        Ok((
            Self {
                batches,
                shared,
                capacity,
            },
            writer,
        ))
    }

    /// A pen for one worker.
    #[must_use]
    pub fn pen(&self) -> Pen {
        Pen {
            batches: self.batches.clone(),
            shared: Arc::clone(&self.shared),
            batch: Batch {
                text: Vec::with_capacity(BUFFER),
                lines: 0,
            },
            clock: time::Clock::default(),
        }
    }

    /// Lines lost so far, because the writer was too slow or could not write.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Relaxed)
    }

    /// Writes that failed so far.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.shared.errors.load(Relaxed)
    }

    /// Why writing fails: once for each time that it begins to fail.
    #[must_use]
    pub fn complaint(&self) -> Option<io::Error> {
        self.shared
            .complaint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Has the file opened anew before the next line is written: after it was moved away.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Relaxed);
        // An empty batch wakes an idle writer; when the queue is full it is awake.
        let _woken = self.batches.try_send(Batch {
            text: Vec::new(),
            lines: 0,
        });
    }

    /// How many buffers may wait for the writer.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }
}

/// One worker's end of the log. What it holds is handed on when it is dropped.
#[derive(Debug)]
pub struct Pen {
    batches: SyncSender<Batch>,
    shared: Arc<Shared>,
    batch: Batch,
    clock: time::Clock,
}

impl Pen {
    /// Writes one line down; it is on its way after the next [`flush`](Self::flush).
    pub fn write(&mut self, line: &Line<'_>) {
        line.format(&mut self.batch.text, &mut self.clock);
        self.batch.lines += 1;
        if self.batch.text.len() >= FULL {
            self.flush();
        }
    }

    /// Hands on what was written; drops and counts it when the queue is full. Call it a few
    /// times a second, so that a quiet worker's lines do not wait for a busy hour.
    pub fn flush(&mut self) {
        if self.batch.lines == 0 {
            return;
        }
        let next = Batch {
            text: self.shared.take_spare(),
            lines: 0,
        };
        let full = std::mem::replace(&mut self.batch, next);
        if let Err(TrySendError::Full(lost) | TrySendError::Disconnected(lost)) =
            self.batches.try_send(full)
        {
            self.shared.dropped.fetch_add(lost.lines, Relaxed);
            self.shared.give_spare(lost.text, 1);
        }
    }
}

impl Drop for Pen {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Shared {
    /// An empty buffer: one that was written out, or a new one.
    fn take_spare(&self) -> Vec<u8> {
        let spare = self
            .spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        spare.unwrap_or_else(|| Vec::with_capacity(BUFFER))
    }

    /// Keeps a buffer for later, unless `enough` are kept.
    fn give_spare(&self, mut buffer: Vec<u8>, enough: usize) {
        buffer.clear();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < enough && (BUFFER..=2 * BUFFER).contains(&buffer.capacity()) {
            spare.push(buffer);
        }
    }
}

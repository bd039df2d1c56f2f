//! The thread that writes the access log.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError};

use super::{Batch, Shared, Target};

/// Writes what the pens hand on.
#[derive(Debug)]
pub struct Writer {
    to: Target,
    file: Option<File>,
    received: Receiver<Batch>,
    shared: Arc<Shared>,
    capacity: usize,
    failing: bool,
}

impl Writer {
    pub(super) fn open(
        to: Target,
        received: Receiver<Batch>,
        shared: Arc<Shared>,
        capacity: usize,
    ) -> io::Result<Self> {
        let file = open(&to)?;
        Ok(Self {
            to,
            file,
            received,
            shared,
            capacity,
            failing: false,
        })
    }

    /// Writes until the log and all its pens are gone; then everything handed on is written.
    /// Blocks: give it a thread.
    pub fn run(mut self) {
        while let Ok(batch) = self.received.recv() {
            if self.shared.reopen.swap(false, Relaxed)
                && let Err(error) = self.reopen()
            {
                self.failed(error, 0);
            }
            if batch.lines > 0
                && let Err(error) = self.write(&batch)
            {
                self.failed(error, batch.lines);
            }
            self.shared.give_spare(batch.text, self.capacity);
        }
    }

    /// Opens the file anew; when that fails, lines go on into the old one.
    fn reopen(&mut self) -> io::Result<()> {
        self.file = open(&self.to)?;
        Ok(())
    }

    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        // A write that failed may have left half a line.
        let start: &[u8] = if self.failing { b"\n" } else { b"" };
        match &mut self.file {
            Some(file) => put(file, start, &batch.text)?,
            None => put(&mut io::stdout().lock(), start, &batch.text)?,
        }
        self.failing = false;
        Ok(())
    }

    fn failed(&mut self, error: io::Error, lines: u64) {
        self.shared.errors.fetch_add(1, Relaxed);
        self.shared.dropped.fetch_add(lines, Relaxed);
        if !self.failing {
            self.failing = true;
            let mut complaint = self
                .shared
                .complaint
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *complaint = Some(error);
        }
    }
}

fn put(to: &mut impl Write, start: &[u8], text: &[u8]) -> io::Result<()> {
    to.write_all(start)?;
    to.write_all(text)?;
    to.flush()
}

/// The file of a target; none for the standard output.
fn open(to: &Target) -> io::Result<Option<File>> {
    match to {
        Target::Stdout => Ok(None),
        Target::File(path) => append(path).map(Some),
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}

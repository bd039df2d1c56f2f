//! What is counted about the process, and what the system says of it.

use std::fs;
use std::path::Path;

use super::cell::{Counter, Gauge, Table, kinds};

kinds! {
    /// How a reload ended.
    Reload {
        /// The new configuration is in force.
        Done => "done",
        /// The old one stayed.
        Refused => "refused",
    }
}

/// The counters of the process.
#[derive(Debug, Default)]
pub struct ProcessMetrics {
    /// Which configuration is in force, from 1.
    pub config_generation: Gauge,
    /// Reloads by result.
    pub reloads: Table<Reload, Counter>,
    /// 1 while saving works.
    pub store_up: Gauge,
    /// Saves.
    pub store_saves: Counter,
    /// Saves that failed.
    pub store_errors: Counter,
    /// Lines of the access log that were lost.
    pub log_dropped: Counter,
    /// Bytes of request bodies that wait for a permit.
    pub body_buffers: Gauge,
    /// Requests in which our own code panicked.
    pub panics: Counter,
}

/// What the system says of this process; absent where it does not say.
#[derive(Debug, Default, PartialEq)]
pub(super) struct System {
    pub(super) cpu_seconds: Option<f64>,
    pub(super) resident_bytes: Option<u64>,
    pub(super) open_fds: Option<u64>,
}

/// Linux reports times in ticks of `USER_HZ`, which is 100 for every program (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

impl System {
    /// Reads `/proc/self`: three small reads, done only when somebody looks.
    pub(super) fn read() -> Self {
        let text = |name: &str| fs::read_to_string(Path::new("/proc/self").join(name)).ok();
        Self {
            cpu_seconds: text("stat").as_deref().and_then(cpu_seconds),
            resident_bytes: text("status").as_deref().and_then(resident_bytes),
            open_fds: open_fds(),
        }
    }
}

/// Fields 14 and 15 of proc_pid_stat(5), counted after the name, which may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Since Linux 6.2 the directory's size is their number; before, it is zero and they are listed.
fn open_fds() -> Option<u64> {
    let directory = Path::new("/proc/self/fd");
    match fs::metadata(directory).ok()?.len() {
        0 => u64::try_from(fs::read_dir(directory).ok()?.count()).ok(),
        count => Some(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_text_is_read_as_it_is_written() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 9 0 100 1 2";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds("42 (a"), None);
        let status = "Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n";
        assert_eq!(resident_bytes(status), Some(2_097_152));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
    }
}

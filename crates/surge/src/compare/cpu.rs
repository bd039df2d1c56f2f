//! CPU time of a program and everything that it started, as the kernel accounts it.

use std::fs;
use std::time::Duration;

/// CPU time so far of all processes of the group `leader`, and of their children
/// that have ended; zero for a group without processes.
///
/// From `/proc/PID/stat` (proc(5)), in units of the kernel's clock, usually 10 ms.
pub(super) fn of_group(leader: u32) -> Duration {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Duration::ZERO;
    };
    let ticks: u64 = processes
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        })
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|stat| read(&stat))
        .filter(|&(group, _ticks)| group == leader)
        .map(|(_group, ticks)| ticks)
        .sum();
    let hertz = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_millis(ticks * 1_000 / hertz)
}

/// Process group and clock ticks of one line of `/proc/PID/stat`.
fn read(stat: &str) -> Option<(u32, u64)> {
    // The name may hold spaces and parentheses; what follows the last one does not.
    let (_name, fields) = stat.rsplit_once(')')?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    let group = fields.get(2)?.parse().ok()?;
    let times = fields.get(11..15)?;
    let ticks = times.iter().map(|ticks| ticks.parse::<u64>().ok());
    Some((group, ticks.sum::<Option<u64>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_programs_name_is() {
        let stat = "42 (a) b (c) S 1 40 40 0 -1 4194304 1 2 3 4 100 20 3 1 20 0 1 0 99 0 0";
        assert_eq!(read(stat), Some((40, 124)));
        assert_eq!(read("42 (a) S 1 40"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_group_that_nobody_is_in_has_used_nothing() {
        assert_eq!(of_group(u32::MAX), Duration::ZERO);
    }
}

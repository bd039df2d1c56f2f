//! How many tests ran: read off what the runners print at the end.

use std::fmt;
use std::ops::AddAssign;

/// Tests by how they went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Count {
    /// One part that passed or failed.
    pub(crate) const fn part(passed: bool) -> Self {
        Self {
            passed: passed as u64,
            failed: !passed as u64,
            skipped: 0,
        }
    }

    /// One part that was left out by name.
    pub(crate) const fn left_out() -> Self {
        Self {
            passed: 0,
            failed: 0,
            skipped: 1,
        }
    }

    /// What a line of `cargo test` or `cargo nextest` says, if it is a closing one.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        // Indented it is a part of what nextest shows of a failed test, and counted already.
        if let Some(rest) = line.strip_prefix("test result: ") {
            return Some(Self::of_parts(rest.split_once(". ")?.1, ';'));
        }
        let rest = line.trim().strip_prefix("Summary [")?;
        Some(Self::of_parts(rest.split_once(" run: ")?.1, ','))
    }

    fn of_parts(text: &str, separator: char) -> Self {
        let mut count = Self::default();
        for part in text.split(separator) {
            let Some((number, what)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            let what = what.split(" (").next().unwrap_or_default();
            match what {
                "passed" => count.passed += number,
                "failed" | "timed out" | "exec failed" => count.failed += number,
                "skipped" | "ignored" | "filtered out" => count.skipped += number,
                _ => {}
            }
        }
        count
    }

    /// Whether something failed, or nothing ran at all.
    pub(crate) const fn is_bad(&self) -> bool {
        self.failed > 0 || self.passed == 0
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(out, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_both_runners_are_understood() {
        let cases = [
            (
                "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s",
                (5, 0, 3),
            ),
            (
                "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
                (5, 2, 0),
            ),
            (
                "     Summary [   0.461s] 43 tests run: 43 passed, 0 skipped",
                (43, 0, 0),
            ),
            (
                "Summary [ 9.0s] 7 tests run: 4 passed (1 slow, 1 leaky), 1 failed, 2 timed out, 3 skipped",
                (4, 3, 3),
            ),
            (
                "Summary [ 9.0s] 1/3 tests run: 0 passed, 1 exec failed, 3 skipped",
                (0, 1, 3),
            ),
        ];
        for (line, (passed, failed, skipped)) in cases {
            let expected = Count {
                passed,
                failed,
                skipped,
            };
            assert_eq!(Count::of_line(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in [
            "running 5 tests",
            "test a ... ok",
            "5 passed, 1 failed",
            "Summary",
        ] {
            assert_eq!(Count::of_line(line), None, "{line}");
        }
    }

    #[test]
    fn nothing_run_is_as_bad_as_a_failure() {
        assert!(Count::default().is_bad() && Count::left_out().is_bad());
        assert!(!Count::part(true).is_bad() && Count::part(false).is_bad());
    }
}

//! The ledger's pages: counts of the run, of each group, and of each second.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::tally::{Generator, GroupTally, Latency, Line, Requests, Second, Tally, Visits};
use crate::waits::{Wait, Waits};

/// Seconds that are kept one by one.
const SECONDS_MAX: usize = 3_600;

/// Times above this are written down as this.
const LATENCY_MAX: Duration = Duration::from_secs(600);

/// With more than this of one core, in thousandths, the crowd's thread has no time to spare.
const BUSY_PERMILLE: u64 = 900;

/// All counts. Who writes brings it to the present by [`Book::turn_to`] first.
#[derive(Debug)]
pub(super) struct Book {
    groups: Vec<Account>,
    line: Line,
    waits: Waits,
    pages: Histogram<u64>,
    answers: Histogram<u64>,
    lateness: Histogram<u64>,
    generator: Generator,
    /// The last one is running.
    seconds: Vec<Second>,
    /// Whole pages of the running second.
    second_pages: Histogram<u64>,
}

/// One group's counts.
#[derive(Debug)]
struct Account {
    tally: GroupTally,
    waits: Waits,
}

impl Book {
    pub(super) fn new(groups: impl Iterator<Item = String>) -> Self {
        let account = |name| Account {
            tally: GroupTally {
                name,
                ..GroupTally::default()
            },
            waits: Waits::new(),
        };
        Self {
            groups: groups.map(account).collect(),
            line: Line::default(),
            waits: Waits::new(),
            pages: histogram(3),
            answers: histogram(3),
            lateness: histogram(2),
            generator: Generator::default(),
            seconds: vec![Second::default()],
            second_pages: histogram(2),
        }
    }

    /// Closes the seconds before `now`; quiet seconds are seconds too.
    pub(super) fn turn_to(&mut self, now: Duration) {
        let index = index(now);
        while self.seconds.len() <= index {
            let over = self.running();
            self.second_pages.reset();
            let next = Second {
                waiting: over.waiting,
                outstanding: over.outstanding,
                ..Second::default()
            };
            *self.second() = over;
            self.seconds.push(next);
        }
    }

    pub(super) fn second(&mut self) -> &mut Second {
        self.seconds.last_mut().expect("there is a running second")
    }

    pub(super) fn requests(&mut self, group: usize) -> &mut Requests {
        &mut self.groups[group].tally.requests
    }

    /// Requests of visitors who had got a page before: forms sent, or pages asked for.
    pub(super) fn insiders(&mut self, group: usize, form: bool) -> &mut Requests {
        let tally = &mut self.groups[group].tally;
        if form {
            &mut tally.forms
        } else {
            &mut tally.navigations
        }
    }

    pub(super) fn visits(&mut self, group: usize) -> &mut Visits {
        &mut self.groups[group].tally.visits
    }

    /// The line's counts of the run and of the group.
    pub(super) fn lines(&mut self, group: usize) -> [&mut Line; 2] {
        [&mut self.line, &mut self.groups[group].tally.line]
    }

    pub(super) const fn generator(&mut self) -> &mut Generator {
        &mut self.generator
    }

    pub(super) fn joined(&mut self, group: usize, joined: Duration) {
        self.waits.join(joined);
        self.groups[group].waits.join(joined);
    }

    pub(super) fn left(&mut self, group: usize, joined: Duration) {
        self.waits.leave(joined);
        self.groups[group].waits.leave(joined);
    }

    pub(super) fn waited(&mut self, group: usize, wait: &Wait) {
        self.waits.note(wait);
        self.groups[group].waits.note(wait);
    }

    /// So many more are in line.
    pub(super) fn in_line(&mut self, more: i64) {
        let second = self.second();
        second.waiting = second.waiting.saturating_add_signed(more);
    }

    /// A page is wanted since `intended`, which may lie in a second that is over.
    pub(super) fn wanted(&mut self, intended: Duration) {
        let index = index(intended).min(self.seconds.len() - 1);
        self.seconds[index].wanted += 1;
        for second in &mut self.seconds[index..] {
            second.outstanding += 1;
        }
    }

    pub(super) fn settled(&mut self) {
        let second = self.second();
        second.outstanding = second.outstanding.saturating_sub(1);
    }

    pub(super) fn answered(&mut self, page: bool, took: Duration) {
        let took = micros(took);
        self.answers.saturating_record(took);
        if page {
            self.pages.saturating_record(took);
            self.second_pages.saturating_record(took);
        }
    }

    /// Somebody came so late; beyond `bound` the crowd is what is slow.
    pub(super) fn late(&mut self, late: Duration, bound: Duration) {
        self.lateness.saturating_record(micros(late));
        self.second().at_bound |= late > bound;
    }

    pub(super) fn used(&mut self, from: Duration, to: Duration, permille: u64) {
        let last = self.seconds.len() - 1;
        // The middle of the stretch lies in the second that it belongs to, also when both
        // ends are a little late.
        let first = index((from + Duration::from_millis(500)).min(to)).min(last);
        let end = index(to.saturating_sub(Duration::from_millis(500))).clamp(first, last);
        for second in &mut self.seconds[first..=end] {
            second.generator_permille = second.generator_permille.max(permille);
            second.at_bound |= permille >= BUSY_PERMILLE;
        }
    }

    pub(super) fn tally(&self) -> Tally {
        let groups: Vec<_> = self.groups.iter().map(Account::tally).collect();
        let mut line = self.line;
        self.waits.fill(&mut line);
        let mut seconds = self.seconds.clone();
        if let Some(running) = seconds.last_mut() {
            *running = self.running();
        }
        let limited = seconds.iter().filter(|second| second.at_bound).count();
        let used = seconds.iter().map(|second| second.generator_permille);
        Tally {
            requests: groups
                .iter()
                .fold(Requests::default(), |all, group| all.and(&group.requests)),
            visits: groups
                .iter()
                .fold(Visits::default(), |all, group| all.and(&group.visits)),
            line,
            pages: latency(&self.pages),
            answers: latency(&self.answers),
            generator: Generator {
                late_p99_ms: self.lateness.value_at_quantile(0.99) / 1_000,
                late_ms_max: self.lateness.max() / 1_000,
                busiest_permille: used.max().unwrap_or(0),
                seconds_limited: limited as u64,
                seconds: seconds.len() as u64,
                ..self.generator
            },
            seconds,
            groups,
        }
    }

    /// The running second, with its times.
    fn running(&self) -> Second {
        let second = self.seconds.last().copied().unwrap_or_default();
        let pages = &self.second_pages;
        Second {
            p50_us: pages.value_at_quantile(0.5),
            p90_us: pages.value_at_quantile(0.9),
            p99_us: pages.value_at_quantile(0.99),
            ..second
        }
    }
}

impl Account {
    fn tally(&self) -> GroupTally {
        let mut tally = self.tally.clone();
        self.waits.fill(&mut tally.line);
        tally
    }
}

fn latency(times: &Histogram<u64>) -> Latency {
    Latency {
        count: times.len(),
        p50_us: times.value_at_quantile(0.5),
        p90_us: times.value_at_quantile(0.9),
        p99_us: times.value_at_quantile(0.99),
        p999_us: times.value_at_quantile(0.999),
        max_us: times.max(),
    }
}

/// Microseconds, with so many digits.
fn histogram(digits: u8) -> Histogram<u64> {
    Histogram::new_with_bounds(1, micros(LATENCY_MAX), digits)
        .expect("1 to 600,000,000 with a few digits are bounds that a histogram can have")
}

/// The second in which `at` lies; after an hour the last one.
fn index(at: Duration) -> usize {
    usize::try_from(at.as_secs()).map_or(SECONDS_MAX - 1, |second| second.min(SECONDS_MAX - 1))
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

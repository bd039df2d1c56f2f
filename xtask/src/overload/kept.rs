//! A run that was kept: what surge reported of it, as far as the bars need it.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What a run left in its folder.
#[derive(Debug, Deserialize)]
pub(super) struct Kept {
    pub(super) tally: Tally,
    pub(super) seconds: Vec<Moment>,
    pub(super) at_work: u64,
    pub(super) origin: Option<Origin>,
    #[serde(skip)]
    pub(super) folder: PathBuf,
}

/// What the crowd saw.
#[derive(Debug, Deserialize)]
pub(super) struct Tally {
    pub(super) requests: Requests,
    pub(super) generator: Generator,
    pub(super) seconds: Vec<Second>,
    pub(super) groups: Vec<Group>,
}

/// Whether the crowd itself was the limit.
#[derive(Debug, Deserialize)]
pub(super) struct Generator {
    pub(super) seconds_limited: u64,
}

/// Requests by outcome.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Requests {
    pub(super) begun: u64,
    pub(super) page: u64,
    pub(super) refused: u64,
    pub(super) reset_before: u64,
    pub(super) reset_after: u64,
    pub(super) reset_at_end: u64,
    pub(super) truncated: u64,
    pub(super) closed: u64,
    pub(super) malformed: u64,
    pub(super) abandoned: u64,
}

impl Requests {
    /// Connections reset or refused, and answers cut off or left out.
    pub(super) const fn harmed(&self) -> u64 {
        self.refused
            + self.reset_before
            + self.reset_after
            + self.reset_at_end
            + self.truncated
            + self.closed
            + self.malformed
    }

    /// Of those that somebody waited for to the end, the share that got the page.
    pub(super) fn served(&self) -> Option<f64> {
        share(self.page, self.begun.saturating_sub(self.abandoned))
    }
}

/// One group.
#[derive(Debug, Deserialize)]
pub(super) struct Group {
    pub(super) visits: Visits,
    pub(super) forms: Requests,
    pub(super) navigations: Requests,
}

/// Visits by how they went.
#[derive(Debug, Deserialize)]
pub(super) struct Visits {
    pub(super) completed: u64,
    pub(super) lost_mid_form: u64,
}

/// One second of the crowd.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Second {
    pub(super) wanted: u64,
    pub(super) outstanding: u64,
    pub(super) page: u64,
    pub(super) waiting_page: u64,
    pub(super) busy: u64,
    pub(super) limited: u64,
    pub(super) error: u64,
    pub(super) reset: u64,
    pub(super) refused: u64,
    pub(super) unanswered: u64,
    /// Whether the crowd, and not the site, was at its bound.
    pub(super) at_bound: bool,
}

impl Second {
    /// Requests that were turned away.
    pub(super) const fn shed(&self) -> u64 {
        self.waiting_page + self.busy + self.limited
    }

    /// Requests that came to an end.
    pub(super) const fn ended(&self) -> u64 {
        self.page + self.shed() + self.error + self.reset + self.refused + self.unanswered
    }
}

/// One second of the origin.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Moment {
    pub(super) in_time: u64,
    pub(super) peak: f64,
}

/// The origin's own counts.
#[derive(Debug, Deserialize)]
pub(super) struct Origin {
    pub(super) arrived: u64,
    pub(super) duplicates: u64,
}

/// The folder of a rival's run.
pub(super) fn folder(rival: &str) -> String {
    format!("{}-1", rival.trim().to_lowercase().replace(' ', "-"))
}

/// A share; none of nothing.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Kept {
    /// The run of `rival` in `cell`, if there is one.
    pub(super) fn of(keep: &Path, cell: &str, rival: &str) -> Option<Self> {
        let folder = keep.join(cell).join(folder(rival));
        let text = fs::read(folder.join("report.json")).ok()?;
        let kept: Self = serde_json::from_slice(&text).ok()?;
        Some(Self { folder, ..kept })
    }

    /// What the origin did in time, of what it could have done of what was wanted: in each
    /// second the lesser of its peak and of what is wanted newly or was still wanted, but
    /// for what it has in its hands at its best. Seconds in which the crowd itself was at its
    /// bound say nothing of the site and are left out.
    pub(super) fn goodput(&self, seconds: Range<u32>) -> Option<f64> {
        let (mut arrears, mut possible, mut done) = (0, 0.0, 0);
        for (index, (moment, crowd)) in self.seconds.iter().zip(&self.tally.seconds).enumerate() {
            let wanted = crowd.wanted + arrears;
            arrears = crowd.outstanding.saturating_sub(self.at_work);
            let counts = seconds.contains(&u32::try_from(index).unwrap_or(u32::MAX));
            if counts && !crowd.at_bound {
                possible += moment.peak.min(wanted as f64);
                done += moment.in_time;
            }
        }
        (possible > 0.0).then(|| done as f64 / possible)
    }

    /// Requests turned away in these seconds, and those that ended.
    pub(super) fn shed(&self, seconds: Range<u32>) -> (u64, u64) {
        let range = seconds.start as usize..seconds.end as usize;
        let counted = self.tally.seconds.iter().enumerate();
        let counted = counted.filter(|(index, _second)| range.contains(index));
        counted.fold((0, 0), |(shed, ended), (_index, second)| {
            (shed + second.shed(), ended + second.ended())
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Of each second: done, peak, wanted, turned away.
    pub(in crate::overload) fn kept(seconds: &[(u64, f64, u64, u64)]) -> Kept {
        let moment = |&(in_time, peak, ..): &(u64, f64, u64, u64)| Moment { in_time, peak };
        let second = |&(page, _, wanted, busy): &(u64, f64, u64, u64)| Second {
            wanted,
            outstanding: 0,
            page,
            waiting_page: 0,
            busy,
            limited: 0,
            error: 0,
            reset: 0,
            refused: 0,
            unanswered: 0,
            at_bound: false,
        };
        Kept {
            tally: Tally {
                requests: Requests::default(),
                generator: Generator { seconds_limited: 0 },
                seconds: seconds.iter().map(second).collect(),
                groups: Vec::new(),
            },
            seconds: seconds.iter().map(moment).collect(),
            at_work: 5,
            origin: None,
            folder: PathBuf::new(),
        }
    }

    #[test]
    fn what_was_wanted_or_the_peak_whichever_is_less_is_what_could_be_done() {
        let run = kept(&[
            (0, 100.0, 500, 0),
            (90, 100.0, 500, 410),
            (50, 100.0, 50, 0),
        ]);
        assert_eq!(run.goodput(1..3), Some(140.0 / 150.0));
        assert_eq!(run.shed(1..3), (410, 550));
        assert_eq!(run.goodput(7..9), None);
        let mut busy = run;
        busy.tally.seconds[1].at_bound = true;
        assert_eq!(busy.goodput(1..3), Some(1.0));
    }
}

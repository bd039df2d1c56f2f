//! What a run comes to: every figure counted, by second and in all, for a
//! reader who was not there.

mod goodput;
mod html;
mod machine;
mod sentence;

use serde::{Deserialize, Serialize};

pub use html::html;
pub(crate) use machine::{described, now, written_date};

use crate::origin::OriginStats;
use crate::tally::Tally;

/// One target's run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The target's name, such as "Forebay".
    pub name: String,
    /// What was played.
    pub scenario: Played,
    /// When it began, in seconds since 1970.
    pub began: u64,
    /// On which machine.
    pub machine: String,
    /// Whole seconds that it lasted.
    pub lasts: u64,
    /// What the crowd saw.
    pub tally: Tally,
    /// What the origin counted, where it could be asked.
    pub origin: Option<OriginStats>,
    /// The origin's own counts by second; empty where it could not be asked.
    pub seconds: Vec<Moment>,
    /// How many requests at work give the origin its peak; 0 where it could not be asked.
    pub at_work: u64,
    /// What happened to the origin meanwhile.
    pub events: Vec<Mark>,
    /// What the origin did in time, as a share of what it could have done of what was
    /// wanted; none where there is no ground truth or nobody came.
    pub goodput: Option<f64>,
    /// What a reader has to know about this run.
    pub notes: Vec<String>,
}

/// Which scenario was played, and how large.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Played {
    /// Its short name.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// What happened.
    pub story: String,
    /// Where the figures are from; may be empty.
    pub source: String,
    /// By what the arrivals and the origin's capacity were multiplied.
    pub scale: f64,
    /// Replays it.
    pub seed: u64,
}

/// One second at the origin, in requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Done within the deadline for somebody who was still there.
    pub in_time: u64,
    /// Done for somebody who was still there.
    pub useful: u64,
    /// Done for nobody.
    pub wasted: u64,
    /// Connections that the origin itself reset.
    pub reset: u64,
    /// At work or queued at the second's end.
    pub in_flight: u64,
    /// Highest throughput that it could have had in its condition, per second.
    pub peak: f64,
}

/// Something that happened to the origin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Seconds since the begin.
    pub at: f64,
    /// How many seconds it lasted.
    pub lasts: f64,
    /// In a few words.
    pub says: String,
}

impl Report {
    /// Goodput of the whole run, from its seconds: see [`Report::goodput_between`].
    #[must_use]
    pub fn goodput(&self) -> Option<f64> {
        self.goodput_between(0, usize::MAX)
    }

    /// Goodput of the seconds `from` up to and without `to`: what the origin completed in
    /// time, divided by what it could have completed of what was wanted. In a second that
    /// is the lesser of its peak under its condition, and of what is wanted newly or still.
    #[must_use]
    pub fn goodput_between(&self, from: usize, to: usize) -> Option<f64> {
        goodput::between(&self.seconds, &self.tally.seconds, self.at_work, from..to)
    }

    /// How people fared, in one plain sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence::sentence(self)
    }
}

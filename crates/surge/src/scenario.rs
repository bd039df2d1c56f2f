//! A scenario: who comes, to which origin, and what happens to it meanwhile.
//!
//! Written as TOML, read with all its mistakes at once. One factor, `scale`,
//! multiplies every arrival rate and the origin's capacity and nothing else,
//! so that a night of two hundred thousand people fits on one machine and keeps
//! its shape. Time is not scaled: a file that compresses it says so in a comment.

mod bounds;
mod mistake;
mod read;
mod table;

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

pub use mistake::{Mistake, Mistakes};

use crate::crowd::{CrowdSettings, Group, Site, Sources};
use crate::origin::{Condition, OriginSettings};

/// Bytes of a scenario file.
const FILE_SIZE_MAX: u64 = 1 << 20;

/// What happens on one night.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its file's name without the ending.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// What happened, for a reader who was not there.
    pub story: String,
    /// Where the figures are from; empty where they are nobody's.
    pub source: String,
    /// How long it lasts.
    pub lasts: Duration,
    /// The origin; its capacity is scaled already.
    pub origin: OriginSettings,
    /// What happens to the origin, in time.
    pub events: Vec<Event>,
    /// Who comes; the rates are scaled already.
    pub crowd: Vec<Group>,
    /// Visitors alive at once; who would come beyond is counted as not begun.
    pub visitors_max: usize,
    /// Connections open at once.
    pub connections_max: usize,
    /// Replays it.
    pub seed: u64,
    /// By what the rates and the capacity have been multiplied.
    pub scale: f64,
}

/// Something that happens to the origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Since the begin.
    pub at: Duration,
    /// How long; then the origin is healthy again.
    pub lasts: Duration,
    /// In a few words, such as "half of the servers die".
    pub says: String,
    /// What it does.
    pub set: Condition,
}

impl Scenario {
    /// Reads the file at `path`, scaled as it says.
    ///
    /// # Errors
    /// Everything that is wrong with it, or the one reason why it cannot be read.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let shown = path.display().to_string();
        let unreadable = |why| Mistakes::unreadable(&shown, format!("cannot be read: {why}"));
        let file = fs::File::open(path).map_err(unreadable)?;
        let mut text = String::new();
        let mut bounded = file.take(FILE_SIZE_MAX + 1);
        bounded.read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > FILE_SIZE_MAX {
            let says = format!("is larger than {FILE_SIZE_MAX} bytes");
            return Err(Mistakes::unreadable(&shown, says));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut scenario = Self::parse(&text, &shown)?;
        scenario.name = name.into_owned();
        Ok(scenario)
    }

    /// Reads a scenario's text; mistakes are said to be in `name`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, name: &str) -> Result<Self, Mistakes> {
        read::scenario(text, name)
    }

    /// The same with `factor` times the arrivals and `factor` times the capacity.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        let capacity = self.origin.peak() * factor;
        self.origin = self.origin.with_peak(capacity);
        for group in &mut self.crowd {
            group.arrivals = group.arrivals.scaled(factor);
        }
        self.scale *= factor;
        self
    }

    /// What the origin is like at `at`: the last event that has begun and is not over.
    #[must_use]
    pub fn condition_at(&self, at: Duration) -> Condition {
        let now = |event: &&Event| event.at <= at && at < event.at + event.lasts;
        let event = self.events.iter().rfind(now);
        event.map_or_else(Condition::default, |event| event.set.clone())
    }

    /// The crowd on its way to `site`. Addresses of 127.0.0.0/8 are for a site there;
    /// anywhere else everybody comes from the machine's own.
    #[must_use]
    pub fn crowd_at(&self, site: Site) -> CrowdSettings {
        let mut groups = self.crowd.clone();
        if !site.address.ip().is_loopback() {
            for group in &mut groups {
                if group.sources == Sources::Loopback {
                    group.sources = Sources::Same;
                }
            }
        }
        CrowdSettings {
            groups,
            connections_max: self.connections_max,
            visitors_max: self.visitors_max,
            seed: self.seed,
            ..CrowdSettings::steady(site, 0.0, self.lasts)
        }
    }
}

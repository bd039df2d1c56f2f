//! What is counted about a route.

use super::cell::{Bounds, Counter, Histogram, Table, kinds};

kinds! {
    /// What was decided about a request.
    Decision {
        /// It went to the origin.
        Admit => "admit",
        /// It was answered with a kept copy.
        Cache => "cache",
        /// It waits in line: the waiting page.
        Hold => "hold",
        /// It was answered by us.
        Shed => "shed",
    }
}

kinds! {
    /// On what grounds a request went to the origin.
    Grounds {
        /// As everybody's.
        Plain => "none",
        /// Past the room, by a secret header.
        BypassHeader => "bypass_header",
        /// Past the room, by the client's address.
        BypassAddress => "bypass_address",
        /// Past the room, by its path.
        BypassPath => "bypass_path",
        /// Past the room, by its method.
        BypassMethod => "bypass_method",
        /// Past the room, because a preflight can show no pass.
        Preflight => "preflight",
    }
}

kinds! {
    /// How good the copy was with which a request was answered.
    Copied {
        /// Fresh, or just confirmed.
        Fresh => "fresh",
        /// Past its time, because the origin could not answer, or is just being asked.
        Stale => "stale",
    }
}

kinds! {
    /// The class of a status: exact codes would multiply every bucket by sixty.
    StatusClass {
        /// 1xx.
        Informational => "1xx",
        /// 2xx.
        Success => "2xx",
        /// 3xx.
        Redirection => "3xx",
        /// 4xx.
        ClientError => "4xx",
        /// 5xx.
        ServerError => "5xx",
        /// No answer, or none that HTTP knows.
        Other => "other",
    }
}

impl StatusClass {
    /// The class of a status; 0 stands for no answer at all.
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            100..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            500..=599 => Self::ServerError,
            _ => Self::Other,
        }
    }
}

/// The buckets that OpenTelemetry's semantic conventions for HTTP metrics recommend.
#[derive(Debug)]
pub(crate) struct HttpBounds;

impl Bounds for HttpBounds {
    const SECONDS: &'static [f64] = &[
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ];
}

/// Durations of exchanges by class of status.
pub(crate) type Durations = Table<StatusClass, Histogram<HttpBounds>>;

/// The counters of one route. Kept by whoever serves it, and the same after a reload.
#[derive(Debug)]
pub struct RouteMetrics {
    reasons: &'static [&'static str],
    admitted: Table<Grounds, Counter>,
    copied: Table<Copied, Counter>,
    held: Box<[Counter]>,
    shed: Box<[Counter]>,
    pub(super) durations: Durations,
}

impl RouteMetrics {
    pub(super) fn new(reasons: &'static [&'static str]) -> Self {
        let cells = || (0..=reasons.len()).map(|_| Counter::default()).collect();
        Self {
            reasons,
            admitted: Table::default(),
            copied: Table::default(),
            held: cells(),
            shed: cells(),
            durations: Durations::default(),
        }
    }

    /// Counts a request that went to the origin.
    pub fn admitted(&self, grounds: Grounds) {
        self.admitted.inc(grounds);
    }

    /// Counts a request that was answered with a kept copy.
    pub fn copied(&self, copied: Copied) {
        self.copied.inc(copied);
    }

    /// Counts a request that was held in line. `reason` is an index into the names that
    /// [`Metrics::new`](super::Metrics::new) was given; beyond them it counts as `other`.
    pub fn held(&self, reason: usize) {
        self.held[reason.min(self.reasons.len())].inc();
    }

    /// Counts a request that was answered by us; `reason` as in [`held`](Self::held).
    pub fn shed(&self, reason: usize) {
        self.shed[reason.min(self.reasons.len())].inc();
    }

    /// Counts an answer with the time that it took; status 0: none was sent.
    pub fn request(&self, status: u16, nanos: u64) {
        self.durations.of(StatusClass::of(status)).record(nanos);
    }

    /// Decisions that were taken, as (decision, reason, how often).
    pub(super) fn decisions(&self) -> impl Iterator<Item = (Decision, &'static str, u64)> {
        let reasons = || self.reasons.iter().copied().chain(["other"]);
        let held = reasons()
            .zip(&self.held)
            .map(|(why, cell)| (Decision::Hold, why, cell));
        let shed = reasons()
            .zip(&self.shed)
            .map(|(why, cell)| (Decision::Shed, why, cell));
        let copied = self
            .copied
            .iter()
            .map(|(why, cell)| (Decision::Cache, why, cell));
        self.admitted
            .iter()
            .map(|(grounds, cell)| (Decision::Admit, grounds, cell))
            .chain(copied)
            .chain(held)
            .chain(shed)
            .map(|(decision, why, cell)| (decision, why, cell.total()))
    }
}

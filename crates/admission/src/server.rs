//! Whether a server of an origin is alive, as far as its answers and its silences tell.
//!
//! live → ejected → half-open: one request, or one active probe, finds out → slow start → live.
//!
//! An overloaded origin is not a dead one. Who refuses connections is out, whoever else is, for it
//! costs nobody anything; when all are out the origin is *down*, and goes on being asked, by one
//! request per server and pause. Everything else (resets, timeouts, 5xx) ejects only an outlier:
//! a server that fails while the others do not. When they fail alike it is the origin, and nobody
//! is ejected.

mod ceiling;
mod window;

pub use ceiling::{HINT_KEPT, hinted, recovering};
pub use window::Counts;

use core::time::Duration;

use window::Window;

use crate::balance::WEIGHT_ONE;
use crate::time::Timestamp;

/// Connections in a row that were refused, until the last server is out. One is enough while
/// others are live: it costs them nothing, and a second later somebody looks again.
const REFUSED_MAX: u32 = 3;

/// Connections in a row that nobody accepted in time, until a server is out while another does
/// well: a full backlog looks the same for a moment.
const UNACCEPTED_MAX: u32 = 3;

/// The same when no other does well: without a single answer between so many it is gone.
const UNACCEPTED_ALL: u32 = 10;

/// Requests in a row without an answer, until a server is out while others answer.
const SILENT_MAX: u32 = 5;

/// Answers in the window from which a share of failures says something.
const ANSWERS_MIN: u32 = 30;

/// Answers from which another server is known well enough to be compared with.
const WITNESSES_MIN: u32 = 20;

/// The first pause of an ejected server. Each time that it fails again the pause doubles.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The longest pause of one that refuses: it says so at once, and the request that tried it goes on
/// to another server, so trying costs nobody anything.
const PAUSE_REFUSED: Duration = Duration::from_secs(3);

/// The longest pause while no server at all is live: somebody has to find out that it is over.
const PAUSE_DOWN: Duration = Duration::from_secs(1);

/// Who has been live for so long begins again with the shortest pause.
const FORGIVEN: Duration = Duration::from_secs(60);

/// How long a trial may go without a result, until another request may try.
const TRIAL_MAX: Duration = Duration::from_secs(10);

/// How long a server's share grows after its return.
const SLOW_START: Duration = Duration::from_secs(6);

/// The share with which a server returns, in thousandths.
const SLOW_START_FROM: u32 = 100;

/// Longest rest that a server may ask for by `Retry-After`.
const REST_MAX: Duration = Duration::from_secs(30);

/// How an exchange with a server failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No connection: refused, or no way there.
    Refused,
    /// No connection in time.
    Unaccepted,
    /// The connection ended before the answer, or what came is no HTTP.
    Reset,
    /// Connected, and no answer in time.
    Timeout,
    /// An answer with a 5xx other than 503 and 504.
    Error,
    /// 503 or 504: it has too much to do.
    Overloaded,
}

impl Fault {
    /// What an answer with this status says of its server; `None`: nothing bad.
    #[must_use]
    pub const fn of_status(status: u16) -> Option<Self> {
        match status {
            503 | 504 => Some(Self::Overloaded),
            500..=599 => Some(Self::Error),
            _ => None,
        }
    }

    /// The name in the status and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unaccepted => "connect timeout",
            Self::Reset => "reset",
            Self::Timeout => "timeout",
            Self::Error => "errors",
            Self::Overloaded => "overloaded",
        }
    }
}

/// Why a server is or was out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// So many failures in a row, the last of this kind.
    Row(Fault),
    /// A share of failures that the others do not have.
    Share,
    /// Active probes failed.
    Probe(Fault),
    /// It asked for a rest by `Retry-After`.
    Rest,
}

impl Why {
    /// The name in the status and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Row(fault) => fault.name(),
            Self::Share => "share of failures",
            Self::Probe(_) => "probe",
            Self::Rest => "retry-after",
        }
    }
}

/// The other servers, as far as they are not out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// Servers of the origin, this one included.
    pub servers: u32,
    /// Others that are not out.
    pub live: u32,
    /// Answers of that other of which enough is known and least is bad; none: there is none.
    pub best: Counts,
}

impl Peers {
    /// No other server, so far.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            servers: 1,
            live: 0,
            best: Counts {
                answers: 0,
                faults: 0,
            },
        }
    }

    /// With another one, which is live or not, and had these answers.
    #[must_use]
    pub const fn and(self, live: bool, recent: Counts) -> Self {
        let known = live && recent.answers >= WITNESSES_MIN;
        let better = self.best.answers == 0 || recent.share() < self.best.share();
        Self {
            servers: self.servers.saturating_add(1),
            live: self.live.saturating_add(live as u32),
            best: if known && better { recent } else { self.best },
        }
    }

    /// Whether another one does well.
    const fn one_is_well(&self) -> bool {
        self.best.answers > 0 && self.best.share() <= Counts::SHARE_ONE / 10
    }

    /// Whether a server with these answers fails so much more than another that it is the server
    /// and not the origin. When less than half would be left, it has to look dead and not merely
    /// overloaded: else its load would fall on the last that hold.
    const fn exclude(&self, own: Counts) -> bool {
        let half_stays = self.live * 2 >= self.servers;
        let dead = own.share() >= Counts::SHARE_ONE / 10 * 9;
        self.one_is_well() && (half_stays || dead)
    }
}

/// Where a server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Gets its share.
    Live,
    /// Gets a growing share since then.
    SlowStart(Timestamp),
    /// Gets nothing until the pause is over.
    Ejected {
        /// Since when.
        since: Timestamp,
        /// For how long.
        pause: Duration,
    },
    /// Gets one request, or one active probe, sent at that moment.
    HalfOpen(Timestamp),
    /// Gets nothing until then, as it asked for.
    Resting(Timestamp),
}

impl State {
    /// The name in the status and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::SlowStart(_) => "slow-start",
            Self::Ejected { .. } => "ejected",
            Self::HalfOpen(_) => "half-open",
            Self::Resting(_) => "resting",
        }
    }

    /// Whether it gets more than a trial.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::SlowStart(_))
    }
}

/// The health of one server.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    state: State,
    window: Window,
    /// The pause that the next ejection takes.
    pause: Duration,
    live_since: Timestamp,
    ejections: u64,
    why: Option<Why>,
}

impl Health {
    /// A server that is taken to be alive at `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self {
            state: State::Live,
            window: Window::new(now),
            pause: PAUSE_MIN,
            live_since: now,
            ejections: 0,
            why: None,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// How often it was ejected.
    #[must_use]
    pub const fn ejections(&self) -> u64 {
        self.ejections
    }

    /// Why it was out last; `None`: it never was.
    #[must_use]
    pub const fn why(&self) -> Option<Why> {
        self.why
    }

    /// Its answers of the last seconds.
    #[must_use]
    pub const fn recent(&self) -> Counts {
        self.window.sum()
    }

    /// How many in a thousand choices may fall on it: 0 when it is out, growing in slow start.
    #[must_use]
    pub fn ramp(&self, now: Timestamp) -> u32 {
        match self.state {
            State::Live => WEIGHT_ONE,
            State::SlowStart(since) => {
                let grown = now.saturating_since(since).as_millis() * u128::from(WEIGHT_ONE)
                    / SLOW_START.as_millis();
                let grown = u32::try_from(grown).unwrap_or(WEIGHT_ONE);
                grown.clamp(SLOW_START_FROM, WEIGHT_ONE)
            }
            State::Ejected { .. } | State::HalfOpen(_) | State::Resting(_) => 0,
        }
    }

    /// The regular look: `more` answers came since the last one. A rest or a slow start that is
    /// over ends; an outlier is ejected. `jitter`, any number, spreads the pauses.
    pub fn tick(&mut self, more: Counts, peers: Peers, now: Timestamp, jitter: u32) {
        self.window.add(more, now);
        match self.state {
            State::Resting(until) if now >= until => self.back(peers.live == 0, now),
            State::SlowStart(since) if now.saturating_since(since) >= SLOW_START => {
                self.state = State::Live;
            }
            State::Live | State::SlowStart(_) => {
                let own = self.recent();
                let many = own.answers >= ANSWERS_MIN && own.share() * 2 >= Counts::SHARE_ONE;
                if many && peers.exclude(own) {
                    self.eject(Why::Share, now, jitter);
                }
            }
            State::Ejected { .. } | State::HalfOpen(_) | State::Resting(_) => {}
        }
    }

    /// An exchange failed, the last of `row` failures of that kind or similar without an answer
    /// between them.
    pub fn failed(&mut self, fault: Fault, row: u32, peers: Peers, now: Timestamp, jitter: u32) {
        match self.state {
            State::HalfOpen(_) => self.eject_again(fault, now, jitter),
            State::Live | State::SlowStart(_) => {
                let out = match fault {
                    Fault::Refused => peers.live > 0 || row >= REFUSED_MAX,
                    Fault::Unaccepted if peers.one_is_well() => row >= UNACCEPTED_MAX,
                    Fault::Unaccepted => row >= UNACCEPTED_ALL,
                    Fault::Reset | Fault::Timeout => row >= SILENT_MAX && peers.one_is_well(),
                    Fault::Error | Fault::Overloaded => false,
                };
                if out {
                    self.eject(Why::Row(fault), now, jitter);
                }
            }
            State::Ejected { .. } | State::Resting(_) => {}
        }
    }

    /// Active probes failed as often as it takes, the last one like this; `well`: those of
    /// another server go well. What may be mere overload ejects only while half of the servers
    /// stay.
    pub fn probes_failed(
        &mut self,
        fault: Fault,
        (peers, well): (Peers, bool),
        now: Timestamp,
        jitter: u32,
    ) {
        match self.state {
            State::HalfOpen(_) => self.eject_again(fault, now, jitter),
            State::Live | State::SlowStart(_) => {
                let out = match fault {
                    Fault::Refused => true,
                    Fault::Reset | Fault::Error => well && peers.live > 0,
                    Fault::Unaccepted | Fault::Timeout | Fault::Overloaded => {
                        well && peers.live > 0 && peers.live * 2 >= peers.servers
                    }
                };
                if out {
                    self.eject(Why::Probe(fault), now, jitter);
                }
            }
            State::Ejected { .. } | State::Resting(_) => {}
        }
    }

    /// A request got an answer that is no failure. `down`: no server was live; then there is
    /// nobody to share with slowly, and what the whole origin gets is bounded elsewhere.
    pub fn answered(&mut self, down: bool, now: Timestamp) {
        if matches!(self.state, State::HalfOpen(_)) {
            self.back(down, now);
        }
    }

    /// Active probes got as many good answers as it takes: whatever it was out for is over.
    pub fn probed(&mut self, down: bool, now: Timestamp) {
        if matches!(self.state, State::Ejected { .. } | State::HalfOpen(_)) {
            self.back(down, now);
        }
    }

    /// Whether a server that is out may be tried now; then the next one is the trial. `down`: no
    /// server is live. `last`: the request could not be sent again, so it tries only what nobody
    /// else came to try for another pause.
    pub fn may_try(&mut self, down: bool, last: bool, now: Timestamp) -> bool {
        let due = match self.state {
            State::Ejected { since, pause } => {
                let pause = if down { pause.min(PAUSE_DOWN) } else { pause };
                let times = if last { 2 } else { 1 };
                now.saturating_since(since) >= pause * times
            }
            State::HalfOpen(since) => now.saturating_since(since) >= TRIAL_MAX,
            // Nobody rests while all others are gone.
            State::Resting(_) => down,
            State::Live | State::SlowStart(_) => false,
        };
        if due {
            self.state = State::HalfOpen(now);
        }
        due
    }

    /// It asked for a rest by `Retry-After`; granted, up to half a minute, while at least half of
    /// the servers stay.
    pub fn rest(&mut self, wait: Duration, peers: Peers, now: Timestamp) {
        if self.state.is_live() && peers.live > 0 && peers.live * 2 >= peers.servers {
            self.state = State::Resting(now.plus(wait.min(REST_MAX)));
            self.why = Some(Why::Rest);
        }
    }

    fn eject(&mut self, why: Why, now: Timestamp, jitter: u32) {
        if now.saturating_since(self.live_since) >= FORGIVEN {
            self.pause = PAUSE_MIN;
        }
        self.state = State::Ejected {
            since: now,
            pause: spread(self.pause, jitter),
        };
        self.why = Some(why);
        self.lengthen();
        self.ejections += 1;
    }

    /// A trial failed: the same ejection goes on.
    fn eject_again(&mut self, fault: Fault, now: Timestamp, jitter: u32) {
        self.state = State::Ejected {
            since: now,
            pause: spread(self.pause, jitter),
        };
        self.why = Some(Why::Row(fault));
        self.lengthen();
    }

    fn lengthen(&mut self) {
        let longest = match self.why {
            Some(Why::Row(Fault::Refused)) => PAUSE_REFUSED,
            _ => PAUSE_MAX,
        };
        self.pause = (self.pause * 2).min(longest);
    }

    fn back(&mut self, down: bool, now: Timestamp) {
        self.state = if down {
            State::Live
        } else {
            State::SlowStart(now)
        };
        self.live_since = now;
        self.window = Window::new(now);
    }
}

/// Three quarters to five quarters of the pause, so that several proxies do not try together.
fn spread(pause: Duration, jitter: u32) -> Duration {
    let half = pause / 2;
    let part = half.as_micros() * u128::from(jitter) / u128::from(u32::MAX);
    pause - half / 2 + Duration::from_micros(u64::try_from(part).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;

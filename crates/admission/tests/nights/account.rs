//! What a night comes to, in the figures of the bars.

use std::collections::BTreeSet;

use forebay_admission::room::Status;
use forebay_admission::watermark::Place;

use super::night::{MINUTE, SECOND};
use super::visitor::{At, Kind, NEVER, Told, Visitor};

/// Who is called and asks within this is on time.
const ON_TIME: u64 = 2 * SECOND;
/// Who enters so much later than somebody who stands behind is overtaken.
const NOTICED: u64 = 2 * SECOND;

/// One tick of the night.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pulse {
    pub(crate) at: u64,
    /// Somebody waited for the room, and it was up and not held.
    pub(crate) demand: bool,
    pub(crate) rate: u32,
    pub(crate) entered: u64,
    pub(crate) active: u64,
    pub(crate) polls: u64,
    pub(crate) held: u64,
    pub(crate) live: u64,
    pub(crate) waiting: u64,
    pub(crate) mark: Place,
}

/// One told time that came true.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    pub(crate) p50: u64,
    pub(crate) p90: u64,
    pub(crate) true_wait: u64,
    pub(crate) entered: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) pulses: Vec<Pulse>,
    /// Numbers told that were larger than one told before.
    pub(crate) risen: u64,
    /// Visitors who were treated as new.
    pub(crate) anew: u64,
    /// Moves of the watermark backwards.
    pub(crate) back: u64,
    pub(crate) people: u64,
    pub(crate) ghosts: u64,
    /// What the room said of itself at the end.
    pub(crate) status: Status,
    pub(crate) entered: u64,
    pub(crate) outside: u64,
    /// Those who asked within two seconds of their call, and of them the overtaken.
    pub(crate) on_time: u64,
    pub(crate) overtaken: u64,
    /// The same of those who asked later.
    pub(crate) late: u64,
    pub(crate) late_overtaken: u64,
    pub(crate) promises: Vec<Promise>,
    /// How often "your turn" was said to those who entered.
    pub(crate) turns: u64,
}

/// Somebody who had a place, as far as order is concerned.
struct Placed {
    place: Place,
    called: u64,
    present: u64,
    turn: u64,
}

impl Account {
    /// Looks back at everybody.
    pub(crate) fn close(&mut self, visitors: &[Visitor]) {
        let people = visitors.iter().filter(|one| one.kind != Kind::Ghost);
        for one in people {
            self.people += 1;
            self.outside += u64::from(one.at == At::Line);
            self.entered += u64::from(one.told.entered != NEVER);
            self.turns += u64::from(one.told.turns);
            self.promises.extend(promise(&one.told));
        }
        self.judge_order(visitors);
    }

    fn judge_order(&mut self, visitors: &[Visitor]) {
        let inside = visitors.iter().filter(|one| one.told.entered != NEVER);
        let mut placed: Vec<Placed> = inside.map(|one| self.placed(one)).collect();
        placed.sort_by_key(|one| (one.place, one.turn));
        let mut behind = BTreeSet::new();
        for one in placed.iter().rev() {
            let until = one.turn.saturating_sub(NOTICED).max(one.present);
            let passed = one.present != NEVER && behind.range(one.present..until).next().is_some();
            let on_time = one.present.saturating_sub(one.called) <= ON_TIME;
            if on_time {
                self.on_time += 1;
                self.overtaken += u64::from(passed);
            } else {
                self.late += 1;
                self.late_overtaken += u64::from(passed);
            }
            behind.insert(one.turn);
        }
    }

    fn placed(&self, one: &Visitor) -> Placed {
        let place = match one.ticket {
            Some(ticket) => Place::of(ticket.arrived, ticket.id),
            // Let through as a newcomer: behind everybody who had come by then.
            None => Place::from_micros(u64::MAX - one.told.entered),
        };
        let after = self.pulses.partition_point(|pulse| pulse.mark < place);
        let called = self.pulses.get(after).map_or(NEVER, |pulse| pulse.at);
        Placed {
            place,
            called,
            present: one.told.present,
            turn: one.told.turn,
        }
    }

    /// Claims over what was permitted while somebody waited.
    pub(crate) fn used(&self) -> f64 {
        let demand = self.pulses.iter().filter(|pulse| pulse.demand);
        let (claims, permitted) = demand.fold((0, 0.0), |(claims, permitted), pulse| {
            (
                claims + pulse.entered,
                permitted + f64::from(pulse.rate) / 5.0,
            )
        });
        claims as f64 / f64::max(permitted, 1.0)
    }

    /// Places taken over the cap while somebody waited, from `from` on.
    pub(crate) fn filled(&self, cap: u32, from: u64) -> f64 {
        let demand = self.pulses.iter();
        let demand = demand.filter(|pulse| pulse.demand && pulse.at >= from);
        let (sum, count) = demand.fold((0, 0_u64), |(sum, count), pulse| {
            (sum + pulse.active, count + 1)
        });
        sum as f64 / (count.max(1) as f64 * f64::from(cap))
    }

    /// The most places taken over the cap.
    pub(crate) fn filled_most(&self, cap: u32) -> f64 {
        let most = self.pulses.iter().map(|pulse| pulse.active).max();
        most.unwrap_or(0) as f64 / f64::from(cap)
    }

    /// The busiest minute over what its rate permits.
    pub(crate) fn busiest_minute(&self) -> f64 {
        let ticks = (MINUTE / 200) as usize;
        let minutes = self.pulses.windows(ticks);
        minutes
            .map(|minute| {
                let entered: u64 = minute.iter().map(|pulse| pulse.entered).sum();
                let permitted: u64 = minute.iter().map(|pulse| u64::from(pulse.rate)).sum();
                entered as f64 / (permitted as f64 / 5.0)
            })
            .fold(0.0, f64::max)
    }

    /// The most that entered in any span beyond the rate, in seconds of the rate; one visitor is
    /// always within it.
    pub(crate) fn excess(&self) -> f64 {
        let (mut over, mut most) = (0.0_f64, 0.0_f64);
        for pulse in &self.pulses {
            let rate = f64::from(pulse.rate);
            over = over.max(0.0) + pulse.entered as f64 - rate / 5.0;
            most = most.max((over - 1.0) / rate);
        }
        most
    }

    /// The most polls in a second, averaged over ten.
    pub(crate) fn polls_peak(&self) -> f64 {
        let ten = self.pulses.windows(50);
        ten.map(|ten| ten.iter().map(|pulse| pulse.polls).sum::<u64>() as f64 / 10.0)
            .fold(0.0, f64::max)
    }

    /// The share of those who asked on time and were overtaken.
    pub(crate) fn overtaken_share(&self) -> f64 {
        self.overtaken as f64 / self.on_time.max(1) as f64
    }

    /// What was measured, for whoever asks.
    pub(crate) fn print(&self, name: &str) {
        let peak = |part: fn(&Pulse) -> u64| self.pulses.iter().map(part).max().unwrap_or(0);
        let (error, below) = accuracy(&self.promises);
        println!(
            "{name:24} {} people, {:.2} in, {} outside; used {:.4}; minute {:.3}; excess {:.2} s; \
             overtaken {}/{} on time, {}/{} late; polls {:.0}/s; held {}; live {}, believed {}; \
             turns {:.2}; told: error {error:.3}, below p90 {below:.3}; risen {} anew {} back {}; \
             {:.0} s",
            self.people,
            self.entered as f64 / self.people.max(1) as f64,
            self.outside,
            self.used(),
            self.busiest_minute(),
            self.excess(),
            self.overtaken,
            self.on_time,
            self.late_overtaken,
            self.late,
            self.polls_peak(),
            peak(|pulse| pulse.held),
            peak(|pulse| pulse.live),
            peak(|pulse| pulse.waiting),
            self.turns as f64 / self.entered.max(1) as f64,
            self.risen,
            self.anew,
            self.back,
            self.pulses.len() as f64 / 5.0,
        );
    }
}

fn promise(told: &Told) -> Option<Promise> {
    let (at, p50, p90) = told.band?;
    let true_wait = told.entered.checked_sub(at)?;
    (told.entered != NEVER).then_some(Promise {
        p50,
        p90,
        true_wait,
        entered: told.entered,
    })
}

/// The median error of what was told, as a share of the true time (of half a minute at least: the
/// page says "soon" below a minute), and the share of those who entered before the p90 told.
pub(crate) fn accuracy(promises: &[Promise]) -> (f64, f64) {
    let mut errors: Vec<f64> = promises
        .iter()
        .map(|one| one.p50.abs_diff(one.true_wait) as f64 / one.true_wait.max(30 * SECOND) as f64)
        .collect();
    errors.sort_by(f64::total_cmp);
    let below = promises.iter().filter(|one| one.true_wait <= one.p90);
    let median = errors.get(errors.len() / 2).copied().unwrap_or(0.0);
    (median, below.count() as f64 / promises.len().max(1) as f64)
}

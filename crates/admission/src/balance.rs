//! Which server of an origin gets the next request: the cheaper of two that chance picks.
//!
//! Two choices keep the longest line short without looking at everybody (Mitzenmacher: The Power
//! of Two Choices in Randomized Load Balancing, 2001), and no two workers run to the same server
//! at once. What a server costs is its [peak latency](PeakEwma) times what is in flight there, as
//! in Finagle's `P2CPeakEwma`.
//!
//! Two things differ from there. Some milliseconds more or less are noise, and leave the choice to
//! what is in flight. And what is in flight is divided by the weight before one is added,
//! so that an idle server costs its latency whatever its weight, and weights count the more, the
//! more there is to do; in calm hours, where costs are alike, a coin weighted by them decides.

mod latency;

pub use latency::PeakEwma;

use core::time::Duration;

/// The whole weight of a server: weights are thousandths.
pub const WEIGHT_ONE: u32 = 1_000;

/// A server as a choice sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its peak latency; `None`: nothing is known.
    pub latency: Option<Duration>,
    /// Requests in flight there.
    pub in_flight: u32,
    /// Its weight in thousandths of that of the heaviest; 0 counts as 1.
    pub weight: u32,
    /// Of how many in a thousand choices it may be chosen at all: less than all in slow start,
    /// which what it costs does not express as long as little is in flight.
    pub ramp: u32,
}

/// Added to each latency: what servers differ by in less says nothing.
const NOISE_MICROS: u64 = 10_000;

/// One of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The first.
    First,
    /// The second.
    Second,
}

impl Candidate {
    const fn admits(self, coin: u32) -> bool {
        // Other digits than those that spread ties.
        coin / WEIGHT_ONE % WEIGHT_ONE < self.ramp
    }
}

/// Two different indexes below `count`, each pair as likely as any other; twice the same when
/// `count` is 1, `None` when it is 0.
#[must_use]
pub const fn pair(count: u32, random: u64) -> Option<(u32, u32)> {
    match count {
        0 => None,
        1 => Some((0, 0)),
        _ => {
            // Two independent halves; what the remainder favours is below one in a million.
            let first = (random >> 32) % count as u64;
            let step = (random & 0xffff_ffff) % (count as u64 - 1);
            let second = (first + 1 + step) % count as u64;
            Some((first as u32, second as u32))
        }
    }
}

/// The cheaper of two. Costs that differ by less than a quarter are alike: then `coin`, any
/// number, decides by weight.
#[must_use]
pub const fn cheaper(first: Candidate, second: Candidate, coin: u32) -> Pick {
    match (first.admits(coin), second.admits(coin)) {
        (true, false) => return Pick::First,
        (false, true) => return Pick::Second,
        (true, true) | (false, false) => {}
    }
    let (a, b) = (cost(first, second), cost(second, first));
    if a.saturating_mul(5) < b.saturating_mul(4) {
        return Pick::First;
    }
    if b.saturating_mul(5) < a.saturating_mul(4) {
        return Pick::Second;
    }
    let (a, b) = (weight(first) as u64, weight(second) as u64);
    if (coin as u64) % (a + b) < a {
        Pick::First
    } else {
        Pick::Second
    }
}

const fn weight(candidate: Candidate) -> u32 {
    if candidate.weight == 0 {
        1
    } else {
        candidate.weight
    }
}

/// A server of which nothing is known is tried at once when it is idle, and beyond that counts
/// as quick as the other, so that its first answer is awaited before it gets more.
const fn cost(own: Candidate, other: Candidate) -> u64 {
    let micros = match (own.latency, other.latency) {
        (Some(latency), _) => micros(latency),
        (None, _) if own.in_flight == 0 => return 0,
        (None, Some(latency)) => micros(latency),
        (None, None) => 1,
    } + NOISE_MICROS;
    let one = WEIGHT_ONE as u64;
    let load = own.in_flight as u64 * one * one / weight(own) as u64 + one;
    micros.saturating_mul(load)
}

const fn micros(latency: Duration) -> u64 {
    let micros = latency.as_micros();
    if micros > u32::MAX as u128 {
        u32::MAX as u64
    } else if micros == 0 {
        1
    } else {
        micros as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::mix;
    use proptest::prelude::*;

    /// Milliseconds, in flight, weight.
    fn candidate((millis, in_flight, weight): (u64, u32, u32)) -> Candidate {
        Candidate {
            latency: (millis > 0).then(|| Duration::from_millis(millis)),
            in_flight,
            weight,
            ramp: WEIGHT_ONE,
        }
    }

    /// How many of a thousand coins give the first.
    fn firsts(first: (u64, u32, u32), second: (u64, u32, u32)) -> u32 {
        let (first, second) = (candidate(first), candidate(second));
        let picks = (0..1_000).map(|n| cheaper(first, second, mix(n) as u32));
        picks.map(|pick| u32::from(pick == Pick::First)).sum()
    }

    #[test]
    fn the_cheaper_one_is_chosen_and_ties_are_spread_by_weight() {
        for (what, first, second, expected) in [
            ("the quicker", (10, 0, 1_000), (50, 0, 1_000), 1_000..=1_000),
            ("the idler", (10, 5, 1_000), (10, 1, 1_000), 0..=0),
            ("quick but loaded", (10, 9, 1_000), (20, 0, 1_000), 0..=0),
            ("equals", (10, 3, 1_000), (10, 3, 1_000), 450..=550),
            ("almost equals", (10, 0, 1_000), (12, 0, 1_000), 450..=550),
            (
                "idle, half the weight",
                (10, 0, 500),
                (10, 0, 1_000),
                290..=380,
            ),
            (
                "loaded alike, half the weight",
                (10, 4, 500),
                (10, 4, 1_000),
                0..=0,
            ),
            ("loaded by weight", (10, 4, 500), (10, 8, 1_000), 290..=380),
            (
                "unknown and idle",
                (0, 0, 1_000),
                (1, 0, 1_000),
                1_000..=1_000,
            ),
            (
                "unknown with one on its way",
                (0, 1, 1_000),
                (1, 0, 1_000),
                0..=0,
            ),
            (
                "both unknown and idle",
                (0, 0, 1_000),
                (0, 0, 1_000),
                450..=550,
            ),
        ] {
            let seen = firsts(first, second);
            assert!(expected.contains(&seen), "{what}: {seen} of 1000");
        }
    }

    #[test]
    fn a_slow_start_is_slow_however_cheap_the_server_is() {
        for ramp in [0, 100, 500, 1_000] {
            let starting = Candidate {
                ramp,
                ..candidate((1, 0, 1_000))
            };
            let loaded = candidate((100, 50, 1_000));
            let picks = (0..10_000).map(|n| cheaper(starting, loaded, mix(n) as u32));
            let chosen = picks.filter(|pick| *pick == Pick::First).count();
            let fair = ramp as usize * 10;
            assert!(chosen.abs_diff(fair) <= 150, "{ramp}: {chosen} of 10000");
        }
    }

    #[test]
    fn every_pair_comes_as_often_as_any_other() {
        let mut seen = [[0_u32; 4]; 4];
        for n in 0..12_000 {
            let (first, second) = pair(4, mix(n)).unwrap();
            seen[first as usize][second as usize] += 1;
        }
        for (first, row) in seen.iter().enumerate() {
            for (second, count) in row.iter().enumerate() {
                let fair = if first == second { 0..=0 } else { 850..=1_150 };
                assert!(fair.contains(count), "{first} {second}: {count}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_pair_is_two_different_servers(count in 2_u32.., random: u64) {
            let (first, second) = pair(count, random).unwrap();
            prop_assert!(first != second && first < count && second < count);
        }

        #[test]
        fn whoever_is_better_in_everything_by_half_is_chosen(
            millis in 1_u64..60_000, in_flight in 0_u32..1_000, weight in 1_u32..=1_000, coin: u32,
        ) {
            let better = candidate((millis, in_flight, weight));
            let worse = candidate((millis * 3 / 2 + 10, in_flight + 1, weight));
            prop_assert_eq!(cheaper(better, worse, coin), Pick::First);
            prop_assert_eq!(cheaper(worse, better, coin), Pick::Second);
        }
    }
}

use proptest::prelude::*;

use super::crowd::{Crowd, Script};
use crate::inlet::{BURST, RESERVE};

fn script() -> impl Strategy<Value = Script> {
    let crash = (1_000u64..100_000, 200u64..4_000);
    (
        (any::<u64>(), 2u32..60, 10u64..1_500, 1_000u64..60_000),
        (0u64..80, prop::option::of(5_000u64..200_000), 0u64..40),
        prop::collection::vec(crash, 0..4),
    )
        .prop_map(|(who, how, crashes)| Script {
            seed: who.0,
            per_second: who.1,
            arrivals: who.2,
            arrive_within_ms: who.3,
            ghosts: how.0,
            patience_ms: how.1,
            sleepy: how.2,
            until_ms: 250_000 + crashes.len() as u64 * 5_000 + who.2 * 1_500 / u64::from(who.1),
            crashes,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the crowd and the crashes: the watermark never moves back, nobody is told a
    /// larger number or starts over (both asserted at each contact), the bound holds, nobody who
    /// came for the own call is passed, and every patient visitor gets in.
    #[test]
    fn the_promises_hold_for_any_crowd(script in script()) {
        let (per_second, arrivals) = (script.per_second, script.arrivals as usize);
        let (late, crashes) = (script.sleepy as usize, script.crashes.len());
        let outcome = Crowd::new(script).run();
        prop_assert_eq!(outcome.left_outside, 0);
        // Who is late enters first, and somebody who was told a moment ago a little later for it.
        // A process that dies takes its promises with it.
        let promised = (3 * crashes).saturating_mul(per_second as usize);
        let few = 3 + arrivals * (late + 1) / 1_000 + promised;
        prop_assert!(outcome.overtaken <= few, "{}", outcome.overtaken);
        let rate = f64::from(per_second);
        let bound = (rate * BURST.as_secs_f64()).max(1.0) + rate * RESERVE.as_secs_f64();
        prop_assert!(outcome.excess(per_second) <= bound + 1e-6, "{}", outcome.excess(per_second));
    }
}

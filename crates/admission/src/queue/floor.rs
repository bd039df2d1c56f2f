//! Floors: a share of the permits that a class has before better ones, once somebody of it waits.
//!
//! A floor is no partition. What a class does not use, others have; it gets its floor back as
//! permits come free, one answer of the origin at a time.

use crate::priority::{PerClass, Priority};

/// Classes with a floor, and its share of the limit in hundredths.
const FLOORS: [(Priority, u64); 3] = [
    (Priority::Submit, 15),
    (Priority::Navigation, 10),
    (Priority::SubResource, 5),
];

/// Permits of this class that nobody else's haste may keep from it: its share of `limit`, at
/// least one.
pub(super) const fn floor(share: u64, limit: u32) -> u64 {
    (share * limit as u64).div_ceil(100)
}

/// The share of this class, in hundredths.
pub(super) fn share_of(priority: Priority) -> usize {
    let of = FLOORS.into_iter().find(|(class, _)| *class == priority);
    of.map_or(0, |(_, share)| share as usize)
}

/// The class furthest below its floor of those who wait, the better one between equals.
pub(super) fn furthest_below(
    held: &PerClass<u32>,
    limit: u32,
    waits: impl Fn(Priority) -> bool,
) -> Option<Priority> {
    let mut furthest: Option<(u64, u64, Priority)> = None;
    for (priority, share) in FLOORS {
        let held = u64::from(*held.get(priority));
        let floor = floor(share, limit);
        if held >= floor || !waits(priority) {
            continue;
        }
        // held/floor, compared without dividing.
        if furthest.is_none_or(|(other, its_floor, _)| held * its_floor < other * floor) {
            furthest = Some((held, floor, priority));
        }
    }
    furthest.map(|(_, _, priority)| priority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Priority::{Navigation, SubResource, Submit};

    #[test]
    fn who_is_furthest_below_its_floor_is_next() {
        for (held, limit, waiting, expected) in [
            ([0, 0, 0], 100, &[Submit, Navigation][..], Some(Submit)),
            ([15, 0, 0], 100, &[Submit, Navigation], Some(Navigation)),
            ([5, 9, 0], 100, &[Submit, Navigation], Some(Submit)),
            (
                [5, 9, 0],
                100,
                &[Submit, Navigation, SubResource],
                Some(SubResource),
            ),
            ([15, 10, 5], 100, &[Submit, Navigation, SubResource], None),
            ([0, 0, 0], 100, &[], None),
            // The smallest origin still has one of each.
            ([1, 0, 0], 3, &[Submit, Navigation], Some(Navigation)),
            (
                [1, 1, 0],
                3,
                &[Submit, Navigation, SubResource],
                Some(SubResource),
            ),
        ] {
            let held = PerClass {
                submit: held[0],
                navigation: held[1],
                sub_resource: held[2],
                ..PerClass::default()
            };
            let found = furthest_below(&held, limit, |priority| waiting.contains(&priority));
            assert_eq!(found, expected, "{held:?} of {limit}, {waiting:?}");
        }
    }

    #[test]
    fn floors_leave_room_for_the_rest() {
        for limit in 3..2_000 {
            let sum: u64 = FLOORS.iter().map(|(_, share)| floor(*share, limit)).sum();
            assert!(sum <= u64::from(limit), "{limit}: {sum}");
        }
    }
}

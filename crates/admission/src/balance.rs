//! Which server of an origin gets the next request: the one with the least in flight.

/// The index of the least loaded among the eligible (`None`: not eligible). Of equals the first
/// from `start` on, wrapping around, so that a `start` that moves on spreads the calm hours.
///
/// `None` when nobody is eligible.
#[must_use]
pub fn least_loaded(
    loads: impl ExactSizeIterator<Item = Option<u32>>,
    start: usize,
) -> Option<usize> {
    let count = loads.len().max(1);
    let first = start % count;
    loads
        .enumerate()
        .filter_map(|(index, load)| {
            let turn = (index + count - first) % count;
            load.map(|load| (load, turn, index))
        })
        .min()
        .map(|(_, _, index)| index)
}

#[cfg(test)]
mod tests {
    use super::least_loaded;

    #[test]
    fn the_least_loaded_eligible_server_is_chosen() {
        type Loads = &'static [Option<u32>];
        for (loads, start, expected) in [
            (&[] as Loads, 3, None),
            (&[None, None], 0, None),
            (&[Some(3), Some(1), Some(2)], 0, Some(1)),
            (&[None, Some(9), None], 0, Some(1)),
            (&[Some(1), Some(1), Some(1)], 0, Some(0)),
            (&[Some(1), Some(1), Some(1)], 1, Some(1)),
            (&[Some(1), Some(1), Some(1)], 5, Some(2)),
            (&[Some(1), Some(2), Some(2)], 1, Some(0)),
            (&[Some(1), None, Some(1)], 1, Some(2)),
        ] {
            assert_eq!(
                least_loaded(loads.iter().copied(), start),
                expected,
                "{loads:?} {start}"
            );
        }
    }

    #[test]
    fn a_moving_start_gives_each_of_equals_the_same_share() {
        let mut chosen = [0; 3];
        for start in 0..300 {
            let server = least_loaded([Some(0); 3].into_iter(), start).unwrap();
            chosen[server] += 1;
        }
        assert_eq!(chosen, [100; 3]);
    }
}

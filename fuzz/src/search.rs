//! One target driven with changed inputs until something breaks or enough has been tried.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::change::{Chance, changed};
use crate::targets::{Shape, Target};

/// Inputs that are kept to be changed further.
const POOL_MAX: usize = 4_096;

/// What came of a search.
#[derive(Clone, Debug)]
pub struct Found {
    /// Inputs that were tried.
    pub tried: u64,
    /// Kinds of input that were seen.
    pub shapes: usize,
    /// The first input that broke a promise.
    pub broken: Option<Vec<u8>>,
}

/// Tries the target's seeds and `corpus`, then changes of them, for as long as `goes_on` says,
/// which is asked once every 256 inputs.
pub fn search(
    target: &Target,
    corpus: &[Vec<u8>],
    seed: u64,
    mut goes_on: impl FnMut(u64) -> bool,
) -> Found {
    let mut pool: Vec<Vec<u8>> = (target.seeds)();
    pool.extend_from_slice(corpus);
    let mut chance = Chance::new(seed);
    let mut seen: HashSet<Shape> = HashSet::new();
    let mut found = Found {
        tried: 0,
        shapes: 0,
        broken: None,
    };
    for input in pool.clone() {
        if attempt(target, &input, &mut seen, &mut found).is_none() {
            return found;
        }
    }
    while !found.tried.is_multiple_of(256) || goes_on(found.tried) {
        let (one, other) = (chance.below(pool.len()), chance.below(pool.len()));
        let input = changed(&pool[one], &pool[other], &mut chance);
        match attempt(target, &input, &mut seen, &mut found) {
            Some(true) if pool.len() < POOL_MAX => pool.push(input),
            Some(_) => {}
            None => return found,
        }
    }
    found
}

/// Whether the input was of a new kind; `None`: it broke a promise.
fn attempt(
    target: &Target,
    input: &[u8],
    seen: &mut HashSet<Shape>,
    found: &mut Found,
) -> Option<bool> {
    found.tried += 1;
    if let Ok(shape) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        let new = seen.insert(shape);
        found.shapes = seen.len();
        return Some(new);
    }
    found.broken = Some(input.to_vec());
    None
}

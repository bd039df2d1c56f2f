//! Form tokens that have been posted, so that a second post is known as one.

use std::collections::HashSet;
use std::mem;

/// Tokens kept per generation; two generations are kept.
const GENERATION: usize = 200_000;

/// The tokens posted last: at least the last [`GENERATION`].
#[derive(Debug, Default)]
pub(super) struct Tokens {
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl Tokens {
    /// Whether `token` had not been posted before. Notes it.
    pub(super) fn first_time(&mut self, token: u64) -> bool {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        !self.old.contains(&token) && self.young.insert(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_new_once_and_memory_is_bounded() {
        let mut tokens = Tokens::default();
        assert!(tokens.first_time(1));
        assert!(!tokens.first_time(1));
        for token in 2..3 * GENERATION as u64 {
            assert!(tokens.first_time(token));
        }
        assert!(tokens.young.len() + tokens.old.len() <= 2 * GENERATION);
    }
}

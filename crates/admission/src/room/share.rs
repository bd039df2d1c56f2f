//! How many tickets of one draw a client has, so that forgetting cookies buys no further draws.
//!
//! A table of fixed size, in groups of eight. Where a group is full, a newcomer takes the place of
//! the client with the fewest tickets: a crowd of addresses can make the room forget a count, and
//! costs nobody a draw. After a restart the counts begin anew.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::mix::mix;

/// Clients remembered at most: 1 MiB while a pre-queue runs, and nothing else of the time.
const CLIENTS_MAX: usize = 1 << 17;

/// Places among which a client's is looked for.
const GROUP: usize = 8;

/// Tickets by client in one draw.
#[derive(Debug, Default)]
pub(super) struct Shares {
    clients: Vec<Client>,
}

/// A client by half of its key's hash, and its tickets; with none the place is free.
#[derive(Clone, Copy, Debug, Default)]
struct Client {
    tag: u32,
    tickets: u32,
}

impl Shares {
    /// Counts one more ticket of a client; false when it has `most` already.
    pub(super) fn take(&mut self, key: u64, most: NonZeroU32) -> bool {
        if self.clients.is_empty() {
            self.clients.resize(CLIENTS_MAX, Client::default());
        }
        let hash = mix(key);
        let (tag, group) = ((hash >> 32) as u32, hash as usize % (CLIENTS_MAX / GROUP));
        let Some(group) = self.clients.get_mut(group * GROUP..(group + 1) * GROUP) else {
            return true;
        };
        let known = group
            .iter()
            .position(|client| client.tickets > 0 && client.tag == tag);
        let fewest = (0..GROUP).min_by_key(|&at| group.get(at).map(|client| client.tickets));
        let Some(client) = known.or(fewest).and_then(|at| group.get_mut(at)) else {
            return true;
        };
        if known.is_none() {
            *client = Client { tag, tickets: 0 };
        }
        let more = client.tickets < most.get();
        client.tickets += u32::from(more);
        more
    }

    /// No pre-queue runs: the table is given back.
    pub(super) fn forget(&mut self) {
        if !self.clients.is_empty() {
            self.clients = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: NonZeroU32 = NonZeroU32::new(5).unwrap();

    #[test]
    fn a_client_takes_part_so_often_and_no_more() {
        let mut shares = Shares::default();
        let taken: Vec<_> = (0..8).map(|_| shares.take(7, FIVE)).collect();
        assert_eq!(taken, [true, true, true, true, true, false, false, false]);
        assert!(shares.take(8, FIVE), "somebody else");
        shares.forget();
        assert!(shares.take(7, FIVE), "another draw");
    }

    #[test]
    fn a_crowd_of_clients_fills_nothing_up_and_is_refused_nothing() {
        let mut shares = Shares::default();
        assert!((0..500_000).all(|key| shares.take(key, FIVE)));
        assert_eq!(shares.clients.len(), CLIENTS_MAX);
    }

    #[test]
    fn who_has_most_is_forgotten_last() {
        let mut shares = Shares::default();
        for _ in 0..6 {
            shares.take(7, FIVE);
        }
        for key in 1_000..100_000 {
            shares.take(key, FIVE);
        }
        assert!(!shares.take(7, FIVE), "still at its bound");
    }
}

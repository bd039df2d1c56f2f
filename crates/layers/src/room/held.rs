//! Polls that are kept back: whose turn is near waits on the open connection and is told the
//! moment it comes, instead of asking again and again.
//!
//! Nothing is kept for a visitor who leaves: the entry goes with the request. How many may wait
//! is bounded (`poll.held`); one more is answered at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forebay_admission::ticket::Ticket;
use forebay_admission::watermark::Place;
use tokio::sync::oneshot;

use crate::budget::{Budget, Slot};

/// A place in line, and a number that tells requests with the same ticket apart.
type Key = (Place, u64);

/// The polls of one room that are kept back, in order of place.
#[derive(Debug)]
pub struct Held {
    slots: Arc<Budget>,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    next: u64,
    waiting: BTreeMap<Key, (Ticket, oneshot::Sender<()>)>,
}

impl Held {
    /// Nobody is kept back; at most `max` can be.
    #[must_use]
    pub fn new(max: u32) -> Self {
        Self {
            slots: Budget::new(max.into()),
            line: Mutex::default(),
        }
    }

    /// Changes how many can be kept back; who waits goes on waiting.
    pub fn set_max(&self, max: u32) {
        self.slots.set_max(max.into());
    }

    /// The right to keep one poll back; `None`: as many wait as may.
    #[must_use]
    pub fn slot(&self) -> Option<Slot> {
        self.slots.take(1)
    }

    /// How many are kept back now.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.line().waiting.len() as u64
    }

    /// Waits in line until woken.
    pub async fn wait(&self, place: Place, ticket: Ticket) {
        let (wake, woken) = oneshot::channel();
        let key = {
            let mut line = self.line();
            line.next += 1;
            let key = (place, line.next);
            line.waiting.insert(key, (ticket, wake));
            key
        };
        let _entry = Entry { held: self, key };
        // Either way there is something to look at: nobody waits whose entry is gone.
        _ = woken.await;
    }

    /// Takes those at the front out of the line, in order of place, up to the first who is not
    /// due; they wake when the caller has let go of its locks.
    #[must_use]
    pub fn due(&self, is_due: impl Fn(&Ticket) -> bool) -> Woken {
        let mut woken = Vec::new();
        let mut line = self.line();
        while let Some(first) = line
            .waiting
            .first_entry()
            .filter(|first| is_due(&first.get().0))
        {
            woken.push(first.remove());
        }
        Woken(woken)
    }

    /// Wakes everybody: what they wait for has changed.
    pub fn wake_all(&self) {
        let all = std::mem::take(&mut self.line().waiting);
        Woken(all.into_values().collect()).wake();
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Polls that are no longer kept back.
#[derive(Debug)]
pub struct Woken(Vec<(Ticket, oneshot::Sender<()>)>);

impl Woken {
    /// Lets them ask again, in order.
    pub fn wake(self) {
        for (_ticket, wake) in self.0 {
            // Who has left in this moment needs no answer.
            _ = wake.send(());
        }
    }
}

/// A place in the list, for as long as somebody waits there.
struct Entry<'a> {
    held: &'a Held,
    key: Key,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.held.line().waiting.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forebay_admission::credential::RoomId;
    use forebay_admission::time::WallTime;
    use futures_util::FutureExt;
    use futures_util::future::join_all;

    fn ticket(id: u64) -> Ticket {
        let arrived = WallTime::from_millis(id);
        Ticket {
            room: RoomId(1),
            id,
            arrived,
            confirmed: true,
            due: arrived,
            least_ahead: None,
            first_told: None,
            late: false,
            invited: false,
        }
    }

    fn wait(held: &Held, at: u64) -> impl Future<Output = ()> {
        held.wait(Place::from_micros(at), ticket(at))
    }

    #[test]
    fn those_who_are_due_are_woken_up_to_the_first_who_is_not() {
        let held = Held::new(10);
        let mut waiting: Vec<_> = [30, 10, 20, 5].map(|at| Box::pin(wait(&held, at))).into();
        assert!(
            waiting
                .iter_mut()
                .all(|one| one.as_mut().now_or_never().is_none())
        );
        // 5 and 10 are due, 20 is not; 30 would be, and stands behind.
        held.due(|ticket| ticket.id != 20).wake();
        let woken: Vec<bool> = waiting
            .iter_mut()
            .map(|one| one.as_mut().now_or_never().is_some())
            .collect();
        assert_eq!(woken, [false, true, false, true]);
        assert_eq!(held.count(), 2);
    }

    #[test]
    fn who_leaves_is_forgotten_at_once() {
        let held = Held::new(10);
        let mut waiting = Box::pin(wait(&held, 1));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!(held.count(), 1);
        drop(waiting);
        assert_eq!(held.count(), 0);
    }

    #[test]
    fn everybody_is_woken_when_what_they_wait_for_has_changed() {
        let held = Held::new(10);
        // Twice the same ticket: two tabs.
        let mut all = Box::pin(join_all([1, 1, 2].map(|at| wait(&held, at))));
        assert!(all.as_mut().now_or_never().is_none());
        assert_eq!(held.count(), 3);
        held.wake_all();
        assert!(all.as_mut().now_or_never().is_some());
        assert_eq!(held.count(), 0);
    }

    #[test]
    fn no_more_are_kept_back_than_may() {
        let held = Held::new(1);
        let first = held.slot();
        assert!(first.is_some() && held.slot().is_none());
        drop(first);
        assert!(held.slot().is_some());
    }
}

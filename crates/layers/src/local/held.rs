//! A poll of the status that is kept back: answered when the visitor's turn comes, or when its
//! time is over, whichever is first.

use std::sync::Arc;
use std::time::Duration;

use forebay_admission::room::{Asked, Asking};
use tokio::time::{Instant, timeout_at};

use super::status;
use crate::budget::Slot;
use crate::clock::Clock;
use crate::exchange::Answer;
use crate::room::Desk;
use crate::site::Site;

/// A poll that waits. Everything it has is given back when its client leaves.
pub(super) struct HeldPoll {
    pub(super) desk: Arc<Desk>,
    pub(super) site: Arc<Site>,
    pub(super) https: bool,
    pub(super) asking: Asking,
    pub(super) asked: Asked,
    /// How long the first answer may be kept back.
    pub(super) at_most: Duration,
    pub(super) _slot: Slot,
}

impl HeldPoll {
    /// Waits, and asks again whenever there may be something better to tell.
    pub(super) async fn answer(mut self, clock: Clock) -> Answer {
        let end = Instant::now() + self.at_most;
        loop {
            let ticket = self.asked.ticket;
            let place = self.desk.room().place(&ticket);
            let over = timeout_at(end, self.desk.held.wait(place, ticket)).await;
            let asking = Asking {
                can_wait: over.is_ok() && !self.site.closing.is_draining(),
                ..self.asking
            };
            let now = clock.wall(clock.now());
            self.asked = self.desk.room().ask(now, &ticket, asking);
            if self.asked.hold.is_none() {
                return status::tell(&self.desk, &self.site, self.https, &self.asked);
            }
        }
    }
}

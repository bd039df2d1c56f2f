//! A pass: a signed right to be inside for a while, judged without the room (no lock, no
//! allocation): that is the path of every admitted request.

use core::time::Duration;

use crate::credential::RoomId;
use crate::mix::mix;
use crate::time::WallTime;

/// A right to be inside. What is in it is signed, so it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The room it opens.
    pub room: RoomId,
    /// Names the visit: derived from the ticket's id, so that one ticket is one visit however
    /// often it is claimed; the key of the pass's quota.
    pub id: u64,
    /// When the visit began.
    pub began: WallTime,
    /// When it was signed last.
    pub seen: WallTime,
    /// Whether it was seen at least twice: only then it counts as a visitor inside for `idle`.
    pub confirmed: bool,
}

/// What comes within this after the first answer belongs to the first page: nobody has come back
/// yet, and the room need not hear of each picture.
const FIRST_PAGE: Duration = Duration::from_secs(2);

/// How long a pass is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassRules {
    /// Ends when it was not seen for so long.
    pub idle: Duration,
    /// Ends so long after it began, however often it is seen.
    pub lifetime: Duration,
    /// So long after its end an unsafe method (a form) is still admitted.
    pub form_grace: Duration,
}

/// What a pass is worth at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Good as it is.
    Fresh,
    /// Good, and to be signed anew through [`Room::renew`](crate::room::Room::renew).
    Renew,
    /// Ran out less than `form_grace` ago: good for an unsafe method only.
    Grace,
    /// Worth nothing.
    Expired,
}

impl Pass {
    /// The pass's id for a ticket's id: a fixed bijection, so two tickets never share a pass.
    #[must_use]
    pub const fn id_of(ticket: u64) -> u64 {
        mix(ticket)
    }

    /// What the pass is worth at `now`. A pass that was seen once only is renewed by what is asked
    /// for after the first page with its parts, later ones once in `idle`/8.
    #[must_use]
    pub fn standing(&self, now: WallTime, rules: &PassRules) -> Standing {
        let end = self.end(rules);
        if now >= end {
            let over = now.saturating_since(end);
            return if over < rules.form_grace {
                Standing::Grace
            } else {
                Standing::Expired
            };
        }
        let since = now.saturating_since(self.seen);
        let renewed_after = rules.idle / 8;
        let settled = !self.confirmed && since >= FIRST_PAGE;
        if settled || since >= renewed_after {
            Standing::Renew
        } else {
            Standing::Fresh
        }
    }

    /// When the pass ends unless it is seen before.
    #[must_use]
    pub fn end(&self, rules: &PassRules) -> WallTime {
        self.seen
            .plus(rules.idle)
            .min(self.began.plus(rules.lifetime))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: PassRules = PassRules {
        idle: Duration::from_secs(600),
        lifetime: Duration::from_secs(3_600),
        form_grace: Duration::from_secs(900),
    };

    fn at(second: u64) -> WallTime {
        WallTime::from_millis(second * 1_000)
    }

    fn pass(began: u64, seen: u64, confirmed: bool) -> Pass {
        Pass {
            room: RoomId(1),
            id: 7,
            began: at(began),
            seen: at(seen),
            confirmed,
        }
    }

    #[test]
    fn a_pass_ages_from_fresh_to_expired() {
        use Standing::{Expired, Fresh, Grace, Renew};
        for (began, seen, confirmed, now, expected) in [
            (0, 0, true, 10, Fresh),
            (0, 0, true, 74, Fresh),
            (0, 0, true, 75, Renew),
            (0, 0, false, 1, Fresh),
            (0, 0, false, 2, Renew),
            (0, 0, true, 599, Renew),
            (0, 0, true, 600, Grace),
            (0, 0, true, 1_499, Grace),
            (0, 0, true, 1_500, Expired),
            (0, 3_500, true, 3_510, Fresh),
            (0, 3_500, true, 3_600, Grace),
            (0, 3_500, true, 4_500, Expired),
            // A clock behind the signer's does not end a visit.
            (100, 100, true, 90, Fresh),
        ] {
            let found = pass(began, seen, confirmed).standing(at(now), &RULES);
            assert_eq!(
                found, expected,
                "seen {seen}, now {now}, confirmed {confirmed}"
            );
        }
    }

    #[test]
    fn different_tickets_have_different_passes() {
        let ids: std::collections::BTreeSet<_> = (0..10_000).map(Pass::id_of).collect();
        assert_eq!(ids.len(), 10_000);
    }
}

//! How long each class waits and how many may, from the operator's numbers or from the origin's
//! response time and limit.

use core::num::NonZeroUsize;
use core::time::Duration;

use crate::priority::Priority;

/// Least and most that a stranger waits on a calm day.
const LONG: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));
/// So many response times a stranger waits on a calm day.
const LONG_RESPONSES: u32 = 8;
/// Least that a stranger waits while the queue stands; else half a response time.
const SHORT: Duration = Duration::from_millis(100);
/// Least length on a calm day; else four times the limit.
const LENGTH: usize = 1_024;
/// Least number of strangers while the queue stands; else half the limit.
const STRANGERS: usize = 8;

/// The operator's numbers; `None` is "auto".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many may wait; auto: four times the limit, at least 1,024.
    pub length: Option<NonZeroUsize>,
    /// How long an unsafe method of a visitor inside waits.
    pub submit: Duration,
    /// How long a visitor inside waits for a page or its parts.
    pub visitor: Duration,
    /// How long who has no pass waits, whether or not the queue stands; auto: eight response
    /// times within 2 to 10 s, and half a response time, at least 0.1 s, while the queue stands.
    pub stranger: Option<Duration>,
}

impl Settings {
    /// How long one of this class waits.
    pub(super) fn patience(
        &self,
        priority: Priority,
        response: Option<Duration>,
        standing: bool,
    ) -> Duration {
        match priority {
            Priority::Operator | Priority::Submit => self.submit,
            Priority::Navigation | Priority::SubResource => self.visitor,
            Priority::Stranger | Priority::Bot if standing => self.short(response),
            Priority::Stranger | Priority::Bot => self.long(response),
        }
    }

    /// How long a stranger waits on a calm day. While nothing is known of the origin, as long as
    /// any may need.
    pub(super) fn long(&self, response: Option<Duration>) -> Duration {
        let auto = response.map_or(LONG.1, |response| {
            response
                .saturating_mul(LONG_RESPONSES)
                .clamp(LONG.0, LONG.1)
        });
        self.stranger.unwrap_or(auto)
    }

    fn short(&self, response: Option<Duration>) -> Duration {
        let auto = (response.unwrap_or_default() / 2).max(SHORT);
        self.stranger.unwrap_or(auto)
    }

    /// How many may wait.
    pub(super) fn length(&self, limit: u32) -> usize {
        let auto = (limit as usize).saturating_mul(4).max(LENGTH);
        self.length.map_or(auto, NonZeroUsize::get)
    }

    /// How many strangers may wait while the queue stands.
    pub(super) fn strangers(limit: u32) -> usize {
        (limit as usize / 2).max(STRANGERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Priority::{Bot, Navigation, Operator, Stranger, SubResource, Submit};

    const AUTO: Settings = Settings {
        length: None,
        submit: Duration::from_secs(30),
        visitor: Duration::from_secs(5),
        stranger: None,
    };

    #[test]
    fn strangers_wait_by_the_response_time_and_others_by_their_number() {
        for (response, standing, class, expected) in [
            (0, false, Stranger, 10_000),
            (0, true, Stranger, 100),
            (50, false, Stranger, 2_000),
            (600, false, Stranger, 4_800),
            (9_000, false, Bot, 10_000),
            (50, true, Stranger, 100),
            (600, true, Stranger, 300),
            (600, true, Navigation, 5_000),
            (600, false, SubResource, 5_000),
            (600, true, Submit, 30_000),
            (600, false, Operator, 30_000),
        ] {
            let response = (response > 0).then(|| Duration::from_millis(response));
            let found = AUTO.patience(class, response, standing);
            assert_eq!(
                found.as_millis(),
                expected,
                "{class:?} {response:?} {standing}"
            );
        }
    }

    #[test]
    fn a_number_holds_whatever_the_mode() {
        let stranger = Some(Duration::from_secs(3));
        let set = Settings { stranger, ..AUTO };
        for standing in [false, true] {
            let found = set.patience(Stranger, Some(Duration::from_millis(50)), standing);
            assert_eq!(found, Duration::from_secs(3));
        }
    }

    #[test]
    fn the_length_follows_the_limit_unless_it_is_set() {
        let set = Settings {
            length: NonZeroUsize::new(7),
            ..AUTO
        };
        for (limit, auto, strangers) in [
            (3, 1_024, 8),
            (256, 1_024, 128),
            (300, 1_200, 150),
            (u32::MAX, 17_179_869_180, 2_147_483_647),
        ] {
            assert_eq!(AUTO.length(limit), auto);
            assert_eq!(set.length(limit), 7);
            assert_eq!(Settings::strangers(limit), strangers);
        }
    }
}

//! The class of a request at the short queue.
//!
//! Operators first, then what an admitted visitor would lose most by waiting, then who is new.
//! What a client says about itself may lower its class and never raises it; the operator's
//! `priority` of a route moves a request by one class, never into the first two.

mod per_class;

pub use per_class::PerClass;

/// A class at the queue; the first is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Health checks and the operator's own requests. Never the result of [`Priority::of`]: only
    /// the shell knows who they are.
    Operator,
    /// An unsafe method of an admitted visitor: a form that would be lost.
    Submit,
    /// A page for an admitted visitor.
    Navigation,
    /// What a page of an admitted visitor needs besides.
    SubResource,
    /// Somebody without a pass.
    Stranger,
    /// A known bot, with or without a pass.
    Bot,
}

/// The operator's `priority` of a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RoutePriority {
    /// One class up.
    High,
    /// As it is.
    #[default]
    Normal,
    /// One class down.
    Low,
}

/// What is known about a request when it comes to the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traits {
    /// Carries a pass that is good for this request.
    pub inside: bool,
    /// The method is safe (RFC 9110 section 9.2.1).
    pub safe: bool,
    /// Asked for by a page rather than by a person (`Sec-Fetch-Dest`).
    pub sub_resource: bool,
    /// Asked for ahead of need (`Sec-Purpose`).
    pub prefetch: bool,
    /// Calls itself a known bot (`User-Agent`).
    pub bot: bool,
    /// What the operator says of the route.
    pub route: RoutePriority,
}

impl Priority {
    /// Every class, best first.
    pub const ALL: [Self; 6] = [
        Self::Operator,
        Self::Submit,
        Self::Navigation,
        Self::SubResource,
        Self::Stranger,
        Self::Bot,
    ];

    /// Its name in `/api/status`, the access log and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Submit => "submit",
            Self::Navigation => "navigation",
            Self::SubResource => "sub_resource",
            Self::Stranger => "stranger",
            Self::Bot => "bot",
        }
    }

    /// The class of a request. It decides about the order only: whether somebody who is shed
    /// gets a ticket depends on [`Traits::inside`].
    #[must_use]
    pub const fn of(traits: Traits) -> Self {
        let own = if traits.bot {
            Self::Bot
        } else if !traits.inside {
            Self::Stranger
        } else if !traits.safe {
            Self::Submit
        } else if traits.sub_resource || traits.prefetch {
            Self::SubResource
        } else {
            Self::Navigation
        };
        match traits.route {
            RoutePriority::High => own.raised(),
            RoutePriority::Normal => own,
            RoutePriority::Low => own.lowered(),
        }
    }

    const fn raised(self) -> Self {
        match self {
            Self::Operator => Self::Operator,
            Self::Submit => Self::Submit,
            Self::Navigation | Self::SubResource => Self::Navigation,
            Self::Stranger => Self::SubResource,
            Self::Bot => Self::Stranger,
        }
    }

    const fn lowered(self) -> Self {
        match self {
            Self::Operator => Self::Operator,
            Self::Submit => Self::Navigation,
            Self::Navigation => Self::SubResource,
            Self::SubResource => Self::Stranger,
            Self::Stranger | Self::Bot => Self::Bot,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Priority::{Bot, Navigation, Stranger, SubResource, Submit};

    /// Each combination of traits on a route of this priority.
    fn all(route: RoutePriority) -> impl Iterator<Item = Traits> {
        (0..32u8).map(move |bits| Traits {
            inside: bits & 1 != 0,
            safe: bits & 2 != 0,
            sub_resource: bits & 4 != 0,
            prefetch: bits & 8 != 0,
            bot: bits & 16 != 0,
            route,
        })
    }

    #[test]
    fn the_class_follows_from_pass_method_and_purpose() {
        // Each trait as a letter: inside, unsafe, sub-resource, prefetch, bot.
        for (letters, expected) in [
            ("i", Navigation),
            ("iu", Submit),
            ("ius", Submit),
            ("is", SubResource),
            ("ip", SubResource),
            ("ib", Bot),
            ("iub", Bot),
            ("", Stranger),
            ("u", Stranger),
            ("s", Stranger),
            ("b", Bot),
        ] {
            let traits = Traits {
                inside: letters.contains('i'),
                safe: !letters.contains('u'),
                sub_resource: letters.contains('s'),
                prefetch: letters.contains('p'),
                bot: letters.contains('b'),
                route: RoutePriority::Normal,
            };
            assert_eq!(Priority::of(traits), expected, "{letters}");
        }
    }

    #[test]
    fn what_a_client_says_of_itself_never_raises_its_class() {
        for route in [
            RoutePriority::High,
            RoutePriority::Normal,
            RoutePriority::Low,
        ] {
            for traits in all(route) {
                let silent = Traits {
                    sub_resource: false,
                    prefetch: false,
                    bot: false,
                    ..traits
                };
                assert!(Priority::of(traits) >= Priority::of(silent), "{traits:?}");
            }
        }
    }

    #[test]
    fn a_route_moves_by_one_class_and_never_into_the_first_two() {
        for normal in all(RoutePriority::Normal) {
            let own = Priority::of(normal);
            for route in [RoutePriority::High, RoutePriority::Low] {
                let moved = Priority::of(Traits { route, ..normal });
                assert!((moved as i8 - own as i8).abs() <= 1, "{normal:?} {route:?}");
                assert!(moved == own || moved > Submit, "{normal:?} {route:?}");
            }
        }
    }
}

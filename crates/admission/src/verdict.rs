//! Every reason why Forebay answers a request itself.
//!
//! A reason carries no status: `layers::rescue` chooses that in one exhaustive place, so that a
//! new reason does not compile until it has an answer.

macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident => $name:literal,)+) => {
        /// Why Forebay answers a request itself instead of the origin.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[$doc])* $reason,)+
        }

        impl Reason {
            /// Every reason, in the order of their declaration.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$reason),+];

            /// The name in metrics, logs and `Proxy-Status`: `snake_case`, stable.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)+
                }
            }
        }
    };
}

reasons! {
    /// The client's address prefix has used up its quota.
    ClientRate => "client_rate",
    /// The pass has used up its quota.
    PassRate => "pass_rate",
    /// The client has used up its budget for our own pages and polls.
    RoomRate => "room_rate",
    /// Held in line: the waiting page.
    RoomWaiting => "room_waiting",
    /// Held by the operator (mode `hold`): the waiting page, which says so.
    RoomClosed => "room_closed",
    /// Held by the operator with everybody inside (mode `maintenance`): the page of that.
    Maintenance => "maintenance",
    /// A request without a pass found no place in the short queue; the room makes it a ticket.
    Stranger => "stranger",
    /// A pass holder found no place in the short queue: the "one moment" page.
    Busy => "busy",
    /// A sub-resource or prefetch of somebody in line: a short text, never the page.
    SubResource => "sub_resource",
    /// An unsafe method without a pass while the room is queueing: what was sent is not kept.
    FormWithoutPass => "form_without_pass",
    /// No route matches.
    NoRoute => "no_route",
    /// No route names this host.
    UnknownHost => "unknown_host",
    /// The request is malformed or ambiguous (RFC 9110, RFC 9112).
    BadRequest => "bad_request",
    /// The method is not one that this place answers.
    MethodNotAllowed => "method_not_allowed",
    /// An expectation other than `100-continue` (RFC 9110 section 10.1.1).
    ExpectationFailed => "expectation_failed",
    /// The header section is larger than allowed.
    HeaderTooLarge => "header_too_large",
    /// The request target is longer than allowed.
    TargetTooLong => "target_too_long",
    /// The request's body is larger than allowed.
    BodyTooLarge => "body_too_large",
    /// The request's body came too slowly.
    BodyTimeout => "body_timeout",
    /// Over the budget of connections; answered from the reserve.
    ConnectionsFull => "connections_full",
    /// Over the budget of streams or upgraded connections.
    StreamsFull => "streams_full",
    /// No server of the origin could be reached: refused, unreachable, name unknown.
    OriginUnreachable => "origin_unreachable",
    /// The origin is down, and who is inside is asked for a moment: nothing was sent to it.
    OriginDown => "origin_down",
    /// The origin closed or reset before its answer was complete.
    OriginReset => "origin_reset",
    /// The origin's answer is not HTTP that can be passed on.
    OriginProtocol => "origin_protocol",
    /// No connection to the origin in time.
    OriginConnectTimeout => "origin_connect_timeout",
    /// No answer from the origin in time.
    OriginTimeout => "origin_timeout",
    /// Every server of the origin is at its bound of connections.
    OriginBusy => "origin_busy",
    /// A request made our own code panic.
    Panic => "panic",
    /// The origin's answer to an upgrade cannot be passed on.
    BadUpgrade => "bad_upgrade",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_one_name_in_snake_case() {
        let names: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        for name in names {
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{name}"
            );
        }
    }
}

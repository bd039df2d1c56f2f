//! What each reason is called, for programs and for text; people get the pages.

use forebay_admission::verdict::Reason;

/// A short title; the same for every occurrence, as RFC 9457 section 3.1.3 asks.
pub(super) const fn title(reason: Reason) -> &'static str {
    match reason {
        Reason::ClientRate | Reason::PassRate | Reason::RoomRate => "Too many requests",
        Reason::RoomWaiting | Reason::Stranger => "Waiting in line",
        Reason::RoomClosed => "Waiting in line; nobody is let in at the moment",
        Reason::Maintenance => "Closed for maintenance",
        Reason::Busy | Reason::OriginDown => "One moment",
        Reason::SubResource => "Waiting in line",
        Reason::FormWithoutPass => "Not sent: please wait in line first",
        Reason::NoRoute => "Not found",
        Reason::UnknownHost => "Unknown host",
        Reason::BadRequest => "Bad request",
        Reason::MethodNotAllowed => "Method not allowed",
        Reason::ExpectationFailed => "Expectation failed",
        Reason::HeaderTooLarge => "Header too large",
        Reason::TargetTooLong => "Address too long",
        Reason::BodyTooLarge => "Too large",
        Reason::BodyTimeout => "Too slow",
        Reason::ConnectionsFull | Reason::StreamsFull | Reason::OriginBusy => {
            "All places are taken"
        }
        Reason::OriginUnreachable | Reason::OriginReset | Reason::OriginProtocol => {
            "The site is not available"
        }
        Reason::BadUpgrade => "The site does not switch protocols",
        Reason::OriginConnectTimeout | Reason::OriginTimeout => "The site did not answer in time",
        Reason::Panic => "Internal error",
    }
}

/// One or two plain sentences.
pub(super) const fn detail(reason: Reason) -> &'static str {
    match reason {
        Reason::ClientRate => "Too many requests came from your address in a short time.",
        Reason::PassRate => "Too many requests came with your pass in a short time.",
        Reason::RoomRate => "Too many status requests came from your address in a short time.",
        Reason::RoomWaiting | Reason::Stranger => {
            "Many people are visiting at the moment. Your place in line is kept in the cookie."
        }
        Reason::RoomClosed => {
            "Nobody is let in at the moment. Your place in line is kept in the cookie."
        }
        Reason::Maintenance => {
            "The site is closed for maintenance: nothing was sent to it. Your place, in line or \
             inside, is kept in the cookie."
        }
        Reason::Busy => "The site is busy for a moment. Your place inside is kept.",
        Reason::OriginDown => {
            "The site is not available at this moment. Your place inside is kept."
        }
        Reason::SubResource => "This visitor is waiting in line.",
        Reason::FormWithoutPass => {
            "The site is full, and what you sent was not processed. You have a place in line; \
             please send it again when it is your turn."
        }
        Reason::NoRoute => "Nothing stands at this address.",
        Reason::UnknownHost => "This host is not served here.",
        Reason::BadRequest => "The request is malformed or ambiguous.",
        Reason::MethodNotAllowed => "This method is not allowed here.",
        Reason::ExpectationFailed => "Only the expectation 100-continue is understood.",
        Reason::HeaderTooLarge => "The request's header is too large.",
        Reason::TargetTooLong => "The request's target is too long.",
        Reason::BodyTooLarge => "The request's body is larger than allowed.",
        Reason::BodyTimeout => "The request's body came too slowly.",
        Reason::ConnectionsFull => "Too many connections are open.",
        Reason::StreamsFull => "Too many streams are open.",
        Reason::OriginUnreachable => "The site behind this proxy cannot be reached.",
        Reason::OriginReset => "The site behind this proxy closed the connection.",
        Reason::OriginProtocol => "The site behind this proxy gave an answer that is not HTTP.",
        Reason::BadUpgrade => "The site behind this proxy did not complete the upgrade.",
        Reason::OriginConnectTimeout => "The site behind this proxy did not accept in time.",
        Reason::OriginTimeout => "The site behind this proxy did not answer in time.",
        Reason::OriginBusy => "Every server of the site has all its connections in use.",
        Reason::Panic => "Something went wrong in this proxy.",
    }
}

/// The error type of RFC 9209 section 2.3 that comes nearest.
pub(super) const fn proxy_error(reason: Reason) -> &'static str {
    match reason {
        Reason::ClientRate
        | Reason::PassRate
        | Reason::RoomRate
        | Reason::RoomWaiting
        | Reason::RoomClosed
        | Reason::Maintenance
        | Reason::Stranger
        | Reason::Busy
        | Reason::SubResource
        | Reason::FormWithoutPass
        | Reason::StreamsFull
        | Reason::MethodNotAllowed
        | Reason::ExpectationFailed => "http_request_denied",
        Reason::ConnectionsFull | Reason::OriginBusy => "connection_limit_reached",
        Reason::NoRoute | Reason::UnknownHost => "destination_not_found",
        Reason::BadRequest
        | Reason::HeaderTooLarge
        | Reason::TargetTooLong
        | Reason::BodyTooLarge
        | Reason::BodyTimeout => "http_request_error",
        Reason::OriginUnreachable | Reason::OriginDown => "destination_unavailable",
        Reason::OriginReset => "connection_terminated",
        Reason::OriginProtocol => "http_protocol_error",
        Reason::BadUpgrade => "http_upgrade_failed",
        Reason::OriginConnectTimeout => "connection_timeout",
        Reason::OriginTimeout => "http_response_timeout",
        Reason::Panic => "proxy_internal_error",
    }
}

//! What went wrong, in a visitor's terms: each reason has its words.

use forebay_admission::verdict::Reason;

/// What an error page tells about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Too many requests in a short time.
    TooFast,
    /// All places are taken for the moment.
    Full,
    /// Nothing stands at this address.
    NotFound,
    /// This host is not served here.
    WrongSite,
    /// The request cannot be understood or is not allowed here.
    BadRequest,
    /// The request's header is too large, mostly because of old cookies.
    HeaderTooLarge,
    /// What was sent is too large.
    TooLarge,
    /// What was sent came too slowly.
    TooSlow,
    /// The site behind us gave no usable answer.
    Unavailable,
    /// The site behind us gave no answer in time.
    Late,
    /// We are being restarted.
    Restarting,
    /// A fault of our own.
    Fault,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::TooFast,
        Self::Full,
        Self::NotFound,
        Self::WrongSite,
        Self::BadRequest,
        Self::HeaderTooLarge,
        Self::TooLarge,
        Self::TooSlow,
        Self::Unavailable,
        Self::Late,
        Self::Restarting,
        Self::Fault,
    ];

    /// The words for a reason.
    #[must_use]
    pub const fn of(reason: Reason) -> Self {
        match reason {
            Reason::ClientRate | Reason::PassRate | Reason::RoomRate => Self::TooFast,
            Reason::RoomWaiting
            | Reason::RoomClosed
            | Reason::Stranger
            | Reason::Busy
            | Reason::SubResource
            | Reason::FormWithoutPass
            | Reason::BuffersFull
            | Reason::ConnectionsFull
            | Reason::StreamsFull
            | Reason::OriginBusy => Self::Full,
            Reason::NoRoute => Self::NotFound,
            Reason::UnknownHost => Self::WrongSite,
            Reason::BadRequest
            | Reason::MethodNotAllowed
            | Reason::ExpectationFailed
            | Reason::TargetTooLong => Self::BadRequest,
            Reason::HeaderTooLarge => Self::HeaderTooLarge,
            Reason::BodyTooLarge => Self::TooLarge,
            Reason::BodyTimeout | Reason::HeaderTimeout => Self::TooSlow,
            Reason::OriginUnreachable
            | Reason::OriginReset
            | Reason::OriginProtocol
            | Reason::BadUpgrade => Self::Unavailable,
            Reason::OriginConnectTimeout | Reason::OriginTimeout => Self::Late,
            Reason::Draining => Self::Restarting,
            Reason::Panic => Self::Fault,
        }
    }
}

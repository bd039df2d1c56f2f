//! The bytes of tickets and passes: one cookie for both.
//!
//! `base64url(version, kind, key id, room, fields.., MAC)`, every field of fixed width and big
//! endian, so that no two contents share a framing; the kind byte keeps a ticket from being read
//! as a pass. Opening looks at nothing before the MAC has been checked but what is needed to
//! check it.

mod attempt;
mod code;

pub use attempt::{ATTEMPT_MAX, Attempt};
pub use code::{CODE_MAX, Code, Gives, INVITATION_VALID_MAX, RETURN_VALID};

use alloc::string::String;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::time::Duration;

use crate::pass::Pass;
use crate::seal::{KeyId, MAC_BYTES, Seal, equal};
use crate::ticket::{FirstTold, Ticket};
use crate::time::WallTime;

/// How far ahead of our clock a credential may have been signed: clocks of nodes differ.
pub const SKEW_MAX: Duration = Duration::from_secs(60);

/// No credential is opened that was touched longer ago than this, whatever the room says.
pub const AGE_MAX: Duration = Duration::from_secs(31 * 24 * 3_600);

/// Characters of the longest credential.
pub const TEXT_MAX: usize = (BYTES_MAX * 4).div_ceil(3);

const BYTES_MAX: usize = 64;
/// Passes, and tickets of which no time was told yet; all that the first version knows.
const VERSION: u8 = 1;
/// Tickets that carry the first time told.
const VERSION_TOLD: u8 = 2;
const KIND_TICKET: u8 = b't';
const KIND_PASS: u8 = b'p';
const CONFIRMED: u8 = 1;
const TOLD: u8 = 2;
const LATE: u8 = 4;
const INVITED: u8 = 8;

/// Names a room inside credentials: a hash of its name, so that a cookie of one room is
/// worthless in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub u32);

impl RoomId {
    /// The id of the room called `name`: FNV-1a, 32 bits (RFC 9923).
    #[must_use]
    pub const fn of(name: &str) -> Self {
        let mut hash = 0x811c_9dc5_u32;
        let mut bytes = name.as_bytes();
        while let [byte, rest @ ..] = bytes {
            hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
            bytes = rest;
        }
        Self(hash)
    }
}

/// What a visitor's cookie may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A place in line.
    Ticket(Ticket),
    /// A right to be inside.
    Pass(Pass),
}

/// Why a cookie's text is no credential. Each is counted; none is worth telling the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejected {
    /// Not our framing: wrong alphabet, length, version or kind.
    Malformed,
    /// Signed with a key that is not known (any more).
    UnknownKey,
    /// The MAC does not fit.
    Forged,
    /// Ours, but of another room.
    OtherRoom,
    /// Signed more than [`SKEW_MAX`] after now.
    FromTheFuture,
    /// Untouched for longer than [`AGE_MAX`].
    Expired,
}

impl Rejected {
    /// The name in metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown_key",
            Self::Forged => "forged",
            Self::OtherRoom => "other_room",
            Self::FromTheFuture => "from_the_future",
            Self::Expired => "expired",
        }
    }
}

impl Credential {
    /// Reads and checks a cookie's text. Allocates nothing.
    ///
    /// # Errors
    /// See [`Rejected`]; checked in the order of its variants.
    pub fn open(
        text: &str,
        room: RoomId,
        seal: &dyn Seal,
        now: WallTime,
    ) -> Result<Self, Rejected> {
        let mut buffer = [0; TEXT_MAX];
        if text.len() > TEXT_MAX {
            return Err(Rejected::Malformed);
        }
        let length = URL_SAFE_NO_PAD
            .decode_slice(text, &mut buffer)
            .map_err(|_| Rejected::Malformed)?;
        let bytes = buffer.get(..length).ok_or(Rejected::Malformed)?;
        let at = length.checked_sub(MAC_BYTES).ok_or(Rejected::Malformed)?;
        let (message, mac) = bytes.split_at_checked(at).ok_or(Rejected::Malformed)?;

        let (key, found) = Self::read(message).ok_or(Rejected::Malformed)?;
        let expected = seal.mac(key, message).ok_or(Rejected::UnknownKey)?;
        if !expected
            .get(..MAC_BYTES)
            .is_some_and(|expected| equal(expected, mac))
        {
            return Err(Rejected::Forged);
        }
        if found.room() != room {
            return Err(Rejected::OtherRoom);
        }
        let (signed, good_until) = found.span();
        if signed > now.plus(SKEW_MAX) {
            return Err(Rejected::FromTheFuture);
        }
        if now > good_until.plus(AGE_MAX) {
            Err(Rejected::Expired)
        } else {
            Ok(found)
        }
    }

    /// Signs it with the key that signs now: the cookie's text.
    #[must_use]
    pub fn seal(&self, seal: &dyn Seal) -> String {
        let key = seal.signing_key();
        let mut frame = Frame::new();
        self.write(key, &mut frame);
        let mac = seal
            .mac(key, frame.bytes())
            .expect("a seal knows the key it signs with");
        frame.put(mac.get(..MAC_BYTES).unwrap_or(&mac));
        URL_SAFE_NO_PAD.encode(frame.bytes())
    }

    /// The room it belongs to.
    #[must_use]
    pub const fn room(&self) -> RoomId {
        match self {
            Self::Ticket(ticket) => ticket.room,
            Self::Pass(pass) => pass.room,
        }
    }

    /// When it was signed at the earliest, and when it was last of use.
    fn span(&self) -> (WallTime, WallTime) {
        match self {
            Self::Ticket(ticket) => (ticket.arrived, ticket.due.max(ticket.arrived)),
            Self::Pass(pass) => (pass.seen, pass.seen),
        }
    }

    fn write(&self, key: KeyId, frame: &mut Frame) {
        match self {
            Self::Ticket(ticket) => {
                let version = match ticket.first_told {
                    Some(_) => VERSION_TOLD,
                    None => VERSION,
                };
                frame.put(&[version, KIND_TICKET, key.0]);
                frame.put(&ticket.room.0.to_be_bytes());
                frame.put(&ticket.id.to_be_bytes());
                frame.put(&ticket.arrived.as_millis().to_be_bytes());
                frame.put(&ticket.due.as_millis().to_be_bytes());
                let told = if ticket.least_ahead.is_some() {
                    TOLD
                } else {
                    0
                };
                let late = if ticket.late { LATE } else { 0 };
                let invited = if ticket.invited { INVITED } else { 0 };
                let confirmed = if ticket.confirmed { CONFIRMED } else { 0 };
                frame.put(&[told | late | invited | confirmed]);
                frame.put(&ticket.least_ahead.unwrap_or(0).to_be_bytes());
                if let Some(first) = ticket.first_told {
                    for part in [first.after_ms, first.p50_seconds, first.p90_seconds] {
                        frame.put(&part.to_be_bytes());
                    }
                }
            }
            Self::Pass(pass) => {
                frame.put(&[VERSION, KIND_PASS, key.0]);
                frame.put(&pass.room.0.to_be_bytes());
                frame.put(&pass.id.to_be_bytes());
                frame.put(&pass.began.as_millis().to_be_bytes());
                frame.put(&pass.seen.as_millis().to_be_bytes());
                frame.put(&[if pass.confirmed { CONFIRMED } else { 0 }]);
            }
        }
    }

    fn read(message: &[u8]) -> Option<(KeyId, Self)> {
        let mut fields = Fields(message);
        let [version, kind, key] = fields.take()?;
        let first_told = match (version, kind) {
            (VERSION, _) => false,
            (VERSION_TOLD, KIND_TICKET) => true,
            _ => return None,
        };
        let room = RoomId(u32::from_be_bytes(fields.take()?));
        let id = fields.number()?;
        let (first, second) = (fields.time()?, fields.time()?);
        let [flags] = fields.take()?;
        let confirmed = flags & CONFIRMED != 0;
        let found = match kind {
            KIND_TICKET => {
                let least = fields.small()?;
                let least_ahead = (flags & TOLD != 0).then_some(least);
                let (arrived, due) = (first, second);
                Self::Ticket(Ticket {
                    room,
                    id,
                    arrived,
                    confirmed,
                    due,
                    least_ahead,
                    first_told: if first_told {
                        Some(fields.first_told()?)
                    } else {
                        None
                    },
                    late: flags & LATE != 0,
                    invited: flags & INVITED != 0,
                })
            }
            KIND_PASS => {
                let (began, seen) = (first, second);
                Self::Pass(Pass {
                    room,
                    id,
                    began,
                    seen,
                    confirmed,
                })
            }
            _ => return None,
        };
        fields.0.is_empty().then_some((KeyId(key), found))
    }
}

/// What is written, in a buffer of its own so that sealing allocates only its text.
struct Frame {
    buffer: [u8; BYTES_MAX],
    length: usize,
}

impl Frame {
    const fn new() -> Self {
        Self {
            buffer: [0; BYTES_MAX],
            length: 0,
        }
    }

    fn put(&mut self, field: &[u8]) {
        let end = self.length + field.len();
        let place = self.buffer.get_mut(self.length..end);
        place
            .expect("a credential fits BYTES_MAX: its fields are fixed")
            .copy_from_slice(field);
        self.length = end;
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }
}

/// What is left to read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn small(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn first_told(&mut self) -> Option<FirstTold> {
        Some(FirstTold {
            after_ms: self.small()?,
            p50_seconds: self.small()?,
            p90_seconds: self.small()?,
        })
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn time(&mut self) -> Option<WallTime> {
        self.number().map(WallTime::from_millis)
    }
}

#[cfg(test)]
mod tests;

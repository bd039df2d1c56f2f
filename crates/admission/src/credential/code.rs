//! Codes in links: what a visitor, or the operator, hands to another browser. Signed, good until
//! a moment that stands in it, and to be opened once: the [ledger](crate::ledger) knows which
//! were.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{AGE_MAX, BYTES_MAX, Credential, Fields, Frame, Rejected, RoomId, VERSION};
use crate::mix::mix;
use crate::seal::{KeyId, MAC_BYTES, Seal, equal};
use crate::ticket::Ticket;
use crate::time::WallTime;

/// How long a link to a place in line is good.
pub const RETURN_VALID: Duration = Duration::from_secs(30 * 60);

/// Characters of the longest code.
pub const CODE_MAX: usize = (HEAD + BYTES_MAX + MAC_BYTES) * 4 / 3 + 1;

/// Version, kind and key; the end.
const HEAD: usize = 3 + 8;
const KIND_RETURN: u8 = b'r';
const KIND_INVITATION: u8 = b'i';

/// How long an invitation may be good: its key verifies for a day longer after its last
/// signature.
pub const INVITATION_VALID_MAX: Duration = AGE_MAX;

/// What a link carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// It is worth nothing from then on.
    pub until: WallTime,
    /// What who opens it gets.
    pub gives: Gives,
}

/// What who opens a code gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// This place in line: the same visitor's, in another browser.
    Place(Ticket),
    /// A place in the lane of those whom the operator invites.
    Invitation {
        /// The room.
        room: RoomId,
        /// Random; names the visitor who opens it.
        id: u64,
    },
}

impl Code {
    /// Its name in the ledger.
    ///
    /// Ids of invitations and of tickets are drawn at random, so that no two meet.
    #[must_use]
    pub const fn name(&self) -> u64 {
        match self.gives {
            Gives::Place(ticket) => mix(ticket.id ^ mix(self.until.as_millis())),
            Gives::Invitation { id, .. } => mix(id),
        }
    }

    /// The code as text for a link, signed with the key that signs now.
    #[must_use]
    pub fn seal(&self, seal: &dyn Seal) -> String {
        let key = seal.signing_key();
        let mut bytes: Vec<u8> = [VERSION, self.kind(), key.0].into();
        bytes.extend_from_slice(&self.until.as_millis().to_be_bytes());
        match self.gives {
            Gives::Place(ticket) => {
                let mut frame = Frame::new();
                Credential::Ticket(ticket).write(key, &mut frame);
                bytes.extend_from_slice(frame.bytes());
            }
            Gives::Invitation { room, id } => {
                bytes.extend_from_slice(&room.0.to_be_bytes());
                bytes.extend_from_slice(&id.to_be_bytes());
            }
        }
        let mac = seal.mac(key, &bytes);
        let mac = mac.expect("a seal knows the key it signs with");
        bytes.extend(mac.iter().take(MAC_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads and checks a code's text. That it was not opened before is for the ledger to say.
    ///
    /// # Errors
    /// See [`Rejected`]; `Expired` from `until` on.
    pub fn open(
        text: &str,
        room: RoomId,
        seal: &dyn Seal,
        now: WallTime,
    ) -> Result<Self, Rejected> {
        if text.len() > CODE_MAX {
            return Err(Rejected::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| Rejected::Malformed)?;
        let at = bytes.len().checked_sub(MAC_BYTES);
        let (message, mac) = at
            .and_then(|at| bytes.split_at_checked(at))
            .ok_or(Rejected::Malformed)?;
        let (key, code) = Self::read(message).ok_or(Rejected::Malformed)?;
        let expected = seal.mac(key, message).ok_or(Rejected::UnknownKey)?;
        let genuine = expected
            .get(..MAC_BYTES)
            .is_some_and(|expected| equal(expected, mac));
        if !genuine {
            return Err(Rejected::Forged);
        }
        if code.room() != room {
            return Err(Rejected::OtherRoom);
        }
        if now >= code.until {
            return Err(Rejected::Expired);
        }
        Ok(code)
    }

    const fn kind(&self) -> u8 {
        match self.gives {
            Gives::Place(_) => KIND_RETURN,
            Gives::Invitation { .. } => KIND_INVITATION,
        }
    }

    const fn room(&self) -> RoomId {
        match self.gives {
            Gives::Place(ticket) => ticket.room,
            Gives::Invitation { room, .. } => room,
        }
    }

    fn read(message: &[u8]) -> Option<(KeyId, Self)> {
        let mut fields = Fields(message);
        let [version, kind, key] = fields.take()?;
        let until = fields.time()?;
        if version != VERSION {
            return None;
        }
        let gives = match kind {
            KIND_RETURN => match Credential::read(fields.0)? {
                (_, Credential::Ticket(ticket)) => Gives::Place(ticket),
                (_, Credential::Pass(_)) => return None,
            },
            KIND_INVITATION => {
                let room = RoomId(fields.small()?);
                let id = fields.number()?;
                fields.0.is_empty().then_some(())?;
                Gives::Invitation { room, id }
            }
            _ => return None,
        };
        Some((KeyId(key), Self { until, gives }))
    }
}

//! When a page was first asked for. A visitor inside who is asked for one moment carries it
//! along, signed, so that the next try is not the first again: the queue's order is that of first
//! tries. It opens nothing by itself, and is of use with one pass and for two minutes only.

use alloc::string::String;
use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Fields, Frame, VERSION};
use crate::seal::{MAC_BYTES, Seal, equal};
use crate::time::WallTime;

/// An older one is not believed: a page that was not got for so long is asked for anew.
pub const ATTEMPT_MAX: Duration = Duration::from_secs(120);

const KIND: u8 = b'a';
const BYTES: usize = 3 + 8 + MAC_BYTES;
const TEXT: usize = (BYTES * 4).div_ceil(3);

/// A page that was asked for and not got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The id of the pass with which it was asked for.
    pub pass: u64,
    /// When it was asked for first.
    pub began: WallTime,
}

impl Attempt {
    /// The cookie's text, signed with the key that signs now.
    #[must_use]
    pub fn seal(&self, seal: &dyn Seal) -> String {
        let key = seal.signing_key();
        let head = [VERSION, KIND, key.0];
        let mac = seal.mac(key, self.message(head).bytes());
        let mac = mac.expect("a seal knows the key it signs with");
        let mut frame = Frame::new();
        frame.put(&head);
        frame.put(&self.began.as_millis().to_be_bytes());
        frame.put(mac.get(..MAC_BYTES).unwrap_or(&mac));
        URL_SAFE_NO_PAD.encode(frame.bytes())
    }

    /// Reads and checks a cookie's text for the visitor with the pass `pass`; `None` when it is
    /// not of use to that one now.
    #[must_use]
    pub fn open(text: &str, pass: u64, seal: &dyn Seal, now: WallTime) -> Option<Self> {
        let mut buffer = [0; BYTES];
        if text.len() != TEXT {
            return None;
        }
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut buffer).ok()?;
        let mut fields = Fields(buffer.get(..length)?);
        let head @ [version, kind, key] = fields.take()?;
        let began = fields.time()?;
        let found = Self { pass, began };
        if (version, kind) != (VERSION, KIND) {
            return None;
        }
        let expected = seal.mac(crate::seal::KeyId(key), found.message(head).bytes())?;
        let genuine = equal(expected.get(..MAC_BYTES)?, fields.0);
        let age = now.saturating_since(began);
        (genuine && began <= now && age <= ATTEMPT_MAX).then_some(found)
    }

    /// What is signed; the pass is in it and does not travel.
    fn message(&self, head: [u8; 3]) -> Frame {
        let mut frame = Frame::new();
        frame.put(&head);
        frame.put(&self.began.as_millis().to_be_bytes());
        frame.put(&self.pass.to_be_bytes());
        frame
    }
}

//! A MAC that is quick and depends on every byte: what is tried here is what stands around it.

use forebay_admission::credential::RoomId;
use forebay_admission::seal::{KeyId, Seal};
use forebay_admission::time::WallTime;

/// The room of all seeds.
pub(super) const ROOM: RoomId = RoomId::of("main");

/// When it is.
pub(super) const NOW: WallTime = WallTime::from_millis(1_800_000_000_000);

/// Two keys; the first signs.
pub(super) struct Toy;

impl Seal for Toy {
    fn signing_key(&self) -> KeyId {
        KeyId(1)
    }

    fn mac(&self, key: KeyId, message: &[u8]) -> Option<[u8; 32]> {
        matches!(key.0, 1 | 2).then(|| {
            let mut state = 0xcbf2_9ce4_8422_2325 ^ u64::from(key.0);
            let mut mac = [0; 32];
            for (round, part) in (0_u8..).zip(mac.chunks_mut(8)) {
                for byte in message {
                    state = (state ^ u64::from(byte ^ round)).wrapping_mul(0x0100_0000_01b3);
                }
                part.copy_from_slice(&state.to_be_bytes());
            }
            mac
        })
    }
}

//! The bytes of one slot.
//!
//! ```text
//! 0  "FOREBAY"   8  sequence u64   16 length u32   20 checksum u32   24 snapshot
//! 7  version 1      big endian        big endian      big endian        length bytes
//! ```
//! The checksum (CRC-32) covers the room's name, the first twenty bytes and the snapshot, so a
//! slot of another room, half of a slot, or two halves are not taken for one. What follows the
//! snapshot is what a longer one left behind.

use crate::StoreError;

const MAGIC: [u8; 8] = *b"FOREBAY\x01";
const HEADER: usize = 24;

/// What a slot holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Rises by one with each save.
    pub(super) sequence: u64,
    /// The snapshot.
    pub(super) snapshot: Vec<u8>,
}

/// Writes a slot's bytes into `out`, in place of what is there.
pub(super) fn encode(
    out: &mut Vec<u8>,
    room: &str,
    sequence: u64,
    snapshot: &[u8],
) -> Result<(), StoreError> {
    let length = u32::try_from(snapshot.len()).map_err(|_| StoreError::TooLarge(snapshot.len()))?;
    out.clear();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    let sum = checksum(room, out, snapshot);
    out.extend_from_slice(&sum.to_be_bytes());
    out.extend_from_slice(snapshot);
    Ok(())
}

/// Reads a slot's bytes.
///
/// # Errors
/// What is wrong with them.
pub(super) fn decode(room: &str, bytes: &[u8]) -> Result<Slot, &'static str> {
    let (header, rest) = bytes.split_at_checked(HEADER).ok_or("it is too short")?;
    let (covered, sum) = header.split_at(HEADER - 4);
    let (magic, numbers) = covered.split_at(MAGIC.len());
    if magic[..7] != MAGIC[..7] {
        return Err("it does not begin as it should");
    }
    if magic[7] != MAGIC[7] {
        return Err("another version of Forebay wrote it");
    }
    let (sequence, length) = numbers.split_at(8);
    let length = number(length);
    let snapshot = usize::try_from(length)
        .ok()
        .and_then(|length| rest.get(..length));
    let snapshot = snapshot.ok_or("its end is missing")?;
    if u64::from(checksum(room, covered, snapshot)) != number(sum) {
        return Err("its checksum is wrong");
    }
    Ok(Slot {
        sequence: number(sequence),
        snapshot: snapshot.to_vec(),
    })
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn checksum(room: &str, covered: &[u8], snapshot: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(room.as_bytes());
    hasher.update(covered);
    hasher.update(snapshot);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(room: &str, sequence: u64, snapshot: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xee; 9];
        encode(&mut bytes, room, sequence, snapshot).unwrap();
        bytes
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = encoded("main", 7, b"snapshot");
        let mut version = good.clone();
        version[7] = 2;
        let mut flipped = good.clone();
        flipped[24] ^= 1;
        for (bytes, expected) in [
            (&good[..23], "it is too short"),
            (
                b"something else entirely, and long",
                "it does not begin as it should",
            ),
            (&version, "another version of Forebay wrote it"),
            (&good[..31], "its end is missing"),
            (&flipped, "its checksum is wrong"),
        ] {
            assert_eq!(decode("main", bytes), Err(expected));
        }
        assert_eq!(decode("other", &good), Err("its checksum is wrong"));
    }

    proptest! {
        #[test]
        fn a_slot_is_read_as_it_was_written(
            room in ".{0,20}",
            sequence: u64,
            snapshot in proptest::collection::vec(any::<u8>(), 0..200),
            left in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            let mut bytes = encoded(&room, sequence, &snapshot);
            bytes.extend(left);
            prop_assert_eq!(decode(&room, &bytes), Ok(Slot { sequence, snapshot }));
        }

        #[test]
        fn a_flipped_bit_is_noticed(
            snapshot in proptest::collection::vec(any::<u8>(), 0..100),
            at: proptest::sample::Index,
        ) {
            let mut bytes = encoded("main", 3, &snapshot);
            let bit = at.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(decode("main", &bytes).is_err());
        }
    }
}

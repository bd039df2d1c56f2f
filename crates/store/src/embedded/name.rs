//! The file names of a record: any name becomes one that no file system reads otherwise.

use std::fmt::Write as _;

/// A longer encoded name is cut, and told apart by a checksum of the whole.
const LENGTH_MAX: usize = 100;

/// The beginning of a record's file names. Different names get different ones, also where letters
/// differ in case only and the file system does not tell them apart.
pub(super) fn stem(kind: &str, name: &str) -> String {
    let mut encoded = format!("{kind}-");
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => encoded.push(char::from(byte)),
            _ => write!(encoded, "%{byte:02x}").expect("writing to a string cannot fail"),
        }
    }
    if encoded.len() > LENGTH_MAX {
        encoded.truncate(LENGTH_MAX);
        // `~` is in no encoded name, so no short name looks like a cut one.
        let sum = crc32fast::hash(name.as_bytes());
        write!(encoded, "~{}-{sum:08x}", name.len()).expect("writing to a string cannot fail");
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_safe_as_a_file_name() {
        for (room, expected) in [
            ("main", "room-main"),
            ("", "room-"),
            ("..", "room-%2e%2e"),
            ("a/b", "room-a%2fb"),
            ("Main", "room-%4dain"),
            ("salle-d_attente é", "room-salle-d_attente%20%c3%a9"),
        ] {
            assert_eq!(stem("room", room), expected);
        }
    }

    proptest! {
        #[test]
        fn different_rooms_have_different_files(left in ".{0,60}", right in ".{0,60}") {
            let (one, other) = (stem("room", &left).to_lowercase(), stem("room", &right).to_lowercase());
            prop_assert_eq!(left == right, one == other);
            prop_assert!(one.len() < 200);
        }
    }
}

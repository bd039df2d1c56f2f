//! SHA-256 of messages so short that they fit one block: what a draw's rule needs, and no more.
//!
//! The rule of a draw is published, and anybody must be able to recompute it with a tool they
//! trust; so it is the hash that every machine has, not a faster one that few have. No MAC and no
//! key of a ticket is computed here: that is the shell's.

/// Bytes of the longest message: one block, less the mark of its end and its length.
const SHORT_MAX: usize = 55;

/// SHA-256 (FIPS 180-4) of a message of at most 55 bytes; a longer one does not compile.
#[must_use]
pub(crate) fn sha256<const N: usize>(message: &[u8; N]) -> [u8; 32] {
    const { assert!(N <= SHORT_MAX, "one block") }
    let bits = (N as u64 * 8).to_be_bytes();
    let padded = message
        .iter()
        .copied()
        .chain([0x80])
        .chain(core::iter::repeat_n(0, SHORT_MAX - N))
        .chain(bits);
    let mut block = [0; 64];
    for (place, byte) in block.iter_mut().zip(padded) {
        *place = byte;
    }
    let mut digest = [0; 32];
    let words = compress(&block).into_iter().flat_map(u32::to_be_bytes);
    for (place, byte) in digest.iter_mut().zip(words) {
        *place = byte;
    }
    digest
}

/// The first block's step from the initial state (section 6.2.2).
fn compress(block: &[u8; 64]) -> [u32; 8] {
    let mut schedule = [0_u32; 16];
    let (words, _) = block.as_chunks::<4>();
    for (place, word) in schedule.iter_mut().zip(words) {
        *place = u32::from_be_bytes(*word);
    }
    let mut state = INITIAL;
    for constant in ROUNDS {
        let [a, b, c, d, e, f, g, h] = state;
        let high = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let first = h
            .wrapping_add(high)
            .wrapping_add(choice)
            .wrapping_add(constant)
            .wrapping_add(schedule[0]);
        let low = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let second = low.wrapping_add(majority);
        state = [
            first.wrapping_add(second),
            a,
            b,
            c,
            d.wrapping_add(first),
            e,
            f,
            g,
        ];
        roll(&mut schedule);
    }
    for (word, initial) in state.iter_mut().zip(INITIAL) {
        *word = word.wrapping_add(initial);
    }
    state
}

/// The next word of the schedule comes in, the one just used goes out.
const fn roll(schedule: &mut [u32; 16]) {
    let (early, late) = (schedule[1], schedule[14]);
    let small = early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3);
    let large = late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10);
    let next = schedule[0]
        .wrapping_add(small)
        .wrapping_add(schedule[9])
        .wrapping_add(large);
    let [_, rest @ ..] = *schedule;
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = rest;
    *schedule = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, next];
}

/// Fractional parts of the square roots of the first eight primes.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Fractional parts of the cube roots of the first sixty-four primes.
#[rustfmt::skip]
const ROUNDS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

#[cfg(test)]
mod tests {
    use super::sha256;

    fn hex(digest: [u8; 32]) -> String {
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn it_is_the_hash_of_the_standard() {
        assert_eq!(
            hex(sha256(b"")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex(sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex(sha256(&[b'a'; 55])),
            "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"
        );
    }
}

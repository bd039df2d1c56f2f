//! Inputs changed at random, and the random numbers for it: seeded, so that a run can be repeated.

/// A small random generator (xorshift64*, Vigna 2016); not for secrets.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`; zero where there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        let drawn = usize::try_from(self.next() >> 33).unwrap_or_default();
        drawn.checked_rem(bound).unwrap_or_default()
    }

    /// One of these.
    fn one<'a>(&mut self, list: &'a [&'a [u8]]) -> &'a [u8] {
        list.get(self.below(list.len()))
            .copied()
            .unwrap_or_default()
    }
}

/// Bytes of the longest input.
pub const INPUT_MAX: usize = 4 * 1024;

/// What parsers trip over.
const TOKENS: [&[u8]; 24] = [
    b"forebay-main=",
    b"__Host-forebay-main=",
    b"forebay-~try=",
    b"forebay-",
    b"; ",
    b";",
    b"=",
    b"==",
    b"&",
    b"room=",
    b"room=main",
    b"%00",
    b"\"",
    b",",
    b"-",
    b"_",
    b"\0",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x80\0\0\0\0\0\0\0",
    b"\0\0\0\0\0\0\0\0",
    b"\0\0\0\0\0\0\0\x01",
    b"\xc3\xa9",
    b"\t \r\n",
];

/// `input` with one to eight changes, some of them taken from `other`.
#[must_use]
pub fn changed(input: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=chance.below(8) {
        change(&mut bytes, other, chance);
    }
    bytes.truncate(INPUT_MAX);
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let at = chance.below(bytes.len() + 1);
    match chance.below(8) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = chance.next().to_le_bytes()[0];
            }
        }
        2 => insert(
            bytes,
            at,
            &chance.next().to_le_bytes()[..1 + chance.below(7)],
        ),
        3 => insert(bytes, at, chance.one(&TOKENS)),
        4 => overwrite(bytes, at, chance.one(&TOKENS)),
        5 => {
            let end = (at + 1 + chance.below(16)).min(bytes.len());
            bytes.drain(at.min(end)..end);
        }
        6 => {
            let end = (at + 1 + chance.below(64)).min(bytes.len());
            let copy = bytes[at.min(end)..end].to_vec();
            insert(bytes, at, &copy);
        }
        _ => {
            let from = chance.below(other.len() + 1);
            let end = (from + 1 + chance.below(64)).min(other.len());
            insert(bytes, at, &other[from.min(end)..end]);
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

fn overwrite(bytes: &mut [u8], at: usize, piece: &[u8]) {
    for (byte, new) in bytes.iter_mut().skip(at).zip(piece) {
        *byte = *new;
    }
}

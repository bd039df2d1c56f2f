//! Clients that send what is no proper request: scanners, fuzzers, and the broken.
//!
//! A site should answer 4xx or close in order; a reset is counted as one, and silence
//! until the client has had enough is `abandoned`.

use std::time::Duration;

use super::attackers::Attackers;
use crate::dice::Dice;
use crate::outcome::Outcome;
use crate::wire::Keep;

/// How long one waits for what the site makes of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a head that is longer than any server's bound.
const LONG_HEAD: usize = 256 * 1024;

/// The kinds of junk. What is random in one comes from its own dice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// So many random bytes.
    Noise(usize),
    /// Exactly this.
    Text(&'static [u8]),
    /// One endless header field.
    LongHead,
    /// A thousand header fields.
    ManyFields,
}

/// One of each, in no order; see the comments for what a reader may trip over.
const KINDS: [Kind; 17] = [
    Kind::Noise(64),
    Kind::Noise(5_000),
    // A TLS 1.2 record with the begin of a ClientHello, on what may be a plain port.
    Kind::Text(b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x00\x00\x02\x13\x01\x01\x00\x00\x00"),
    // HTTP/0.9, and the preface of HTTP/2 with a broken frame behind it.
    Kind::Text(b"GET /\r\n\r\n"),
    Kind::Text(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
    // Request smuggling: lengths that conflict, a length beside chunks, chunks spelt oddly.
    Kind::Text(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    Kind::Text(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Kind::Text(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    Kind::Text(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
    // A chunk whose size is no number, and one longer than it said.
    Kind::Text(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
    Kind::Text(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n"),
    // No host, two hosts, a host that is none.
    Kind::Text(b"GET / HTTP/1.1\r\n\r\n"),
    Kind::Text(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    Kind::Text(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    // Control characters in the head.
    Kind::Text(b"GET /\x00 HTTP/1.1\r\nHost: x\r\nX: a\x01b\r\n\r\n"),
    Kind::LongHead,
    Kind::ManyFields,
];

/// Runs one group of such clients.
pub(super) async fn run(attackers: Attackers) {
    let dice = attackers.settings.dice(attackers.group);
    attackers
        .come(move |mut connection, index| {
            let mut dice = dice.fork(index);
            async move {
                let kind = KINDS[dice.next() as usize % KINDS.len()];
                let junk = kind.written(&mut dice);
                let ended = connection.ask(&junk, PATIENCE, Keep::All).await;
                let ended = ended.map_err(|outcome| match outcome {
                    Outcome::TimedOut => Outcome::Abandoned,
                    outcome => outcome,
                });
                (connection, ended)
            }
        })
        .await;
}

impl Kind {
    fn written(self, dice: &mut Dice) -> Vec<u8> {
        match self {
            Self::Noise(length) => {
                let bytes = std::iter::repeat_with(|| dice.next().to_le_bytes());
                bytes.flatten().take(length).collect()
            }
            Self::Text(text) => text.to_vec(),
            Self::LongHead => {
                let value = "a".repeat(LONG_HEAD);
                format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {value}\r\n\r\n").into_bytes()
            }
            Self::ManyFields => {
                let fields = "X-Many: a\r\n".repeat(1_000);
                format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_sends_the_same_junk() {
        for kind in KINDS {
            let write = |seed| kind.written(&mut Dice::new(seed));
            assert!(!write(1).is_empty(), "{kind:?}");
            assert_eq!(write(1), write(1), "{kind:?}");
        }
    }
}

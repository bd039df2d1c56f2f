//! Whether a draw was what it should have been: the seed is the one that was bound before, and a
//! reference's rank is what the rule makes of it. Nothing here trusts the running Forebay; its
//! hash is another implementation than the one that drew.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use crate::arguments::{At, Verify};
use crate::{Failure, client, say};

/// Bytes of a description of draws.
const TOLD_MAX: u64 = 1 << 20;

/// A draw, as somebody was told of it.
#[derive(Debug, Default)]
struct Told {
    opens: Option<u64>,
    commitment: Option<String>,
    seed: Option<String>,
}

/// Checks every draw that was held, and what was asked about.
pub(crate) fn verify(at: &At, room: &str, wanted: &Verify) -> Result<ExitCode, Failure> {
    let (draws, mine) = told(at, room, wanted)?;
    let mut lines = Vec::new();
    for draw in &draws {
        lines.push(judge(draw, wanted)?);
    }
    let held = draws.iter().filter_map(|draw| draw.seed.as_deref());
    let seeds: Vec<_> = held
        .map(|seed| bytes::<32>("seed", seed))
        .collect::<Result<_, _>>()?;
    if seeds.is_empty() && wanted.ticket.is_some() {
        return Err(Failure(
            "no draw was held yet: a rank needs the seed".to_owned(),
        ));
    }
    if let Some(ticket) = &wanted.ticket {
        let reference = bytes("reference", ticket)?;
        lines.extend(seeds.iter().map(|seed| {
            let rank = rank(seed, reference);
            let before = before(&rank);
            format!("rank of {ticket}: {rank}, behind about {before} % of the draw")
        }));
    }
    if let Some((reference, rank_told)) = mine {
        let reference = bytes("reference", &reference)?;
        if !seeds.iter().any(|seed| rank(seed, reference) == rank_told) {
            return Err(Failure(format!(
                "the rank {rank_told} is not what the rule makes of it"
            )));
        }
        lines.push(format!("your rank: {rank_told}, as the rule makes it"));
    }
    if lines.is_empty() {
        return Err(Failure(format!("the room `{room}` has no draws")));
    }
    say(&lines.join("\n"))
}

/// One draw in a sentence, or what is wrong with it.
fn judge(draw: &Told, wanted: &Verify) -> Result<String, Failure> {
    let name = draw.opens.map_or_else(
        || "the draw".to_owned(),
        |opens| format!("the draw of {opens} (Unix seconds)"),
    );
    let told = draw.commitment.as_deref();
    let Some(seed) = &draw.seed else {
        let told = told.unwrap_or("unknown");
        return Ok(format!("{name}: not held yet; commitment {told}"));
    };
    let found = hex(digest(&SHA256, &bytes::<32>("seed", seed)?).as_ref());
    // What somebody noted before counts more than what is told now.
    let noted = wanted.commitment.as_deref().or(told);
    match noted.map(str::to_ascii_lowercase) {
        Some(noted) if noted == found => Ok(format!("{name}: the seed is the one that was bound")),
        Some(noted) => Err(Failure(format!(
            "{name}: the seed is NOT the one that was bound: it makes {found}, bound was {noted}"
        ))),
        None => Err(Failure(format!(
            "{name}: the seed makes {found}; give --commitment to compare it with"
        ))),
    }
}

type Mine = Option<(String, String)>;

/// What there is to verify: from the options, a file, or the running Forebay.
fn told(at: &At, room: &str, wanted: &Verify) -> Result<(Vec<Told>, Mine), Failure> {
    if let Some(seed) = &wanted.seed {
        let draw = Told {
            seed: Some(seed.clone()),
            ..Told::default()
        };
        return Ok((vec![draw], None));
    }
    let value = match &wanted.from {
        Some(path) => read(path)?,
        None => client::room_value(at, room)?,
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let draws = value["draws"].as_array().map_or(&[][..], Vec::as_slice);
    let draws = draws.iter().map(|draw| Told {
        opens: draw["opens_unix_seconds"].as_u64(),
        commitment: text(&draw["commitment"]),
        seed: text(&draw["seed"]),
    });
    Ok((
        draws.collect(),
        text(&value["reference"]).zip(text(&value["rank"])),
    ))
}

fn read(path: &Path) -> Result<Value, Failure> {
    let mut content = String::new();
    let read = if path == Path::new("-") {
        io::stdin().take(TOLD_MAX).read_to_string(&mut content)
    } else {
        fs::File::open(path).and_then(|file| file.take(TOLD_MAX).read_to_string(&mut content))
    };
    read.map_err(|error| Failure(format!("{}: {error}", path.display())))?;
    serde_json::from_str(&content).map_err(|error| Failure::of(&error))
}

/// The first 16 digits of SHA-256 over the seed's 32 bytes and the reference's 8.
fn rank(seed: &[u8; 32], reference: [u8; 8]) -> String {
    let mut message = seed.to_vec();
    message.extend_from_slice(&reference);
    let mut rank = hex(digest(&SHA256, &message).as_ref());
    rank.truncate(16);
    rank
}

/// How many of a hundred have a lower rank, on average.
fn before(rank: &str) -> u64 {
    let first = u64::from_str_radix(rank.get(..4).unwrap_or_default(), 16).unwrap_or_default();
    first * 100 / 65_536
}

/// `N` bytes written as hexadecimal digits, perhaps with hyphens.
fn bytes<const N: usize>(what: &str, text: &str) -> Result<[u8; N], Failure> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let wrong = || {
        Failure(format!(
            "`{text}` is no {what}: it has {} hexadecimal digits",
            2 * N
        ))
    };
    if digits.len() != 2 * N || !digits.is_ascii() {
        return Err(wrong());
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let pair = digits.get(2 * at..2 * at + 2).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! Durations as people write them: `250ms`, `30s`, `10m`, `2h`.
//!
//! Also a serde module, for `#[serde(with = "crate::span")]`.

use std::time::Duration;

use serde::{Deserialize as _, Deserializer, Serializer};

/// Units and their length in seconds, the longer name first where one ends like another.
const UNITS: [(&str, f64); 4] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0)];

/// Reads a duration; a fraction such as `1.5s` is one.
///
/// # Errors
/// Says what to write, if `text` is no duration.
pub fn parse(text: &str) -> Result<Duration, String> {
    let parsed = UNITS.iter().find_map(|(unit, seconds)| {
        let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
        Duration::try_from_secs_f64(number * seconds).ok()
    });
    parsed.ok_or_else(|| "write a duration such as 250ms, 30s or 10m".to_owned())
}

/// Writes a duration in the longest unit that needs no fraction, at finest in milliseconds.
#[must_use]
pub fn written(span: Duration) -> String {
    let millis = span.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{}s", millis / 1_000),
        _ => format!("{millis}ms"),
    }
}

/// Writes a duration for serde.
///
/// # Errors
/// Those of `serializer`.
pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&written(*span))
}

/// Reads a duration for serde.
///
/// # Errors
/// Says what to write, if there is no duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_or_refused() {
        for (text, millis) in [
            ("250ms", 250),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "-1s", "NaNs", "infs", "s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_as_the_same() {
        for text in ["0s", "250ms", "1500ms", "30s", "90s", "2m", "3h"] {
            assert_eq!(written(parse(text).unwrap()), text);
        }
    }
}

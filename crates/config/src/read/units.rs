//! Numbers with a unit: durations, sizes, rates.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{FromText, Wrong};
use crate::checked::Rate;

/// A number with up to nine decimals, exactly: `digits / 10^decimals`.
struct Decimal {
    digits: u64,
    scale: u64,
}

/// Splits `1.5s` into its number and `s`.
fn split(text: &str) -> Option<(Decimal, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let places = u32::try_from(decimals.len())
        .ok()
        .filter(|places| (1..=9).contains(places))?;
    let scale = 10_u64.pow(places);
    let digits = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let digits = digits.checked_add(decimals.parse::<u64>().ok()?)?;
    Some((Decimal { digits, scale }, unit))
}

/// A duration, zero included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Duration);

/// A duration above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period(pub(crate) Duration);

/// Longer ones are mistakes, and would overflow sums of times.
const DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

const DURATION_PATTERN: &str = r"^\d+(\.\d{1,9})?(ms|s|m|h|d)$";

impl FromText for Wait {
    const WRITE: &'static str = "write one such as \"1s\" (units: ms, s, m, h, d)";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let none = || Wrong::new("which is no duration", Self::WRITE);
        let (number, unit) = split(text).ok_or_else(none)?;
        let nanos: u128 = match unit {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            _ => return Err(none()),
        };
        let nanos = u128::from(number.digits) * nanos / u128::from(number.scale);
        u64::try_from(nanos)
            .ok()
            .map(Duration::from_nanos)
            .filter(|&duration| duration <= DURATION_MAX)
            .map(Self)
            .ok_or_else(|| Wrong::new("which is more than a year", "write less"))
    }

    fn text_schema() -> Json {
        json!({ "type": "string", "pattern": DURATION_PATTERN })
    }
}

impl FromText for Period {
    const WRITE: &'static str = Wait::WRITE;

    fn parse(text: &str) -> Result<Self, Wrong> {
        let Wait(duration) = Wait::parse(text)?;
        if duration.is_zero() {
            return Err(Wrong::new(
                "which leaves no time at all",
                "write more than \"0s\"",
            ));
        }
        Ok(Self(duration))
    }

    fn text_schema() -> Json {
        Wait::text_schema()
    }
}

/// A size from `MIN` to `MAX` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Bytes<MIN, MAX> {
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    pub(crate) fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<const MIN: u64, const MAX: u64> FromText for Bytes<MIN, MAX> {
    const WRITE: &'static str = "write one such as \"64KiB\" (units: B, KiB, MiB, GiB)";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let bytes = size(text).ok_or_else(|| Wrong::new("which is no size", Self::WRITE))?;
        if bytes < MIN {
            return Err(Wrong::new(
                "which is too small",
                format!("write \"{MIN}B\" or more"),
            ));
        }
        if bytes > MAX {
            return Err(Wrong::new(
                "which is too large",
                format!("write \"{MAX}B\" or less"),
            ));
        }
        Ok(Self(bytes))
    }

    fn text_schema() -> Json {
        json!({ "type": "string", "pattern": r"^\d+(\.\d{1,9})?(B|KiB|MiB|GiB)$" })
    }
}

fn size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let bytes: u128 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    u64::try_from(u128::from(number.digits) * bytes / u128::from(number.scale)).ok()
}

/// Bytes per second, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BytesPerSecond(pub(crate) u64);

impl FromText for BytesPerSecond {
    const WRITE: &'static str = "write one such as \"1KiB/s\"";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let none = || Wrong::new("which is no number of bytes per second", Self::WRITE);
        let bytes = text.strip_suffix("/s").and_then(size).ok_or_else(none)?;
        if bytes == 0 {
            return Err(Wrong::new("which every body reaches", Self::WRITE));
        }
        Ok(Self(bytes))
    }

    fn text_schema() -> Json {
        json!({ "type": "string", "pattern": r"^\d+(\.\d{1,9})?(B|KiB|MiB|GiB)/s$" })
    }
}

impl FromText for Rate {
    const WRITE: &'static str = "write one such as \"50/s\" (units: /s, /min, /h)";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let none = || Wrong::new("which is no rate", Self::WRITE);
        let (number, unit) = split(text).ok_or_else(none)?;
        let seconds: u64 = match unit {
            "/s" => 1,
            "/min" => 60,
            "/h" => 3600,
            _ => return Err(none()),
        };
        if number.digits == 0 {
            return Err(Wrong::new(
                "which lets nothing through",
                "write more than 0",
            ));
        }
        let shared = greatest_common_divisor(number.digits, number.scale);
        let per = Duration::from_secs(seconds * (number.scale / shared));
        let count = u32::try_from(number.digits / shared).ok();
        let count = count.filter(|&count| u128::from(count) <= per.as_nanos());
        let count = count.ok_or_else(|| Wrong::new("which is too fast", Self::WRITE))?;
        if per > DURATION_MAX {
            return Err(Wrong::new("which is slower than one a year", Self::WRITE));
        }
        Ok(Self { count, per })
    }

    fn text_schema() -> Json {
        json!({ "type": "string", "pattern": r"^\d+(\.\d{1,9})?/(s|min|h)$" })
    }
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_a_unit() {
        let cases = [
            ("250ms", Some(Duration::from_millis(250))),
            ("1.5s", Some(Duration::from_millis(1500))),
            ("10m", Some(Duration::from_secs(600))),
            ("12h", Some(Duration::from_secs(43_200))),
            ("366d", Some(DURATION_MAX)),
            ("0s", Some(Duration::ZERO)),
            ("367d", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
            ("5", None),
            ("s", None),
            ("", None),
            ("-1s", None),
            ("1 s", None),
            ("1.s", None),
            (".5s", None),
            ("1.0000000001s", None),
            ("1s1s", None),
            ("fast", None),
            ("1é", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                Wait::parse(text).ok().map(|wait| wait.0),
                expected,
                "{text}"
            );
        }
        assert!(Period::parse("0s").is_err(), "a period is never zero");
    }

    #[test]
    fn a_size_is_binary_and_bounded() {
        let cases = [
            ("64KiB", Some(65_536)),
            ("0.5KiB", Some(512)),
            ("32MiB", Some(33_554_432)),
            ("1GiB", Some(1 << 30)),
            ("100B", Some(100)),
            ("99B", None),
            ("2GiB", None),
            ("64KB", None),
            ("64", None),
            ("18446744073709551615GiB", None),
        ];
        for (text, expected) in cases {
            let size = Bytes::<100, { 1 << 30 }>::parse(text);
            assert_eq!(size.ok().map(Bytes::get), expected, "{text}");
        }
        assert_eq!(BytesPerSecond::parse("1KiB/s"), Ok(BytesPerSecond(1024)));
        assert!(BytesPerSecond::parse("0B/s").is_err());
        assert!(BytesPerSecond::parse("1KiB").is_err());
    }

    #[test]
    fn a_rate_is_kept_in_whole_numbers() {
        let rate = |count, seconds| {
            Some(Rate {
                count,
                per: Duration::from_secs(seconds),
            })
        };
        let cases = [
            ("50/s", rate(50, 1)),
            ("300/min", rate(300, 60)),
            ("0.1/s", rate(1, 10)),
            ("2.5/s", rate(5, 2)),
            ("7/h", rate(7, 3600)),
            ("1000000000/s", rate(1_000_000_000, 1)),
            ("1000000001/s", None),
            ("0.000000001/h", None),
            ("0/s", None),
            ("0.0/min", None),
            ("50", None),
            ("50/d", None),
            ("50s", None),
            ("/s", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Rate::parse(text).ok(), expected, "{text}");
        }
    }
}

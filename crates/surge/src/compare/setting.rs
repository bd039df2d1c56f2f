//! What stands for a rival's own name: a literal, or so much of what the origin can take.

use std::fmt;

use toml::Value;

/// What the origin can take at best; both are known from its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Optimum {
    /// Requests in flight at which its throughput is highest.
    pub(super) limit: u32,
    /// That throughput, in requests a second.
    pub(super) rate: f64,
}

/// A value before the origin is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Setting {
    /// Written as it stands.
    Literal(String),
    /// A multiple of what the origin can take, rounded to a whole number of 1 or more.
    Share { times: f64, of: Measure },
}

/// What a setting is a multiple of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Limit,
    Rate,
}

impl Setting {
    /// Reads a number, a word, or `FACTOR * LIMIT` and `FACTOR * RATE`.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        const WRITE: &str = "write a number, a word such as \"10s\", or \"0.5 * RATE\"";
        let text = match value {
            Value::String(text) => text,
            Value::Integer(number) => return Ok(Self::Literal(number.to_string())),
            Value::Float(number) => return Ok(Self::Literal(number.to_string())),
            _ => return Err(WRITE.to_owned()),
        };
        let Some((times, of)) = text.split_once('*') else {
            return Ok(Self::Literal(text.clone()));
        };
        let of = match of.trim() {
            "LIMIT" => Measure::Limit,
            "RATE" => Measure::Rate,
            _ => return Err(WRITE.to_owned()),
        };
        match times.trim().parse::<f64>() {
            Ok(times) if times > 0.0 && times <= 1e3 => Ok(Self::Share { times, of }),
            _ => Err(WRITE.to_owned()),
        }
    }

    /// What is written into the template in front of an origin that takes `optimum`.
    pub(super) fn filled(&self, optimum: Optimum) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Share { times, of } => {
                let whole = match of {
                    Measure::Limit => f64::from(optimum.limit),
                    Measure::Rate => optimum.rate,
                };
                (times * whole).round().max(1.0).to_string()
            }
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => formatter.write_str(text),
            Self::Share { times, of } => {
                let of = match of {
                    Measure::Limit => "LIMIT",
                    Measure::Rate => "RATE",
                };
                write!(formatter, "{times} * {of}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_literal_or_a_whole_multiple_of_what_the_origin_takes() {
        let optimum = Optimum {
            limit: 87,
            rate: 199.6,
        };
        for (written, filled) in [
            (Value::from(3), "3"),
            (Value::from(0.5), "0.5"),
            (Value::from("10s"), "10s"),
            (Value::from("0.5 * LIMIT"), "44"),
            (Value::from("2*RATE"), "399"),
            (Value::from("0.001 * LIMIT"), "1"),
        ] {
            let setting = Setting::read(&written).unwrap();
            assert_eq!(setting.filled(optimum), filled, "{written}");
        }
    }

    #[test]
    fn whatever_else_is_written_is_refused() {
        for text in ["2 * SPEED", "x * RATE", "-1 * RATE", "NaN * LIMIT", "*"] {
            assert!(Setting::read(&text.into()).is_err(), "{text}");
        }
        assert!(Setting::read(&Value::Boolean(true)).is_err());
    }
}

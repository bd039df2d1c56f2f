//! The few values that an operator also gives outside the file: on the command line and to the
//! admin interface. They read as in the file.

use std::fmt;
use std::str::FromStr;

use crate::checked::{Inlet, Rate, RoomMode};
use crate::read::{FromText, Wrong, parse_word};

/// A value that does not fit, with what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit(String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

fn unfit(text: &str) -> impl FnOnce(Wrong) -> Unfit {
    move |Wrong { what, write }| Unfit(format!("is {text:?}, {what}; {write}"))
}

impl FromStr for Rate {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        <Self as FromText>::parse(text).map_err(unfit(text))
    }
}

impl FromStr for Inlet {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        <Self as FromText>::parse(text).map_err(unfit(text))
    }
}

impl FromStr for RoomMode {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        parse_word(text).map_err(unfit(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_read_as_in_the_file() {
        let rate: Rate = "50/s".parse().unwrap();
        assert_eq!((rate.count, rate.per.as_secs()), (50, 1));
        assert_eq!("shadow".parse(), Ok(Inlet::Shadow));
        assert_eq!("50/s".parse(), Ok(Inlet::Rate(rate)));
        assert_eq!("queue-all".parse(), Ok(RoomMode::QueueAll));
        let wrong = "fast".parse::<Rate>().unwrap_err().to_string();
        assert!(wrong.contains("50/s"), "{wrong}");
    }
}

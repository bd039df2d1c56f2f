//! A moment: a date and a time with an offset, as TOML has them without quotes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};
use toml::de::DeValue;
use toml::value::{Date, Datetime, Offset, Time};

use super::{Node, Reader, Value, wrong_type};

/// A moment after 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) SystemTime);

const WRITE: &str = "write one such as 2030-12-01T09:00:00-05:00, without quotes";

impl Value for Moment {
    fn read(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Datetime(written) = node.value else {
            wrong_type(node, reader, WRITE);
            return None;
        };
        let Datetime {
            date: Some(date),
            time: Some(time),
            offset: Some(offset),
        } = written
        else {
            let what = format!("is {written}, which is no moment: it lacks date, time or offset");
            reader.report.error(&node.place, what, WRITE);
            return None;
        };
        let moment = since_epoch(*date, *time, *offset);
        if moment.is_none() {
            let what = format!("is {written}, before 1970");
            reader.report.error(&node.place, what, WRITE);
        }
        Some(Self(UNIX_EPOCH + moment?))
    }

    fn schema() -> Json {
        json!({ "type": "string", "format": "date-time" })
    }
}

fn since_epoch(date: Date, time: Time, offset: Offset) -> Option<Duration> {
    let east = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let minutes = days(date) * 1_440 + i64::from(time.hour) * 60 + i64::from(time.minute) - east;
    let seconds = minutes * 60 + i64::from(time.second.unwrap_or(0));
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// Days since 1970-01-01 in the Gregorian calendar. The year is counted from March, so that a
/// leap day is its last.
fn days(date: Date) -> i64 {
    let (year, month) = (i64::from(date.year), i64::from(date.month));
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leaps = year / 4 - year / 100 + year / 400;
    let before = (153 * month + 2) / 5;
    // 719 468 days lie between 0000-03-01 and 1970-01-01, with the first day counted as one.
    year * 365 + leaps + before + i64::from(date.day) - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_same_wherever_it_was_written() {
        // `date -d … +%s`
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2026-12-01T09:00:00-05:00", 1_796_133_600),
            ("2026-12-01T14:00:00Z", 1_796_133_600),
            ("2028-02-29T23:59:59+13:45", 1_835_432_099),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ];
        for (text, expected) in cases {
            let written: Datetime = text.parse().unwrap();
            let (date, time) = (written.date.unwrap(), written.time.unwrap());
            let found = since_epoch(date, time, written.offset.unwrap());
            assert_eq!(found, Some(Duration::from_secs(expected)), "{text}");
        }
    }
}

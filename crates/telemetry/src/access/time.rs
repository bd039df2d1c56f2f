//! The time of a line as RFC 3339 text, in UTC and milliseconds.

/// `0000-00-00T00:00:00.000Z`
const LENGTH: usize = 24;

/// Formats times, and keeps the last second: the lines of one second differ in three digits.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    second: u64,
    text: [u8; LENGTH],
}

impl Default for Clock {
    fn default() -> Self {
        let mut clock = Self {
            second: 0,
            text: *b"0000-00-00T00:00:00.000Z",
        };
        clock.set(0);
        clock
    }
}

impl Clock {
    /// The text for a number of milliseconds since 1970.
    pub(super) fn text(&mut self, millis: u64) -> &str {
        let second = millis / 1_000;
        if second != self.second {
            self.set(second);
        }
        digits(&mut self.text[20..23], millis % 1_000);
        std::str::from_utf8(&self.text).expect("digits and punctuation are ASCII")
    }

    fn set(&mut self, second: u64) {
        self.second = second;
        let (year, month, day) = date(second / 86_400);
        let of_day = second % 86_400;
        for (range, number) in [
            (0..4, year),
            (5..7, month),
            (8..10, day),
            (11..13, of_day / 3_600),
            (14..16, of_day / 60 % 60),
            (17..19, of_day % 60),
        ] {
            digits(&mut self.text[range], number);
        }
    }
}

/// The number in decimal, right-aligned; what does not fit is cut off at the left.
fn digits(text: &mut [u8], mut number: u64) {
    for place in text.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Year, month and day of a number of days since 1970-01-01, counted in years that begin on the
/// first of March so that the leap day comes last (Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms", `civil_from_days`).
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        let mut clock = Clock::default();
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (999, "1970-01-01T00:00:00.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_799_007, "2000-02-29T23:59:59.007Z"),
            (1_709_164_799_999, "2024-02-28T23:59:59.999Z"),
            (1_709_251_199_000, "2024-02-29T23:59:59.000Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (1_767_225_599_500, "2025-12-31T23:59:59.500Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(clock.text(millis), expected, "{millis}");
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut before = (1969, 12, 31);
        for day in 0..200 * 366 {
            let now = date(day);
            let (year, month, of_month) = before;
            let next = [
                (year, month, of_month + 1),
                (year, month + 1, 1),
                (year + 1, 1, 1),
            ];
            assert!(next.contains(&now), "{before:?} then {now:?}");
            before = now;
        }
    }
}
